"""Selects records by the filters of a query and by their source, row by row or for whole tiles.

Source: data-api 9, filters.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import field

from chalicelib.durations import DAY_MS
from chalicelib.frozen import frozen
from chalicelib.log.fold import VisibleData
from chalicelib.log.records import Records
from chalicelib.reading.query import DataQuery
from chalicelib.reading.source_filters import CBG, MEDTRONIC_TYPES, SourceFilters
from chalicelib.tiles.manifest import TileRef
from chalicelib.tiles.tile import CARELINK, TileKey, keys_of_rows

DOSING_DECISION = "dosingDecision"


@frozen
class SelectedRecords:
    """The selected records of one type and day: their times, and the rows that hold their texts."""

    times_ms: list[int] = field(default_factory=list)
    rows: list[tuple[Records, int]] = field(default_factory=list)

    def texts(self) -> list[bytes]:
        """The texts by time; records of equal times in the order in which they were stored."""
        ordered = sorted(range(len(self.rows)), key=self.times_ms.__getitem__)
        return [records.texts[row] for records, row in map(self.rows.__getitem__, ordered)]


def select_records(
    data: Iterable[VisibleData], query: DataQuery, sources: SourceFilters
) -> dict[TileKey, SelectedRecords]:
    """The records that the query selects, by type and day. `data` has the oldest data set first."""
    found: dict[TileKey, SelectedRecords] = defaultdict(SelectedRecords)
    imports = sources.imports
    for visible in data:
        if query.upload_id is not None and visible.data_set.id != query.upload_id:
            continue
        drops_medtronic = visible.data_set.id in sources.medtronic_data_set_ids
        for part in visible.slices:
            records = part.records
            rows = _filter_rows(records, part.rows, query)
            if sources.drops_carelink:
                rows = [row for row in rows if records.sources[row] != CARELINK]
            if drops_medtronic:
                rows = [row for row in rows if not sources.drops(records.types[row], records.times_ms[row])]
            if imports is not None and visible.data_set.id not in imports.data_set_ids:
                rows = [row for row in rows if not (_is_cbg(records, row) and imports.drops_cbg(records.times_ms[row]))]
            if not rows:
                continue
            keys, times_ms = keys_of_rows(records), records.times_ms
            for row in rows:
                of_tile = found[keys[row]]
                of_tile.times_ms.append(times_ms[row])
                of_tile.rows.append((records, row))
    return found


def is_of_days(query: DataQuery, key: TileKey) -> bool:
    """Whether a tile is of the types and days of a query."""
    return (
        (query.types is None or key.type in query.types)
        and (query.start_ms is None or key.day >= query.start_ms // DAY_MS)
        and (query.end_ms is None or key.day <= query.end_ms // DAY_MS)
    )


def selects_tile(ref: TileRef, query: DataQuery) -> bool:
    """Whether the query can select any record of a tile."""
    return (
        ref.stats.has_visible
        and (query.types is None or ref.key.type in query.types)
        and (query.upload_id is None or query.upload_id in ref.stats.data_set_ids)
    )


def cuts(query: DataQuery, day: int) -> bool:
    """Whether the query begins or ends within a day."""
    return (query.start_ms is not None and query.start_ms > day * DAY_MS) or (
        query.end_ms is not None and query.end_ms < (day + 1) * DAY_MS - 1
    )


def must_fold(ref: TileRef, query: DataQuery, sources: SourceFilters) -> bool:
    """Whether the data sets or the sources of records may drop some records of a tile and keep others.

    Texts do not name the data set, and sources depend on it; `select_texts` applies all other filters.
    """
    name = ref.key.type
    ids = frozenset(ref.stats.data_set_ids)
    return (
        (query.upload_id is not None and ids != {query.upload_id})
        or (sources.drops_carelink and ref.stats.has_carelink)
        or (name in MEDTRONIC_TYPES and not ids.isdisjoint(sources.medtronic_data_set_ids))
        or (name == CBG and sources.imports is not None and not ids <= sources.imports.data_set_ids)
    )


def _filter_rows(records: Records, rows: Sequence[int], query: DataQuery) -> Sequence[int]:
    """The rows that match the query's own filters."""
    types, times_ms = records.types, records.times_ms
    if query.types is not None:
        rows = [row for row in rows if types[row] in query.types]
    if query.start_ms is not None:
        rows = [row for row in rows if times_ms[row] >= query.start_ms]
    if query.end_ms is not None:
        rows = [row for row in rows if times_ms[row] <= query.end_ms]
    if query.sub_types is not None:
        rows = [row for row in rows if records.sub_types[row] in query.sub_types]
    if query.device_id is not None:
        rows = [row for row in rows if records.device_ids[row] == query.device_id]
    if query.reasons is not None:
        rows = [row for row in rows if types[row] != DOSING_DECISION or records.reasons[row] in query.reasons]
    if query.sample_interval_minimum_ms > 0:
        rows = [row for row in rows if not _is_sampled_faster(records, row, query.sample_interval_minimum_ms)]
    return rows


def _is_cbg(records: Records, row: int) -> bool:
    return records.types[row] == CBG


def _is_sampled_faster(records: Records, row: int, minimum_ms: int) -> bool:
    interval_ms = records.sample_intervals_ms[row]
    return _is_cbg(records, row) and interval_ms is not None and interval_ms < minimum_ms
