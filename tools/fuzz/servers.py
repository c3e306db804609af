"""Hostile servers: one that changes the replies of a real one, and one that repeats stored replies."""

import base64
import http.client
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

from tools.fuzz.mutations import mutated, mutated_text

MUTATED = 0.12
"""The share of replies that are changed: most commands send some dozens of requests."""
STATUSES = (200, 201, 204, 206, 301, 303, 304, 307, 400, 401, 403, 404, 409, 413, 429, 500, 501, 503, 599)
HEADERS = (
    *(("Content-Encoding", "gzip"), ("Content-Encoding", "br"), ("Content-Type", "text/html"), ("Retry-After", "x")),
    *(("Retry-After", "99999999999"), ("Location", "file:///etc/passwd"), ("Location", "//"), ("Location", "http://[")),
    *(("X-Tidepool-Session-Token", "\xe4" * 100), ("Digest", "MD5=a"), ("Transfer-Encoding", "identity")),
)
NOT_PASSED_ON = frozenset({"connection", "content-length", "date", "server", "transfer-encoding", "keep-alive"})


@dataclass(frozen=True, slots=True)
class ScriptedReply:
    """A reply; `missing` bytes of its body are announced and do not come."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    missing: int = 0

    def stored(self) -> dict[str, Any]:
        """The reply as JSON values."""
        body = base64.b64encode(self.body).decode()
        return {"status": self.status, "headers": self.headers, "body_base64": body, "missing": self.missing}

    @staticmethod
    def of_stored(stored: dict[str, Any]) -> "ScriptedReply":
        """The reply of JSON values."""
        headers = tuple((name, value) for name, value in stored["headers"])
        return ScriptedReply(stored["status"], headers, base64.b64decode(stored["body_base64"]), stored["missing"])


@dataclass(slots=True)
class MutatingServer:
    """A server between a command and a real server, with all replies that it gave."""

    base_url: str
    replies: list[ScriptedReply] = field(default_factory=list)


@contextmanager
def mutating_server(real_url: str, random: Random) -> Iterator[MutatingServer]:
    """A server that passes requests on to a real one, and changes some of its replies."""
    server = MutatingServer("")

    def reply(method: str, path: str, headers: dict[str, str], body: bytes) -> ScriptedReply:
        real = _real_reply(real_url, (method, path, headers, body))
        given = _mutated_reply(real, server.base_url, random) if random.random() < MUTATED else real
        server.replies.append(given)
        return given

    with _serving(reply) as server.base_url:
        yield server


@contextmanager
def scripted_server(replies: Sequence[ScriptedReply]) -> Iterator[str]:
    """The address of a server that gives these replies in their order, and then 404."""
    remaining = iter(replies)

    def reply(*_request: Any) -> ScriptedReply:
        return next(remaining, ScriptedReply(404, (), b"{}"))

    with _serving(reply) as address:
        yield address


@contextmanager
def _serving(reply: Any) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            given = reply(self.command, self.path, dict(self.headers.items()), body)
            self.send_response(given.status)
            for name, value in given.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(given.body) + given.missing))
            self.end_headers()
            self.wfile.write(given.body)
            self.close_connection = True

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _serve  # noqa: N815  the names of the library

        def log_message(self, *_: Any) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _real_reply(real_url: str, request: tuple[str, str, dict[str, str], bytes]) -> ScriptedReply:
    method, path, headers, body = request
    parts = urlsplit(real_url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=60)
    try:
        passed_on = {name: value for name, value in headers.items() if name.lower() not in NOT_PASSED_ON}
        connection.request(method, path, body or None, passed_on)
        response = connection.getresponse()
        content = response.read()
        kept = tuple((name, value) for name, value in response.getheaders() if name.lower() not in NOT_PASSED_ON)
        return ScriptedReply(response.status, kept, content)
    finally:
        connection.close()


def _mutated_reply(reply: ScriptedReply, own_url: str, random: Random) -> ScriptedReply:
    kind = random.randrange(6)
    if kind == 0:
        return ScriptedReply(random.choice(STATUSES), reply.headers, reply.body)
    if kind == 1:
        header = random.choice((*HEADERS, ("Location", f"{own_url}/loop")))
        return ScriptedReply(random.choice((reply.status, 303, 307)), (*reply.headers, header), reply.body)
    if kind == 2:
        return ScriptedReply(reply.status, reply.headers, reply.body, random.choice((1, 100_000)))
    if kind == 3:
        return ScriptedReply(reply.status, reply.headers, mutated_text(reply.body, random))
    try:
        body = json.dumps(mutated(json.loads(reply.body), random)).encode()
    except ValueError:
        body = b"[" * 5_000
    return ScriptedReply(reply.status, reply.headers, body)
