"""Tests the control API: what it does, and what it refuses."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.tasks.ports import TaskFilter
from chalicelib.tasks.task import State
from strandline.test_server.control import OPERATIONS, Control, Stage
from strandline.test_server.faults import Fault, FaultKind
from strandline.test_server.received import ReceivedRequest
from tests.unit.test_server.conftest import START_MS, TOKEN, Answered, environ_of, reply_of

Call = Callable[..., Answered]

WEEK_S = 7 * 24 * 3600


def run_times_ms(stage: Stage) -> dict[str | None, int | None]:
    """The time of the last run of each of the platform's jobs, all of which are pending again."""
    jobs = stage.store.services.tasks.tasks.listed(TaskFilter(), 0, 100)
    assert {job.state for job in jobs} == {State.PENDING}
    return {job.name: job.run_time_ms for job in jobs}


@pytest.mark.parametrize(("path", "method"), [(path, name) for path, methods in OPERATIONS.items() for name in methods])
@pytest.mark.parametrize("token", ["", "wrong", TOKEN[:-1], "ä"])
def test_every_call_needs_the_token(control: Call, path: str, method: str, token: str) -> None:
    reply = control(method, path, token=token)
    assert reply.status == "401 Unauthorized"
    assert "token" in reply.json()["error"]


def test_a_call_without_any_authorization_is_refused(stage: Stage) -> None:
    assert reply_of(Control(stage, TOKEN), environ_of("POST", "/reset")).status == "401 Unauthorized"


def test_unknown_paths_and_methods_are_refused(control: Call) -> None:
    assert control("GET", "/nothing").status == "404 Not Found"
    wrong = control("PUT", "/clock")
    assert wrong.status == "405 Method Not Allowed"
    assert wrong.json() == {"error": "the methods of this path are GET, POST"}


def test_a_reset_clears_everything(control: Call, stage: Stage) -> None:
    user = control("POST", "/users").json()
    stage.faults.add(Fault(FaultKind.DROP))
    stage.received.add(ReceivedRequest("GET", "/status", "", {}, b""))
    stage.clock.advance(1000)
    assert (control("POST", "/reset").status, stage.received.all()) == ("204 No Content", [])
    assert stage.faults.take("GET", "/status") is None
    assert stage.clock.now_ms() == START_MS
    assert stage.store.services.accounts.accounts.find(user["id"]) is None


def test_the_clock_is_shown_and_advanced(control: Call) -> None:
    assert control("GET", "/clock").json() == {"now_ms": START_MS, "now": "2026-01-01T00:00:00.000Z"}
    advanced = control("POST", "/clock", {"advance_s": 1.5})
    assert advanced.json() == {"now_ms": START_MS + 1500, "now": "2026-01-01T00:00:01.500Z"}


def test_jobs_that_fall_due_run_before_the_clock_answers(control: Call, stage: Stage) -> None:
    stage.work.carry_out()
    assert set(run_times_ms(stage).values()) == {None}
    for weeks in (1, 2):
        control("POST", "/clock", {"advance_s": WEEK_S})
        assert set(run_times_ms(stage).values()) == {START_MS + 1000 * weeks * WEEK_S}


def test_a_fault_is_planned(control: Call, stage: Stage) -> None:
    body = {"kind": "late", "times": 2, "method": "post", "path": "/v1/*", "delay_s": 0.25}
    assert control("POST", "/faults", body).status == "204 No Content"
    assert stage.faults.take("POST", "/v1/x") == Fault(FaultKind.LATE, 2, "POST", "/v1/*", 250)
    control("DELETE", "/faults")
    assert stage.faults.take("POST", "/v1/x") is None


def test_requests_are_shown_with_their_bodies(control: Call, stage: Stage) -> None:
    stage.received.add(ReceivedRequest("POST", "/a", "b=c", {"x": "y"}, "é".encode(), 200))
    stage.received.add(ReceivedRequest("POST", "/a", "", {}, b"\xff"))
    assert control("GET", "/requests").json() == {
        "requests": [
            {"method": "POST", "path": "/a", "query": "b=c", "headers": {"x": "y"}, "status": 200, "body": "é"},
            {"method": "POST", "path": "/a", "query": "", "headers": {}, "status": None, "body_base64": "/w=="},
        ]
    }
    control("DELETE", "/requests")
    assert control("GET", "/requests").json() == {"requests": []}


def test_a_user_is_created_and_signed_in(control: Call, stage: Stage) -> None:
    body = {"email": "ada@example.org", "password": "lovelace-1815", "roles": ["clinic"]}
    created = control("POST", "/users", body)
    user = created.json()
    assert created.status == "201 Created"
    assert (user["email"], user["password"]) == ("ada@example.org", "lovelace-1815")
    account = stage.store.services.accounts.accounts.find(user["id"])
    assert account is not None
    assert account.roles == ("clinic",)
    assert control("POST", "/users", body).status == "409 Conflict"


def test_what_is_not_said_of_a_user_is_made_up(control: Call) -> None:
    first, second = control("POST", "/users").json(), control("POST", "/users").json()
    assert first.keys() == {"id", "email", "password", "token"}
    assert [name for name in first if first[name] == second[name]] == []


@pytest.mark.parametrize(
    ("method", "path", "body", "sentence"),
    [
        ("POST", "/reset", {"all": True}, "all is not a member of this body"),
        ("POST", "/clock", {}, "advance_s is a number of seconds above 0, and at most"),
        ("POST", "/clock", {"advance_s": 0}, "above 0"),
        ("POST", "/clock", {"advance_s": -1}, "above 0"),
        ("POST", "/clock", {"advance_s": True}, "above 0"),
        ("POST", "/clock", {"advance_s": "1"}, "above 0"),
        ("POST", "/clock", {"advance_s": 1e12}, "at most"),
        ("POST", "/faults", {}, "kind is one of throttle, unavailable, drop, drop_reply, late"),
        ("POST", "/faults", {"kind": "fire"}, "kind is one of"),
        ("POST", "/faults", {"kind": ["drop"]}, "kind is one of"),
        ("POST", "/faults", {"kind": "late"}, "delay_s belongs to the kind late"),
        ("POST", "/faults", {"kind": "drop", "delay_s": 1}, "delay_s belongs to the kind late"),
        ("POST", "/faults", {"kind": "drop", "times": 0}, "times is a whole number from 1 to 1000"),
        ("POST", "/faults", {"kind": "drop", "times": True}, "times is a whole number"),
        ("POST", "/faults", {"kind": "drop", "method": 1}, "method is a text"),
        ("POST", "/faults", {"kind": "drop", "path": ""}, "path is a text"),
        ("POST", "/users", {"email": "nobody"}, "email is an address"),
        ("POST", "/users", {"password": "short"}, "password has 8 to 72 characters"),
        ("POST", "/users", {"roles": ["king"]}, "roles are those of Tidepool"),
        ("POST", "/users", [], "the body is not a JSON object"),
    ],
)
def test_a_wrong_body_is_refused(control: Call, method: str, path: str, body: Any, sentence: str) -> None:
    reply = control(method, path, body)
    assert reply.status == "400 Bad Request"
    assert sentence in reply.json()["error"]


def test_a_body_that_is_not_json_is_refused(stage: Stage) -> None:
    environ = environ_of("POST", "/clock", b"{", ("Authorization", f"Bearer {TOKEN}"))
    reply = reply_of(Control(stage, TOKEN), environ)
    assert reply.status == "400 Bad Request"
    assert reply.json()["error"].startswith("the body is not JSON")
