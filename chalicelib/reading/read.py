"""Reading the data of a user: what is visible, filtered, in order, as the bytes that are answered.

Source: data-api 9.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from chalicelib.access.call import Call
from chalicelib.conflicts import retry_on_conflict
from chalicelib.encoding.gzip_splice import RecordArray
from chalicelib.log.data_set import DataSet
from chalicelib.log.truncation import with_truncations
from chalicelib.model.deduplicators import DEVICE_DEACTIVATE_HASH
from chalicelib.model.times import parse_time
from chalicelib.reading.assemble import UPLOAD, everything, has_medtronic, latest
from chalicelib.reading.etag import require_unknown, tag_of, tag_when_settled
from chalicelib.reading.ports import ReadingPorts
from chalicelib.reading.query import DataQuery
from chalicelib.reading.source_filters import source_filters
from chalicelib.tiles.ports import TileMissingError
from chalicelib.tiles.view import TileView

_MAX_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class DataAnswer:
    """What is answered to a query: records, and the tag by which a client can ask whether they changed."""

    records: RecordArray
    tag: str | None


def read_data(
    call: Call, owner_id: str, query: DataQuery, ports: ReadingPorts, known_tags: frozenset[str] = frozenset()
) -> DataAnswer:
    """All records that the query selects, with their tag.

    Sorted by type and time, in the order in which they were stored where both are equal; data sets come last. With
    `latest`, one record for each type, in the order of the types asked for.

    A grantee who may view the last hours only gets no record from before them.

    Raises:
        UnauthorizedError: the caller may not read this user's data.
        NotModifiedError: the answer's tag is a known one; nothing but the owner was read.
    """
    view_from_ms = call.require_view(owner_id)
    query = query.since(view_from_ms)
    if known_tags:
        # The owner alone: a manifest can be large, and it takes none to say that nothing changed.
        require_unknown(tag_of(ports.data_sets.owner(owner_id), query, view_from_ms), known_tags)

    def attempt() -> DataAnswer:
        owner, manifest = ports.tiles.current(owner_id)
        tag = tag_of(owner, query, view_from_ms)
        every = ports.data_sets.of_owner(owner)
        needed = [it.id for it in every if _is_needed(it, query) and not it.is_continuous]
        normal_ids = [data_set_id for data_set_id in needed if not manifest.has_whole_log(data_set_id)]
        entries = ports.log.entries(owner, normal_ids, manifest.positions())
        # Oldest first: of what is equal in type and time, the record that was stored first comes first.
        view = TileView(owner, manifest, every[::-1], entries, ports.tiles)
        imported = ports.sources.of_user(owner_id) if owner.has_sources else []
        filters = source_filters(query, every, partial(has_medtronic, view), imported)
        records = (latest if query.is_latest else everything)(view, query, filters, _uploads(every, query))
        # Entries of a data set stand by number.
        last_numbers = manifest.positions() | {entry.data_set_id: entry.number for entry in entries}
        return DataAnswer(records, tag_when_settled(tag, owner, every, last_numbers))

    # A tile is missing when a compaction replaced the manifest long ago, while this request stood still.
    return retry_on_conflict(attempt, _MAX_ATTEMPTS, TileMissingError)


def _is_needed(data_set: DataSet, query: DataQuery) -> bool:
    """Whether the log of a data set can matter to the answer; one with hashes may hide what is in another."""
    if not data_set.is_active or data_set.is_purgeable:
        return False
    return query.upload_id in (None, data_set.id) or data_set.deduplicator == DEVICE_DEACTIVATE_HASH


def _uploads(every: Iterable[DataSet], query: DataQuery) -> list[DataSet]:
    """The data sets that the query selects as records of type `upload`, oldest first."""
    selected = [data_set for data_set in with_truncations(every) if data_set.is_active and _selects(data_set, query)]
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
