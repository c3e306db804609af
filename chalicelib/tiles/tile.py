"""Tiles: the records of one user, type and UTC day, in the order and the bytes of the reply.

Beside the visible records, a tile holds the address of each record, so that a fold can continue from it. The shadowed
records, which others hide now and which may come back, are stored separately. Everything else is parsed from the texts.
Content of a tile:

    version (1 byte) | CRC-32 (4) | inflated size (8) | length of addresses (4) | length of filter (4)
    | addresses, deflated JSON | filter: sorted keys of origin ids, 4 bytes each | visible records, deflated lines

The same records give the same bytes, whatever the steps in which they were folded.
Source: docs/architecture.md, "The read model".
"""

import struct
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any, NamedTuple

from chalicelib import json_text
from chalicelib.durations import DAY_MS
from chalicelib.encoding.columns import from_steps, pack_uint32, steps, unpack_uint32
from chalicelib.encoding.gzip_splice import DeflatedLines, deflated_lines, inflated_lines
from chalicelib.encoding.raw_deflate import deflate, inflate
from chalicelib.frozen import frozen
from chalicelib.log.fold_steps import RecordSlice
from chalicelib.log.records import RecordAddress, Records, bodies_of, columns_of, hashes_of, sequences_of
from chalicelib.log.records import origin_key as origin_key

VERSION = 1
DRAFT_MARK = "="
"""Prefix of the types in the keys of drafts (`drafts.py`). The name of no type begins like this."""
CARELINK = "carelink"
MEDTRONIC = "Medtronic"
_HEADER = struct.Struct(">BIQII")
_DEFLATE_LEVEL = 6
_LINE_FEED = b"\n"
_NOTHING = DeflatedLines(b"", 0, 0)


class TileKey(NamedTuple):
    """The key of a tile of a user: a type of data, and a UTC day, counted from 1970-01-01."""

    type: str
    day: int


def keys_of_rows(records: Records) -> list[TileKey]:
    """The tile that each record belongs to."""
    pairs = [(name, time_ms // DAY_MS) for name, time_ms in zip(records.types, records.times_ms, strict=True)]
    keys = {pair: TileKey(*pair) for pair in set(pairs)}
    return [keys[pair] for pair in pairs]


class Candidate(NamedTuple):
    """A record that is visible or may become so. Candidates sort in the order of the reply: by time, then in the
    order in which they were stored."""

    time_ms: int
    created_time_ms: int
    """The created time of its data set."""
    data_set_id: str
    address: RecordAddress
    is_shadowed: bool
    text: bytes


class TileRow(NamedTuple):
    """A record of a tile that was read."""

    data_set_id: str
    address: RecordAddress
    time_ms: int
    is_shadowed: bool
    text: bytes


@frozen
class TileContent:
    """The bytes of a tile."""

    visible: bytes
    """Header, addresses, filter and visible records, which readers need."""
    shadowed: bytes
    """Shadowed records, which only a fold needs; empty without any."""


@frozen
class TileStats:
    """Facts about a tile that its manifest holds, so that they are known without reading it."""

    data_set_ids: tuple[str, ...]
    """The data sets of all candidates, sorted."""
    has_visible: bool
    """True if any record is visible."""
    has_carelink: bool
    """True if the source of any record is CareLink."""
    has_medtronic: bool
    """True if any record was uploaded by the app of a Medtronic pump."""


class EncodedTile(NamedTuple):
    """A tile that is encoded, but not written yet."""

    content: TileContent
    stats: TileStats


def encode_tile(candidates: Iterable[Candidate]) -> EncodedTile:
    """The tile of candidates of one type and day: at least one, in any order."""
    ordered = sorted(candidates)
    visible = [candidate.text for candidate in ordered if not candidate.is_shadowed]
    shadowed = [candidate.text for candidate in ordered if candidate.is_shadowed]
    records = _records(
        [candidate.text for candidate in ordered],
        [candidate.time_ms for candidate in ordered],
        [candidate.address for candidate in ordered],
    )
    ids = sorted({candidate.data_set_id for candidate in ordered})
    addresses = deflate(json_text.encode(_encode_addresses(ordered, ids)), _DEFLATE_LEVEL)
    keys = pack_uint32(sorted({origin_key(origin_id) for origin_id in records.origin_ids if origin_id is not None}))
    lines = deflated_lines(visible, _DEFLATE_LEVEL) if visible else _NOTHING
    header = _HEADER.pack(VERSION, lines.crc32, lines.size_bytes, len(addresses), len(keys))
    content = TileContent(
        visible=header + addresses + keys + lines.deflated,
        shadowed=deflate(_LINE_FEED.join(shadowed), _DEFLATE_LEVEL) if shadowed else b"",
    )
    stats = TileStats(
        data_set_ids=tuple(ids),
        has_visible=bool(visible),
        has_carelink=CARELINK in records.sources,
        has_medtronic=MEDTRONIC in records.origin_manufacturers,
    )
    return EncodedTile(content, stats)


class Tile:
    """A tile that was read: its visible lines can be sent as they are, the rest is decoded when it is needed.

    Raises:
        ValueError: the content does not begin with the header of a tile.
    """

    def __init__(self, content: TileContent) -> None:
        if len(content.visible) < _HEADER.size:
            raise ValueError("tile that ends within its header")
        version, crc32, size_bytes, addresses_bytes, keys_bytes = _HEADER.unpack_from(content.visible)
        if version != VERSION:
            raise ValueError(f"tile of unknown version {version}")
        self.content = content
        keys_at = _HEADER.size + addresses_bytes
        lines_at = keys_at + keys_bytes
        self.lines = DeflatedLines(memoryview(content.visible)[lines_at:], size_bytes, crc32)
        self._addresses = content.visible[_HEADER.size : keys_at]
        self._keys = content.visible[keys_at:lines_at]
        self._shadowed = content.shadowed

    def origin_keys(self) -> Sequence[int]:
        """The keys of the origin ids of its records, sorted."""
        return unpack_uint32(self._keys)

    def may_hold(self, keys: Set[int]) -> bool:
        """Whether the origin id of any record may have one of these keys; False is certain."""
        return bool(keys and self._keys) and not keys.isdisjoint(unpack_uint32(self._keys))

    def rows(self) -> list[TileRow]:
        """All candidates, in the order of the reply; the shadowed ones must have been read, too."""
        addresses = json_text.decode(inflate(self._addresses))
        shadowed_at = set(addresses["hidden"])
        visible = iter(inflated_lines(self.lines) if self.lines.size_bytes else ())
        shadowed = iter(inflate(self._shadowed).split(_LINE_FEED) if shadowed_at else ())
        ids, numbers, times_ms = addresses["ids"], from_steps(addresses["number"]), from_steps(addresses["time"])
        columns = zip(addresses["owner"], numbers, addresses["row"], times_ms, strict=True)
        flags = [index in shadowed_at for index in range(len(numbers))]
        return [
            TileRow(
                ids[owner], RecordAddress(number, row), time_ms, is_shadowed, next(shadowed if is_shadowed else visible)
            )
            for (owner, number, row, time_ms), is_shadowed in zip(columns, flags, strict=True)
        ]

    def texts_between(self, start_ms: int | None, end_ms: int | None) -> tuple[bytes, ...]:
        """The visible records between two times, both included, in the order of the reply. No record is parsed."""
        addresses = json_text.decode(inflate(self._addresses))
        hidden = set(addresses["hidden"])
        times_ms = [time_ms for index, time_ms in enumerate(from_steps(addresses["time"])) if index not in hidden]
        texts = inflated_lines(self.lines) if self.lines.size_bytes else ()
        return tuple(
            text
            for time_ms, text in zip(times_ms, texts, strict=True)
            if (start_ms is None or time_ms >= start_ms) and (end_ms is None or time_ms <= end_ms)
        )

    def slices(self) -> Mapping[str, RecordSlice]:
        """All candidates, by data set; the shadowed ones must have been read, too."""
        found = self.rows()
        records = _records([row.text for row in found], [row.time_ms for row in found], [row.address for row in found])
        places: dict[str, list[int]] = defaultdict(list)
        for place, row in enumerate(found):
            places[row.data_set_id].append(place)
        return {data_set_id: RecordSlice(records, of_data_set) for data_set_id, of_data_set in places.items()}


def _encode_addresses(ordered: Sequence[Candidate], ids: Sequence[str]) -> dict[str, Any]:
    owners = {data_set_id: owner for owner, data_set_id in enumerate(ids)}
    return {
        "ids": ids,
        "owner": [owners[candidate.data_set_id] for candidate in ordered],
        "number": steps([candidate.address.number for candidate in ordered]),
        "row": [candidate.address.row for candidate in ordered],
        "time": steps([candidate.time_ms for candidate in ordered]),
        "hidden": [index for index, candidate in enumerate(ordered) if candidate.is_shadowed],
    }


def _records(texts: list[bytes], times_ms: Sequence[int], addresses: Sequence[RecordAddress]) -> Records:
    def columns() -> Mapping[str, Any]:
        bodies = bodies_of(texts)
        return columns_of(bodies, times_ms, hashes_of(bodies), sequences_of(bodies))

    return Records(columns, lambda: texts, lambda _count: addresses)
