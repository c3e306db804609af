"""The steps of the fold of one data set's log."""

from collections.abc import Iterable, Iterator, Sequence

from chalicelib.frozen import frozen
from chalicelib.log.entry import Entry, Selectors
from chalicelib.log.records import Records
from chalicelib.log.truncation import Truncation


@frozen
class RecordSlice:
    """The rows of some records that are visible, in the order in which they were stored."""

    records: Records
    rows: Sequence[int]


@frozen
class Prefix:
    """The result of an earlier fold of the beginning of a log. Records that the rest of the log cannot affect may be
    missing, such as those of other days."""

    position: int = 0
    """The number of the last entry that was folded."""
    slices: Sequence[RecordSlice] = ()


@frozen
class Stored:
    """The first step of a log with a prefix. Its slices do not replace each other's records."""

    slices: Sequence[RecordSlice]


@frozen
class DeviceTruncated:
    """All records of this device that were stored before this step were removed."""

    device_id: str


Step = Stored | Records | Selectors | DeviceTruncated
NOTHING_BEFORE = Prefix()


def steps(
    entries: Iterable[Entry], deleted_through: int, truncations: Sequence[Truncation], prefix: Prefix = NOTHING_BEFORE
) -> Iterator[Step]:
    """The steps of a data set since it was last deleted, in order.

    A truncation follows the last entry that it covers. If it ends within the prefix, the earlier fold applied it. If it
    ends after the prefix, it comes later, since the records that it removes affect the entries in between.

    Args:
        entries: the entries after the prefix, by number.
    """
    if prefix.slices:
        yield Stored([_survivors(part, deleted_through) for part in prefix.slices])
    pending = sorted(
        (cut for cut in truncations if cut.last_number is not None and cut.last_number >= prefix.position),
        key=lambda cut: cut.last_number or 0,
        reverse=True,
    )
    for entry in entries:
        while pending and (pending[-1].last_number or 0) < entry.number:
            yield DeviceTruncated(pending.pop().device_id)
        if entry.number > deleted_through:
            yield entry.contents()
    yield from (DeviceTruncated(cut.device_id) for cut in reversed(pending))
    yield from (DeviceTruncated(cut.device_id) for cut in truncations if cut.last_number is None)


def _survivors(part: RecordSlice, deleted_through: int) -> RecordSlice:
    """The rows of a prefix that a later deletion spares."""
    if not deleted_through:
        return part
    addresses = part.records.addresses
    return RecordSlice(part.records, [row for row in part.rows if addresses[row].number > deleted_through])
