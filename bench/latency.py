"""How long requests take as a client sees them: the middle, and what one in twenty exceeds."""

import http.client
import statistics
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from bench.figures import Figure

TIMEOUT_S = 120


@dataclass(frozen=True, slots=True)
class Sent:
    """A request, prepared before anything is timed."""

    method: str
    path: str
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Connection:
    """A connection that is kept, as apps keep theirs."""

    def __init__(self, base_url: str, token: str | None = None) -> None:
        address = urlsplit(base_url)
        self._http = http.client.HTTPConnection(str(address.hostname), address.port, timeout=TIMEOUT_S)
        self._headers = {"Accept": "*/*"} | ({"X-Tidepool-Session-Token": token} if token else {})

    def send(self, sent: Sent) -> bytes:
        """The body of the answer, as it came; it has to be 200 or 201."""
        self._http.request(sent.method, sent.path, sent.body, self._headers | dict(sent.headers))
        response = self._http.getresponse()
        body = response.read()
        if response.status not in (200, 201):
            raise SystemExit(f"error: {sent.method} {sent.path} answered {response.status}: {body[:500]!r}")
        return body

    def times_ms(self, requests: Iterable[Sent]) -> list[float]:
        """What each of some requests took, one after the other."""
        return [timed_ms(partial(self.send, request)) for request in requests]


def timed_ms(work: Callable[[], Any]) -> float:
    """What some work took."""
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def at_once(clients: Sequence[tuple[Connection, Sequence[Sent]]]) -> list[float]:
    """What each request took while several clients send theirs."""
    times: list[float] = []

    def work(connection: Connection, requests: Sequence[Sent]) -> None:
        times.extend(connection.times_ms(requests))

    threads = [threading.Thread(target=work, args=client) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(times) != sum(len(requests) for _, requests in clients):
        raise SystemExit("error: a client failed; its error stands above")
    return times


def percentiles(name: str, times_ms: Sequence[float], floor_ms: float | None = None) -> Figure:
    """The line of some requests."""
    return Figure(name, statistics.median(times_ms), "ms", p95=p95(times_ms), floor_ms=floor_ms)


def p95(times_ms: Sequence[float]) -> float:
    """What one in twenty exceeds; of a few, the slowest."""
    return sorted(times_ms)[max(0, -(-len(times_ms) * 95 // 100) - 1)]
