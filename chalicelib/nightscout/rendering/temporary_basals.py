"""Basals that differ from the schedule as temporary basals. Source: nightscout-api 14.

Scheduled basals are not shown. Basals of one rate that follow one another are one temporary basal, but for midnight in
UTC, where each day begins on its own.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from chalicelib.nightscout.document import Document
from chalicelib.nightscout.rendering.record import Record, minutes, rendered_treatment, time_ms_of

SUSPEND = "suspend"
MAX_GAP_MS = 1_000
"""Basals that lie this close together follow one another."""


class _Run(NamedTuple):
    """Basals of one rate without a gap, and when the last one ends."""

    first: Record
    rate: float
    kind: str
    end_ms: int


def rendered_basals(basals: Sequence[Record]) -> list[Document]:
    """The temporary basals of one day, in the order of time.

    Args:
        basals: all basals of the day, in the order of time.
    """
    return [_document(run) for run in _runs(basals)]


def _runs(basals: Sequence[Record]) -> Iterator[_Run]:
    run: _Run | None = None
    for basal in basals:
        kind, rate = str(basal.get("deliveryType")), basal.get("rate", 0)
        start_ms = time_ms_of(basal)
        end_ms = start_ms + (basal.get("duration") or basal.get("expectedDuration") or 0)
        if kind not in ("temp", "automated", SUSPEND) or end_ms == start_ms:
            continue
        if run is not None and (run.rate, run.kind) == (rate, kind) and abs(start_ms - run.end_ms) <= MAX_GAP_MS:
            run = run._replace(end_ms=end_ms)
            continue
        if run is not None:
            yield run
        run = _Run(basal, rate, kind, end_ms)
    if run is not None:
        yield run


def _document(run: _Run) -> Document:
    members: dict[str, Any] = {
        "rate": run.rate,
        "absolute": run.rate,
        "temp": "absolute",
        "duration": minutes(run.end_ms - time_ms_of(run.first)),
        "automatic": run.kind == "automated",
    }
    if run.kind == SUSPEND:
        members["reason"] = SUSPEND
    return rendered_treatment(run.first, "Temp Basal", members)
