"""Quotas: what a user may store and ask for on a stage, so that one person cannot make its owner pay without limit.

Requests are counted in memory by each process. A home server has one process, so its count is exact; on AWS each
instance of the function counts those that it serves (ADR 20).
"""

from collections.abc import Callable
from threading import Lock

from chalicelib.durations import HOUR_MS
from chalicelib.errors import RequestQuotaError
from chalicelib.frozen import frozen

NEAR_PERCENT = 80
"""From this share of a quota on, the operator is told."""
DATA, BLOBS, REQUESTS = "data", "blobs", "requests"


def near(quota: int) -> int:
    """The number from which on a quota is nearly used."""
    return quota * NEAR_PERCENT // 100


@frozen
class Quotas:
    """The quotas of a stage for the data and contents of one user."""

    data_bytes: int
    blob_bytes: int
    """Of blobs and device logs together."""
    report: Callable[[str, str], None]
    """Tells the operator that a quota (`DATA`, `BLOBS`, `REQUESTS`) is nearly used by a user."""


class RequestCounts:
    """Counts the requests of each user within the hour."""

    def __init__(self, quota: int, report: Callable[[str, str], None]) -> None:
        """
        Args:
            quota: how many requests a user may make within an hour of the clock.
            report: see `Quotas.report`.
        """
        self._quota = quota
        self._report = report
        self._lock = Lock()
        self._hour = 0
        self._counts: dict[str, int] = {}

    def count(self, user_id: str, now_ms: int) -> None:
        """Count a request.

        Raises:
            RequestQuotaError: the user has made as many in this hour as one may.
        """
        hour = now_ms // HOUR_MS
        with self._lock:
            if hour != self._hour:
                self._hour, self._counts = hour, {}
            made = self._counts.get(user_id, 0)
            if made >= self._quota:
                raise RequestQuotaError(-(-((hour + 1) * HOUR_MS - now_ms) // 1000))
            self._counts[user_id] = made + 1
        if made + 1 == near(self._quota):
            self._report(REQUESTS, user_id)
