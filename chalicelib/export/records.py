"""Records in the form of an export: units converted, settings of pumps divided, members two levels deep at most.

Source: export 4.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from chalicelib import json_text
from chalicelib.durations import DAY_MS
from chalicelib.export.query import MG_DL
from chalicelib.export.sheets import FIELDS, JSON_FIELDS
from chalicelib.frozen import frozen
from chalicelib.model.glucose import MG_DL_PER_MMOL_L
from chalicelib.model.json_values import is_number
from chalicelib.model.times import format_time

Record = dict[str, Any]
PUMP_SETTINGS = "pumpSettings"
MS_OF_UNIT = {"hours": 3_600_000, "minutes": 60_000, "seconds": 1000}
START = "start"


@frozen
class Schedule:
    """A kind of schedule in the settings of a pump: the member with its entries, which are named or not."""

    member: str
    entry: str
    """The name of an entry in an export."""
    is_named: bool
    has_units: bool = True

    @property
    def type(self) -> str:
        """The type of its entries in an export."""
        return f"{PUMP_SETTINGS}.{self.member}"

    def entries(self, settings: Record) -> Iterator[Record]:
        """Each entry of the schedules of this kind, with what it has in common with the others."""
        common = {name: value for name, value in settings.items() if name not in _DIVIDED} | {"type": self.type}
        if self.has_units:
            common["units"] = settings.get("units")
        schedules = settings.get(self.member) or {}
        for name, entries in schedules.items() if self.is_named else ((None, schedules or ()),):
            named = {"scheduleName": name} if self.is_named else {}
            for entry in entries or ():
                yield common | named | {self.entry: entry}


SCHEDULES = (
    Schedule("basalSchedules", "basalSchedule", is_named=True, has_units=False),
    Schedule("bgTarget", "bgTarget", is_named=False),
    Schedule("bgTargets", "bgTarget", is_named=True),
    Schedule("carbRatio", "carbRatio", is_named=False),
    Schedule("carbRatios", "carbRatio", is_named=True),
    Schedule("insulinSensitivity", "insulinSensitivity", is_named=False),
    Schedule("insulinSensitivities", "insulinSensitivity", is_named=True),
)
_DIVIDED = frozenset({*(schedule.member for schedule in SCHEDULES), "units"})
_ENTRIES: Mapping[str, str] = {schedule.type: schedule.entry for schedule in SCHEDULES}


def divided(record: Record) -> Iterator[Record]:
    """The record, or an entry after the other of the schedules of a pump's settings."""
    if record.get("type") != PUMP_SETTINGS:
        yield record
        return
    for schedule in SCHEDULES:
        yield from schedule.entries(record)


def converted(record: Record, units: str) -> Record:
    """The record with glucose in these units, durations in minutes (of an activity: days), and free members as text."""
    type_ = record.get("type")
    json_fields = JSON_FIELDS.get(str(type_))
    if json_fields is None:
        return record
    record = {
        name: json_text.encode(value).decode() if name in json_fields and value is not None else value
        for name, value in record.items()
    }
    if units == MG_DL and type_ != "bloodKetone":
        record = _in_mg_dl(record, str(type_))
    convert = _CONVERSIONS.get(str(type_))
    return record if convert is None else convert(record)


def flat(record: Record) -> Record:
    """The members of a record that an export has, objects as members with a point in their name.

    A type that has no sheet keeps all of its members.
    """
    fields = FIELDS if record.get("type") in JSON_FIELDS else None
    members: Record = {}
    for name, value in record.items():
        if isinstance(value, dict) and value:
            inner = {f"{name}.{key}": element for key, element in value.items()}
            members.update(inner if fields is None else {key: inner[key] for key in inner if key in fields})
        elif fields is None or name in fields:
            members[name] = value
    entry = _ENTRIES.get(str(record.get("type")))
    if entry is not None and isinstance(members.get(f"{entry}.{START}"), int):
        members[f"{entry}.{START}"] = _time_of_day(members[f"{entry}.{START}"])
    return members


def _time_of_day(time_ms: int) -> str:
    """A time of day as the reference writes it: on the first day of the epoch, with milliseconds."""
    whole, _, fraction = format_time(time_ms).removesuffix("Z").partition(".")
    return f"{whole}.{fraction:0<3}Z"


def _in_mg_dl(record: Record, type_: str) -> Record:
    changed = dict(record)
    unit = record.get("units")
    if isinstance(unit, str):
        changed["units"] = MG_DL
    elif isinstance(unit, dict) and "bg" in unit:
        changed["units"] = unit | {"bg": MG_DL}
    for name in _GLUCOSE.get(type_, ()):
        if name in record:
            changed[name] = _times_factor(record[name])
    return changed


def _times_factor(value: Any) -> Any:
    """A value in mg/dL: a number, or an object of which some members are glucose."""
    if isinstance(value, dict):
        return {
            name: _times_factor(element) if name in ("high", "low", "target", "range", "amount") else element
            for name, element in value.items()
        }
    return value * MG_DL_PER_MMOL_L if is_number(value) else value


_GLUCOSE: Mapping[str, tuple[str, ...]] = {
    "cbg": ("value",),
    "smbg": ("value",),
    "deviceEvent": ("value",),
    "wizard": ("bgInput", "insulinSensitivity", "bgTarget"),
    "pumpSettings.bgTarget": ("bgTarget",),
    "pumpSettings.bgTargets": ("bgTarget",),
    "pumpSettings.insulinSensitivity": ("insulinSensitivity",),
    "pumpSettings.insulinSensitivities": ("insulinSensitivity",),
}


def _with_minutes(record: Record) -> Record:
    minutes = {
        name: record[name] / 1000 / 60 for name in ("duration", "expectedDuration") if is_number(record.get(name))
    }
    return record | minutes


def _with_days(record: Record) -> Record:
    duration = record.get("duration")
    if not isinstance(duration, dict) or not is_number(duration.get("value")):
        return record
    return record | {"duration": duration["value"] * MS_OF_UNIT.get(str(duration.get("units")), 0) / DAY_MS}


_CONVERSIONS: Mapping[str, Callable[[Record], Record]] = {
    "basal": _with_minutes,
    "bolus": _with_minutes,
    "deviceEvent": _with_minutes,
    "physicalActivity": _with_days,
}
