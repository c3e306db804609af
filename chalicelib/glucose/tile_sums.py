"""The item of hour sums beside a tile of glucose, as bytes.

    version (1 byte) | length of hours (4) | length of filter (4) | the day: a row, and which hours have readings (4)
    | hours, deflated rows | filter: sorted keys of origin ids, 4 bytes each | stored times, deflated JSON

The sum of the whole day is not deflated: most days of a summary are read by it alone. Items of version 1 have none.
The filter is the tile's own, so a reader sees without the tile whether the tail may replace a record of it. The stored
times say when the entries of the tile's records were stored, which the tile does not.
"""

import struct
from collections.abc import Callable, Mapping, Sequence, Set
from functools import cached_property, lru_cache, partial
from typing import Any

from chalicelib import json_text
from chalicelib.encoding.columns import from_steps, pack_uint32, steps, unpack_uint32
from chalicelib.encoding.raw_deflate import deflate, inflate
from chalicelib.glucose.hour_sum import DaySum, HourSum, sum_day

VERSION = 2
WITHOUT_DAY = 1
"""The version of items without the sum of the day."""
_HEADER = struct.Struct(">BII")
_ROW = struct.Struct(">iII4d12I3qIIq")
_HOURS = struct.Struct(">I")
"""A bit for each hour that has readings: the lowest for the last one, and so on backwards."""
_NO_DAY = bytes(_ROW.size + _HOURS.size)
_DEFLATE_LEVEL = 6
_AS_HOUR_SUM: Callable[[tuple[Any, ...]], HourSum] = partial(tuple.__new__, HourSum)
"""As `HourSum._make`, in half the time: a summary decodes 1,440 hours."""

StoredTimes = Mapping[tuple[str, int], int]
"""Times at which entries were stored, in milliseconds since the epoch, by data set and number."""


def encode_tile_sums(
    hours: Sequence[HourSum], origin_keys: Sequence[int], stored_times: StoredTimes, version: int = VERSION
) -> bytes:
    """The bytes of an item: the same for the same arguments."""
    rows = deflate(b"".join(_ROW.pack(*hour) for hour in hours), _DEFLATE_LEVEL)
    keys = pack_uint32(origin_keys)
    entries = sorted(stored_times)
    ids = sorted({data_set_id for data_set_id, _ in entries})
    places = {data_set_id: index for index, data_set_id in enumerate(ids)}
    times = {
        "ids": ids,
        "owner": [places[data_set_id] for data_set_id, _ in entries],
        "number": steps([number for _, number in entries]),
        "time": steps([stored_times[entry] for entry in entries]),
    }
    day = b"" if version == WITHOUT_DAY else _encode_day(hours)
    header = _HEADER.pack(version, len(rows), len(keys)) + day
    return header + rows + keys + deflate(json_text.encode(times), _DEFLATE_LEVEL)


def _encode_day(hours: Sequence[HourSum]) -> bytes:
    if not hours:
        return _NO_DAY
    day = sum_day(hours)
    return _ROW.pack(*day.total) + _HOURS.pack(sum(1 << day.total.hour - hour for hour in day.hours))


@lru_cache(maxsize=256)  # most days have readings in each hour
def _hours_before(bits: int) -> tuple[int, ...]:
    """The distances of the hours with readings from the last one, the first one first."""
    return tuple(before for before in reversed(range(bits.bit_length())) if bits >> before & 1)


class TileSums:
    """An item that was read; its parts are decoded when they are needed.

    Each member raises a ValueError if the content is no such item.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content

    @cached_property
    def _parts(self) -> tuple[bytes, bytes, bytes]:
        """Hours, filter and stored times."""
        if len(self.content) < _HEADER.size:
            raise ValueError("hour sums that end within their header")
        version, rows_bytes, keys_bytes = _HEADER.unpack_from(self.content)
        if version not in (WITHOUT_DAY, VERSION):
            raise ValueError(f"hour sums of unknown version {version}")
        rows_at = _HEADER.size + (0 if version == WITHOUT_DAY else len(_NO_DAY))
        keys_at = rows_at + rows_bytes
        times_at = keys_at + keys_bytes
        if len(self.content) < times_at:
            raise ValueError("hour sums that are cut off")
        return self.content[rows_at:keys_at], self.content[keys_at:times_at], self.content[times_at:]

    @property
    def version(self) -> int:
        """The version of the item's form."""
        return self.content[0]

    @cached_property
    def day(self) -> DaySum | None:
        """The sum of the day; None without visible readings, and in items of version 1."""
        if not self._parts[0] or self.version == WITHOUT_DAY:
            return None
        (bits,) = _HOURS.unpack_from(self.content, _HEADER.size + _ROW.size)
        if not bits:
            return None
        total = _AS_HOUR_SUM(_ROW.unpack_from(self.content, _HEADER.size))
        return DaySum(total, tuple([total.hour - before for before in _hours_before(bits)]))

    @cached_property
    def hours(self) -> list[HourSum]:
        """The sums of the hours of the day that have visible readings, by hour."""
        return list(map(_AS_HOUR_SUM, _ROW.iter_unpack(inflate(self._parts[0]))))

    @cached_property
    def stored_times(self) -> StoredTimes:
        """The times at which the entries of the tile's records were stored, as far as they are known."""
        times = json_text.decode(inflate(self._parts[2]))
        ids, numbers = times["ids"], from_steps(times["number"])
        entries = [(ids[owner], number) for owner, number in zip(times["owner"], numbers, strict=True)]
        return dict(zip(entries, from_steps(times["time"]), strict=True))

    def may_hold(self, keys: Set[int]) -> bool:
        """Whether the origin id of any record of the tile may have one of these keys; False is certain."""
        return bool(keys and self._parts[1]) and not keys.isdisjoint(unpack_uint32(self._parts[1]))
