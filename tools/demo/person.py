"""Simulates a person with a pump and a CGM: the effect of food, insulin, sport and the night on glucose.

The model is simple: glucose rises with absorbed carbohydrates, falls with active insulin, drifts a little, and returns
to a normal value. It produces data that looks real, and serves no other purpose.
"""

from dataclasses import dataclass, field
from random import Random

STEP_MINUTES = 5
STEPS_PER_DAY = 24 * 60 // STEP_MINUTES
STEPS_PER_HOUR = 60 // STEP_MINUTES

CARB_RATIO_G_PER_UNIT = 10
SENSITIVITY_MG_DL_PER_UNIT = 45
TARGET_LOW_MG_DL, TARGET_MG_DL, TARGET_HIGH_MG_DL = 95, 105, 115
BASAL_RATES = ((0, 0.75), (4 * 60, 0.95), (9 * 60, 0.8), (21 * 60, 0.7))
"""Minute of the day from which a rate (units per hour) of the basal schedule holds."""

MEALS = (("Breakfast", 7 * 60 + 30, 45, 180), ("Lunch", 12 * 60 + 30, 60, 210), ("Dinner", 19 * 60, 70, 270))
"""Name, usual minute of the day, usual carbohydrates (g), minutes until they are absorbed."""


@dataclass(frozen=True, slots=True)
class Meal:
    """A meal; the person's estimate of the carbohydrates is slightly wrong."""

    step: int
    name: str
    carbs_g: int
    counted_carbs_g: int
    absorption_minutes: int


@dataclass(frozen=True, slots=True)
class Bolus:
    """Insulin given at once (`normal_units`) and over the next `extended_minutes` (`extended_units`).

    `for_meal` is the meal that the bolus calculator was asked about, None for a correction by hand.
    """

    step: int
    normal_units: float
    glucose_mg_dl: int
    active_units: float
    for_meal: Meal | None = None
    extended_units: float = 0.0
    extended_minutes: int = 0


@dataclass(frozen=True, slots=True)
class Basal:
    """The basal delivery of the pump during one step: `temp` and `suspend` override the rate of the schedule."""

    delivery: str
    rate: float
    scheduled_rate: float


@dataclass(slots=True)
class Course:
    """The simulated days; `glucose_mg_dl` and `basals` have one element for each step."""

    glucose_mg_dl: list[float] = field(default_factory=list)
    basals: list[Basal] = field(default_factory=list)
    boluses: list[Bolus] = field(default_factory=list)
    meals: list[Meal] = field(default_factory=list)


def _released(duration_minutes: int) -> list[float]:
    """The share of a dose or a meal that acts in each step after it: a quick rise, a long tail, sum 1."""
    steps = duration_minutes // STEP_MINUTES

    def until(step: int) -> float:
        x = step / steps
        return 1 - (1 - x) ** 4 * (1 + 4 * x)

    return [until(step + 1) - until(step) for step in range(steps)]


INSULIN_ACTION = _released(300)


def scheduled_rate(minute_of_day: int) -> float:
    """The rate of the basal schedule, in units per hour."""
    return next(rate for start, rate in reversed(BASAL_RATES) if start <= minute_of_day)


def live(days: int, random: Random) -> Course:
    """Simulate a number of days, from midnight."""
    course = Course()
    steps = days * STEPS_PER_DAY
    planned = {meal.step: meal for day in range(days) for meal in _meals_of(day, random)}
    sport = {step for day in range(days) for step in _sport_of(day, random)}
    rise_g = [0.0] * (steps + STEPS_PER_DAY)
    units = [0.0] * (steps + STEPS_PER_DAY)  # relative to the schedule, which keeps glucose constant
    boluses = [0.0] * (steps + STEPS_PER_DAY)
    glucose, drift, basal = 120.0, 0.0, Basal("scheduled", 0.0, 0.0)
    last_bolus, last_rescue = -STEPS_PER_DAY, -STEPS_PER_DAY

    def eat(meal: Meal) -> None:
        course.meals.append(meal)
        for offset, share in enumerate(_released(meal.absorption_minutes)):
            rise_g[meal.step + 2 + offset] += meal.carbs_g * share

    def give(bolus: Bolus) -> None:
        course.boluses.append(bolus)
        boluses[bolus.step] += bolus.normal_units
        parts = bolus.extended_minutes // STEP_MINUTES
        for part in range(parts):
            boluses[bolus.step + part] += bolus.extended_units / parts

    for step in range(steps):
        minute = step % STEPS_PER_DAY * STEP_MINUTES
        recent = course.glucose_mg_dl[-3:] or [glucose]
        predicted = glucose + (glucose - recent[0]) * 2
        if step % (STEPS_PER_HOUR // 2) == 0 or scheduled_rate(minute) != basal.scheduled_rate:
            basal = _basal(predicted, scheduled_rate(minute))
        course.basals.append(basal)
        active_units = _active(boluses, step)
        meal = planned.get(step)
        if meal is not None:
            eat(meal)
            if random.random() > 0.06:  # a bolus is sometimes forgotten
                give(_meal_bolus(meal, glucose, active_units, random))
                last_bolus = step
        elif predicted < 66 and step - last_rescue > 9:
            eat(Meal(step, "Glucose tablets", 16, 16, 60))
            last_rescue = step
        elif glucose > 235 and step - last_bolus > 24:
            wanted = (glucose - TARGET_HIGH_MG_DL) / SENSITIVITY_MG_DL_PER_UNIT - active_units
            if wanted >= 0.5:
                give(Bolus(step, _to_pump(wanted), round(glucose), active_units))
                last_bolus = step
        units[step] = boluses[step] + (basal.rate - basal.scheduled_rate) / STEPS_PER_HOUR
        at_work = sum(units[step - age] * share for age, share in enumerate(INSULIN_ACTION) if age <= step)
        drift = 0.92 * drift + random.gauss(0, 0.75)
        glucose += rise_g[step] * SENSITIVITY_MG_DL_PER_UNIT / CARB_RATIO_G_PER_UNIT
        glucose -= at_work * SENSITIVITY_MG_DL_PER_UNIT
        glucose += drift - (2.0 if step in sport else 0.0) + (0.6 if 3 * 60 <= minute < 7 * 60 else 0.0)
        glucose = max(42.0, glucose - 0.006 * (glucose - 125))
        course.glucose_mg_dl.append(glucose)
    return course


def _meals_of(day: int, random: Random) -> list[Meal]:
    meals = []
    for name, minute, carbs_g, absorption_minutes in MEALS:
        meals.append(_meal(day, name, random.gauss(minute, 20), random.gauss(carbs_g, 14), absorption_minutes, random))
    if random.random() < 0.45:
        meals.append(_meal(day, "Snack", random.gauss(16 * 60, 25), random.gauss(22, 6), 120, random))
    return meals


def _meal(day: int, name: str, minute: float, carbs_g: float, absorption_minutes: int, random: Random) -> Meal:
    eaten_g = max(8, round(carbs_g))
    counted_g = max(5, round(eaten_g * random.gauss(1.0, 0.16)))
    return Meal(day * STEPS_PER_DAY + int(minute) // STEP_MINUTES, name, eaten_g, counted_g, absorption_minutes)


def _sport_of(day: int, random: Random) -> range:
    start = day * STEPS_PER_DAY + 17 * STEPS_PER_HOUR
    return range(start, start + random.randint(6, 12)) if day % 7 in (1, 3, 5) else range(0)


def _basal(predicted_mg_dl: float, rate: float) -> Basal:
    """The pump's automation: it suspends before a low and gives more during a high."""
    if predicted_mg_dl < 78:
        return Basal("suspend", 0.0, rate)
    if predicted_mg_dl > 185:
        return Basal("temp", round(rate * 1.6, 3), rate)
    return Basal("scheduled", rate, rate)


def _active(boluses: list[float], step: int) -> float:
    """Insulin on board: the units of earlier boluses that have not acted yet."""
    left, total = 1.0, 0.0
    for age, share in enumerate(INSULIN_ACTION):
        left -= share
        if age < step:
            total += boluses[step - 1 - age] * left
    return round(total, 2)


def _meal_bolus(meal: Meal, glucose_mg_dl: float, active_units: float, random: Random) -> Bolus:
    correction = max(0.0, (glucose_mg_dl - TARGET_HIGH_MG_DL) / SENSITIVITY_MG_DL_PER_UNIT - active_units)
    total = _to_pump(meal.counted_carbs_g / CARB_RATIO_G_PER_UNIT + correction)
    if meal.name == "Dinner" and random.random() < 0.3:  # a fat meal: part of it over two hours
        normal = _to_pump(total * 0.6)
        return Bolus(
            meal.step, normal, round(glucose_mg_dl), active_units, meal, _to_pump(total - normal), extended_minutes=120
        )
    return Bolus(meal.step, total, round(glucose_mg_dl), active_units, meal)


def _to_pump(units: float) -> float:
    """Round to the steps of a pump, 0.05 units."""
    return round(round(units * 20) / 20, 2)
