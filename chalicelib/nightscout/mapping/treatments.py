"""Treatments as Tidepool records. Source: nightscout-api 14.

A document may stand for several records: a meal bolus is a bolus and a meal. The duration of a temporary basal, target
or override is the announced one; `timelines` ends it with the next one.
"""

from collections.abc import Callable, Mapping
from typing import Any

from chalicelib.durations import MINUTE_MS
from chalicelib.model.json_values import is_number
from chalicelib.nightscout.mapping.percentages import SCHEDULED_RATE
from chalicelib.nightscout.mapping.profiles import PROFILE_PARTS, SWITCH, number_of, records_of_switch, scale_factors

TREATMENT_PARTS = ("basal", "bolus", "insulin", "food", "smbg", "event", *PROFILE_PARTS)
MAX_MMOL_L_TARGET = 30
"""Targets below it are taken for mmol/L, since v1 loses the unit of a target."""
MAX_NUMBER = 1e15
"""Larger ones stand for "no limit"; no dose, amount or duration comes near it."""
_MG_DL, _MMOL_L = "mg/dL", "mmol/L"
_LOOP_APPS = ("Trio", "iAPS")
_LOOPS = ("loop", "trio", "iaps", "freeaps", "openaps", "aaps", "androidaps")
"""The beginnings of the names of apps that dose automatically, in lower case."""
_SUSPENSIONS = ("PUMP_SUSPEND", "EMULATED_PUMP_SUSPEND")
"""The types with which AndroidAPS sends a suspension as a temporary basal."""
_TARGET_TYPES = {"Eating Soon": "preprandial", "Activity": "physicalActivity"}

Body = Mapping[str, Any]
Record = dict[str, Any]


def records_of_treatment(body: Body) -> Mapping[str, Mapping[str, Any]]:
    """The records of a treatment, by their part."""
    kind = body.get("eventType")
    records: dict[str, Mapping[str, Any]] = {}
    if kind == "Temp Basal":
        return _part("basal", _temporary_basal(body))
    if kind == SWITCH:
        records |= records_of_switch(body)
    if kind == "External Insulin" or body.get("isBasalInsulin") is True:
        records |= _part("insulin", _insulin(body))
    else:
        records |= _part("bolus", _bolus(body))
    records |= _part("food", _food(body))
    records |= _part("smbg", _fingerstick(body))
    event = _EVENTS.get(str(kind))
    return records | ({} if event is None else _part("event", event(body)))


def _part(name: str, record: Record | None) -> dict[str, Record]:
    return {} if record is None else {name: record}


def _bolus(body: Body) -> Record | None:
    if body.get("eventType") == "Combo Bolus":
        return _combo_bolus(body)
    insulin, duration_ms = _positive(body, "insulin"), _duration_ms(body)
    if insulin is None:
        return None
    if body.get("type") == "square" and duration_ms:
        return {"type": "bolus", "subType": "square", "extended": insulin, "duration": duration_ms}
    is_automated = (
        body.get("automatic") is True or body.get("isSMB") is True or "SMB" in (body.get("type"), body.get("eventType"))
    )
    programmed = _positive(body, "programmed")
    expected = {"expectedNormal": programmed} if programmed is not None and programmed > insulin else {}
    return {"type": "bolus", "subType": "automated" if is_automated else "normal", "normal": insulin, **expected}


def _temporary_basal(body: Body) -> Record | None:
    """A temporary basal. One without a rate is a percentage of the scheduled rate, if that is known."""
    rates = (number_of(body.get(name)) for name in ("rate", "absolute"))
    rate = next((rate for rate in rates if rate is not None), None)
    percent: Record = {}
    if rate is None and is_number(body.get(SCHEDULED_RATE)) and is_number(body.get("percent")):
        percent = {"percent": max(0, round(1 + body["percent"] / 100, 4))}
        rate = round(body[SCHEDULED_RATE] * percent["percent"], 4)
    duration_ms = _duration_ms(body)
    if not duration_ms:
        return None
    if body.get("reason") == "suspend" or body.get("type") in _SUSPENSIONS:
        return {"type": "basal", "deliveryType": "suspend", "duration": duration_ms}
    if rate is None:
        return None
    is_automated = body.get("automatic") is True or any(
        str(body.get(name)).lower().startswith(_LOOPS) for name in ("enteredBy", "app")
    )
    kind = "automated" if is_automated else "temp"
    of_schedule = percent if kind == "temp" else {}
    return {"type": "basal", "deliveryType": kind, "rate": rate, "duration": duration_ms, **of_schedule}


def _combo_bolus(body: Body) -> Record | None:
    """A bolus of which a part is given at once and the rest over a while."""
    entered, duration_ms = _positive(body, "enteredinsulin"), _duration_ms(body)
    now, later = _positive(body, "splitNow"), _positive(body, "splitExt")
    if entered is not None:
        normal, extended = entered * (now or 0) / 100, entered * (later or 0) / 100
    else:
        normal = _positive(body, "insulin") or 0
        extended = (_positive(body, "relative") or 0) * (duration_ms or 0) / (60 * MINUTE_MS)
    parts: Record = {"normal": normal} if normal else {}
    if extended and duration_ms:
        parts |= {"extended": extended, "duration": duration_ms}
    kind = {1: "normal", 2: "square", 3: "dual/square"}.get(len(parts))
    return None if kind is None else {"type": "bolus", "subType": kind, **parts}


def _insulin(body: Body) -> Record | None:
    insulin = _positive(body, "insulin")
    if insulin is None:
        return None
    record: Record = {"type": "insulin", "dose": {"total": insulin, "units": "Units"}}
    if body.get("isBasalInsulin") is True:
        record["formulation"] = {"simple": {"actingType": "long"}}
    return record


def _food(body: Body) -> Record | None:
    carbs = _positive(body, "carbs")
    if carbs is None:
        return None
    nutrition: Record = {"carbohydrate": {"net": carbs, "units": "grams"}}
    for name in ("fat", "protein"):
        if (grams := _positive(body, name)) is not None:
            nutrition[name] = {"total": grams, "units": "grams"}
    if (minutes := _positive(body, "absorptionTime")) is not None:
        nutrition["estimatedAbsorptionDuration"] = round(minutes * 60)
    kind = body.get("foodType")
    named = {"name": kind} if isinstance(kind, str) and 1 <= len(kind) <= 100 else {}
    return {"type": "food", "nutrition": nutrition, **named}


def _fingerstick(body: Body) -> Record | None:
    glucose = _positive(body, "glucose")
    if glucose is None or body.get("glucoseType") == "Sensor":
        return None
    return {"type": "smbg", "units": _units(body.get("units")), "value": glucose}


def _units(units: Any) -> str:
    return _MMOL_L if str(units).lower().startswith("mmol") else _MG_DL


def _target(body: Body) -> Record | None:
    low, high, duration_ms = _positive(body, "targetBottom"), _positive(body, "targetTop"), _duration_ms(body)
    if low is None or high is None or not duration_ms:
        return None
    kind = _TARGET_TYPES.get(str(body.get("reason")), "custom")
    return _override(kind, duration_ms) | _bg_target(min(low, high), max(low, high))


def _temporary_override(body: Body) -> Record:
    name = body.get("reason")
    is_named = isinstance(name, str) and 1 <= len(name) <= 100
    record = _override("preset" if is_named else "custom", _duration_ms(body))
    if is_named:
        record["overridePreset"] = name
    factor = _positive(body, "insulinNeedsScaleFactor")
    if factor is not None:
        record |= scale_factors(factor)
    bounds = body.get("correctionRange")
    if isinstance(bounds, list) and len(bounds) == 2 and all(map(is_number, bounds)):
        record |= _bg_target(*bounds)
    return record


def _override(kind: str, duration_ms: int | None) -> Record:
    record: Record = {"type": "deviceEvent", "subType": "pumpSettingsOverride", "overrideType": kind}
    return record | ({"duration": duration_ms} if duration_ms else {})


def _bg_target(low: float, high: float) -> Record:
    units = _MMOL_L if high < MAX_MMOL_L_TARGET else _MG_DL
    return {"bgTarget": {"low": low, "high": high}, "units": {"bg": units}}


def _exercise(body: Body) -> Record | None:
    if body.get("enteredBy") in _LOOP_APPS:
        return _temporary_override({"reason": body.get("notes"), **body})
    minutes = _positive(body, "duration")
    return None if minutes is None else {"type": "physicalActivity", "duration": {"units": "minutes", "value": minutes}}


def _event(**members: Any) -> Callable[[Body], Record]:
    return lambda _body: {"type": "deviceEvent", **members}


_SITE_CHANGE = _event(subType="prime", primeTarget="cannula")
_SUSPENDED = _event(subType="status", status="suspended", reason={"suspended": "manual"})
_EVENTS: Mapping[str, Callable[[Body], Record | None]] = {
    "Temporary Target": _target,
    "Temporary Override": _temporary_override,
    "Exercise": _exercise,
    "Site Change": _SITE_CHANGE,
    "Pump Site Change": _SITE_CHANGE,
    "Insulin Change": _event(subType="reservoirChange"),
    "Suspend Pump": _SUSPENDED,
    "OpenAPS Offline": _SUSPENDED,
    "Resume Pump": _event(subType="status", status="resumed", reason={"resumed": "manual"}),
}


def _positive(body: Body, name: str) -> float | None:
    """A number above 0, which some apps send as a text; None for anything else."""
    value = body.get(name)
    value = number_of(value) if isinstance(value, str) else value
    return value if is_number(value) and 0 < value <= MAX_NUMBER else None


def _duration_ms(body: Body) -> int | None:
    minutes = _positive(body, "duration")
    return None if minutes is None else round(minutes * MINUTE_MS)
