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
    steps = days * STEPS_PER_DAY
    planned = {meal.step: meal for day in range(days) for meal in _meals_of(day, random)}
    sport = {step for day in range(days) for step in _sport_of(day, random)}
    life = _Life(steps, random)
    for step in range(steps):
        life.live(step, planned.get(step), is_sport=step in sport)
    return life.course


class _Life:
    """A person of whom each step follows from the steps before it."""

    def __init__(self, steps: int, random: Random) -> None:
        self.course = Course()
        self._random = random
        self._rise_g = [0.0] * (steps + STEPS_PER_DAY)
        self._boluses = [0.0] * (steps + STEPS_PER_DAY)
        self._units = [0.0] * (steps + STEPS_PER_DAY)
        """Relative to the schedule, which keeps glucose constant."""
        self._glucose = 120.0
        self._drift = 0.0
        self._basal = Basal("scheduled", 0.0, 0.0)
        self._last_bolus = self._last_rescue = -STEPS_PER_DAY

    def live(self, step: int, meal: Meal | None, *, is_sport: bool) -> None:
        """Simulate the next step, with the meal that is planned for it."""
        minute = step % STEPS_PER_DAY * STEP_MINUTES
        recent = self.course.glucose_mg_dl[-3:] or [self._glucose]
        predicted = self._glucose + (self._glucose - recent[0]) * 2
        self._set_basal(step, minute, predicted)
        self._eat_and_dose(step, meal, predicted)
        self._move_glucose(step, minute, is_sport=is_sport)

    def _set_basal(self, step: int, minute: int, predicted: float) -> None:
        if step % (STEPS_PER_HOUR // 2) == 0 or scheduled_rate(minute) != self._basal.scheduled_rate:
            self._basal = _basal(predicted, scheduled_rate(minute))
        self.course.basals.append(self._basal)

    def _eat_and_dose(self, step: int, meal: Meal | None, predicted: float) -> None:
        active_units = _active(self._boluses, step)
        if meal is not None:
            self._eat(meal)
            if self._random.random() > 0.06:  # a bolus is sometimes forgotten
                self._give(_meal_bolus(meal, self._glucose, active_units, self._random))
        elif predicted < 66 and step - self._last_rescue > 9:
            self._eat(Meal(step, "Glucose tablets", 16, 16, 60))
            self._last_rescue = step
        elif self._glucose > 235 and step - self._last_bolus > 24:
            wanted = (self._glucose - TARGET_HIGH_MG_DL) / SENSITIVITY_MG_DL_PER_UNIT - active_units
            if wanted >= 0.5:
                self._give(Bolus(step, _to_pump(wanted), round(self._glucose), active_units))

    def _eat(self, meal: Meal) -> None:
        self.course.meals.append(meal)
        for offset, share in enumerate(_released(meal.absorption_minutes)):
            self._rise_g[meal.step + 2 + offset] += meal.carbs_g * share

    def _give(self, bolus: Bolus) -> None:
        self.course.boluses.append(bolus)
        self._last_bolus = bolus.step
        self._boluses[bolus.step] += bolus.normal_units
        parts = bolus.extended_minutes // STEP_MINUTES
        for part in range(parts):
            self._boluses[bolus.step + part] += bolus.extended_units / parts

    def _move_glucose(self, step: int, minute: int, *, is_sport: bool) -> None:
        self._units[step] = self._boluses[step] + (self._basal.rate - self._basal.scheduled_rate) / STEPS_PER_HOUR
        at_work = sum(self._units[step - age] * share for age, share in enumerate(INSULIN_ACTION) if age <= step)
        self._drift = 0.92 * self._drift + self._random.gauss(0, 0.75)
        glucose = self._glucose + self._rise_g[step] * SENSITIVITY_MG_DL_PER_UNIT / CARB_RATIO_G_PER_UNIT
        glucose -= at_work * SENSITIVITY_MG_DL_PER_UNIT
        glucose += self._drift - (2.0 if is_sport else 0.0) + (0.6 if 3 * 60 <= minute < 7 * 60 else 0.0)
        self._glucose = max(42.0, glucose - 0.006 * (glucose - 125))
        self.course.glucose_mg_dl.append(self._glucose)


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
