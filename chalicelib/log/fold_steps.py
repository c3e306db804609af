"""The steps that the fold of one data set's log goes through."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from chalicelib.log.entry import Entry, EntryKind, Selectors, decode_selectors, read_records
from chalicelib.log.records import Records
from chalicelib.log.truncation import Truncation


@dataclass(frozen=True, slots=True)
class Run:
    """Records that are visible: the rows, in the order in which they were stored."""

    records: Records
    rows: Sequence[int]


@dataclass(frozen=True, slots=True)
class Prefix:
    """The beginning of a log, up to the entry `through`, as a fold has left it. Records that are not asked about may
    be missing: those of other days, when the rest of the log has nothing to do with them."""

    through: int = 0
    runs: Sequence[Run] = ()


@dataclass(frozen=True, slots=True)
class Stored:
    """The first step of a log whose beginning was folded before. Its runs do not replace each other's records."""

    runs: Sequence[Run]


@dataclass(frozen=True, slots=True)
class DeviceTruncated:
    """All records of this device that were stored up to here were destroyed."""

    device_id: str


Step = Stored | Records | Selectors | DeviceTruncated
NOTHING_BEFORE = Prefix()


def steps(
    entries: Iterable[Entry], deleted_through: int, truncations: Sequence[Truncation], prefix: Prefix = NOTHING_BEFORE
) -> Iterator[Step]:
    """What happened to one data set since it was last deleted, in order.

    Entries come by number, those behind the prefix; a truncation stands behind the last entry that it covers, or
    behind all. One that ends within the prefix was known when that was folded; one that ends behind it must not take
    its records yet, since these decide what becomes of entries in between.
    """
    if prefix.runs:
        yield Stored([_survivors(run, deleted_through) for run in prefix.runs])
    pending = sorted(
        (it for it in truncations if it.last_number is not None and it.last_number >= prefix.through),
        key=lambda it: it.last_number or 0,
        reverse=True,
    )
    for entry in entries:
        while pending and (pending[-1].last_number or 0) < entry.number:
            yield DeviceTruncated(pending.pop().device_id)
        if entry.number > deleted_through:
            yield (
                read_records(entry.body, entry.number) if entry.kind is EntryKind.ADD else decode_selectors(entry.body)
            )
    yield from (DeviceTruncated(it.device_id) for it in reversed(pending))
    yield from (DeviceTruncated(it.device_id) for it in truncations if it.last_number is None)


def _survivors(run: Run, deleted_through: int) -> Run:
    """What a deletion that an earlier fold may not have known of has left of what it left."""
    if not deleted_through:
        return run
    places = run.records.places
    return Run(run.records, [row for row in run.rows if places[row].number > deleted_through])
