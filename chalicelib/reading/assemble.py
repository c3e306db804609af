"""Assembles the selected records from tiles and tail, in the order of the reply. Source: data-api 9."""

from collections.abc import Iterable, Iterator, Sequence
from heapq import merge
from itertools import groupby, islice

from chalicelib import json_text
from chalicelib.durations import DAY_MS
from chalicelib.encoding.gzip_splice import DeflatedLines, RecordArray, inflated_lines
from chalicelib.log.data_set import DataSet, as_upload_record
from chalicelib.reading.query import DataQuery
from chalicelib.reading.select import SelectedRecords, must_fold, select_records, selects_tile
from chalicelib.reading.select_texts import select_texts
from chalicelib.reading.source_filters import SourceFilters, has_medtronic_data
from chalicelib.tiles.manifest import Manifest, TileRef
from chalicelib.tiles.tile import TileKey
from chalicelib.tiles.view import TileView

UPLOAD = "upload"
LATEST_TYPES = (
    "physicalActivity",
    "basal",
    "cbg",
    "smbg",
    "bloodKetone",
    "bolus",
    "wizard",
    "deviceEvent",
    "food",
    "insulin",
    "cgmSettings",
    "pumpSettings",
    "reportedState",
    UPLOAD,
)
"""The types that `latest` returns when the query names none, in the order of the reply."""

_RANKS = {name: rank for rank, name in enumerate(LATEST_TYPES)}
_MEDTRONIC_TILES_AT_ONCE = 8
_MAX_DAYS_AT_ONCE = 32

Piece = DeflatedLines | tuple[bytes, ...]


def all_records(view: TileView, query: DataQuery, filters: SourceFilters, uploads: Sequence[DataSet]) -> RecordArray:
    """All selected records, by type and time, data sets last."""
    refs = [ref for name in view.manifest.tiles for ref in _tile_refs(view, name, query)]
    pieces = see(view, refs, query, filters)
    ordered = [pieces[key] for key in sorted(pieces, key=_order)]
    return RecordArray((*ordered, tuple(map(upload_text, uploads))))


def newest_by_days(view: TileView, query: DataQuery, filters: SourceFilters, names: Iterable[str]) -> dict[str, bytes]:
    """The newest selected record of each of these types, as far as there is one.

    Days are read from the newest backwards, in growing batches, until each type has a record.
    """
    days = {name: days_of(view, name, query) for name in names}
    newest: dict[str, bytes] = {}
    at_once = 1
    while days:
        next_days = {name: list(islice(rest, at_once)) for name, rest in days.items()}
        keys = {TileKey(name, day) for name, of_type in next_days.items() for day in of_type}
        refs = [ref for key in sorted(keys) if (ref := view.manifest.tile(key)) is not None]
        pieces = see(view, refs, query, filters)
        for key in sorted(keys & pieces.keys()):
            piece = pieces[key]
            newest[key.type] = (piece if isinstance(piece, tuple) else inflated_lines(piece))[-1]
        days = {name: days[name] for name, of_type in next_days.items() if of_type and name not in newest}
        at_once = min(2 * at_once, _MAX_DAYS_AT_ONCE)
    return newest


def has_medtronic(view: TileView) -> bool:
    """Whether any visible data was uploaded by the app of a Medtronic pump, regardless of the query."""
    flagged = [ref for ref in view.manifest.tile_refs() if ref.stats.has_medtronic]
    flagged.sort(key=lambda ref: ref.key.day, reverse=True)
    at_once = [ref for key in sorted(view.affected.keys) if (ref := view.manifest.tile(key)) is not None]
    while True:
        if has_medtronic_data(view.see(at_once, must_fold=lambda _: True).data):
            return True
        if not flagged:
            return False
        at_once, flagged = flagged[:_MEDTRONIC_TILES_AT_ONCE], flagged[_MEDTRONIC_TILES_AT_ONCE:]


def first_refs(manifest: Manifest, query: DataQuery) -> list[TileRef]:
    """The tiles that a query reads first, as far as they are known without the tail."""
    if not query.is_latest:
        return [ref for name in manifest.tiles for ref in _refs(manifest, name, query) if selects_tile(ref, query)]
    newest = (
        next((ref for ref in _refs(manifest, name, query, newest_first=True) if selects_tile(ref, query)), None)
        for name in latest_names(query)
    )
    return [ref for ref in newest if ref is not None]


def latest_names(query: DataQuery) -> list[str]:
    """The types of which a query for the latest records wants one, but for data sets."""
    return [name for name in query.types or LATEST_TYPES if name != UPLOAD]


def _refs(manifest: Manifest, name: str, query: DataQuery, *, newest_first: bool = False) -> Iterator[TileRef]:
    """The tiles of a type on the days of a query, by day."""
    if name not in manifest.tiles or (query.types is not None and name not in query.types):
        return iter(())
    first_day = None if query.start_ms is None else query.start_ms // DAY_MS
    last_day = None if query.end_ms is None else query.end_ms // DAY_MS
    return manifest.tiles[name].between(first_day, last_day, newest_first=newest_first)


def _tile_refs(view: TileView, name: str, query: DataQuery, *, newest_first: bool = False) -> Iterator[TileRef]:
    """The tiles of a type that a query must read, by day."""
    refs = _refs(view.manifest, name, query, newest_first=newest_first)
    return (ref for ref in refs if selects_tile(ref, query) or view.is_affected(ref))


def days_of(view: TileView, name: str, query: DataQuery) -> Iterator[int]:
    """The days that may have selected records of a type, newest first, as an iterator that looks them up one by one."""
    of_tiles = (ref.key.day for ref in _tile_refs(view, name, query, newest_first=True))
    of_tail = sorted((day for type_, day in view.affected.keys if type_ == name), reverse=True)
    return (day for day, _ in groupby(merge(of_tiles, of_tail, reverse=True)))


def see(view: TileView, refs: Sequence[TileRef], query: DataQuery, filters: SourceFilters) -> dict[TileKey, Piece]:
    """The selected records of these tiles, and of the days of the tail that have no tiles."""
    seen = view.see(refs, must_fold=lambda ref: must_fold(ref, query, filters))
    pieces: dict[TileKey, Piece] = {}
    for key, tile in seen.whole.items():
        if piece := select_texts(tile, key, query):
            pieces[key] = piece
    by_key: dict[TileKey, SelectedRecords] = select_records(seen.data, query, filters)
    return pieces | {key: tuple(of_tile.texts()) for key, of_tile in by_key.items()}


def _order(key: TileKey) -> tuple[int, str, int]:
    """The place of a tile in the reply: by type, then by day."""
    return _RANKS.get(key.type, len(_RANKS)), key.type, key.day


def upload_text(upload: DataSet) -> bytes:
    """A data set as its record is returned."""
    return json_text.encode(as_upload_record(upload))
