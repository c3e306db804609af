"""Truncation by device: closing a data set removes all records that were uploaded from the same device before.

Closing writes only the data set that closes, which keeps the last numbers of those that are open then. What it did to
the others is derived from the data sets: those closed earlier are truncated as a whole, open ones up to that number.
Deleting the data set later does not undo it. Source: dedup 5.5.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from chalicelib.log.data_set import DataSet
from chalicelib.log.ports import DataSetHeads
from chalicelib.model.deduplicators import DEVICE_TRUNCATE_DATASET


@dataclass(frozen=True, slots=True)
class Truncation:
    """What the closing of a data set did to another one: it removed the records of a device up to an entry."""

    close_sequence: int
    device_id: str
    last_number: int | None
    """The number of the last entry that it covers; None for the whole log."""


def truncated_at_close(closing: DataSet, others: Iterable[DataSet], heads: DataSetHeads) -> dict[str, int]:
    """The data sets that are open when one closes that truncates, each with the last number of its log.

    Continuous ones come first. One read for each open data set.
    """
    if not truncates(closing):
        return {}
    still_open = [other for other in others if other.id != closing.id and not other.is_closed]
    still_open.sort(key=lambda other: not other.is_continuous)
    found = [heads.head(other.id) for other in still_open]
    return {head.id: head.last_number for head in found if head is not None}


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


def with_truncations(data_sets: Iterable[DataSet]) -> list[DataSet]:
    """The data sets as shown: one that another of its device truncated has a deleted time; `modifiedTime` stays.

    Args:
        data_sets: all of one owner and epoch.
    """
    data_sets = list(data_sets)
    closed_time_ms = {data_set.close_sequence: data_set.closed_time_ms for data_set in data_sets}
    cuts = truncations(data_sets)
    shown = []
    for data_set in data_sets:
        closings = [cut.close_sequence for cut in cuts[data_set.id] if cut.device_id == data_set.device_id]
        times_ms = [time_ms for closing in closings if (time_ms := closed_time_ms[closing]) is not None]
        if times_ms and (data_set.deleted_time_ms is None or times_ms[0] < data_set.deleted_time_ms):
            updates = int(data_set.deleted_time_ms is None)
            data_set = replace(data_set, deleted_time_ms=times_ms[0], revision=data_set.revision + updates)
        shown.append(data_set)
    return shown


def truncates(data_set: DataSet) -> bool:
    """Whether closing the data set removes all records that were uploaded from its device before."""
    return data_set.deduplicator == DEVICE_TRUNCATE_DATASET and data_set.device_id is not None
