"""The steps that the fold of one data set's log goes through."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from chalicelib.domain.entries import Entry, EntryKind, Selectors, decode_selectors, read_records
from chalicelib.domain.records import Records
from chalicelib.domain.truncation import Truncation


@dataclass(frozen=True, slots=True)
class Run:
    """Records that are visible: the rows, in the order in which they were stored."""

    records: Records
    rows: Sequence[int]


@dataclass(frozen=True, slots=True)
class Kept:
    """Some of what an earlier fold of a log has left: rows of records, and the number of the entry of each."""

    records: Records
    rows: Sequence[int]
    numbers: Sequence[int]


@dataclass(frozen=True, slots=True)
class Prefix:
    """The beginning of a log, up to the entry `through`, as a fold has left it. Records that are not asked about may
    be missing: those of other days, when the rest of the log has nothing to do with them."""

    through: int = 0
    kept: Sequence[Kept] = ()


@dataclass(frozen=True, slots=True)
class Stored:
    """The first step of a log whose beginning was folded before. Its runs do not replace each other's records."""

    runs: Sequence[Run]


@dataclass(frozen=True, slots=True)
class DeviceGone:
    """All records of this device that were stored up to here were destroyed."""

    device_id: str


Step = Stored | Records | Selectors | DeviceGone
NOTHING_BEFORE = Prefix()


def steps(
    entries: Iterable[Entry], cut_off: int, truncations: Sequence[Truncation], prefix: Prefix = NOTHING_BEFORE
) -> Iterator[Step]:
    """What happened to one data set since it was last deleted, in order.

    Entries come by number, those behind the prefix; a truncation stands behind the last entry that it covers, or
    behind all.
    """
    if prefix.kept:
        yield Stored([_survivors(kept, cut_off, truncations) for kept in prefix.kept])
    pending = sorted(
        (it for it in truncations if it.last_number is not None and it.last_number >= prefix.through),
        key=lambda it: it.last_number or 0,
        reverse=True,
    )
    for entry in entries:
        while pending and (pending[-1].last_number or 0) < entry.number:
            yield DeviceGone(pending.pop().device_id)
        if entry.number > cut_off:
            yield read_records(entry.body) if entry.kind is EntryKind.ADD else decode_selectors(entry.body)
    yield from (DeviceGone(it.device_id) for it in reversed(pending))
    yield from (DeviceGone(it.device_id) for it in truncations if it.last_number is None)


def _survivors(kept: Kept, cut_off: int, truncations: Sequence[Truncation]) -> Run:
    """What deleting and truncating has left of an earlier fold; what covers all of it is a step of its own."""
    rows = list(zip(kept.rows, kept.numbers, strict=True))
    if cut_off:
        rows = [(row, number) for row, number in rows if number > cut_off]
    device_ids = kept.records.device_ids if truncations else ()
    for cut in truncations:
        last_number = cut.last_number
        if last_number is not None:
            rows = [(row, number) for row, number in rows if number > last_number or device_ids[row] != cut.device_id]
    return Run(kept.records, [row for row, _ in rows])
