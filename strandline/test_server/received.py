"""The requests that came in, for tests to look at."""

from collections import deque
from dataclasses import dataclass
from threading import Lock

MAX_REQUESTS = 10_000
MAX_BODY_BYTES = 64 * 1024 * 1024
"""Bytes of bodies that are kept, of all requests together. The oldest requests are forgotten first."""


@dataclass(slots=True)
class ReceivedRequest:
    """A request as it came in, before any fault."""

    method: str
    path: str
    """As it was sent, still encoded, without the query."""
    query: str
    headers: dict[str, str]
    """By their names in lower case; the values of a repeated header are joined by a comma."""
    body: bytes
    status: int | None = None
    """That of the reply; None if there is none yet, or the connection was dropped."""


class ReceivedRequests:
    """The newest requests, oldest first."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._requests: deque[ReceivedRequest] = deque()
        self._body_bytes = 0

    def add(self, request: ReceivedRequest) -> None:
        """Keep a request, and forget the oldest ones that are too much."""
        with self._lock:
            self._requests.append(request)
            self._body_bytes += len(request.body)
            while len(self._requests) > MAX_REQUESTS or self._body_bytes > MAX_BODY_BYTES:
                self._body_bytes -= len(self._requests.popleft().body)

    def all(self) -> list[ReceivedRequest]:
        """Those that are kept."""
        with self._lock:
            return list(self._requests)

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._requests.clear()
            self._body_bytes = 0
