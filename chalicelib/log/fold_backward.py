"""Folds a last-write-wins log from the end, so that replaced records are skipped without being read.

Whole columns are compared as sets: an entry without replaced records costs one comparison.
"""

from collections.abc import Iterable, Mapping, Sequence

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


def _last_write_wins(steps: Sequence[Step], *, replaces_origins: bool) -> list[RecordSlice]:
    removed: dict[SelectorKind, set[str | None]] = {kind: set() for kind in SelectorKind}
    removed_device_ids: set[str | None] = set()
    slices: list[RecordSlice] = []
    for step in reversed(steps):
        if isinstance(step, DeviceTruncated):
            removed_device_ids.add(step.device_id)
        elif isinstance(step, Selectors):
            removed[step.kind].update(step.values)
        elif isinstance(step, Stored):
            slices += reversed([_drop_removed(part, removed, removed_device_ids) for part in step.slices])
        else:
            slices.append(_drop_removed(RecordSlice(step, range(len(step))), removed, removed_device_ids))
            if replaces_origins:
                removed[SelectorKind.ORIGIN].update(step.origin_ids)
                removed[SelectorKind.ORIGIN].discard(None)
    slices.reverse()
    return slices


def _drop_removed(
    part: RecordSlice, removed: Mapping[SelectorKind, set[str | None]], removed_device_ids: set[str | None]
) -> RecordSlice:
    records, rows = part.records, part.rows
    if origin_ids := removed[SelectorKind.ORIGIN]:
        rows = _rows_without(rows, records.origin_ids, origin_ids)
    if hashes := removed[SelectorKind.HASH]:
        rows = _rows_without(rows, records.hashes, hashes)
    if removed_device_ids:
        rows = _rows_without(rows, records.device_ids, removed_device_ids)
    if rows and (ids := removed[SelectorKind.ID]):
        rows = _rows_without(rows, records.ids, ids)
    return RecordSlice(records, rows)


def _rows_without(rows: Sequence[int], column: Sequence[str | None], values: set[str | None]) -> Sequence[int]:
    return rows if values.isdisjoint(column) else [row for row in rows if column[row] not in values]
