"""Truncation by device: closing a data set takes the place of all that was uploaded from the same device before.

It is derived from the data sets each time and written only on the one that closes, so that closing is one write: a
data set that was closed earlier is covered as a whole, and of those that were open it keeps the last numbers.
Not undone when the truncating data set is deleted. Source: dedup 5.5.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from chalicelib.log.data_set import DataSet
from chalicelib.log.ports import DataSetStore
from chalicelib.model.deduplicators import DEVICE_TRUNCATE_DATASET


@dataclass(frozen=True, slots=True)
class Truncation:
    """What one closing did to one other data set: its records of this device, in entries up to this number, went."""

    close_sequence: int
    device_id: str
    last_number: int | None
    """None is the whole log."""


def truncated_at_close(closing: DataSet, every: Iterable[DataSet], data_sets: DataSetStore) -> dict[str, int]:
    """What a data set has to remember of the others when it closes: the open ones and how far their logs went."""
    if not truncates(closing):
        return {}
    others = [other for other in every if other.id != closing.id and not other.is_closed]
    others.sort(key=lambda other: not other.is_continuous)
    heads = [data_sets.head(other.id) for other in others]
    return {head.id: head.last_number for head in heads if head is not None}


def truncations(data_sets: Iterable[DataSet]) -> dict[str, list[Truncation]]:
    """What the closings of others did to each data set, by its id and in the order of the closings.

    Args:
        data_sets: all of one owner and epoch.
    """
    data_sets = list(data_sets)
    truncating = [data_set for data_set in data_sets if data_set.is_closed and truncates(data_set)]
    truncating.sort(key=lambda data_set: data_set.close_sequence or 0)
    return {
        data_set.id: [cut for other in truncating if (cut := _truncation(data_set, other)) is not None]
        for data_set in data_sets
    }


def _truncation(data_set: DataSet, closed: DataSet) -> Truncation | None:
    """What the closing of a data set that truncates did to another one."""
    close_sequence, device_id = closed.close_sequence, closed.device_id
    if closed.id == data_set.id or close_sequence is None or device_id is None:
        return None
    if data_set.close_sequence is not None and data_set.close_sequence < close_sequence:
        return Truncation(close_sequence, device_id, None)
    last_number = closed.truncated_at_close.get(data_set.id)
    return None if last_number is None else Truncation(close_sequence, device_id, last_number)


def with_truncations(every: Iterable[DataSet]) -> list[DataSet]:
    """The data sets with the deleted time of those that another of the same device truncated; `modifiedTime` stays."""
    every = list(every)
    closed_time_ms = {it.close_sequence: it.closed_time_ms for it in every}
    cuts = truncations(every)
    shown = []
    for data_set in every:
        orders = [it.close_sequence for it in cuts[data_set.id] if it.device_id == data_set.device_id]
        times_ms = [time for order in orders if (time := closed_time_ms[order]) is not None]
        if times_ms and (data_set.deleted_time_ms is None or times_ms[0] < data_set.deleted_time_ms):
            updates = int(data_set.deleted_time_ms is None)
            data_set = replace(data_set, deleted_time_ms=times_ms[0], revision=data_set.revision + updates)
        shown.append(data_set)
    return shown


def truncates(data_set: DataSet) -> bool:
    """Whether closing the data set takes the place of all that was uploaded from its device before."""
    return data_set.deduplicator == DEVICE_TRUNCATE_DATASET and data_set.device_id is not None
