"""Doses, meals, events and notes of the Tidepool API as treatments. Source: nightscout-api 14."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from chalicelib.durations import MINUTE_MS
from chalicelib.nightscout.document import Document
from chalicelib.nightscout.rendering.overrides import rendered_override
from chalicelib.nightscout.rendering.record import Record, minutes, rendered_treatment, time_ms_of
from chalicelib.nightscout.rendering.temporary_basals import rendered_basals

TREATMENT_TYPES = (
    "basal",
    "bolus",
    "deviceEvent",
    "food",
    "insulin",
    "physicalActivity",
    "reportedState",
    "wizard",
)
MIN_BOLUS_UNITS = 0.001
"""Apps embed a smaller bolus in a wizard record that stands for a meal."""
_MINUTES = {"seconds": 1 / 60, "minutes": 1, "hours": 60}


def rendered_treatments(records: Sequence[Record]) -> list[Document]:
    """The treatments of the records of one day, newest first. A bolus and a meal of the same second are one."""
    doses: dict[int, list[Record]] = defaultdict(list)
    meals: dict[int, list[Record]] = defaultdict(list)
    documents: list[Document] = []
    for record in records:
        if record["type"] == "bolus":
            if _insulin(record) >= MIN_BOLUS_UNITS:
                doses[time_ms_of(record) // 1000].append(record)
        elif record["type"] in ("food", "wizard"):
            if _carbs(record) > 0:
                meals[time_ms_of(record) // 1000].append(record)
        elif record["type"] in _OTHERS:
            documents += _OTHERS[record["type"]](record)
    for second in doses.keys() | meals.keys():
        documents += _doses_and_meals(doses[second], meals[second])
    documents += rendered_basals([record for record in records if record["type"] == "basal"])
    return sorted(documents, key=lambda document: document.time_ms, reverse=True)


def _doses_and_meals(doses: Sequence[Record], meals: Sequence[Record]) -> Iterator[Document]:
    together = min(len(doses), len(meals), 1)
    for dose, meal in zip(doses[:together], meals[:together], strict=True):
        yield rendered_treatment(dose, "Meal Bolus", _bolus(dose) | _meal(meal))
    for dose in doses[together:]:
        yield rendered_treatment(dose, "Correction Bolus", _bolus(dose))
    for meal in meals[together:]:
        yield rendered_treatment(meal, "Carb Correction", _meal(meal))


def _insulin(bolus: Record) -> float:
    units: float = bolus.get("normal", 0) + bolus.get("extended", 0)
    return round(units, 6)


def _bolus(bolus: Record) -> dict[str, Any]:
    members: dict[str, Any] = {"insulin": _insulin(bolus), "type": "normal"}
    if bolus.get("extended"):
        members["type"] = "dual" if bolus.get("normal") else "square"
        members["duration"] = minutes(bolus.get("duration", 0))
    if "expectedNormal" in bolus or "expectedExtended" in bolus:
        normal = bolus.get("expectedNormal", bolus.get("normal", 0))
        members["programmed"] = round(normal + bolus.get("expectedExtended", bolus.get("extended", 0)), 6)
    if bolus.get("subType") == "automated":
        members["automatic"] = True
    return members


def _carbs(meal: Record) -> float:
    """The carbohydrates of a meal in grams; 0 if it has none."""
    if meal["type"] == "wizard":
        in_grams = meal.get("carbUnits", "grams") == "grams"
        carbs = meal.get("carbInput", 0) if in_grams else 0
    else:
        carbs = meal.get("nutrition", {}).get("carbohydrate", {}).get("net", 0)
    return carbs if isinstance(carbs, int | float) else 0


def _meal(meal: Record) -> dict[str, Any]:
    members: dict[str, Any] = {"carbs": _carbs(meal)}
    nutrition = meal.get("nutrition", {})
    for name in ("fat", "protein"):
        if (grams := nutrition.get(name, {}).get("total", 0)) > 0:
            members[name] = grams
    if (absorption_s := nutrition.get("estimatedAbsorptionDuration", 0)) > 0:
        members["absorptionTime"] = minutes(absorption_s * 1000)
    if isinstance(meal.get("name"), str):
        members["foodType"] = meal["name"]
    return members


def _external_insulin(record: Record) -> Iterator[Document]:
    total = record.get("dose", {}).get("total", 0)
    if total > 0:
        yield rendered_treatment(record, "External Insulin", {"insulin": total})


def _exercise(record: Record) -> Iterator[Document]:
    duration = record.get("duration", {})
    lasted = duration.get("value", 0) * _MINUTES.get(duration.get("units"), 1)
    notes = {"notes": record["name"]} if isinstance(record.get("name"), str) else {}
    yield rendered_treatment(record, "Exercise", {"duration": minutes(lasted * MINUTE_MS), **notes})


def _reported_state(record: Record) -> Iterator[Document]:
    states = [state.get("stateOther") or state.get("state") for state in record.get("states", ())]
    if states:
        yield rendered_treatment(record, "Note", {"notes": ", ".join(map(str, states))})


def _device_event(record: Record) -> Iterator[Document]:
    match record.get("subType"):
        case "pumpSettingsOverride":
            yield rendered_override(record)
        case "prime" if record.get("primeTarget") == "cannula":
            yield rendered_treatment(record, "Site Change", {})
        case "reservoirChange":
            yield rendered_treatment(record, "Insulin Change", {})
        case "status" if record.get("status") in _STATUSES:
            yield rendered_treatment(record, _STATUSES[record["status"]], {})
        case "alarm":
            yield rendered_treatment(record, "Note", {"notes": str(record.get("alarmType"))})


_STATUSES = {"suspended": "Suspend Pump", "resumed": "Resume Pump"}
_OTHERS: Mapping[str, Callable[[Record], Iterator[Document]]] = {
    "insulin": _external_insulin,
    "physicalActivity": _exercise,
    "reportedState": _reported_state,
    "deviceEvent": _device_event,
}
