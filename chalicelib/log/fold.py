"""What a user can see: a pure function of the logs and the states of the data sets.

Each deduplicator is a rule of this fold and nothing else; adding, closing and deleting only write down what happened.
First each data set's log is folded by itself, then hashes are compared across the data sets of a device.
Source: dedup.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from chalicelib import json_text
from chalicelib.log.data_set import DataSet
from chalicelib.log.entry import Entry, Selectors
from chalicelib.log.fold_backward import keep_all, replace_origins
from chalicelib.log.fold_forward import drop_known_hashes, keep_newer_origins, last_of_each_hash
from chalicelib.log.fold_steps import NOTHING_BEFORE, Prefix, Run, Step, Stored, steps
from chalicelib.log.truncation import Truncation, truncations
from chalicelib.model.deduplicators import (
    DATASET_DELETE_ORIGIN,
    DATASET_DELETE_ORIGIN_OLDER,
    DATASET_DROP_HASH,
    DEVICE_DEACTIVATE_HASH,
)

_CONTINUOUS: Mapping[str, Callable[[Iterable[Step]], list[Run]]] = {
    DATASET_DELETE_ORIGIN: replace_origins,
    DATASET_DELETE_ORIGIN_OLDER: keep_newer_origins,
    DATASET_DROP_HASH: drop_known_hashes,
}


@dataclass(frozen=True, slots=True)
class VisibleData:
    """The visible data of one data set, in the order in which it was stored."""

    data_set: DataSet
    runs: Sequence[Run]


_NO_PREFIXES: Mapping[str, Prefix] = {}
_STATE_DIGITS = 16


def visible(
    entries: Iterable[Entry], data_sets: Sequence[DataSet], prefixes: Mapping[str, Prefix] = _NO_PREFIXES
) -> list[VisibleData]:
    """The visible data of the active data sets, in the order in which these are given.

    Args:
        entries: of those data sets; those of one data set by number, the data sets in any order.
        data_sets: all of one owner and epoch, since what one hides may lie in another.
        prefixes: the beginnings of logs that were folded before, by data set; `entries` are those that follow.
    """
    return without_older_hashes(stored(entries, data_sets, prefixes))


def stored(
    entries: Iterable[Entry], data_sets: Sequence[DataSet], prefixes: Mapping[str, Prefix] = _NO_PREFIXES
) -> list[VisibleData]:
    """As `visible`, with what is hidden by an equal hash in another data set, and comes back when that is deleted."""
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


def _fold(data_set: DataSet, log: Iterable[Entry], cuts: Sequence[Truncation], prefix: Prefix) -> list[Run]:
    happened = steps(log, data_set.deleted_through, cuts, prefix)
    if data_set.is_continuous:
        return _CONTINUOUS.get(data_set.deduplicator, keep_all)(happened)
    return _fold_normal(data_set.deduplicator, list(happened))


def _fold_normal(deduplicator: str, happened: Sequence[Step]) -> list[Run]:
    """The fold of a normal data set, all of whose data was added while none of it was active.

    So what looks for active records found nothing: neither older origins nor known hashes were dropped, and where
    deleting by selector is for active records, it did nothing. Source: dedup 5.1 to 5.3.
    """
    if deduplicator in (DATASET_DELETE_ORIGIN, DATASET_DELETE_ORIGIN_OLDER):
        return replace_origins(step for step in happened if not isinstance(step, Selectors))
    runs = keep_all(happened)
    if deduplicator == DATASET_DROP_HASH:
        known = sum(len(step.runs) for step in happened if isinstance(step, Stored))
        return runs[:known] + [Run(run.records, _last_of_each_hash(run)) for run in runs[known:]]
    return runs


def _last_of_each_hash(run: Run) -> list[int]:
    kept = set(last_of_each_hash(run.records))
    return [row for row in run.rows if row in kept]


def without_older_hashes(active: Sequence[VisibleData]) -> list[VisibleData]:
    """Of equal hashes of a device, those of the data set that was closed last.

    A continuous data set that is open counts as closed before all others. Closing hides what is of the device of the
    data set that closes; a data set that names no device hides nothing. Source: dedup 5.4.
    """
    hidden: dict[str, set[str]] = defaultdict(set)
    seen: dict[str, list[Run]] = {}
    hashed = [it for it in active if it.data_set.deduplicator == DEVICE_DEACTIVATE_HASH]
    for data in sorted(hashed, key=lambda it: it.data_set.close_sequence or 0, reverse=True):
        seen[data.data_set.id] = [Run(run.records, _not_hidden(run, hidden)) for run in data.runs]
        device_id = data.data_set.device_id
        if data.data_set.is_closed and device_id is not None:
            for run in data.runs:
                hidden[device_id].update(digest for digest in _hashes(run) if digest is not None)
    return [VisibleData(it.data_set, seen.get(it.data_set.id, it.runs)) for it in active]


def _hashes(run: Run) -> Iterable[str | None]:
    column = run.records.hashes
    return (column[row] for row in run.rows)


def _not_hidden(run: Run, hidden: Mapping[str, set[str]]) -> Sequence[int]:
    device_ids, hashes = run.records.device_ids, run.records.hashes
    if not hidden:
        return run.rows
    nothing: set[str] = set()
    return [row for row in run.rows if hashes[row] not in hidden.get(device_ids[row] or "", nothing)]


def fold_fingerprints(every: Iterable[DataSet]) -> dict[str, str]:
    """For each data set whose data can be seen, by id, a digest of all but its entries that the fold depends on.

    Logs of equal entries and states fold alike. `every` holds all data sets of the owner.
    """
    every = list(every)
    cuts = truncations(every)
    return {data_set.id: _state(data_set, cuts[data_set.id]) for data_set in every if can_be_seen(data_set)}


def can_be_seen(data_set: DataSet) -> bool:
    """Whether anything of its log is visible, or will be without its being closed."""
    return data_set.is_active and not data_set.is_purgeable


def _state(data_set: DataSet, cuts: Iterable[Truncation]) -> str:
    truncated = [(it.close_sequence, it.device_id, it.last_number) for it in cuts]
    state = (data_set.deduplicator, data_set.device_id, data_set.close_sequence, data_set.deleted_through, truncated)
    return hashlib.sha256(json_text.encode(state)).hexdigest()[:_STATE_DIGITS]
