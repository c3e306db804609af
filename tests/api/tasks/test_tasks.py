"""The task API over HTTP, by the examples of the contract. Source: task-api 1 to 7, errors 2 to 4."""

from typing import Any

import pytest

from chalicelib.api.operations.tasks import LIMIT_BYTES
from chalicelib.conflicts import WriteConflictError
from chalicelib.errors import UnavailableError
from chalicelib.tasks.task import State, Task
from tests.api.conftest import ApiClient, Reply
from tests.api.tasks.task_requests import ECHO, NEW, Call
from tests.fakes.services import SERVER_SECRET, FakeServices

NOT_AFTER = "value is not after the specified time"


def faults(reply: Reply) -> list[tuple[str, str | None]]:
    """Code and pointer (or parameter) of each error, in order."""
    assert reply.status == 400
    body = reply.json()
    return [
        (error.get("code"), error.get("source", {}).get("pointer") or error.get("source", {}).get("parameter"))
        for error in body.get("errors", [body])
    ]


def test_a_new_task_has_the_least_that_a_task_has(call: Call) -> None:
    reply = call("POST", body=NEW)
    assert reply.status == 201
    task_id = reply.json()["id"]
    expected = {"id": task_id, "type": ECHO, "state": "pending", "createdTime": "2026-01-01T00:00:00Z"}
    assert reply.json() == expected
    assert call("GET", f"/{task_id}").json() == expected
    assert len(task_id) == 32


def test_a_new_task_has_what_was_sent_and_shows_times_in_utc_later(call: Call) -> None:
    sent = {
        "name": "a name",
        "type": "unknown to all",
        "priority": 2**40,
        "data": {"any": [1, None, {"<b>": 2.5}]},
        "availableTime": "2099-02-07T02:37:46.123456789+02:00",
        "expirationTime": "2099-02-07T02:37:46.54+01:00",
    }
    created = call("POST", body=sent)
    assert created.status == 201
    assert {name: created.json()[name] for name in sent} == sent
    shown = sent | {"availableTime": "2099-02-07T00:37:46.123Z", "expirationTime": "2099-02-07T01:37:46.54Z"}
    read = call("GET", f"/{created.json()['id']}").json()
    assert {name: read[name] for name in sent} == shown


@pytest.mark.parametrize("priority", [-5, 5.0, -(2**63)])
def test_any_whole_number_is_a_priority(call: Call, priority: float) -> None:
    assert call("POST", body=NEW | {"priority": priority}).json()["priority"] == priority


@pytest.mark.parametrize("field", [{"priority": 0}, {"data": {}}, {"name": None}, {"data": None}])
def test_empty_fields_are_left_out(call: Call, field: dict[str, Any]) -> None:
    assert call("POST", body=NEW | field).json().keys() == {"id", "type", "state", "createdTime"}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, [("value-empty", "/type")]),
        ({"type": ""}, [("value-empty", "/type")]),
        ({"type": None}, [("value-empty", "/type")]),
        (NEW | {"name": ""}, [("value-empty", "/name")]),
        ({"name": "", "type": ""}, [("value-empty", "/name"), ("value-empty", "/type")]),
        (NEW | {"name": 1}, [("type-not-string", "/name")]),
        (NEW | {"priority": "1"}, [("type-not-int", "/priority")]),
        (NEW | {"priority": 1.5}, [("type-not-int", "/priority")]),
        (NEW | {"priority": 1e300}, [("type-not-int", "/priority")]),
        (NEW | {"data": []}, [("type-not-object", "/data")]),
        (NEW | {"availableTime": 1}, [("type-not-time", "/availableTime")]),
        (NEW | {"availableTime": "2099-01-01"}, [("value-not-parsable", "/availableTime")]),
        (NEW | {"id": "x", "state": "running"}, [("not-parsed", "/id"), ("not-parsed", "/state")]),
        (NEW | {"a/b~": 1}, [("not-parsed", "/a~1b~0")]),
        # Parse errors come alone and in the order of the fields, the unknown ones last.
        (
            {"expirationTime": 1, "data": 1, "type": 1, "name": "", "zzz": 1, "aaa": 1},
            [
                ("type-not-string", "/type"),
                ("type-not-object", "/data"),
                ("type-not-time", "/expirationTime"),
                ("not-parsed", "/aaa"),
                ("not-parsed", "/zzz"),
            ],
        ),
        (NEW | {"expirationTime": "2025-12-31T23:59:58.999Z"}, [("value-not-after", "/expirationTime")]),
        (
            NEW
            | {"availableTime": "2099-01-01T00:00:00.000000002Z", "expirationTime": "2099-01-01T00:00:00.000000001Z"},
            [("value-not-after", "/expirationTime")],
        ),
        (
            NEW | {"availableTime": "2099-01-01T00:00:00Z", "expirationTime": "2000-01-01T00:00:00Z"},
            [("value-not-after", "/expirationTime")] * 2,
        ),
    ],
)
def test_a_body_that_breaks_a_rule_is_reported_and_not_stored(
    call: Call, fakes: FakeServices, body: Any, expected: list[tuple[str, str]]
) -> None:
    assert faults(call("POST", body=body)) == expected
    assert fakes.all_tasks() == []


def test_errors_have_code_title_detail_and_source(call: Call) -> None:
    body = {"type": "t", "availableTime": "2099-01-01T02:00:00+02:00", "expirationTime": "2000-01-01T01:00:00.50+01:00"}
    assert call("POST", body=body).json() == {
        "errors": [
            {
                "code": "value-not-after",
                "title": NOT_AFTER,
                "detail": 'value "2000-01-01T01:00:00.5+01:00" is not after now',
                "source": {"pointer": "/expirationTime"},
            },
            {
                "code": "value-not-after",
                "title": NOT_AFTER,
                "detail": 'value "2000-01-01T01:00:00.5+01:00" is not after "2099-01-01T02:00:00+02:00"',
                "source": {"pointer": "/expirationTime"},
            },
        ]
    }


@pytest.mark.parametrize(
    "fields",
    [
        {"expirationTime": "2025-12-31T23:59:59Z"},
        {"expirationTime": "2026-01-01T00:00:00Z", "availableTime": "2026-01-01T00:00:00Z"},
        {"availableTime": "1999-01-01T00:00:00Z"},
    ],
)
def test_times_at_the_limits_are_allowed(call: Call, fields: dict[str, str]) -> None:
    assert call("POST", body=NEW | fields).status == 201


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (b"", "json-not-found"),
        (b" \n", "json-not-found"),
        (b"{", "json-malformed"),
        (b"[]", "json-malformed"),
        (b'"text"', "json-malformed"),
    ],
)
@pytest.mark.parametrize(("method", "path"), [("POST", ""), ("PUT", "/some-id")])
def test_a_body_that_is_not_an_object_is_refused(call: Call, method: str, path: str, body: bytes, answer: str) -> None:
    reply = call(method, path, body)
    assert (reply.status, reply.json()["code"]) == (400, answer)


@pytest.mark.parametrize(("method", "path"), [("POST", ""), ("PUT", "/some-id")])
def test_a_null_body_is_refused(call: Call, method: str, path: str) -> None:
    reply = call(method, path, b"null")
    assert (reply.status, reply.json()) == (400, {"detail": "object is missing"})


def test_a_body_beyond_what_a_task_can_hold_is_too_large(call: Call) -> None:
    reply = call("POST", body=NEW | {"data": {"text": "x" * LIMIT_BYTES}})
    assert (reply.status, reply.json()["code"]) == (413, "resource-too-large")


def test_a_taken_name_is_a_conflict_until_its_task_is_deleted(call: Call, fakes: FakeServices) -> None:
    first = call("POST", body=NEW | {"name": "name"})
    second = call("POST", body=NEW | {"name": "name"})
    assert (second.status, second.json()["code"]) == (409, "resource-conflict")
    assert [task.id for task in fakes.all_tasks()] == [first.json()["id"]]
    call("DELETE", f"/{first.json()['id']}")
    assert call("POST", body=NEW | {"name": "name"}).status == 201


def test_an_unknown_task_is_not_found_and_can_be_deleted(call: Call) -> None:
    for method in ("GET", "PUT"):
        reply = call(method, "/any-form-of-id", {} if method == "PUT" else None)
        assert (reply.status, reply.json()) == (
            404,
            {
                "code": "resource-not-found",
                "title": "resource not found",
                "detail": 'resource with id "any-form-of-id" not found',
            },
        )
    reply = call("DELETE", "/any-form-of-id")
    assert (reply.status, reply.body) == (200, b"")


def test_a_deleted_task_is_gone(call: Call) -> None:
    path = f"/{call('POST', body=NEW).json()['id']}"
    for _ in range(2):
        reply = call("DELETE", path)
        assert (reply.status, reply.body) == (200, b"")
    assert call("GET", path).status == 404
    assert call("GET").json() == []


def test_an_update_answers_the_stored_task(call: Call, fakes: FakeServices) -> None:
    created = call("POST", body=NEW | {"name": "name", "data": {"a": 1, "b": 2}, "priority": 1}).json()
    fakes.now_ms += 1500
    reply = call("PUT", f"/{created['id']}", {"data": {"a": 3}, "availableTime": "2099-01-01T02:00:00.1239+02:00"})
    assert reply.status == 200
    assert reply.json() == created | {
        "data": {"a": 3},
        "availableTime": "2099-01-01T00:00:00.123Z",
        "modifiedTime": "2026-01-01T00:00:01.5Z",
    }
    assert call("GET", f"/{created['id']}").json() == reply.json()


def test_an_empty_update_only_sets_the_time_and_null_is_absent(call: Call) -> None:
    created = call("POST", body=NEW | {"data": {"a": 1}}).json()
    for body in ({}, {"priority": None, "data": None, "availableTime": None, "expirationTime": None}):
        reply = call("PUT", f"/{created['id']}", body)
        assert reply.json() == created | {"modifiedTime": "2026-01-01T00:00:00Z"}
    assert "data" not in call("PUT", f"/{created['id']}", {"data": {}}).json()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"name": "n", "state": "pending", "type": "t"}, [("not-parsed", f"/{x}") for x in ("name", "state", "type")]),
        ({"priority": "high"}, [("type-not-int", "/priority")]),
        ({"expirationTime": "2025-12-31T23:59:58Z"}, [("value-not-after", "/expirationTime")]),
        (
            {"availableTime": "2099-01-02T00:00:00Z", "expirationTime": "2099-01-01T00:00:00Z"},
            [("value-not-after", "/expirationTime")],
        ),
    ],
)
def test_an_update_that_breaks_a_rule_changes_nothing(
    call: Call, body: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    created = call("POST", body=NEW).json()
    assert faults(call("PUT", f"/{created['id']}", body)) == expected
    assert call("GET", f"/{created['id']}").json() == created


def test_an_expiration_is_not_compared_with_what_is_stored(call: Call) -> None:
    created = call("POST", body=NEW | {"availableTime": "2099-01-02T00:00:00Z"}).json()
    assert call("PUT", f"/{created['id']}", {"expirationTime": "2099-01-01T00:00:00Z"}).status == 200


@pytest.mark.parametrize("state", list(State))
def test_an_update_works_in_any_state_and_never_changes_it(call: Call, fakes: FakeServices, state: State) -> None:
    fakes.tasks.add(Task("t", ECHO, fakes.now_ms, state=state))
    reply = call("PUT", "/t", {"priority": 3, "availableTime": "2099-01-01T00:00:00Z"})
    assert (reply.status, reply.json()["state"], reply.json()["priority"]) == (200, state.value, 3)
    assert reply.json()["availableTime"] == "2099-01-01T00:00:00Z"


def test_an_update_is_repeated_after_a_conflict_and_at_last_unavailable(
    call: Call, fakes: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    task_id = call("POST", body=NEW).json()["id"]
    first = fakes.tasks.replace
    turns = iter([True, True, False])

    def overtaken(task: Task) -> Task:
        if next(turns, True):
            raise WriteConflictError
        return first(task)

    monkeypatch.setattr(fakes.tasks, "replace", overtaken)
    assert call("PUT", f"/{task_id}", {}).status == 200
    reply = call("PUT", f"/{task_id}", {})
    assert (reply.status, reply.headers["retry-after"]) == (503, str(UnavailableError().retry_after_s))


def test_lists_are_newest_first_filtered_and_paged(call: Call, fakes: FakeServices) -> None:
    for number in range(5):
        fakes.now_ms += 1
        call("POST", body={"type": "even" if number % 2 == 0 else "odd", "name": f"task {number}"})
    fakes.tasks.add(Task("done", "even", 0, state=State.COMPLETED))

    def names(query: str) -> list[str]:
        reply = call("GET", query)
        assert reply.status == 200
        return [task.get("name", task["id"]) for task in reply.json()]

    assert names("") == ["task 4", "task 3", "task 2", "task 1", "task 0", "done"]
    assert names("?page=1&size=2") == ["task 2", "task 1"]
    assert names("?page=9") == []
    assert names("?type=even&state=pending") == ["task 4", "task 2", "task 0"]
    assert names("?state=completed") == ["done"]
    assert names("?name=task%203") == ["task 3"]
    assert names("?name=task%203&type=even") == []
    assert names("?state=running") == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?name=&type=", [("value-empty", "name"), ("value-empty", "type")]),
        ("?state=done", [("value-not-allowed", "state")]),
        ("?page=-1&size=0", [("value-out-of-range", "page"), ("value-out-of-range", "size")]),
        ("?size=1001", [("value-out-of-range", "size")]),
        ("?page=x&name=", [("type-not-int", "page")]),
        ("?state=pending&state=running", [("not-parsed", "state")]),
        ("?unknown=1", [("not-parsed", "unknown")]),
    ],
)
def test_parameters_that_break_a_rule_are_refused(call: Call, query: str, expected: list[tuple[str, str]]) -> None:
    assert faults(call("GET", query)) == expected


def test_an_unknown_state_is_answered_with_the_states_in_order(call: Call) -> None:
    detail = 'value "done" is not one of ["pending", "running", "failed", "completed"]'
    assert call("GET", "?state=done").json()["detail"] == detail


@pytest.mark.parametrize(
    ("method", "path"), [("GET", ""), ("POST", ""), ("GET", "/some-id"), ("PUT", "/some-id"), ("DELETE", "/some-id")]
)
def test_only_servers_may(api: ApiClient, fakes: FakeServices, method: str, path: str) -> None:
    body = NEW if method == "POST" else {} if method == "PUT" else None
    fakes.tasks.add(Task("some-id", ECHO, fakes.now_ms))

    def status(**credentials: str) -> int:
        return api.request(method, f"/v1/tasks{path}", body, **credentials).status

    server = fakes.sign_in("server", is_server=True)
    assert status() == 401
    assert status(token="unknown") == 401
    assert status(token=fakes.sign_in("user")) == 403
    assert status(X_Tidepool_Service_Secret="wrong") == 403
    assert status(token=server) in (200, 201)
    assert status(X_Tidepool_Service_Secret=SERVER_SECRET) in (200, 201, 404)


def test_a_bearer_token_of_a_server_is_not_accepted(api: ApiClient, fakes: FakeServices) -> None:
    token = fakes.sign_in("server", is_server=True)
    assert api.request("GET", "/v1/tasks", Authorization=f"Bearer {token}").status == 403
