"""Reading the data of a user: the visible records, filtered and in order, as the bytes of the reply.

Source: data-api 9.
"""

from collections.abc import Iterable, Mapping
from functools import partial

from chalicelib.access.call import Call
from chalicelib.data_sources.data_source import DataSource
from chalicelib.encoding.gzip_splice import RecordArray
from chalicelib.frozen import frozen
from chalicelib.log.backlog import DUE_BYTES
from chalicelib.log.data_set import DataSet, OwnerState
from chalicelib.log.documents_owner import is_derived
from chalicelib.log.entry import Entry
from chalicelib.log.truncation import with_truncations
from chalicelib.model.deduplicators import DEVICE_DEACTIVATE_HASH
from chalicelib.model.times import parse_time
from chalicelib.reading.assemble import UPLOAD, all_records, first_refs, has_medtronic
from chalicelib.reading.etag import etag_if_settled, etag_of, require_modified
from chalicelib.reading.latest import latest_records
from chalicelib.reading.ports import ReadingPorts
from chalicelib.reading.query import DataQuery
from chalicelib.reading.select import is_of_days
from chalicelib.reading.source_filters import source_filters
from chalicelib.tiles.manifest import Manifest
from chalicelib.tiles.missing import retry_on_missing_tile
from chalicelib.tiles.newest import NewestRecords
from chalicelib.tiles.tile import Tile, TileKey
from chalicelib.tiles.view import TilesReadAhead, TileView


@frozen
class DataReply:
    """The records that a query selects, and the ETag by which a client can ask whether they changed."""

    records: RecordArray
    etag: str | None


def read_data(
    call: Call, owner_id: str, query: DataQuery, ports: ReadingPorts, known_etags: frozenset[str] = frozenset()
) -> DataReply:
    """All records that the query selects.

    They are sorted by type and time, in the order in which they were stored where both are equal; data sets come last.
    With `latest`, there is one record for each type, in the order of the types that the query names.

    A grantee who may view the last hours only gets no earlier record.

    Raises:
        UnauthorizedError: the caller may not read this user's data.
        NotModifiedError: the ETag of the reply is a known one; only the owner was read.
    """
    view_from_ms = call.require_view(owner_id)
    query = query.since(view_from_ms)
    if known_etags:
        # Read the owner alone: a manifest can be large, and is not needed to see that nothing changed.
        require_modified(etag_of(ports.data_sets.owner(owner_id), query, view_from_ms), known_etags)

    def attempt() -> DataReply:
        owner, manifest = ports.tiles.current(owner_id)
        takes_newest = query.is_latest and query.selects_whole_types
        stored = read_stores(owner, manifest, query, ports, with_newest=takes_newest)
        data_sets, entries = stored.data_sets, stored.entries
        if sum(len(entry.body) for entry in entries) >= DUE_BYTES:
            ports.backlog.make_due(owner_id)
        # Oldest first: of records with equal type and time, the one that was stored first comes first.
        whole = TileView(owner, manifest, data_sets[::-1], entries, TilesReadAhead(ports.tiles, stored.tiles))
        view = whole.of(partial(is_of_days, query))
        filters = source_filters(query, data_sets, partial(has_medtronic, whole), stored.sources)
        select = partial(latest_records, kept=stored.newest) if query.is_latest else all_records
        records = select(view, query, filters, _upload_records(data_sets, query))
        # The entries of a data set are in the order of their numbers, so the last one counts.
        last_numbers = manifest.positions() | {entry.data_set_id: entry.number for entry in entries}
        etag = etag_of(owner, query, view_from_ms)
        return DataReply(records, etag_if_settled(etag, owner, data_sets, last_numbers))

    return retry_on_missing_tile(attempt)


@frozen
class StoredData:
    """The part of the stores that a query needs."""

    data_sets: list[DataSet]
    """Newest first."""
    entries: list[Entry]
    """The tail."""
    sources: list[DataSource]
    tiles: Mapping[TileKey, Tile]
    """Those that the query reads whatever the tail is."""
    newest: NewestRecords | None
    """The newest records beside the manifest, if they were asked for and are there."""


def read_stores(
    owner: OwnerState, manifest: Manifest, query: DataQuery, ports: ReadingPorts, *, with_newest: bool = False
) -> StoredData:
    """All that a query needs of the stores, as far as this is known without the tail.

    Nothing of it waits for anything else but the logs of normal data sets for the data sets. The tiles cannot differ
    from what the manifest names: they never change, and one that is gone raises TileMissingError.

    Args:
        with_newest: whether to read the newest records beside the manifest, if they are there, in place of tiles.
    """
    positions = manifest.positions()
    with_newest = with_newest and manifest.has_newest
    refs = [] if with_newest else first_refs(manifest, query)
    with ports.at_once() as start:
        data_sets = start(lambda: ports.data_sets.of_owner(owner))
        continuous = start(lambda: ports.log.continuous_entries(owner, positions))
        sources = start(lambda: ports.sources.of_user(owner.id)) if owner.has_sources else list
        tiles = start(lambda: ports.tiles.tiles(owner, refs, ())) if refs else dict
        newest = start(lambda: ports.tiles.newest(owner, manifest)) if with_newest else _none
        needed_ids = [data_set.id for data_set in data_sets() if _is_needed(data_set, query)]
        normal_ids = [data_set_id for data_set_id in needed_ids if not manifest.has_whole_log(data_set_id)]
        normal = ports.log.normal_entries(owner, normal_ids, positions)
    return StoredData(data_sets(), continuous() + normal, sources(), tiles(), newest())


def _none() -> None:
    pass


def _is_needed(data_set: DataSet, query: DataQuery) -> bool:
    """Whether a query must read the log of a data set apart from those of the continuous ones.

    A data set with hashes may hide records of another one.
    """
    if data_set.is_continuous or not data_set.is_active or data_set.is_purgeable:
        return False
    if query.upload_id in (None, data_set.id) or data_set.deduplicator == DEVICE_DEACTIVATE_HASH:
        return True
    return is_derived(data_set.owner_id, query.upload_id)


def _upload_records(data_sets: Iterable[DataSet], query: DataQuery) -> list[DataSet]:
    """The data sets that the query selects as records of type `upload`, oldest first."""
    selected = [
        data_set for data_set in with_truncations(data_sets) if data_set.is_active and _selects(data_set, query)
    ]
    return sorted(selected, key=_time_ms)


def _selects(data_set: DataSet, query: DataQuery) -> bool:
    time_ms = _time_ms(data_set)
    return (
        (query.types is None or UPLOAD in query.types)
        and query.sub_types is None
        and (query.start_ms is None or time_ms >= query.start_ms)
        and (query.end_ms is None or time_ms <= query.end_ms)
        and (query.device_id is None or data_set.device_id == query.device_id)
        and (query.upload_id is None or data_set.id == query.upload_id)
    )


def _time_ms(data_set: DataSet) -> int:
    moment = parse_time(data_set.description["time"])
    return data_set.created_time_ms if moment is None else moment.epoch_ms
