"""An accepted datum, and the miss by which the fast path leaves a datum to the interpreter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

NewId = Callable[[], str]
"""Makes the id of a datum that was sent without one."""


class Datum(NamedTuple):
    """An accepted datum.

    `body`: as GET /data/{userId} answers it, with `id`, without `uploadId` and `_deduplicator`; times are UTC with
    `Z` and milliseconds, trailing zeros trimmed. `time_ms`: its time in milliseconds since the epoch, finer digits
    truncated. `sent_time`: its time in the offset that it was sent with, trailing fractional zeros trimmed; the
    identity hash covers it (dedup 4).
    """

    body: dict[str, Any]
    time_ms: int
    sent_time: str


class FastPathMiss(Exception):  # noqa: N818  not an error: the interpreter decides whether there is one
    """The value is invalid, or too unusual for the fast path: the interpreter has to read the datum."""
