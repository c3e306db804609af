"""Truncation by device: closing a data set removes all records that were uploaded from the same device before.

Closing writes only the closing data set, which records the last entry numbers of the data sets open at that time. The
truncation of the others is derived: data sets closed earlier are truncated as a whole, open ones up to that number.
Deleting the data set later does not undo it. Source: dedup 5.5.
"""

from collections.abc import Iterable
from dataclasses import replace

from chalicelib.frozen import frozen
from chalicelib.log.data_set import DataSet
from chalicelib.log.ports import DataSetHeads
from chalicelib.model.deduplicators import DEVICE_TRUNCATE_DATASET


@frozen
class Truncation:
    """The removal of the records of a device, up to an entry, from a data set when another one was closed."""

    close_sequence: int
    device_id: str
    last_number: int | None
    """The number of the last entry covered; None for the whole log."""

    def covers(self, number: int) -> bool:
        """Whether it removed the records of the device from the entry with this number."""
        return self.last_number is None or number <= self.last_number


def truncated_at_close(closing: DataSet, others: Iterable[DataSet], heads: DataSetHeads) -> dict[str, int]:
    """The last entry number of each open data set, by id, if the closing data set truncates; otherwise empty.

    Continuous data sets come first. This takes one read for each open data set.
    """
    if not truncates(closing):
        return {}
    still_open = [other for other in others if other.id != closing.id and not other.is_closed]
    still_open.sort(key=lambda other: not other.is_continuous)
    open_heads = [heads.head(other.id) for other in still_open]
    return {head.id: head.last_number for head in open_heads if head is not None}


def truncations(data_sets: Iterable[DataSet]) -> dict[str, list[Truncation]]:
    """The truncations of each data set by the closing of others: by id, in the order of the closings.

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
    """The truncation of `data_set` by the closing of `closed`; None if there is none."""
    close_sequence, device_id = closed.close_sequence, closed.device_id
    if closed.id == data_set.id or close_sequence is None or device_id is None:
        return None
    if data_set.close_sequence is not None and data_set.close_sequence < close_sequence:
        return Truncation(close_sequence, device_id, None)
    last_number = closed.truncated_at_close.get(data_set.id)
    return None if last_number is None else Truncation(close_sequence, device_id, last_number)


def with_truncations(data_sets: Iterable[DataSet]) -> list[DataSet]:
    """The data sets as the API shows them: a truncated one has a deleted time; its `modifiedTime` stays.

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
