"""The origin index: in which tiles compactions put which origin ids, as segments of bytes that can be read alone.

    version (1 byte) | length of the table (4) | table, deflated JSON | keys of the origin ids, 4 bytes each, by tile

The table holds the days of each type, and the number of keys of each day. Keys are checksums, so they are not deflated.
"""

import hashlib
import zlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from chalicelib import json_text
from chalicelib.encoding.columns import UINT32_BYTES, pack_uint32, unpack_uint32
from chalicelib.tiles.tile import TileKey

FORMAT = 1
SEGMENT_BYTES = 300 * 1024
"""The most that one segment takes: an item may have 400 KB (a limit of DynamoDB)."""
_LENGTH_BYTES = 4
_TABLE_AT = 1 + _LENGTH_BYTES
_TILE_BYTES = 64
"""More than a tile takes in the table."""


def encode_segments(origin_keys: Mapping[TileKey, Sequence[int]]) -> Iterator[bytes]:
    """The segments of some tiles, each of which is small enough for an item."""
    segment: dict[TileKey, Sequence[int]] = {}
    room_bytes = SEGMENT_BYTES
    for tile_key in sorted(origin_keys):
        left = sorted(origin_keys[tile_key])
        while left:
            room = max(0, room_bytes - _TILE_BYTES) // UINT32_BYTES
            if room:
                segment[tile_key], left = left[:room], left[room:]
                room_bytes -= _TILE_BYTES + UINT32_BYTES * len(segment[tile_key])
            else:
                yield _encode(segment)
                segment, room_bytes = {}, SEGMENT_BYTES
    if segment:
        yield _encode(segment)


def segment_digest(segment: bytes) -> str:
    """The name of a segment: equal ones are stored once."""
    return hashlib.sha256(segment).hexdigest()[:16]


def decode_segment(segment: bytes) -> dict[TileKey, Sequence[int]]:
    """The keys that one segment holds, sorted, by tile.

    Raises:
        ValueError: the format is unknown.
    """
    if segment[0] != FORMAT:
        raise ValueError(f"segment of the origin index has unknown format {segment[0]}")
    keys_at = _TABLE_AT + int.from_bytes(segment[1:_TABLE_AT], "big")
    keys = unpack_uint32(segment[keys_at:])
    decoded: dict[TileKey, Sequence[int]] = {}
    start = 0
    for name, days_and_counts in json_text.decode(zlib.decompress(segment[_TABLE_AT:keys_at])).items():
        for day, count in days_and_counts:
            decoded[TileKey(name, day)] = keys[start : start + count]
            start += count
    return decoded


def _encode(segment: Mapping[TileKey, Sequence[int]]) -> bytes:
    table: dict[str, list[tuple[int, int]]] = {}
    for tile_key, keys in segment.items():
        table.setdefault(tile_key.type, []).append((tile_key.day, len(keys)))
    packed = pack_uint32(chain.from_iterable(segment.values()))
    deflated = zlib.compress(json_text.encode(table))
    return bytes([FORMAT]) + len(deflated).to_bytes(_LENGTH_BYTES, "big") + deflated + packed
