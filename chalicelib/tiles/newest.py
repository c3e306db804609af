"""The newest records: for each type the last visible record in tiles, in one item of the manifest's version.

A reader of the latest records needs no tile then, unless the tail may hide such a record. See docs/adr/0027.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from chalicelib import json_text
from chalicelib.encoding.raw_deflate import deflate, inflate
from chalicelib.log.records import bodies_of
from chalicelib.tiles.manifest import Manifest, TileRef, TypeTiles
from chalicelib.tiles.tile import Tile, TileKey, origin_key

VERSION = 1
MAX_TEXT_BYTES = 4 * 1024
"""A longer record is left out: its readers read its tile."""
MAX_ITEM_BYTES = 32 * 1024
_DEFLATE_LEVEL = 6


class NewestRecord(NamedTuple):
    """The newest visible record of a type in tiles."""

    day: int
    version: int
    """The version of its tile."""
    time_ms: int
    data_set_id: str
    origin_key: int | None
    """The key of its origin id (`tile.origin_key`)."""
    text: bytes | None
    """The record as it is returned; None if it is too long to be kept here."""


NewestRecords = Mapping[str, NewestRecord]
"""By type; a type without a visible record in tiles is left out."""


def newest_records(
    manifest: Manifest, known: NewestRecords, read: Callable[[Sequence[TileRef]], Mapping[TileKey, Tile]]
) -> dict[str, NewestRecord]:
    """The newest records of the tiles of a manifest.

    Args:
        known: those of a manifest before it, which stay where the newest tile of a type is the same.
        read: reads tiles.
    """
    newest = [ref for of_type in manifest.tiles.values() if (ref := newest_visible(of_type)) is not None]
    same = {ref.key.type: record for ref in newest if (record := _same(known, ref)) is not None}
    missing = [ref for ref in newest if ref.key.type not in same]
    tiles = read(missing) if missing else {}
    made = {ref.key.type: _newest_of(ref, tiles[ref.key]) for ref in missing}
    return {ref.key.type: {**same, **made}[ref.key.type] for ref in newest}


def newest_visible(of_type: TypeTiles) -> TileRef | None:
    """The newest tile of a type that has a visible record."""
    return next((ref for ref in of_type.between(None, None, newest_first=True) if ref.stats.has_visible), None)


def encode_newest(records: NewestRecords) -> bytes:
    """The bytes of the item: at most about `MAX_ITEM_BYTES`, for which the longest texts are left out."""
    shown = dict(records)
    by_length = sorted(records, key=lambda name: len(records[name].text or b""))
    while sum(len(record.text or b"") for record in shown.values()) > MAX_ITEM_BYTES:
        longest = by_length.pop()
        shown[longest] = shown[longest]._replace(text=None)
    stored = {
        name: [*record[:-1], None if record.text is None else record.text.decode()] for name, record in shown.items()
    }
    return bytes([VERSION]) + deflate(json_text.encode(stored), _DEFLATE_LEVEL)


def decode_newest(content: bytes) -> dict[str, NewestRecord]:
    """The records that `encode_newest` wrote.

    Raises:
        ValueError: the version is unknown.
    """
    if content[0] != VERSION:
        raise ValueError(f"newest records of unknown version {content[0]}")
    stored: Mapping[str, Sequence[Any]] = json_text.decode(inflate(content[1:]))
    return {
        name: NewestRecord._make([*values, None if text is None else text.encode()])
        for name, (*values, text) in stored.items()
    }


def _same(known: NewestRecords, ref: TileRef) -> NewestRecord | None:
    record = known.get(ref.key.type)
    is_same = record is not None and (record.day, record.version) == (ref.key.day, ref.version)
    return record if is_same else None


def _newest_of(ref: TileRef, tile: Tile) -> NewestRecord:
    """The last visible record of a tile, which must have been read with its shadowed records."""
    row = next(row for row in reversed(tile.rows()) if not row.is_shadowed)
    (body,) = bodies_of([row.text])
    origin = body.get("origin")
    origin_id = origin.get("id") if isinstance(origin, dict) else None
    return NewestRecord(
        day=ref.key.day,
        version=ref.version,
        time_ms=row.time_ms,
        data_set_id=row.data_set_id,
        origin_key=None if origin_id is None else origin_key(origin_id),
        text=row.text if len(row.text) <= MAX_TEXT_BYTES else None,
    )
