"""Tests what a request meets before it reaches the application, and what is noted of it."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from waitress.channel import ClientDisconnected

from chalicelib.errors import UnavailableError
from strandline.test_server.control import Stage
from strandline.test_server.faults import Fault, FaultKind
from strandline.test_server.front import Front
from tests.unit.test_server.conftest import environ_of, reply_of


class Application:
    """A WSGI application that sends the body of the request back, in parts, and looks at the tables."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.calls = 0
        self.closed = 0

    def __call__(self, environ: dict[str, Any], start_response: Any) -> "Application":
        self.calls += 1
        self._body = environ["wsgi.input"].read()
        start_response("200 OK", [("Content-Type", "text/plain")])
        return self

    def __iter__(self) -> Iterator[bytes]:
        self._stage.store.services.accounts.accounts.find("somebody")
        yield self._body
        yield b"!"

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def application(stage: Stage) -> Application:
    return Application(stage)


@pytest.fixture
def front(application: Application, stage: Stage) -> Front:
    return Front(application, stage.store, stage.faults, stage.received)


def test_a_request_without_a_fault_reaches_the_application(front: Front, application: Application) -> None:
    reply = reply_of(front, environ_of("POST", "/v1/x", b"a body"))
    assert (reply.status, reply.body) == ("200 OK", b"a body!")
    assert application.closed == 1


def test_what_came_in_is_noted(front: Front, stage: Stage) -> None:
    headers = ("X-Tidepool-Session-Token", "t"), ("Accept", "text/plain"), ("accept", "*/*")
    reply_of(front, environ_of("POST", "/a%2Fb?c=%20d", b"a body", *headers))
    (request,) = stage.received.all()
    assert (request.method, request.path, request.query) == ("POST", "/a%2Fb", "c=%20d")
    assert request.headers == {"x-tidepool-session-token": "t", "accept": "text/plain, */*"}
    assert (request.body, request.status) == (b"a body", 200)


def test_a_throttled_request_is_not_carried_out(front: Front, stage: Stage, application: Application) -> None:
    stage.faults.add(Fault(FaultKind.THROTTLE))
    reply = reply_of(front, environ_of("GET", "/status"))
    assert (reply.status, reply.headers["Retry-After"]) == ("429 Too Many Requests", "1")
    assert reply.json()["code"] == "too-many-requests"
    assert application.calls == 0
    assert [request.status for request in stage.received.all()] == [429]


def test_a_dropped_request_is_not_carried_out(front: Front, stage: Stage, application: Application) -> None:
    stage.faults.add(Fault(FaultKind.DROP))
    with pytest.raises(ClientDisconnected):
        reply_of(front, environ_of("GET", "/status"))
    assert application.calls == 0
    assert [request.status for request in stage.received.all()] == [None]


def test_a_request_whose_reply_is_dropped_is_carried_out(front: Front, stage: Stage, application: Application) -> None:
    stage.faults.add(Fault(FaultKind.DROP_REPLY))
    with pytest.raises(ClientDisconnected):
        reply_of(front, environ_of("GET", "/status"))
    assert (application.calls, application.closed) == (1, 1)
    assert [request.status for request in stage.received.all()] == [None]


def test_a_late_reply_waits_and_is_whole(front: Front, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[int] = []
    monkeypatch.setattr(stage.faults, "wait", waits.append)
    stage.faults.add(Fault(FaultKind.LATE, delay_ms=1500))
    reply = reply_of(front, environ_of("POST", "/v1/x", b"a body"))
    assert (reply.status, reply.body, waits) == ("200 OK", b"a body!", [1500])


def test_a_late_reply_does_not_keep_a_reset_waiting(
    front: Front, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage.faults, "wait", lambda _: stage.store.reset())
    stage.faults.add(Fault(FaultKind.LATE, delay_ms=1500))
    assert reply_of(front, environ_of("GET", "/v1/x")).status == "200 OK"


def test_the_tables_refuse_one_request_that_finds_them_unavailable(front: Front, stage: Stage) -> None:
    stage.faults.add(Fault(FaultKind.UNAVAILABLE))
    with pytest.raises(UnavailableError):
        reply_of(front, environ_of("GET", "/v1/x"))
    assert reply_of(front, environ_of("GET", "/v1/x")).status == "200 OK"


@pytest.mark.parametrize("kind", [None, *FaultKind])
def test_the_store_is_free_after_each_request(front: Front, stage: Stage, kind: FaultKind | None) -> None:
    if kind is not None:
        stage.faults.add(Fault(kind))
    with suppress(ClientDisconnected, UnavailableError):
        reply_of(front, environ_of("GET", "/v1/x"))
    with stage.store._gate.closed(0):
        pass


def test_the_store_is_free_after_a_request_that_fails(stage: Stage) -> None:
    def fail(_environ: Any, _start_response: Any) -> list[bytes]:
        raise ValueError("a defect")

    with pytest.raises(ValueError, match="a defect"):
        reply_of(Front(fail, stage.store, stage.faults, stage.received), environ_of("GET", "/v1/x"))
    with stage.store._gate.closed(0):
        pass
