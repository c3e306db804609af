"""The visible records of a user: a pure function of the logs and the states of the data sets.

Each deduplicator is a rule of this fold. Adding, closing and deleting only append entries or change states. Each log is
folded separately, then hashes are compared across the data sets of a device. Source: dedup.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from chalicelib import json_text
from chalicelib.frozen import frozen
from chalicelib.log.data_set import DataSet
from chalicelib.log.documents_owner import is_derived
from chalicelib.log.doubles import without_doubles
from chalicelib.log.entry import Entry, Selectors
from chalicelib.log.fold_backward import keep_all, replace_origins
from chalicelib.log.fold_forward import drop_known_hashes, keep_newer_origins, last_of_each_hash
from chalicelib.log.fold_steps import NOTHING_BEFORE, Prefix, RecordSlice, Step, Stored, steps
from chalicelib.log.truncation import Truncation, truncations
from chalicelib.model.deduplicators import (
    DATASET_DELETE_ORIGIN,
    DATASET_DELETE_ORIGIN_OLDER,
    DATASET_DROP_HASH,
    DEVICE_DEACTIVATE_HASH,
)

_CONTINUOUS: Mapping[str, Callable[[Iterable[Step]], list[RecordSlice]]] = {
    DATASET_DELETE_ORIGIN: replace_origins,
    DATASET_DELETE_ORIGIN_OLDER: keep_newer_origins,
    DATASET_DROP_HASH: drop_known_hashes,
}


@frozen
class VisibleData:
    """The visible data of one data set, in the order in which it was stored."""

    data_set: DataSet
    slices: Sequence[RecordSlice]


_NO_PREFIXES: Mapping[str, Prefix] = {}
_FINGERPRINT_DIGITS = 16


def visible(
    entries: Iterable[Entry], data_sets: Sequence[DataSet], prefixes: Mapping[str, Prefix] = _NO_PREFIXES
) -> list[VisibleData]:
    """The visible data of the active data sets, in the order in which these are given.

    Args:
        entries: entries of those data sets, by number within each data set; the data sets in any order.
        data_sets: all of one owner and epoch, since one may hide records of another.
        prefixes: the result of an earlier fold of each log, by data set; `entries` are the entries after it.
    """
    return without_shadowed(stored(entries, data_sets, prefixes))


def stored(
    entries: Iterable[Entry], data_sets: Sequence[DataSet], prefixes: Mapping[str, Prefix] = _NO_PREFIXES
) -> list[VisibleData]:
    """As `visible`, but including records that an equal hash in another data set hides until it is deleted."""
    logs: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        logs[entry.data_set_id].append(entry)
    cuts = truncations(data_sets)
    return [
        VisibleData(
            data_set,
            _fold(data_set, logs[data_set.id], cuts[data_set.id], prefixes.get(data_set.id, NOTHING_BEFORE)),
        )
        for data_set in data_sets
        if data_set.is_active and (data_set.id in logs or data_set.id in prefixes)
    ]


def _fold(data_set: DataSet, log: Iterable[Entry], cuts: Sequence[Truncation], prefix: Prefix) -> list[RecordSlice]:
    log_steps = steps(log, data_set.deleted_through, cuts, prefix)
    if data_set.is_continuous:
        return _CONTINUOUS.get(data_set.deduplicator, keep_all)(log_steps)
    return _fold_normal(data_set.deduplicator, list(log_steps))


def _fold_normal(deduplicator: str, log_steps: Sequence[Step]) -> list[RecordSlice]:
    """The fold of a normal data set, whose records became active only when it closed.

    Rules that look for active records find none in an open data set: no older origin and no known hash is dropped, and
    selectors that delete active records delete nothing. Source: dedup 5.1 to 5.3.
    """
    if deduplicator in (DATASET_DELETE_ORIGIN, DATASET_DELETE_ORIGIN_OLDER):
        return replace_origins(step for step in log_steps if not isinstance(step, Selectors))
    slices = keep_all(log_steps)
    if deduplicator == DATASET_DROP_HASH:
        known = sum(len(step.slices) for step in log_steps if isinstance(step, Stored))
        return slices[:known] + [RecordSlice(part.records, _last_of_each_hash(part)) for part in slices[known:]]
    return slices


def _last_of_each_hash(part: RecordSlice) -> list[int]:
    kept = set(last_of_each_hash(part.records))
    return [row for row in part.rows if row in kept]


def without_shadowed(stored_data: Sequence[VisibleData]) -> list[VisibleData]:
    """The data without records that equal ones in other data sets hide."""
    return without_derived_doubles(without_later_copies(without_older_hashes(stored_data)))


def without_derived_doubles(active: Sequence[VisibleData]) -> list[VisibleData]:
    """The data in which a record that was derived from a document hides behind an equal one of another data set, and a
    fingerstick of a treatment behind the equal one of an entry.

    Source: nightscout-api 17.
    """
    derived_ids = {data.data_set.id for data in active if is_derived(data.data_set.owner_id, data.data_set.id)}
    if not derived_ids:
        return list(active)
    others = [part for data in active if data.data_set.id not in derived_ids for part in data.slices]
    return [
        VisibleData(data.data_set, without_doubles(data.slices, others)) if data.data_set.id in derived_ids else data
        for data in active
    ]


def without_later_copies(active: Sequence[VisibleData]) -> list[VisibleData]:
    """The data in which old uploads show each record once: of equal hashes in their data sets, the one stored first.

    Source: data-api 11.
    """
    legacy = [data for data in active if data.data_set.is_legacy]
    if len(legacy) < 2:
        return list(active)
    first: dict[str, tuple[int, str]] = {}
    for data in legacy:
        for digest, place in _places(data):
            if digest not in first or place < first[digest]:
                first[digest] = place
    return [_only_first(data, first) if data.data_set.is_legacy else data for data in active]


def _places(data: VisibleData) -> Iterable[tuple[str, tuple[int, str]]]:
    """The hash of each record of a data set, and its place among all records of the user."""
    for part in data.slices:
        hashes, sequences = part.records.hashes, part.records.sequences
        for row in part.rows:
            if (digest := hashes[row]) is not None:
                yield digest, (sequences[row] or 0, data.data_set.id)


def _only_first(data: VisibleData, first: Mapping[str, tuple[int, str]]) -> VisibleData:
    slices = []
    for part in data.slices:
        hashes, sequences = part.records.hashes, part.records.sequences
        rows = [row for row in part.rows if first.get(hashes[row] or "") == (sequences[row] or 0, data.data_set.id)]
        slices.append(RecordSlice(part.records, rows))
    return VisibleData(data.data_set, slices)


def without_older_hashes(active: Sequence[VisibleData]) -> list[VisibleData]:
    """The data without older duplicates: of records of a device with equal hashes, the data set closed last wins.

    An open continuous data set counts as closed before all others. A data set hides records of its own device only; one
    without a device hides nothing. Source: dedup 5.4.
    """
    hidden_hashes: dict[str, set[str]] = defaultdict(set)
    filtered: dict[str, list[RecordSlice]] = {}
    hashed = [data for data in active if data.data_set.deduplicator == DEVICE_DEACTIVATE_HASH]
    for data in sorted(hashed, key=lambda data: data.data_set.close_sequence or 0, reverse=True):
        filtered[data.data_set.id] = [
            RecordSlice(part.records, _unhidden_rows(part, hidden_hashes)) for part in data.slices
        ]
        device_id = data.data_set.device_id
        if data.data_set.is_closed and device_id is not None:
            for part in data.slices:
                hidden_hashes[device_id].update(digest for digest in _hashes(part) if digest is not None)
    return [VisibleData(data.data_set, filtered.get(data.data_set.id, data.slices)) for data in active]


def _hashes(part: RecordSlice) -> Iterable[str | None]:
    column = part.records.hashes
    return (column[row] for row in part.rows)


def _unhidden_rows(part: RecordSlice, hidden_hashes: Mapping[str, set[str]]) -> Sequence[int]:
    device_ids, hashes = part.records.device_ids, part.records.hashes
    if not hidden_hashes:
        return part.rows
    nothing: set[str] = set()
    return [row for row in part.rows if hashes[row] not in hidden_hashes.get(device_ids[row] or "", nothing)]


def fold_fingerprints(data_sets: Iterable[DataSet]) -> dict[str, str]:
    """A digest of everything that a fold depends on besides the entries, by id, for each data set that can be seen.

    Logs with equal entries and fingerprints have equal folds.

    Args:
        data_sets: all of one owner and epoch.
    """
    data_sets = list(data_sets)
    cuts = truncations(data_sets)
    return {data_set.id: _fingerprint(data_set, cuts[data_set.id]) for data_set in data_sets if can_be_seen(data_set)}


def can_be_seen(data_set: DataSet) -> bool:
    """Whether records of the data set are visible, or can become visible without closing it."""
    return data_set.is_active and not data_set.is_purgeable


def _fingerprint(data_set: DataSet, cuts: Iterable[Truncation]) -> str:
    truncated = [(cut.close_sequence, cut.device_id, cut.last_number) for cut in cuts]
    state = (data_set.deduplicator, data_set.device_id, data_set.close_sequence, data_set.deleted_through, truncated)
    return hashlib.sha256(json_text.encode(state)).hexdigest()[:_FINGERPRINT_DIGITS]
