"""The fold of a last-write-wins log: from the end, so that replaced records are skipped when they are met.

Whole columns are compared as sets: an entry without replaced records costs one comparison.
"""

from collections.abc import Iterable, Mapping, Sequence

from chalicelib.log.entry import SelectorKind, Selectors
from chalicelib.log.fold_steps import DeviceTruncated, RecordSlice, Step, Stored


def keep_all(steps: Iterable[Step]) -> list[RecordSlice]:
    """All records of a log but those deleted by a later step. Source: dedup 5.4 to 5.6."""
    return _last_write_wins(list(steps), replaces_origins=False)


def replace_origins(steps: Iterable[Step]) -> list[RecordSlice]:
    """The records of a log in which an entry replaces all records of earlier entries with the same origin id.

    Records of one entry never replace each other. Source: dedup 5.1.
    """
    return _last_write_wins(list(steps), replaces_origins=True)


def _last_write_wins(steps: Sequence[Step], *, replaces_origins: bool) -> list[RecordSlice]:
    gone: dict[SelectorKind, set[str | None]] = {kind: set() for kind in SelectorKind}
    gone_device_ids: set[str | None] = set()
    slices: list[RecordSlice] = []
    for step in reversed(steps):
        if isinstance(step, DeviceTruncated):
            gone_device_ids.add(step.device_id)
        elif isinstance(step, Selectors):
            gone[step.kind].update(step.values)
        elif isinstance(step, Stored):
            slices += reversed([_without(part, gone, gone_device_ids) for part in step.slices])
        else:
            slices.append(_without(RecordSlice(step, range(len(step))), gone, gone_device_ids))
            if replaces_origins:
                gone[SelectorKind.ORIGIN].update(step.origin_ids)
                gone[SelectorKind.ORIGIN].discard(None)
    slices.reverse()
    return slices


def _without(
    part: RecordSlice, gone: Mapping[SelectorKind, set[str | None]], gone_device_ids: set[str | None]
) -> RecordSlice:
    records, rows = part.records, part.rows
    if origin_ids := gone[SelectorKind.ORIGIN]:
        rows = _without_values(rows, records.origin_ids, origin_ids)
    if hashes := gone[SelectorKind.HASH]:
        rows = _without_values(rows, records.hashes, hashes)
    if gone_device_ids:
        rows = _without_values(rows, records.device_ids, gone_device_ids)
    if rows and (ids := gone[SelectorKind.ID]):
        rows = _without_values(rows, records.ids, ids)
    return RecordSlice(records, rows)


def _without_values(rows: Sequence[int], column: Sequence[str | None], values: set[str | None]) -> Sequence[int]:
    return rows if values.isdisjoint(column) else [row for row in rows if column[row] not in values]
