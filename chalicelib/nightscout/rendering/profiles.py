"""Pump settings as profiles. Source: nightscout-api 14."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from chalicelib.durations import SECOND_MS
from chalicelib.model.json_values import plain_number
from chalicelib.nightscout.document import Collection, Document
from chalicelib.nightscout.rendering.overrides import bounds_mg_dl
from chalicelib.nightscout.rendering.record import Record, app_of, mg_dl, rendered, time_ms_of
from chalicelib.nightscout.times import iso_time

PROFILE_TYPES = ("pumpSettings",)
DEFAULT = "Default"
"""The name under which apps look for the active schedule."""
MAX_SCHEDULES = 32
_DEFAULT_INSULIN_HOURS = 6

Starts = Sequence[Mapping[str, Any]]


def rendered_profiles(records: Sequence[Record]) -> list[Document]:
    """The profiles of pump settings, newest first."""
    return [_profile(record) for record in reversed(records)]


def _profile(record: Record) -> Document:
    start_ms = max(0, time_ms_of(record))
    active = str(record.get("activeSchedule") or DEFAULT)
    store = {name: _schedules(record, name, active) for name in _names(record, active)}
    members = {
        "defaultProfile": active,
        "store": {DEFAULT: store[active], **store},
        "startDate": iso_time(start_ms),
        "created_at": iso_time(start_ms),
        "mills": start_ms,
        "units": "mg/dl",
        "enteredBy": app_of(record),
    }
    if limits := _limits(record):
        members["loopSettings"] = limits
    return rendered(Collection.PROFILE, record, members)


def _names(record: Record, active: str) -> list[str]:
    """The names of the schedules, the active one first."""
    named = (record.get(kind) or {} for kind in ("basalSchedules", "carbRatios", "insulinSensitivities", "bgTargets"))
    return list(dict.fromkeys([active, *(name for of_kind in named for name in of_kind)]))[:MAX_SCHEDULES]


def _schedules(record: Record, name: str, active: str) -> dict[str, Any]:
    units = record.get("units", {}).get("bg")
    targets = _starts(record, ("bgTargets", "bgTarget"), name, active)
    ratios = _starts(record, ("carbRatios", "carbRatio"), name, active)
    sensitivities = _starts(record, ("insulinSensitivities", "insulinSensitivity"), name, active)
    has_grams = record.get("units", {}).get("carb", "grams") == "grams"
    return {
        "dia": _insulin_hours(record),
        "timezone": _zone(record),
        "units": "mg/dl",
        "carbs_hr": 0,
        "delay": 0,
        "basal": _values(_starts(record, ("basalSchedules", "basalSchedule"), name, active), lambda of: of["rate"]),
        "carbratio": _values(ratios if has_grams else (), lambda of: of["amount"]),
        "sens": _values(sensitivities, lambda of: mg_dl(of["amount"], units)),
        "target_low": _values(targets, lambda of: bounds_mg_dl(of, units)[0]),
        "target_high": _values(targets, lambda of: bounds_mg_dl(of, units)[1]),
    }


def _starts(record: Record, fields: tuple[str, str], name: str, active: str) -> Starts:
    """A schedule by its name; settings that name none have one, which is the active one."""
    several, single = fields
    found: Starts = (record.get(several) or {}).get(name) or (record.get(single) if name == active else None) or ()
    return found


def _values(starts: Starts, value: Callable[[Mapping[str, Any]], Any]) -> list[dict[str, Any]]:
    return [_at(start["start"] // SECOND_MS, value(start)) for start in starts]


def _at(seconds: int, value: Any) -> dict[str, Any]:
    hours, minutes = divmod(seconds // 60, 60)
    return {"time": f"{hours:02}:{minutes:02}", "value": value, "timeAsSeconds": seconds}


def _insulin_hours(record: Record) -> float:
    """The hours for which insulin acts."""
    seconds = (record.get("insulinModel") or {}).get("actionDuration")
    if seconds:
        return plain_number(round(seconds / 3600, 2))
    insulin = ((record.get("bolus") or {}).get("calculator") or {}).get("insulin") or {}
    duration, units = insulin.get("duration"), insulin.get("units")
    if not duration:
        return _DEFAULT_INSULIN_HOURS
    return plain_number(round(duration / {"minutes": 60, "seconds": 3600}.get(str(units), 1), 2))


def _zone(record: Record) -> str:
    """The time zone; one that is known by its offset alone has the inverse sign, as in the database of zones."""
    if record.get("timezone"):
        return str(record["timezone"])
    hours = record.get("timezoneOffset", 0) // 60
    return f"Etc/GMT{-hours:+d}" if hours else "Etc/GMT"


def _limits(record: Record) -> dict[str, Any]:
    units = record.get("units", {}).get("bg")
    found = {
        "maximumBasalRatePerHour": ((record.get("basal") or {}).get("rateMaximum") or {}).get("value"),
        "maximumBolus": ((record.get("bolus") or {}).get("amountMaximum") or {}).get("value"),
    }
    if "bgSafetyLimit" in record:
        found["minimumBGGuard"] = mg_dl(record["bgSafetyLimit"], units)
    if "bgTargetPreprandial" in record:
        found["preMealTargetRange"] = list(bounds_mg_dl(record["bgTargetPreprandial"], units))
    return {name: value for name, value in found.items() if value is not None}
