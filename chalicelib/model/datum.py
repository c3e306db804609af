"""An accepted datum, as what checks data hands it on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

NewId = Callable[[], str]
"""Makes an id for a datum that was sent without one."""


class Datum(NamedTuple):
    """An accepted datum.

    `body`: as GET /data/{userId} answers it, with `id` and without `uploadId` and `_deduplicator`; times are UTC with
    `Z`, milliseconds, trailing zeros trimmed. `time_ms`: its time in milliseconds since the epoch, finer digits cut
    off. `sent_time`: the time in the offset that it was sent with, trailing fractional zeros trimmed; the identity
    hash is made of it (dedup.md, section 4).
    """

    body: dict[str, Any]
    time_ms: int
    sent_time: str
