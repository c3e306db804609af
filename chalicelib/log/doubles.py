"""Doubles: what an app sends to the Nightscout API and to the Tidepool API is shown once.

The record that was derived from a document hides behind an equal one of another data set: one of the same type and
second, or for glucose of the same minute and value. A fingerstick of a treatment hides behind the equal one of an
entry. Equal records have the same day, so each tile is folded on its own. Source: nightscout-api 14, 17.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from chalicelib import json_text
from chalicelib.durations import MINUTE_MS, SECOND_MS
from chalicelib.log.fold_steps import RecordSlice
from chalicelib.log.records import Records
from chalicelib.model.glucose import CONVERTED_UNITS, MG_DL_PER_MMOL_L

FINGERSTICK = "smbg"
GLUCOSE_TYPES = frozenset({"cbg", FINGERSTICK})
_OF_ENTRY, _OF_TREATMENT = "ns:entries:", "ns:treatments:"
"""The beginnings of the origin ids of derived records."""

Key = tuple[str, int, str | None]
Found = dict[Key, list[tuple[Records, int]]]


def without_doubles(derived: Sequence[RecordSlice], others: Sequence[RecordSlice]) -> list[RecordSlice]:
    """The derived records without those that equal one of the others, and without second fingersticks."""
    return _without_equals_of(others, _without_fingersticks_of_treatments(derived))


def _without_fingersticks_of_treatments(derived: Sequence[RecordSlice]) -> list[RecordSlice]:
    """The derived records without the fingersticks of treatments that were sent as entries, too."""
    of_entries: Found = defaultdict(list)
    is_of_treatment = False
    for part in derived:
        if FINGERSTICK not in part.records.types:
            continue
        for row in part.rows:
            if part.records.types[row] == FINGERSTICK:
                is_of_treatment |= _is_of(_OF_TREATMENT, part.records, row)
                if _is_of(_OF_ENTRY, part.records, row):
                    of_entries[_key(part.records, row)].append((part.records, row))
    if not of_entries or not is_of_treatment:
        return list(derived)
    return [
        RecordSlice(
            part.records,
            [
                row
                for row in part.rows
                if not (_is_of(_OF_TREATMENT, part.records, row) and _is_double(part.records, row, of_entries))
            ],
        )
        for part in derived
    ]


def _is_of(prefix: str, records: Records, row: int) -> bool:
    return (records.origin_ids[row] or "").startswith(prefix)


def _without_equals_of(others: Iterable[RecordSlice], derived: list[RecordSlice]) -> list[RecordSlice]:
    wanted = {_key(part.records, row) for part in derived for row in part.rows}
    found: Found = defaultdict(list)
    for part in others:
        for row in part.rows:
            if (key := _key(part.records, row)) in wanted:
                found[key].append((part.records, row))
    if not found:
        return derived
    return [
        RecordSlice(part.records, [row for row in part.rows if not _is_double(part.records, row, found)])
        for part in derived
    ]


def _key(records: Records, row: int) -> Key:
    """The type and time of a record, and the kind of a device event."""
    name, time_ms = records.types[row], records.times_ms[row]
    if name in GLUCOSE_TYPES:
        return name, time_ms // MINUTE_MS, None
    return name, time_ms // SECOND_MS, records.sub_types[row] if name == "deviceEvent" else None


def _is_double(records: Records, row: int, others: Found) -> bool:
    equal = others.get(_key(records, row), ())
    if not equal or records.types[row] not in GLUCOSE_TYPES:
        return bool(equal)
    value = _value(records, row)
    return any(_value(other, other_row) == value for other, other_row in equal)


def _value(records: Records, row: int) -> int:
    """The value of a reading in whole mg/dL."""
    body = json_text.decode(records.texts[row])
    value: float = body["value"]
    return round(value if body.get("units") in CONVERTED_UNITS else value * MG_DL_PER_MMOL_L)
