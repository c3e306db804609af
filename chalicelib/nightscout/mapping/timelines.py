"""Treatments that last until the next one of their kind: temporary basals, targets and overrides.

A treatment announces how long it lasts. The next one of its kind ends it earlier. A basal or target without a duration
ends the one before and starts nothing. Source: nightscout-api 14.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from chalicelib.durations import DAY_MS, MINUTE_MS
from chalicelib.nightscout.document import Collection, Document
from chalicelib.nightscout.times import MAX_MS

TIMELINE_PARTS: Mapping[str, str] = {
    "Temp Basal": "basal",
    "Temporary Target": "event",
    "Temporary Override": "event",
}
"""The part of each kind that lasts."""
INDEFINITE = "Temporary Override"
"""The kind that lasts without announcing for how long."""
REACH_DAYS = 1
"""Days before and after a treatment in which its neighbors are looked for."""


class Lasting(NamedTuple):
    """A treatment, and the time of the next one of its kind, which ends it; None if there is none."""

    document: Document
    until_ms: int | None


def timeline_of(document: Document) -> str | None:
    """The kind of a treatment that lasts; None for all other documents, and for deleted ones."""
    if document.collection is not Collection.TREATMENTS or document.is_deleted:
        return None
    kind = document.body.get("eventType")
    return kind if isinstance(kind, str) and kind in TIMELINE_PARTS else None


def days_around(documents: Iterable[Document]) -> set[int]:
    """The days on which the neighbors of these treatments are looked for."""
    days = {document.time_ms // DAY_MS for document in documents}
    return {day + shift for day in days for shift in range(-REACH_DAYS, REACH_DAYS + 1)}


def lasting(stored: Iterable[Document], changed: Sequence[Document], replaced: Sequence[Document]) -> Iterator[Lasting]:
    """The treatments that have to be derived again: those that changed, and each one before a change that it ends, or
    that ended it.

    Args:
        stored: the documents of the days around the changes, without those that were replaced or deleted.
        changed: the treatments of all kinds that last, as they are now.
        replaced: what was in their places before, and what was deleted.
    """
    for kind in TIMELINE_PARTS:
        now = [document for document in changed if timeline_of(document) == kind]
        touched_ms = {document.time_ms for document in (*now, *replaced) if timeline_of(document) == kind}
        if not touched_ms:
            continue
        keys = {document.key for document in now}
        others = [document for document in stored if timeline_of(document) == kind and document.key not in keys]
        line = sorted((*others, *now), key=lambda document: document.time_ms)
        for index, document in enumerate(line):
            until_ms = line[index + 1].time_ms if index + 1 < len(line) else None
            if document.key in keys or _is_before_change(document, until_ms, touched_ms):
                yield Lasting(document, until_ms)


def cut(record: Mapping[str, Any], start_ms: int, until_ms: int | None) -> Mapping[str, Any] | None:
    """The record of a treatment that ends when the next one begins; None if that is at once."""
    announced_ms = record.get("duration")
    if until_ms is None or (announced_ms is not None and start_ms + announced_ms <= until_ms):
        return record
    if until_ms <= start_ms:
        return None
    expected = {} if announced_ms is None else {"expectedDuration": announced_ms}
    return {**record, "duration": until_ms - start_ms, **expected}


def _is_before_change(document: Document, until_ms: int | None, touched_ms: set[int]) -> bool:
    """Whether a change lies between a treatment and the next one, and before the end that the treatment announced."""
    minutes = document.body.get("duration")
    if isinstance(minutes, int | float) and minutes > 0:
        end_ms = document.time_ms + minutes * MINUTE_MS
    elif timeline_of(document) == INDEFINITE:
        end_ms = MAX_MS
    else:
        return False
    until_ms = MAX_MS if until_ms is None else until_ms
    return any(document.time_ms <= time_ms <= until_ms and time_ms < end_ms for time_ms in touched_ms)
