"""Measures the latency of requests as a client sees it: the median and the 95th percentile."""

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
    """A request, prepared before timing begins."""

    method: str
    path: str
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Connection:
    """A persistent connection, as apps use."""

    def __init__(self, base_url: str, token: str | None = None) -> None:
        address = urlsplit(base_url)
        self._http = http.client.HTTPConnection(str(address.hostname), address.port, timeout=TIMEOUT_S)
        self._headers = {"Accept": "*/*"} | ({"X-Tidepool-Session-Token": token} if token else {})

    def send(self, sent: Sent) -> bytes:
        """The raw body of the reply, or of the object to which a 303 leads.

        Exits unless the status is 200 or 201, or 304 for a known ETag.
        """
        return self._exchange(sent)[1]

    def etag(self, sent: Sent) -> str:
        """The ETag of the reply."""
        return self._exchange(sent)[0].headers["ETag"]

    def _exchange(self, sent: Sent) -> tuple[http.client.HTTPResponse, bytes]:
        self._http.request(sent.method, sent.path, sent.body, self._headers | dict(sent.headers))
        response = self._http.getresponse()
        body = response.read()
        if response.status == 303:
            response, body = _fetched(response.headers["Location"])
        expected = (304,) if "If-None-Match" in sent.headers else (200, 201)
        if response.status not in expected:
            raise SystemExit(f"error: {sent.method} {sent.path} replied {response.status}: {body[:500]!r}")
        return response, body

    def times_ms(self, requests: Iterable[Sent]) -> list[float]:
        """The time of each request, sent one after the other."""
        return [timed_ms(partial(self.send, request)) for request in requests]


def _fetched(url: str) -> tuple[http.client.HTTPResponse, bytes]:
    """The object at a signed address."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=TIMEOUT_S)
    connection.request("GET", f"{address.path}?{address.query}")
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response, body


def timed_ms(work: Callable[[], Any]) -> float:
    """The time that some work takes."""
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def at_once(clients: Sequence[tuple[Connection, Sequence[Sent]]]) -> list[float]:
    """The time of each request while several clients send at once."""
    times: list[float] = []

    def work(connection: Connection, requests: Sequence[Sent]) -> None:
        times.extend(connection.times_ms(requests))

    threads = [threading.Thread(target=work, args=client) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(times) != sum(len(requests) for _, requests in clients):
        raise SystemExit("error: a client failed; see its error above")
    return times


def percentiles(name: str, times_ms: Sequence[float], floor_ms: float | None = None) -> Figure:
    """The figure of some requests."""
    median_ms = statistics.median(times_ms)
    return Figure(name, median_ms, "ms", p95=p95(times_ms), minimum=min(times_ms), floor_ms=floor_ms)


def p95(times_ms: Sequence[float]) -> float:
    """The 95th percentile; the maximum if there are only a few."""
    return sorted(times_ms)[max(0, -(-len(times_ms) * 95 // 100) - 1)]
