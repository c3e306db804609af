"""Folds a last-write-wins log from the end, so that replaced records are skipped without being read.

Whole columns are compared as sets: an entry without replaced records costs one comparison.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from chalicelib.log.entry import SelectorKind, Selectors
from chalicelib.log.fold_steps import DeviceTruncated, RecordSlice, Step, Stored


def keep_all(steps: Iterable[Step]) -> list[RecordSlice]:
    """All records of a log except those that a later step deletes. Source: dedup 5.4 to 5.6."""
    return _last_write_wins(list(steps), replaces_origins=False)


def replace_origins(steps: Iterable[Step]) -> list[RecordSlice]:
    """The records of a log in which an entry replaces all records of earlier entries with the same origin id.

    Records of one entry never replace each other. Source: dedup 5.1.
    """
    return _last_write_wins(list(steps), replaces_origins=True)


class _RemovedKeys(NamedTuple):
    """The records that steps which were folded so far remove from earlier ones. A tail of a day has 288 entries of one
    record, so the sets are found without a hash of an enumeration."""

    ids: set[str | None]
    origin_ids: set[str | None]
    hashes: set[str | None]
    device_ids: set[str | None]

    def by_selector(self, kind: SelectorKind) -> set[str | None]:
        """The set of the values of a kind of selectors."""
        return {SelectorKind.ID: self.ids, SelectorKind.ORIGIN: self.origin_ids, SelectorKind.HASH: self.hashes}[kind]


def _last_write_wins(steps: Sequence[Step], *, replaces_origins: bool) -> list[RecordSlice]:
    removed = _RemovedKeys(set(), set(), set(), set())
    slices: list[RecordSlice] = []
    for step in reversed(steps):
        if isinstance(step, DeviceTruncated):
            removed.device_ids.add(step.device_id)
        elif isinstance(step, Selectors):
            removed.by_selector(step.kind).update(step.values)
        elif isinstance(step, Stored):
            slices += reversed([_drop_removed(part, removed) for part in step.slices])
        else:
            slices.append(_drop_removed(RecordSlice(step, range(len(step))), removed))
            if replaces_origins:
                removed.origin_ids.update(step.origin_ids)
                removed.origin_ids.discard(None)
    slices.reverse()
    return slices


def _drop_removed(part: RecordSlice, removed: _RemovedKeys) -> RecordSlice:
    records, rows = part.records, part.rows
    if removed.origin_ids:
        rows = _rows_without(rows, records.origin_ids, removed.origin_ids)
    if removed.hashes:
        rows = _rows_without(rows, records.hashes, removed.hashes)
    if removed.device_ids:
        rows = _rows_without(rows, records.device_ids, removed.device_ids)
    if rows and removed.ids:
        rows = _rows_without(rows, records.ids, removed.ids)
    return RecordSlice(records, rows)


def _rows_without(rows: Sequence[int], column: Sequence[str | None], values: set[str | None]) -> Sequence[int]:
    return rows if values.isdisjoint(column) else [row for row in rows if column[row] not in values]
