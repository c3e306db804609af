"""The fold of a log in which the last word counts: from the end, so that what is replaced is known before it is met.

Whole columns are compared as sets, and an entry of which nothing was replaced costs one comparison.
"""

from collections.abc import Iterable, Mapping, Sequence

from chalicelib.log.entry import SelectorKind, Selectors
from chalicelib.log.fold_steps import DeviceTruncated, Run, Step, Stored


def keep_all(steps: Iterable[Step]) -> list[Run]:
    """The runs of a log that stores everything: all records but those deleted later. Source: dedup 5.4 to 5.6."""
    return _last_word(list(steps), replaces_origins=False)


def replace_origins(steps: Iterable[Step]) -> list[Run]:
    """The runs of a log in which a later entry replaces all records of earlier ones with the same origin id.

    Records of one entry never replace each other. Source: dedup 5.1.
    """
    return _last_word(list(steps), replaces_origins=True)


def _last_word(steps: Sequence[Step], *, replaces_origins: bool) -> list[Run]:
    gone: dict[SelectorKind, set[str | None]] = {kind: set() for kind in SelectorKind}
    gone_device_ids: set[str | None] = set()
    runs: list[Run] = []
    for step in reversed(steps):
        if isinstance(step, DeviceTruncated):
            gone_device_ids.add(step.device_id)
        elif isinstance(step, Selectors):
            gone[step.kind].update(step.values)
        elif isinstance(step, Stored):
            runs += reversed([_without(run, gone, gone_device_ids) for run in step.runs])
        else:
            runs.append(_without(Run(step, range(len(step))), gone, gone_device_ids))
            if replaces_origins:
                gone[SelectorKind.ORIGIN].update(step.origin_ids)
                gone[SelectorKind.ORIGIN].discard(None)
    runs.reverse()
    return runs


def _without(run: Run, gone: Mapping[SelectorKind, set[str | None]], gone_device_ids: set[str | None]) -> Run:
    records, rows = run.records, run.rows
    if origin_ids := gone[SelectorKind.ORIGIN]:
        rows = _without_values(rows, records.origin_ids, origin_ids)
    if hashes := gone[SelectorKind.HASH]:
        rows = _without_values(rows, records.hashes, hashes)
    if gone_device_ids:
        rows = _without_values(rows, records.device_ids, gone_device_ids)
    if rows and (ids := gone[SelectorKind.ID]):
        rows = _without_values(rows, records.ids, ids)
    return Run(records, rows)


def _without_values(rows: Sequence[int], column: Sequence[str | None], values: set[str | None]) -> Sequence[int]:
    return rows if values.isdisjoint(column) else [row for row in rows if column[row] not in values]
