"""The steps that the fold of one data set's log goes through."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from chalicelib.domain.entries import Entry, EntryKind, Records, Selectors, decode_selectors
from chalicelib.domain.truncation import Truncation


@dataclass(frozen=True, slots=True)
class Run:
    """Records of one entry that are visible: the rows, in the order of the request."""

    records: Records
    rows: Sequence[int]


@dataclass(frozen=True, slots=True)
class DeviceGone:
    """All records of this device that were stored up to here were destroyed."""

    device_id: str


Step = Records | Selectors | DeviceGone


def steps(entries: Iterable[Entry], cut_off: int, truncations: Sequence[Truncation]) -> Iterator[Step]:
    """What happened to one data set since it was last deleted, in order.

    Entries come by number; a truncation stands behind the last entry that it covers, or behind all.
    """
    pending = sorted(
        (it for it in truncations if it.last_number is not None), key=lambda it: it.last_number or 0, reverse=True
    )
    for entry in entries:
        while pending and (pending[-1].last_number or 0) < entry.number:
            yield DeviceGone(pending.pop().device_id)
        if entry.number > cut_off:
            yield Records(entry.body) if entry.kind is EntryKind.ADD else decode_selectors(entry.body)
    yield from (DeviceGone(it.device_id) for it in reversed(pending))
    yield from (DeviceGone(it.device_id) for it in truncations if it.last_number is None)
