"""Fixtures: a test server without its ports, and requests to its WSGI applications."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest

from chalicelib.config import Settings
from strandline.home.http.gateway import HEADERS
from strandline.test_server.clock import Clock
from strandline.test_server.control import Control, Stage
from strandline.test_server.due_work import DueWork
from strandline.test_server.faults import PlannedFaults
from strandline.test_server.received import ReceivedRequests
from strandline.test_server.store import Store

START_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z
TOKEN = "the token of the control port"


@dataclass
class Answered:
    """The reply of a WSGI application."""

    status: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def json(self) -> Any:
        return orjson.loads(self.body)


def environ_of(method: str, target: str, body: bytes = b"", *headers: tuple[str, str]) -> dict[str, Any]:
    """The environ that the HTTP server makes of a request."""
    return {
        "REQUEST_METHOD": method,
        "REQUEST_URI": target,
        "PATH_INFO": target.partition("?")[0],
        "wsgi.input": io.BytesIO(body),
        HEADERS: headers,
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers},
    }


def reply_of(application: Callable[..., Any], environ: dict[str, Any]) -> Answered:
    """The reply of a WSGI application, which is read whole and closed."""
    answered = Answered()

    def start_response(status: str, headers: list[tuple[str, str]]) -> None:
        answered.status, answered.headers = status, dict(headers)

    parts = application(environ, start_response)
    try:
        answered.body = b"".join(parts)
    finally:
        getattr(parts, "close", lambda: None)()
    return answered


@pytest.fixture
def stage() -> Iterator[Stage]:
    clock = Clock(lambda: START_MS)
    store = Store(Settings(stage="home"), clock)
    yield Stage(store, clock, PlannedFaults(), ReceivedRequests(), DueWork(store))
    store.close()


@pytest.fixture
def control(stage: Stage) -> Callable[..., Answered]:
    """Calls of the control API, with a body that becomes JSON."""
    application = Control(stage, TOKEN)

    def call(method: str, path: str, body: Any = None, *, token: str = TOKEN) -> Answered:
        content = b"" if body is None else orjson.dumps(body)
        return reply_of(application, environ_of(method, path, content, ("Authorization", f"Bearer {token}")))

    return call
