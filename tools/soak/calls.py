"""The requests of clients over kept connections, and how long each took."""

import gzip
import http.client
import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from tools.project import ToolError

TIMEOUT_S = 60
BUSY = 503
MAX_IDLE_S = 30.0
"""A connection that was idle for longer is not used any more: the server may be closing it."""
MAX_REPEATS = 10
"""Number of times that a request is repeated when the server is too busy."""
REDIRECTS = (303, 307)
Headers = Mapping[str, str]


class ServerGoneError(Exception):
    """A connection broke, or could not be opened."""


class UnexpectedAnswerError(Exception):
    """An answer has a status that its request should not get."""


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, headers by lower-case name, and the body, decompressed."""

    status: int
    headers: Headers
    body: bytes

    def json(self) -> Any:
        """The body as a JSON value."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Question:
    """A request, by the kind under which its time is counted, with the statuses that may answer it."""

    kind: str
    method: str
    path: str
    """A path of the server, or a whole address."""
    body: Any = None
    """Bytes as they are; any other value as JSON."""
    headers: Headers = field(default_factory=dict)
    statuses: tuple[int, ...] = (200,)


@dataclass(slots=True)
class Calls:
    """The times of all answered requests in ms, by kind, and how many the server asked to repeat."""

    times_ms: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    repeats: Counter[str] = field(default_factory=Counter)
    _lock: Lock = field(default_factory=Lock)

    def add(self, kind: str, time_ms: float) -> None:
        """Count an answer."""
        with self._lock:
            self.times_ms[kind].append(time_ms)

    def add_repeat(self, kind: str) -> None:
        """Count an answer that asked for a repetition."""
        with self._lock:
            self.repeats[kind] += 1

    def total(self) -> int:
        """The number of requests that were answered."""
        with self._lock:
            return sum(map(len, self.times_ms.values()))


class Client:
    """A program with one connection to the server, and the headers that say who uses it. For one thread."""

    def __init__(self, base_url: str, calls: Calls) -> None:
        self.headers: dict[str, str] = {}
        self._base_url = base_url.rstrip("/")
        self._calls = calls
        self._connection: http.client.HTTPConnection | None = None
        self._used_s = 0.0

    def ask(self, question: Question) -> Reply:
        """The reply, at the end of a redirect if there is one.

        Raises:
            ServerGoneError: no answer came.
            UnexpectedAnswerError: the answer has another status than those of the question.
        """
        reply = self._until_served(question)
        if reply.status in REDIRECTS and question.method == "GET" and reply.status not in question.statuses:
            reply = self.fetch(Question(f"{question.kind}, redirected", "GET", reply.headers["location"]))
        if reply.status not in question.statuses:
            text = reply.body[:500].decode(errors="replace")
            path = urlsplit(question.path).path
            raise UnexpectedAnswerError(f"{question.method} {path} ({question.kind}) answered {reply.status}: {text}")
        return reply

    def fetch(self, question: Question) -> Reply:
        """The reply of any address, such as that of the storage, over a connection of its own."""
        connection = _connection_to(question.path)
        try:
            return self._timed(connection, question, dict(question.headers))
        finally:
            connection.close()

    def close(self) -> None:
        """Close the connection; the next request opens another one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _until_served(self, question: Question) -> Reply:
        for _ in range(MAX_REPEATS):
            reply = self._send(question)
            if reply.status != BUSY:
                return reply
            self._calls.add_repeat(question.kind)
            time.sleep(min(2.0, float(reply.headers.get("retry-after", "0.2"))))
        return reply

    def _send(self, question: Question) -> Reply:
        if time.monotonic() - self._used_s > MAX_IDLE_S:
            self.close()
        if self._connection is None:
            self._connection = _connection_to(self._base_url)
        self._used_s = time.monotonic()
        headers = {"Accept": "*/*", "Accept-Encoding": "gzip", **self.headers}
        if question.body is not None and not isinstance(question.body, bytes):
            headers["Content-Type"] = "application/json; charset=utf-8"
        try:
            return self._timed(self._connection, question, headers | dict(question.headers))
        except ServerGoneError:
            self.close()
            raise

    def _timed(self, connection: http.client.HTTPConnection, question: Question, headers: dict[str, str]) -> Reply:
        body = question.body
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        parts = urlsplit(question.path)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        started_s = time.monotonic()
        try:
            connection.request(question.method, target, body, headers)
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise ServerGoneError(f"{question.method} {parts.path}: {type(error).__name__}: {error}") from error
        self._calls.add(question.kind, (time.monotonic() - started_s) * 1000)
        received: dict[str, str] = {}
        for name, value in response.getheaders():  # a line for each value of a header
            received[name.lower()] = "\n".join(filter(None, (received.get(name.lower()), value)))
        if received.get("content-encoding") == "gzip":
            content = gzip.decompress(content)
        return Reply(response.status, received, content)


def _connection_to(address: str) -> http.client.HTTPConnection:
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ToolError(f"{address!r} is not an http or https address")
    of_scheme: Callable[..., http.client.HTTPConnection] = (
        http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    )
    return of_scheme(parts.hostname, parts.port, timeout=TIMEOUT_S)
