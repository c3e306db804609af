"""The item of hour sums beside a tile of glucose, as bytes.

    version (1 byte) | length of hours (4) | length of filter (4)
    | hours, deflated rows | filter: sorted keys of origin ids, 4 bytes each | stored times, deflated JSON

The filter is the tile's own, so a reader sees without the tile whether the tail may replace a record of it. The stored
times say when the entries of the tile's records were stored, which the tile does not.
"""

import struct
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from functools import cached_property, partial
from typing import Any

from chalicelib import json_text
from chalicelib.encoding.columns import from_steps, pack_uint32, steps, unpack_uint32
from chalicelib.encoding.raw_deflate import deflate, inflate
from chalicelib.glucose.hour_sum import HourSum

VERSION = 1
_HEADER = struct.Struct(">BII")
_ROW = struct.Struct(">iII4d12I3qIIq")
_DEFLATE_LEVEL = 6
_AS_HOUR_SUM: Callable[[tuple[Any, ...]], HourSum] = partial(tuple.__new__, HourSum)
"""As `HourSum._make`, in half the time: a summary decodes 1,440 hours."""

StoredTimes = Mapping[tuple[str, int], int]
"""When entries were stored, in milliseconds since the epoch, by data set and number."""


def encode_tile_sums(hours: Iterable[HourSum], origin_keys: Sequence[int], stored_times: StoredTimes) -> bytes:
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
    return _HEADER.pack(VERSION, len(rows), len(keys)) + rows + keys + deflate(json_text.encode(times), _DEFLATE_LEVEL)


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
        if version != VERSION:
            raise ValueError(f"hour sums of unknown version {version}")
        keys_at = _HEADER.size + rows_bytes
        times_at = keys_at + keys_bytes
        return self.content[_HEADER.size : keys_at], self.content[keys_at:times_at], self.content[times_at:]

    @cached_property
    def hours(self) -> list[HourSum]:
        """The sums of the hours of the day that have visible readings, by hour."""
        return list(map(_AS_HOUR_SUM, _ROW.iter_unpack(inflate(self._parts[0]))))

    @cached_property
    def stored_times(self) -> StoredTimes:
        """When the entries of the tile's records were stored, as far as it is known."""
        times = json_text.decode(inflate(self._parts[2]))
        ids, numbers = times["ids"], from_steps(times["number"])
        entries = [(ids[owner], number) for owner, number in zip(times["owner"], numbers, strict=True)]
        return dict(zip(entries, from_steps(times["time"]), strict=True))

    def may_hold(self, keys: Set[int]) -> bool:
        """Whether the origin id of any record of the tile may have one of these keys; False is certain."""
        return bool(keys and self._parts[1]) and not keys.isdisjoint(unpack_uint32(self._parts[1]))
