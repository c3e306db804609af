"""Compares the records that a server returns with those that were sent.

The expectations follow the published rules of the platform, not the code of this project, which they check: glucose
comes back in mmol/L (value / 18.01559, to five decimals, halves away from zero), a bolus inside a wizard as a separate
record whose id replaces it, times in UTC without trailing zeros, and lists of manufacturers sorted.
"""

import copy
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from tools.demo.generator import Record

MG_DL_PER_MMOL_L = 18.01559

Key = tuple[str, str]
"""Type and origin id, which identify a record of the demo."""


def key_of(record: Record) -> Key:
    """The record's key; its origin id is empty when it has none."""
    return str(record.get("type")), str(record.get("origin", {}).get("id", ""))


def mmol_l(value_mg_dl: float) -> float:
    """Glucose in mmol/L as the platform stores it."""
    half = 0.5 if value_mg_dl >= 0 else -0.5
    return int(value_mg_dl / MG_DL_PER_MMOL_L * 100_000 + half) / 100_000


def differences(sent: Iterable[Record], received: Iterable[Record], upload_id: str) -> list[str]:
    """A sentence for each record that is lost, duplicated, changed, or was never sent; empty if there is none."""
    expected: dict[Key, Record] = {}
    bolus_of: dict[Key, Key] = {}
    for record in sent:
        for shown in as_shown(record):
            expected[key_of(shown)] = shown
        if isinstance(record.get("bolus"), dict) and record["type"] == "wizard":
            bolus_of[key_of(record)] = key_of(record["bolus"])
    found: dict[Key, list[Record]] = {}
    for record in received:
        found.setdefault(key_of(record), []).append(record)

    problems = [f"{_name(key)} was never sent" for key in found if key not in expected]
    for key, wanted in expected.items():
        copies = found.get(key, [])
        if len(copies) != 1:
            problems.append(f"{_name(key)} is lost" if not copies else f"{_name(key)} is there {len(copies)} times")
            continue
        problems += [f"{_name(key)} is changed: {change}" for change in _changes(wanted, copies[0], upload_id)]
        bolus = found.get(bolus_of[key], [{}])[0] if key in bolus_of else None
        if bolus is not None and copies[0].get("bolus") != bolus.get("id", ""):
            problems.append(f"{_name(key)} is changed: bolus is {copies[0].get('bolus')!r}, no id of its bolus")
    ids = Counter(record.get("id") for records in found.values() for record in records)
    problems += [f"id {id_!r} is on {count} records" for id_, count in ids.items() if count > 1 or not id_]
    return problems


def _name(key: Key) -> str:
    return f"{key[0]} with origin id {key[1]!r}"


def _changes(wanted: Record, shown: Record, upload_id: str) -> list[str]:
    wanted = wanted | {"uploadId": upload_id}
    shown = {name: value for name, value in shown.items() if name != "id"}
    if wanted["type"] == "wizard":  # its link to the bolus is compared separately
        shown.pop("bolus", None)
    return [
        f"{name} is {shown.get(name)!r}, not {wanted.get(name)!r}"
        for name in sorted(wanted.keys() | shown.keys())
        if shown.get(name) != wanted.get(name)
    ]


def as_shown(sent: Record) -> list[Record]:
    """The records that a server stores for one record: the record itself and the bolus inside it."""
    shown = copy.deepcopy(sent)
    embedded = [shown.pop("bolus")] if shown["type"] == "wizard" and "bolus" in shown else []
    for record in (shown, *embedded):
        record["time"] = _trimmed(record["time"])
    if "manufacturers" in shown:
        shown["manufacturers"].sort()
    convert = _CONVERSIONS.get(shown["type"])
    if convert is not None:
        convert(shown)
    return [shown, *embedded]


def _trimmed(time: str) -> str:
    seconds, point, fraction = time.removesuffix("Z").partition(".")
    fraction = fraction.rstrip("0")
    return f"{seconds}{point}{fraction}Z" if fraction else f"{seconds}Z"


def _convert_members(values: dict[str, Any], names: Iterable[str]) -> None:
    for name in names:
        if name in values:
            values[name] = mmol_l(values[name])


def _convert_reading(record: Record) -> None:
    _convert_members(record, ("value",))
    record["units"] = "mmol/L"


def _convert_wizard(record: Record) -> None:
    _convert_members(record, ("bgInput", "insulinSensitivity"))
    _convert_members(record.get("bgTarget", {}), ("target", "range", "low", "high"))
    record["units"] = "mmol/L"


def _convert_pump_settings(record: Record) -> None:
    for schedules, names in (("bgTargets", ("target", "range", "low", "high")), ("insulinSensitivities", ("amount",))):
        for schedule in record.get(schedules, {}).values():
            for entry in schedule:
                _convert_members(entry, names)
    record["units"]["bg"] = "mmol/L"


_CONVERSIONS: dict[str, Callable[[Record], None]] = {
    "cbg": _convert_reading,
    "smbg": _convert_reading,
    "wizard": _convert_wizard,
    "pumpSettings": _convert_pump_settings,
}
"""Expects records in mg/dL, the unit of the demo."""
