"""The outline of an entry: the types and days of its records, and the keys of their origin ids, in a few bytes.

The item of an entry has it beside the body, so that a reader passes by an entry that it does not need without decoding
it. An entry whose outline would be long has none, as have those of earlier versions, and is always decoded.

    first day (4 bytes) | number of pairs (1) | pairs: index of the type (1), days after the first (1)
    | keys of origin ids, sorted, 4 bytes each
"""

import struct
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from chalicelib.durations import DAY_MS
from chalicelib.encoding.columns import UINT32_BYTES, pack_uint32, unpack_uint32
from chalicelib.log.records import origin_key
from chalicelib.model.datum import Datum

TYPES = (
    "alert",
    "basal",
    "bloodKetone",
    "bolus",
    "calculator",
    "cbg",
    "cgmSettings",
    "controllerSettings",
    "controllerStatus",
    "deviceEvent",
    "deviceStatus",
    "dosingDecision",
    "food",
    "insulin",
    "physicalActivity",
    "pumpSettings",
    "pumpStatus",
    "reportedState",
    "smbg",
    "upload",
    "water",
    "wizard",
)
"""Outlines hold indexes of this tuple, so it may only grow at the end."""
MAX_RECORDS = 64
"""An entry of more records takes long to read whatever it is decoded for, and its outline would be long."""
MAX_PAIRS = 32
_START = struct.Struct(">iB")
_INDEXES = {name: index for index, name in enumerate(TYPES)}
_MAX_DAYS = 255


class Outline(NamedTuple):
    """The outline of the records of an entry."""

    keys: frozenset[tuple[str, int]]
    """Their types and days; days count from 1970-01-01."""
    days: frozenset[int]
    origin_keys: frozenset[int]
    """The keys of their origin ids."""


def outline_of(data: Sequence[Datum]) -> bytes | None:
    """The outline of an entry that adds these data; None if it would be long, or cannot name a type."""
    if len(data) > MAX_RECORDS:
        return None
    keys = sorted({(datum.time_ms // DAY_MS, datum.body["type"]) for datum in data})
    first_day, last_day = keys[0][0], keys[-1][0]
    if len(keys) > MAX_PAIRS or last_day - first_day > _MAX_DAYS or any(name not in _INDEXES for _, name in keys):
        return None
    origin_ids = {datum.body["origin"].get("id") for datum in data if "origin" in datum.body} - {None}
    pairs = bytes(value for day, name in keys for value in (_INDEXES[name], day - first_day))
    return _START.pack(first_day, len(keys)) + pairs + pack_uint32(sorted(set(map(origin_key, origin_ids))))


def decode_outline(outline: bytes) -> Outline:
    """The outline that `outline_of` wrote."""
    origins_at = _START.size + 2 * outline[_START.size - 1]
    packed = outline[origins_at:]
    # Most entries of a tail have one record, and a reader decodes the outlines of all of them.
    origin_keys = (int.from_bytes(packed, "big"),) if len(packed) == UINT32_BYTES else unpack_uint32(packed)
    keys, days = _keys_and_days(outline[:origins_at])
    return Outline(keys, days, frozenset(origin_keys))


@lru_cache(maxsize=256)  # a phone sends the same types all day
def _keys_and_days(start: bytes) -> tuple[frozenset[tuple[str, int]], frozenset[int]]:
    """The types and days, and the days alone, of outlines that start with these bytes."""
    first_day, count = _START.unpack_from(start)
    pairs = start[_START.size : _START.size + 2 * count]
    keys = frozenset((TYPES[index], first_day + after) for index, after in zip(pairs[::2], pairs[1::2], strict=True))
    return keys, frozenset(day for _, day in keys)
