"""Profiles as pump settings. Source: nightscout-api 14.

Apps and the editor of Nightscout send numbers as numbers or as texts. Values that the data model refuses
are left out: a limit out of range, a time zone by another name, schedules in other units than the active one's.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from chalicelib.durations import DAY_S, MINUTE_MS, SECOND_MS
from chalicelib.model.json_values import is_number
from chalicelib.model.text_formats import time_zone_names

PROFILE_PARTS = ("settings",)
SWITCH = "Profile Switch"
MAX_SCHEDULES = 32
MAX_STARTS = 96
"""The starts of a schedule: a quarter of an hour each."""
MAX_INSULIN_HOURS = 10
MAX_LIMIT = 100
MAX_DURATION_MS = 7 * 24 * 60 * MINUTE_MS
_MG_DL, _MMOL_L = "mg/dL", "mmol/L"

Body = Mapping[str, Any]
Starts = list[tuple[int, float]]
"""Times from midnight in milliseconds, and the value from each on."""


def records_of_profile(body: Body) -> Mapping[str, Mapping[str, Any]]:
    """The settings of a profile, by their part; none without schedules, or if a schedule cannot be read."""
    named = _named(body)
    active = _active(body, named)
    return {} if active is None else _settings(body, dict(_active_first(named, active)), active)


def active_schedules(body: Body) -> Body | None:
    """The schedules of a profile under its default name, else the first ones; None if there are none."""
    named = _named(body)
    active = _active(body, named)
    return None if active is None else named[active]


def records_of_switch(body: Body) -> Mapping[str, Mapping[str, Any]]:
    """The settings that a profile switch brings along, by their part; none if it only names a profile."""
    name, text = body.get("profile"), body.get("profileJson")
    if not isinstance(name, str) or not name or not isinstance(text, str):
        return {}
    try:
        schedules = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return _settings({}, {name: schedules}, name) if isinstance(schedules, dict) else {}


def starts_of(schedule: Any) -> Starts | None:
    """A schedule of a profile in the order of time, the last one of equal times; None if it cannot be read."""
    if not isinstance(schedule, list) or len(schedule) > MAX_STARTS:
        return None
    found: dict[int, float] = {}
    for start in schedule:
        seconds = _seconds(start) if isinstance(start, dict) else None
        value = None if seconds is None else number_of(start.get("value"))
        if seconds is None or value is None:
            return None
        found[seconds * SECOND_MS] = value
    return sorted(found.items())


def number_of(value: Any) -> float | None:
    """A finite number, or the number of a text; None for anything else."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    return value if is_number(value) and abs(value) < DAY_S * SECOND_MS else None


def scale_factors(factor: float) -> dict[str, float]:
    """The factors of a schedule that follow from one of the insulin that a person needs."""
    return {
        "basalRateScaleFactor": factor,
        "carbRatioScaleFactor": 1 / factor,
        "insulinSensitivityScaleFactor": 1 / factor,
    }


def _named(body: Body) -> Mapping[str, Body]:
    """The schedules of a profile by name."""
    store = body.get("store")
    sent = store.items() if isinstance(store, dict) else ()
    return {name: schedules for name, schedules in sent if name and isinstance(schedules, dict)}


def _active(body: Body, named: Mapping[str, Body]) -> str | None:
    default = body.get("defaultProfile")
    return default if isinstance(default, str) and default in named else next(iter(named), None)


def _active_first(named: Mapping[str, Body], active: str) -> Iterable[tuple[str, Body]]:
    names = [active, *(name for name in named if name != active)][:MAX_SCHEDULES]
    return ((name, named[name]) for name in names)


def _settings(body: Body, named: Mapping[str, Body], active: str) -> Mapping[str, Mapping[str, Any]]:
    units = _units(named[active], body)
    record: dict[str, Any] = {
        "type": "pumpSettings",
        "activeSchedule": active,
        "units": {"bg": units, "carb": "grams", "insulin": "Units"},
    }
    for name, schedules in named.items():
        if _units(schedules, body) != units:
            continue
        for field, of_kind in _schedules(schedules):
            if of_kind is None:
                return {}
            if of_kind:
                record.setdefault(field, {})[name] = of_kind
    if not any(field in record for field in ("basalSchedules", "carbRatios", "insulinSensitivities", "bgTargets")):
        return {}
    hours = number_of(named[active].get("dia"))
    if hours is not None and 0 < hours <= MAX_INSULIN_HOURS:
        insulin = {"duration": hours, "units": "hours"}
        record["bolus"] = {"calculator": {"enabled": True, "insulin": insulin}}
    zone = named[active].get("timezone")
    if isinstance(zone, str) and zone in time_zone_names():
        record["timezone"] = zone
    of_loop = body.get("loopSettings")
    return {"settings": _with_limits(record, of_loop) if isinstance(of_loop, dict) else record}


def _schedules(schedules: Body) -> Iterable[tuple[str, list[dict[str, Any]] | None]]:
    """The schedules of one name by their fields; None for one that cannot be read."""
    for field, kind, member in (
        ("basalSchedules", "basal", "rate"),
        ("carbRatios", "carbratio", "amount"),
        ("insulinSensitivities", "sens", "amount"),
    ):
        starts = starts_of(schedules.get(kind, []))
        yield field, None if starts is None else [{"start": start, member: value} for start, value in starts]
    low, high = starts_of(schedules.get("target_low", [])), starts_of(schedules.get("target_high", []))
    yield "bgTargets", None if low is None or high is None else list(_targets(low, high))


def _targets(low: Starts, high: Starts) -> Iterable[dict[str, Any]]:
    """The targets from each time on at which one of their bounds changes; none unless there are both."""
    if not low or not high:
        return
    for start in sorted({start for start, _ in (*low, *high)}):
        bounds = value_at(low, start), value_at(high, start)
        yield {"start": start, "low": min(bounds), "high": max(bounds)}


def value_at(starts: Sequence[tuple[int, float]], time_of_day_ms: int) -> float:
    """The value of a schedule at a time of the day; before its first start, that of its last."""
    return next((value for start, value in reversed(starts) if start <= time_of_day_ms), starts[-1][1])


def _units(schedules: Body, body: Body) -> str:
    """The units of glucose in the schedules of one name."""
    return _MMOL_L if str(schedules.get("units") or body.get("units")).lower().startswith("mmol") else _MG_DL


def _seconds(start: Body) -> int | None:
    """The second of the day at which a value begins; None if it cannot be read."""
    seconds = number_of(start.get("timeAsSeconds"))
    if seconds is None:
        hours, colon, minutes = str(start.get("time")).partition(":")
        if not (colon and hours.isascii() and hours.isdigit() and minutes.isascii() and minutes.isdigit()):
            return None
        seconds = int(hours[:3]) * 3600 + int(minutes[:3]) * 60
    return int(seconds) if 0 <= seconds < DAY_S else None


def _with_limits(record: dict[str, Any], of_loop: Body) -> dict[str, Any]:
    """The settings with the limits, the guard and the presets of Loop."""
    rate, bolus, guard = (
        number_of(of_loop.get(name)) for name in ("maximumBasalRatePerHour", "maximumBolus", "minimumBGGuard")
    )
    if rate is not None and 0 <= rate <= MAX_LIMIT:
        record["basal"] = {"rateMaximum": {"units": "Units/hour", "value": rate}}
    if bolus is not None and 0 <= bolus <= MAX_LIMIT:
        record["bolus"] = {**record.get("bolus", {}), "amountMaximum": {"units": "Units", "value": bolus}}
    if guard is not None and guard > 0:
        record["bgSafetyLimit"] = guard
    if (target := _range(of_loop.get("preMealTargetRange"))) is not None:
        record["bgTargetPreprandial"] = target
    sent = of_loop.get("overridePresets")
    presets = dict(_presets(sent)) if isinstance(sent, list) else {}
    return record | ({"overridePresets": presets} if presets else {})


def _presets(sent: Sequence[Any]) -> Iterable[tuple[str, dict[str, Any]]]:
    for preset in sent[:MAX_SCHEDULES]:
        name = preset.get("name") if isinstance(preset, dict) else None
        if not isinstance(name, str) or not name:
            continue
        made: dict[str, Any] = {}
        symbol, factor = preset.get("symbol"), number_of(preset.get("insulinNeedsScaleFactor"))
        if isinstance(symbol, str) and 1 <= len(symbol) <= MAX_LIMIT:
            made["abbreviation"] = symbol
        duration_ms = round((number_of(preset.get("duration")) or 0) * SECOND_MS)
        if 0 < duration_ms <= MAX_DURATION_MS:
            made["duration"] = duration_ms
        if (target := _range(preset.get("targetRange"))) is not None:
            made["bgTarget"] = target
        if factor is not None and 0.1 <= factor <= 10:
            made |= scale_factors(factor)
        yield name, made


def _range(bounds: Any) -> dict[str, float] | None:
    values = [number_of(bound) for bound in bounds] if isinstance(bounds, list) and len(bounds) == 2 else []
    known = [value for value in values if value is not None]
    return {"low": min(known), "high": max(known)} if len(known) == 2 else None
