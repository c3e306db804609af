"""Filters by source: readers do not get records that another source delivers better. Source: data-api 9."""

from collections.abc import Callable, Iterable, Sequence

from chalicelib.data_sources.data_source import DataSource
from chalicelib.frozen import frozen
from chalicelib.log.data_set import DataSet
from chalicelib.log.fold import VisibleData
from chalicelib.model.times import parse_time
from chalicelib.reading.query import DataQuery

CBG = "cbg"
MEDTRONIC = "Medtronic"
MEDTRONIC_FROM_MS = 1_504_224_000_000
"""2017-09-01T00:00:00Z."""
MEDTRONIC_MODELS = frozenset({"523", "523K", "554", "723", "723K", "754"})
MEDTRONIC_TYPES = frozenset({"basal", "bolus", "cbg"})


@frozen
class Imports:
    """The data that data sources imported: its data sets, and the spans of time it covers (both ends included)."""

    data_set_ids: frozenset[str]
    spans_ms: tuple[tuple[int, int], ...]

    def drops_cbg(self, time_ms: int) -> bool:
        """Whether imported readings replace a reading from elsewhere at this time. Without spans they replace all."""
        return not self.spans_ms or any(first <= time_ms <= last for first, last in self.spans_ms)


@frozen
class SourceFilters:
    """The records to drop: those from CareLink, those of `drops` in some data sets of Medtronic pumps, and cbg that
    data sources also imported (`imports`; None if data sources do not matter)."""

    drops_carelink: bool
    medtronic_data_set_ids: frozenset[str]
    imports: Imports | None = None

    def may_drop(self, datum_type: str) -> bool:
        """Whether any record of a type may be dropped."""
        return (
            self.drops_carelink
            or (datum_type in MEDTRONIC_TYPES and bool(self.medtronic_data_set_ids))
            or (datum_type == CBG and self.imports is not None)
        )

    @staticmethod
    def drops(datum_type: str, time_ms: int) -> bool:
        """Whether a record of a Medtronic data set is one that the pump's own app uploads too."""
        return datum_type in MEDTRONIC_TYPES and time_ms >= MEDTRONIC_FROM_MS


def source_filters(
    query: DataQuery, data_sets: Sequence[DataSet], has_medtronic: Callable[[], bool], sources: Iterable[DataSource]
) -> SourceFilters:
    """The filters by source for a query, given all data sets and data sources of the user.

    Args:
        has_medtronic: returns `has_medtronic_data` of the visible data; called only if the result matters.
    """
    return SourceFilters(
        _drops_carelink(query, data_sets),
        _medtronic_data_set_ids(query, data_sets, has_medtronic),
        _imports(query, sources),
    )


def _imports(query: DataQuery, sources: Iterable[DataSource]) -> Imports | None:
    if not query.prefers_sources or query.upload_id is not None:
        return None
    known = list(sources)
    ids = frozenset(source.data_set_id for source in known if source.data_set_id is not None)
    spans = (source.data_span_ms for source in known)
    return Imports(ids, tuple(span for span in spans if span is not None)) if ids else None


def _drops_carelink(query: DataQuery, data_sets: Iterable[DataSet]) -> bool:
    if query.carelink is not None:
        # True filters nothing: it does not select records from CareLink only.
        return not query.carelink
    return any(
        data_set.is_closed
        and data_set.deleted_time_ms is None
        and MEDTRONIC in data_set.description.get("deviceManufacturers", ())
        for data_set in data_sets
    )


def _medtronic_data_set_ids(
    query: DataQuery, data_sets: Iterable[DataSet], has_medtronic: Callable[[], bool]
) -> frozenset[str]:
    if query.medtronic or query.upload_id is not None:
        return frozenset()
    ids = frozenset(data_set.id for data_set in data_sets if data_set.is_active and _is_medtronic(data_set))
    if ids and (query.medtronic is False or has_medtronic()):
        return ids
    return frozenset()


def _is_medtronic(data_set: DataSet) -> bool:
    moment = parse_time(data_set.description["time"])
    return (
        data_set.description.get("deviceModel") in MEDTRONIC_MODELS
        and moment is not None
        and moment.epoch_ms >= MEDTRONIC_FROM_MS
    )


def has_medtronic_data(data: Iterable[VisibleData]) -> bool:
    """Whether the app of a Medtronic pump uploaded any of this visible data."""
    return any(
        part.records.origin_manufacturers[row] == MEDTRONIC and part.records.times_ms[row] >= MEDTRONIC_FROM_MS
        for visible in data
        for part in visible.slices
        for row in part.rows
    )
