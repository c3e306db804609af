"""What compactions note of origin ids, as bytes. A note may be cut into several, each of which can be read alone:

    version (1 byte) | length of the table (4) | table, deflated JSON | keys of the origin ids, 4 bytes each, by tile

The table says of each type on which days there are keys, and how many. Keys are checksums: they would not deflate.
"""

import hashlib
import zlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from chalicelib import json_text
from chalicelib.encoding.columns import UINT32_BYTES, pack_uint32, unpack_uint32
from chalicelib.tiles.tile import TileKey

FORMAT = 1
NOTE_BYTES = 300 * 1024
"""Of one note at most: an item may have 400 KB (a limit of DynamoDB)."""
_LENGTH_BYTES = 4
_TABLE_AT = 1 + _LENGTH_BYTES
_TILE_BYTES = 64
"""More than a tile takes in the table."""


def encode_notes(origin_keys: Mapping[TileKey, Sequence[int]]) -> Iterator[bytes]:
    """The notes of some tiles, each of which is small enough for an item."""
    note: dict[TileKey, Sequence[int]] = {}
    room_bytes = NOTE_BYTES
    for tile_key in sorted(origin_keys):
        left = sorted(origin_keys[tile_key])
        while left:
            room = max(0, room_bytes - _TILE_BYTES) // UINT32_BYTES
            if room:
                note[tile_key], left = left[:room], left[room:]
                room_bytes -= _TILE_BYTES + UINT32_BYTES * len(note[tile_key])
            else:
                yield _encode(note)
                note, room_bytes = {}, NOTE_BYTES
    if note:
        yield _encode(note)


def note_digest(note: bytes) -> str:
    """What names a note: the same one is kept once."""
    return hashlib.sha256(note).hexdigest()[:16]


def decode_note(note: bytes) -> dict[TileKey, Sequence[int]]:
    """What one note says; keys are sorted."""
    if note[0] != FORMAT:
        raise ValueError(f"note of unknown format {note[0]}")
    keys_at = _TABLE_AT + int.from_bytes(note[1:_TABLE_AT], "big")
    keys = unpack_uint32(note[keys_at:])
    found: dict[TileKey, Sequence[int]] = {}
    start = 0
    for name, days_and_counts in json_text.decode(zlib.decompress(note[_TABLE_AT:keys_at])).items():
        for day, count in days_and_counts:
            found[TileKey(name, day)] = keys[start : start + count]
            start += count
    return found


def _encode(note: Mapping[TileKey, Sequence[int]]) -> bytes:
    table: dict[str, list[tuple[int, int]]] = {}
    for tile_key, keys in note.items():
        table.setdefault(tile_key.type, []).append((tile_key.day, len(keys)))
    packed = pack_uint32(chain.from_iterable(note.values()))
    deflated = zlib.compress(json_text.encode(table))
    return bytes([FORMAT]) + len(deflated).to_bytes(_LENGTH_BYTES, "big") + deflated + packed
