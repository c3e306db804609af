"""A tile: the records of one user, type and UTC day, in the order and the very bytes in which they are answered.

Beside what is visible it says of each record which entry of which data set it is of, so that a fold can go on from it,
and it keeps, apart, records that are hidden now and may come back. Everything else is read out of the texts again.
Content of a tile:

    version (1 byte) | CRC-32 (4) | inflated size (8) | length of places (4) | length of filter (4)
    | places, deflated JSON | filter: sorted keys of origin ids, 4 bytes each | visible records, deflated lines

The same records give the same bytes, whatever way led to them.
Source: docs/architecture.md, "The read model".
"""

import struct
import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, NamedTuple

from chalicelib import json_text
from chalicelib.encoding.columns import from_steps, pack_uint32, steps, unpack_uint32
from chalicelib.encoding.gzip_splice import DeflatedLines, deflated_lines, inflated_lines
from chalicelib.encoding.raw_deflate import deflate, inflate
from chalicelib.log.fold_steps import RecordSlice
from chalicelib.log.records import RecordAddress, Records, bodies_of, columns_of, hashes_of

VERSION = 1
DAY_MS = 86_400_000
CARELINK = "carelink"
MEDTRONIC = "Medtronic"
_HEADER = struct.Struct(">BIQII")
_DEFLATE_LEVEL = 6
_LINE_FEED = b"\n"
_NOTHING = DeflatedLines(b"", 0, 0)


class TileKey(NamedTuple):
    """Which tile of a user: a type of data, and a day in UTC, counted from 1970-01-01."""

    type: str
    day: int


def keys_of_rows(records: Records) -> list[TileKey]:
    """The tile that each record belongs to."""
    return [TileKey(name, time_ms // DAY_MS) for name, time_ms in zip(records.types, records.times_ms, strict=True)]


class Candidate(NamedTuple):
    """A record that is visible or may become so. Candidates sort as they are answered: by time, then in the order in
    which they were stored."""

    time_ms: int
    created_time_ms: int
    """Of its data set."""
    data_set_id: str
    place: RecordAddress
    is_hidden: bool
    text: bytes


@dataclass(frozen=True, slots=True)
class TileContent:
    """The bytes of a tile: what readers need, and what only a fold does (empty when nothing is hidden)."""

    shown: bytes
    hidden: bytes


@dataclass(frozen=True, slots=True)
class TileTraits:
    """What is known of a tile without reading it."""

    data_set_ids: tuple[str, ...]
    """Of all candidates, sorted."""
    is_shown: bool
    """Whether any record is visible."""
    has_carelink: bool
    """Whether the source of any record is CareLink."""
    has_medtronic: bool
    """Whether any record was uploaded by the app of a Medtronic pump."""


def origin_key(origin_id: str) -> int:
    """What stands for an origin id in filters: two ids may share one, which costs a look and no more."""
    return zlib.crc32(origin_id.encode())


def encode_tile(candidates: Iterable[Candidate]) -> tuple[TileContent, TileTraits]:
    """The tile of candidates of one type and day, which must not be none and may come in any order."""
    ordered = sorted(candidates)
    shown = [it.text for it in ordered if not it.is_hidden]
    hidden = [it.text for it in ordered if it.is_hidden]
    records = _records([it.text for it in ordered], [it.time_ms for it in ordered], [it.place for it in ordered])
    ids = sorted({it.data_set_id for it in ordered})
    places = deflate(json_text.encode(_encode_places(ordered, ids)), _DEFLATE_LEVEL)
    keys = pack_uint32(sorted({origin_key(it) for it in records.origin_ids if it is not None}))
    lines = deflated_lines(shown, _DEFLATE_LEVEL) if shown else _NOTHING
    header = _HEADER.pack(VERSION, lines.crc32, lines.size_bytes, len(places), len(keys))
    content = TileContent(
        shown=header + places + keys + lines.deflated,
        hidden=deflate(_LINE_FEED.join(hidden), _DEFLATE_LEVEL) if hidden else b"",
    )
    traits = TileTraits(
        data_set_ids=tuple(ids),
        is_shown=bool(shown),
        has_carelink=CARELINK in records.sources,
        has_medtronic=MEDTRONIC in records.origin_manufacturers,
    )
    return content, traits


class Tile:
    """A tile that was read: what is shown can be passed on as it is, the rest is decoded when it is asked for.

    Raises:
        ValueError: it begins as none does.
    """

    def __init__(self, content: TileContent) -> None:
        if len(content.shown) < _HEADER.size:
            raise ValueError("tile that ends within its header")
        version, crc32, size_bytes, places_bytes, keys_bytes = _HEADER.unpack_from(content.shown)
        if version != VERSION:
            raise ValueError(f"tile of unknown version {version}")
        self.content = content
        keys_at = _HEADER.size + places_bytes
        lines_at = keys_at + keys_bytes
        self.lines = DeflatedLines(content.shown[lines_at:], size_bytes, crc32)
        self._places = content.shown[_HEADER.size : keys_at]
        self._keys = content.shown[keys_at:lines_at]
        self._hidden = content.hidden

    def origin_keys(self) -> Sequence[int]:
        """What stands for the origin ids of its records."""
        return unpack_uint32(self._keys)

    def may_hold(self, keys: Set[int]) -> bool:
        """Whether the origin id of any record is one that these stand for; False is certain."""
        return bool(keys and self._keys) and not keys.isdisjoint(unpack_uint32(self._keys))

    def slices(self) -> Mapping[str, RecordSlice]:
        """All candidates, by data set; hidden ones must have been read too."""
        places = json_text.decode(inflate(self._places))
        hidden_at = set(places["hidden"])
        shown = iter(inflated_lines(self.lines) if self.lines.size_bytes else ())
        hidden = iter(inflate(self._hidden).split(_LINE_FEED) if hidden_at else ())
        owners = [places["ids"][owner] for owner in places["owner"]]
        texts = [next(hidden if place in hidden_at else shown) for place in range(len(owners))]
        records = _records(
            texts,
            from_steps(places["time"]),
            list(map(RecordAddress, from_steps(places["number"]), places["row"])),
        )
        rows: dict[str, list[int]] = defaultdict(list)
        for row, data_set_id in enumerate(owners):
            rows[data_set_id].append(row)
        return {data_set_id: RecordSlice(records, of_data_set) for data_set_id, of_data_set in rows.items()}


def _encode_places(ordered: Sequence[Candidate], ids: Sequence[str]) -> dict[str, Any]:
    index = {data_set_id: place for place, data_set_id in enumerate(ids)}
    return {
        "ids": ids,
        "owner": [index[it.data_set_id] for it in ordered],
        "number": steps([it.place.number for it in ordered]),
        "row": [it.place.row for it in ordered],
        "time": steps([it.time_ms for it in ordered]),
        "hidden": [place for place, it in enumerate(ordered) if it.is_hidden],
    }


def _records(texts: list[bytes], times_ms: Sequence[int], places: Sequence[RecordAddress]) -> Records:
    def columns() -> Mapping[str, Any]:
        bodies = bodies_of(texts)
        return columns_of(bodies, times_ms, hashes_of(bodies))

    return Records(columns, lambda: texts, lambda _count: places)
