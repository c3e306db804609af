"""Requests that create or close and are sent again, because the answer to the first was lost. Source: errors 6."""

from typing import Any

import pytest

from chalicelib.blobs.content import md5_base64
from chalicelib.errors import UnavailableError
from tests.api.conftest import ApiClient, Reply
from tests.fakes.services import FakeServices

OWNER, OTHER = "aaaaaaaaaa", "bbbbbbbbbb"
HELLO, HELLO_MD5 = b"hello world", "XrY7u+Ae7tCTyyK7j1rNww=="
LOG = {
    "Digest": f"MD5={HELLO_MD5}",
    "Content-Type": "text/plain",
    "X-Upload-Size": "11",
    "X-Logs-Start-At-Time": "2026-01-01T00:00:00Z",
    "X-Logs-End-At-Time": "2026-01-01T01:00:00Z",
}
KINDS = ("blobs", "device_logs")


@pytest.fixture
def token(fakes: FakeServices) -> str:
    return fakes.sign_in(OWNER)


def create(api: ApiClient, token: str, kind: str, key: str | None = None, **headers: str) -> Reply:
    """The answer to a new blob or device log."""
    sent = LOG | headers | ({} if key is None else {"Idempotency-Key": key})
    return api.request("POST", f"/v1/users/{OWNER}/{kind}", HELLO, token=token, **sent)


def listed(api: ApiClient, token: str, kind: str) -> list[str]:
    """The ids of the owner's blobs or device logs."""
    return [stored["id"] for stored in api.request("GET", f"/v1/users/{OWNER}/{kind}", token=token).json()]


@pytest.mark.parametrize("kind", KINDS)
def test_a_create_with_the_same_key_makes_one(api: ApiClient, fakes: FakeServices, token: str, kind: str) -> None:
    first = create(api, token, kind, "k")
    fakes.now_ms += 1000
    assert (create(api, token, kind, "k").json(), first.status) == (first.json(), 201)
    assert listed(api, token, kind) == [first.json()["id"]]
    changed = {"X-Logs-End-At-Time": "2026-01-01T02:00:00Z"} if kind == "device_logs" else {}
    second = create(api, token, kind, "l", **changed)
    assert second.status == 201
    assert second.json()["id"] != first.json()["id"]


def test_one_key_makes_one_thing_of_each_kind(api: ApiClient, token: str) -> None:
    """Each has an id of its own, so no kind depends on where the ids of another are stored."""
    replies = [create(api, token, kind, "k") for kind in KINDS]
    replies.append(api.request("POST", f"/v1/users/{OWNER}/data_sets", {}, token=token, Idempotency_Key="k"))
    assert [reply.status for reply in replies] == [201] * 3
    blob, log = (reply.json()["id"] for reply in replies[:2])
    data_set = replies[2].json()["data"]["id"]
    assert len({blob, log, data_set}) == 3
    assert (listed(api, token, "blobs"), listed(api, token, "device_logs")) == ([blob], [log])
    assert api.request("GET", f"/v1/data_sets/{data_set}", token=token).status == 200


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_key_with_another_content_is_a_conflict(api: ApiClient, token: str, kind: str) -> None:
    assert create(api, token, kind, "k").status == 201
    assert create(api, token, kind, "k", **{"Content-Type": "text/html"}).status == 409
    other = HELLO.upper()
    sent = LOG | {"Digest": f"MD5={md5_base64(other)}", "Idempotency-Key": "k"}
    assert api.request("POST", f"/v1/users/{OWNER}/{kind}", other, token=token, **sent).status == 409
    assert len(listed(api, token, kind)) == 1


@pytest.mark.parametrize("name", ["X-Logs-Start-At-Time", "X-Logs-End-At-Time"])
def test_the_same_key_with_another_time_span_is_a_conflict(api: ApiClient, token: str, name: str) -> None:
    assert create(api, token, "device_logs", "k").status == 201
    assert create(api, token, "device_logs", "k", **{name: "2026-01-01T00:30:00Z"}).status == 409
    assert len(listed(api, token, "device_logs")) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_create_that_was_cut_off_is_finished(
    api: ApiClient, fakes: FakeServices, token: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> None:
        raise UnavailableError

    with monkeypatch.context() as patched:
        patched.setattr(fakes.contents, "put", fails)
        patched.setattr(fakes.blobs, "remove", fails)
        assert create(api, token, kind, "k").status == 503
    reply = create(api, token, kind, "k")
    assert reply.status == 201
    assert listed(api, token, kind) == [reply.json()["id"]]
    content = api.request("GET", f"/v1/{kind}/{reply.json()['id']}/content", token=token)
    if kind == "blobs":
        assert content.body == HELLO


@pytest.mark.parametrize("kind", KINDS)
def test_a_direct_upload_is_opened_again(api: ApiClient, token: str, kind: str) -> None:
    sent = LOG | {"Idempotency-Key": "k"}
    path = f"/v1/users/{OWNER}/{kind}?upload=direct"
    first, again = (api.request("POST", path, b"", token=token, **sent).json() for _ in range(2))
    assert (again["id"], "upload" in again) == (first["id"], True)


def test_keys_of_users_are_their_own(api: ApiClient, fakes: FakeServices, token: str) -> None:
    assert create(api, token, "blobs", "k").status == 201
    reply = api.request(
        "POST", f"/v1/users/{OTHER}/blobs", HELLO, token=fakes.sign_in(OTHER), **LOG, Idempotency_Key="k"
    )
    assert (reply.status, reply.json()["userId"]) == (201, OTHER)
    assert len(listed(api, token, "blobs")) == 1


def test_a_device_log_that_comes_again_is_the_same_log(api: ApiClient, token: str) -> None:
    first = create(api, token, "device_logs")
    assert create(api, token, "device_logs").json() == first.json()
    others: list[dict[str, str]] = [
        {"X-Logs-End-At-Time": "2026-01-01T02:00:00Z"},
        {"X-Logs-Start-At-Time": "2025-01-01T00:00:00Z"},
        {"Content-Type": "text/html"},
    ]
    ids = {create(api, token, "device_logs", **other).json()["id"] for other in others}
    assert len(ids | {first.json()["id"]}) == 4


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_a_malformed_key_is_refused(api: ApiClient, token: str, key: str) -> None:
    for kind in KINDS:
        assert create(api, token, kind, key).status == 400
    reply = api.request("POST", f"/v1/users/{OWNER}/data_sets", {}, token=token, Idempotency_Key=key)
    assert reply.status == 400


def test_opening_and_closing_with_the_same_key_answer_the_same(api: ApiClient, fakes: FakeServices, token: str) -> None:
    for body in ({"deviceId": "d"}, {"deviceId": "d", "uploadId": "upid_0123456789ab"}, {"dataSetType": "continuous"}):
        key = f"open {body}"
        path = f"/v1/users/{OWNER}/data_sets"
        first = api.request("POST", path, body, token=token, Idempotency_Key=key)
        fakes.now_ms += 1000
        again = api.request("POST", path, body, token=token, Idempotency_Key=key)
        assert (first.status, again.status, again.json()["data"]) == (201, 201, first.json()["data"])
        changed = api.request("POST", path, body | {"deviceModel": "Other"}, token=token, Idempotency_Key=key)
        assert changed.status == 409
        data_set = f"/v1/data_sets/{first.json()['data']['uploadId']}"
        closed = api.request("PUT", data_set, {"dataState": "closed"}, token=token, Idempotency_Key="close")
        again = api.request("PUT", data_set, {"dataState": "closed"}, token=token, Idempotency_Key="close")
        assert (closed.status, again.status, again.json()["data"]) == (200, 200, closed.json()["data"])
        assert api.request("PUT", data_set, {"dataState": "closed"}, token=token).status == 409
    assert len(api.request("GET", path, token=token).json()) == 3


def test_the_id_of_anothers_data_set_stays_taken(api: ApiClient, fakes: FakeServices, token: str) -> None:
    body = {"uploadId": "upid_0123456789ab"}
    assert api.request("POST", f"/v1/users/{OWNER}/data_sets", body, token=token, Idempotency_Key="k").status == 201
    other = fakes.sign_in(OTHER)
    reply = api.request("POST", f"/v1/users/{OTHER}/data_sets", body, token=other, Idempotency_Key="k")
    assert reply.status == 409
