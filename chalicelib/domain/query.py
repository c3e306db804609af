"""Reading the data of a user: what is visible, filtered, in order, as the bytes that are answered.

Source: data-api 9.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from chalicelib.contract import json_text
from chalicelib.contract.access import READERS
from chalicelib.domain.access import Caller, GrantReader, require_view
from chalicelib.domain.data_query import DataQuery
from chalicelib.domain.data_set import DataSet, as_upload_record
from chalicelib.domain.data_sources import DataSources
from chalicelib.domain.data_tag import require_unknown, tag_of, tag_when_settled
from chalicelib.domain.fold import VisibleData, visible
from chalicelib.domain.ports import DataSetStore, RecordLog
from chalicelib.domain.records import Records
from chalicelib.domain.source_filters import SourceFilters, source_filters
from chalicelib.domain.truncation import with_truncations
from chalicelib.model.deduplicators import DEVICE_DEACTIVATE_HASH
from chalicelib.model.times import parse_time

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
"""The types of which `latest` answers the newest record when none are named, in the order of the answer."""

_RANKS = {name: rank for rank, name in enumerate(LATEST_TYPES)}


@dataclass(frozen=True, slots=True)
class DataAnswer:
    """What is answered to a query: JSON texts, and the tag by which a client can ask whether that changed."""

    texts: list[bytes]
    tag: str | None


@dataclass(frozen=True, slots=True)
class _Found:
    """Records of one type: when each was, and where its text is."""

    times_ms: list[int]
    places: list[tuple[Records, int]]


def read_data(
    caller: Caller,
    owner_id: str,
    query: DataQuery,
    *,
    data_sets: DataSetStore,
    sources: DataSources,
    log: RecordLog,
    grants: GrantReader,
    known_tags: frozenset[str] = frozenset(),
) -> DataAnswer:
    """The JSON texts of all records that the query selects, with their tag.

    Sorted by type and time, in the order in which they were stored where both are equal; data sets come last. With
    `latest`, one record for each type, in the order of the types asked for.

    A grantee who may view the last hours only gets no record from before them.

    Raises:
        UnauthorizedError: the caller may not read this user's data.
        NotModifiedError: the answer's tag is a known one; nothing but the owner was read.
    """
    view_from_ms = require_view(caller, owner_id, READERS, grants)
    query = query.since(view_from_ms)
    owner = data_sets.owner(owner_id)
    tag = tag_of(owner, query, view_from_ms)
    require_unknown(tag, known_tags)
    every = data_sets.of_owner(owner)
    needed = [data_set for data_set in every if _is_needed(data_set, query)]
    normal_ids = [data_set.id for data_set in needed if not data_set.is_continuous]
    # Oldest first: of what is equal in type and time, the record that was stored first comes first.
    entries = log.entries(owner, normal_ids)
    data = visible(entries, every[::-1])
    imported = sources.of_user(owner_id) if owner.has_sources else []
    found = _selected(data, query, source_filters(query, every, data, imported))
    uploads = _uploads(every, query)
    texts = _latest(found, uploads, query) if query.is_latest else _all(found, uploads)
    last_numbers = {entry.data_set_id: entry.number for entry in entries}  # those of a data set stand by number
    return DataAnswer(texts, tag_when_settled(tag, owner, every, last_numbers))


def render(texts: Iterable[bytes]) -> bytes:
    """The array of records as it is answered: a line for each. Source: data-api 9, format."""
    lines = b",\n".join(texts)
    return b"[\n" + lines + b"\n]" if lines else b"[]"


def _is_needed(data_set: DataSet, query: DataQuery) -> bool:
    """Whether the log of a data set can matter to the answer; one with hashes may hide what is in another."""
    if not data_set.is_active or data_set.is_gone:
        return False
    return query.upload_id in (None, data_set.id) or data_set.deduplicator == DEVICE_DEACTIVATE_HASH


def _selected(data: Iterable[VisibleData], query: DataQuery, sources: SourceFilters) -> dict[str, _Found]:
    found: dict[str, _Found] = defaultdict(lambda: _Found([], []))
    imports = sources.imports
    for each in data:
        if query.upload_id is not None and each.data_set.id != query.upload_id:
            continue
        drops_medtronic = each.data_set.id in sources.medtronic_data_set_ids
        for run in each.runs:
            records = run.records
            rows = _rows(records, run.rows, query)
            if sources.drops_carelink:
                rows = [row for row in rows if records.sources[row] != "carelink"]
            if drops_medtronic:
                rows = [row for row in rows if not sources.drops(records.types[row], records.times_ms[row])]
            if imports is not None and each.data_set.id not in imports.data_set_ids:
                rows = [row for row in rows if not (_is_cbg(records, row) and imports.drops_cbg(records.times_ms[row]))]
            types, times_ms = records.types, records.times_ms
            for row in rows:
                of_type = found[types[row]]
                of_type.times_ms.append(times_ms[row])
                of_type.places.append((records, row))
    return found


def _rows(records: Records, rows: Sequence[int], query: DataQuery) -> Sequence[int]:
    """The rows that the query's own filters let through."""
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
        rows = [row for row in rows if types[row] != "dosingDecision" or records.reasons[row] in query.reasons]
    if query.sample_interval_minimum_ms > 0:
        rows = [row for row in rows if not _is_sampled_faster(records, row, query.sample_interval_minimum_ms)]
    return rows


def _is_cbg(records: Records, row: int) -> bool:
    return records.types[row] == "cbg"


def _is_sampled_faster(records: Records, row: int, minimum_ms: int) -> bool:
    interval_ms = records.sample_intervals_ms[row]
    return _is_cbg(records, row) and interval_ms is not None and interval_ms < minimum_ms


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


def _all(found: Mapping[str, _Found], uploads: Iterable[DataSet]) -> list[bytes]:
    texts = []
    for name in sorted(found, key=lambda name: (_RANKS.get(name, len(_RANKS)), name)):
        times_ms, places = found[name].times_ms, found[name].places
        for index in sorted(range(len(places)), key=times_ms.__getitem__):
            records, row = places[index]
            texts.append(records.texts[row])
    return texts + [_text(upload) for upload in uploads]


def _latest(found: Mapping[str, _Found], uploads: Sequence[DataSet], query: DataQuery) -> list[bytes]:
    texts = []
    for name in query.types or LATEST_TYPES:
        if name == UPLOAD and uploads:
            texts.append(_text(uploads[-1]))
        elif name in found:
            times_ms, places = found[name].times_ms, found[name].places
            # Of equal times the record that was stored last.
            records, row = places[max(range(len(places)), key=lambda index: (times_ms[index], index))]
            texts.append(records.texts[row])
    return texts


def _text(upload: DataSet) -> bytes:
    return json_text.encode(as_upload_record(upload))
