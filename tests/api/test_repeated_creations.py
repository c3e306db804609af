"""Tasks, data sources, restricted tokens and custodial accounts that are created by a request that is sent again.

Source: errors 6.
"""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from chalicelib.access.call import token_hash
from chalicelib.data_sources.stores.data_sources import StoredDataSources
from chalicelib.erasure import SETTLED_AFTER_MS, erase_deleted_users
from chalicelib.errors import UnavailableError
from chalicelib.tasks.task import Task
from chalicelib.tasks.types import TaskRun
from tests.api.conftest import ApiClient, Reply
from tests.fakes.services import FakeServices

OWNER, OTHER = "aaaaaaaaaa", "bbbbbbbbbb"
HOUR_MS = 3_600_000
KID = {"username": "kid@example.org", "emails": ["kid@example.org"]}
OTHER_KID = {"username": "other@example.org", "emails": ["other@example.org"]}
TASK = {"type": "strandline.diagnostics.echo", "data": {"message": "hello", "share": 0.5}, "priority": 2}
LATER = "2026-01-02T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Creation:
    """A route that creates something, a body, one that asks for something else, and where all of them are listed."""

    path: str
    body: dict[str, Any]
    other_body: dict[str, Any]
    listed: str
    is_for_servers: bool = True

    def send(self, api: ApiClient, fakes: FakeServices, key: str | None = "k", body: Any = None) -> Reply:
        """The answer to the request of the owner, or of a server."""
        token = fakes.sign_in("a-server", is_server=True) if self.is_for_servers else fakes.sign_in(OWNER)
        headers = {} if key is None else {"Idempotency_Key": key}
        return api.request("POST", self.path, self.body if body is None else body, token=token, **headers)

    def count(self, api: ApiClient, fakes: FakeServices) -> int:
        """The number of objects that are listed."""
        return len(api.request("GET", self.listed, token=fakes.sign_in("a-server", is_server=True)).json())


CREATIONS = {
    "task": Creation("/v1/tasks", TASK, TASK | {"data": {"message": "bye"}}, "/v1/tasks"),
    "named task": Creation("/v1/tasks", TASK | {"name": "a"}, TASK | {"name": "b"}, "/v1/tasks"),
    "task for later": Creation(
        "/v1/tasks", TASK | {"availableTime": LATER}, TASK | {"availableTime": "2026-01-03T00:00:00Z"}, "/v1/tasks"
    ),
    "data source": Creation(
        f"/v1/users/{OWNER}/data_sources",
        {"providerType": "oauth", "providerName": "dexcom", "metadata": {"a": [1]}},
        {"providerType": "oauth", "providerName": "dexcom", "metadata": {"a": [2]}},
        f"/v1/users/{OWNER}/data_sources",
    ),
    "restricted token": Creation(
        f"/v1/users/{OWNER}/restricted_tokens",
        {"paths": ["/v1/a"]},
        {"paths": ["/v1/b"]},
        f"/v1/users/{OWNER}/restricted_tokens",
        is_for_servers=False,
    ),
    "restricted token with an end": Creation(
        f"/v1/users/{OWNER}/restricted_tokens",
        {"expirationTime": "2026-01-01T00:30:00Z"},
        {"expirationTime": "2026-01-01T00:40:00Z"},
        f"/v1/users/{OWNER}/restricted_tokens",
        is_for_servers=False,
    ),
    "custodial account": Creation(
        f"/auth/user/{OWNER}/user", KID, OTHER_KID, "/auth/users?role=custodial_account", False
    ),
    "custodial account without an address": Creation(
        f"/auth/user/{OWNER}/user", {}, KID, "/auth/users?role=custodial_account", False
    ),
    "account of a clinic": Creation("/v1/clinics/a/users", KID, OTHER_KID, "/auth/users?role=custodial_account"),
}

creations = pytest.mark.parametrize("creation", CREATIONS.values(), ids=CREATIONS)


@creations
def test_the_same_request_with_the_same_key_makes_one(api: ApiClient, fakes: FakeServices, creation: Creation) -> None:
    first = creation.send(api, fakes)
    assert first.status == 201
    fakes.now_ms += 1000
    again = creation.send(api, fakes)
    assert (again.status, again.json(), creation.count(api, fakes)) == (first.status, first.json(), 1)


@creations
def test_another_request_with_the_same_key_is_a_conflict(
    api: ApiClient, fakes: FakeServices, creation: Creation
) -> None:
    first = creation.send(api, fakes)
    assert creation.send(api, fakes, body=creation.other_body).status == 409
    assert (creation.send(api, fakes).json(), creation.count(api, fakes)) == (first.json(), 1)


@creations
def test_another_key_makes_another_one(api: ApiClient, fakes: FakeServices, creation: Creation) -> None:
    replies = [creation.send(api, fakes, "k"), creation.send(api, fakes, "l", creation.other_body)]
    assert [reply.status for reply in replies] == [201, 201]
    assert creation.count(api, fakes) == 2


@pytest.mark.parametrize("name", ["task", "data source", "restricted token", "custodial account without an address"])
def test_without_a_key_each_request_makes_one(api: ApiClient, fakes: FakeServices, name: str) -> None:
    assert [CREATIONS[name].send(api, fakes, None).status for _ in range(2)] == [201, 201]
    assert CREATIONS[name].count(api, fakes) == 2


@creations
@pytest.mark.parametrize("key", ["", "x" * 256])
def test_a_malformed_key_is_refused(api: ApiClient, fakes: FakeServices, creation: Creation, key: str) -> None:
    assert creation.send(api, fakes, key).status == 400
    assert creation.count(api, fakes) == 0


def test_a_task_that_has_run_or_changed_is_still_the_answer(api: ApiClient, fakes: FakeServices) -> None:
    creation = CREATIONS["task"]
    first = creation.send(api, fakes).json()
    server = fakes.sign_in("a-server", is_server=True)
    assert api.request("PUT", f"/v1/tasks/{first['id']}", {"priority": 5}, token=server).status == 200
    again = creation.send(api, fakes)
    assert (again.status, again.json()["id"], again.json()["priority"]) == (201, first["id"], 5)
    assert creation.send(api, fakes, body=TASK | {"type": "another"}).status == 409


def test_a_task_that_was_stored_before_the_answer_was_lost_is_woken(
    api: ApiClient, fakes: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(fakes.task_queue, "wake", _fails)
        first = CREATIONS["task"].send(api, fakes)
    assert CREATIONS["task"].send(api, fakes).json() == first.json()
    fakes.now_ms += 10_000  # it waits until the index shows the task
    assert len(fakes.engine.task_queue.receive(10)) == 1


def test_keys_of_servers_and_users_are_their_own(api: ApiClient, fakes: FakeServices) -> None:
    path = "/v1/tasks"
    ids = {
        api.request("POST", path, TASK, token=fakes.sign_in(name, is_server=True), Idempotency_Key="k").json()["id"]
        for name in ("a", "b")
    }
    assert len(ids) == 2
    tokens = {
        api.request(
            "POST", f"/v1/users/{user_id}/restricted_tokens", {}, token=fakes.sign_in(user_id), Idempotency_Key="k"
        ).json()["id"]
        for user_id in (OWNER, OTHER)
    }
    assert len(tokens) == 2


def test_a_data_source_that_was_half_stored_is_finished(
    api: ApiClient, fakes: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    creation, calls = CREATIONS["data source"], []
    transact = StoredDataSources(fakes.engine.data)._transact

    def second_fails(writes: Any) -> bool:
        calls.append(writes)
        if len(calls) == 2:
            raise UnavailableError
        return transact(writes)

    monkeypatch.setattr(fakes.data_sources, "_transact", second_fails)
    assert creation.send(api, fakes).status == 503
    assert creation.send(api, fakes).status == 201
    assert (creation.count(api, fakes), len(calls)) == (1, 4)


def test_a_data_source_that_was_connected_since_is_still_the_answer(api: ApiClient, fakes: FakeServices) -> None:
    creation = CREATIONS["data source"]
    first = creation.send(api, fakes).json()
    server = fakes.sign_in("a-server", is_server=True)
    body = {"state": "connected", "providerSessionId": "s"}
    assert api.request("PUT", f"/v1/data_sources/{first['id']}", body, token=server).status == 200
    assert creation.send(api, fakes).json()["state"] == "connected"
    assert creation.send(api, fakes, body=creation.body | {"providerName": "abbott"}).status == 409


class TestRestrictedTokens:
    """The ids of restricted tokens are secrets."""

    CREATION = CREATIONS["restricted token"]

    def test_the_id_does_not_follow_from_user_and_key(self, api: ApiClient, fakes: FakeServices) -> None:
        made_before = fakes.ids_made
        token_id = self.CREATION.send(api, fakes).json()["id"]
        assert token_id in {f"{number:032x}" for number in range(made_before + 1, fakes.ids_made + 1)}

    def test_one_that_was_removed_does_not_come_back(self, api: ApiClient, fakes: FakeServices) -> None:
        token_id = self.CREATION.send(api, fakes).json()["id"]
        assert api.request("DELETE", f"/v1/restricted_tokens/{token_id}", token=fakes.sign_in(OWNER)).status == 200
        assert self.CREATION.send(api, fakes).status == 409
        assert self.CREATION.count(api, fakes) == 0

    def test_another_login_does_not_get_the_token_of_this_one(self, api: ApiClient, fakes: FakeServices) -> None:
        assert self.CREATION.send(api, fakes).status == 201
        session = fakes.sessions.find(token_hash(fakes.sign_in(OWNER)))
        assert session is not None
        fakes.sessions.add(replace(session, token_hash=token_hash("another login")))
        reply = api.request("POST", self.CREATION.path, self.CREATION.body, token="another login", Idempotency_Key="k")
        assert reply.status == 409

    def test_a_restricted_token_does_not_get_the_one_of_its_login(self, api: ApiClient, fakes: FakeServices) -> None:
        whole = api.request("POST", self.CREATION.path, {}, token=fakes.sign_in(OWNER)).json()["id"]
        assert self.CREATION.send(api, fakes).status == 201
        path = f"{self.CREATION.path}?restricted_token={whole}"
        assert api.request("POST", path, self.CREATION.body, Idempotency_Key="k").status == 409


class TestCustodialAccounts:
    """Accounts that a key made."""

    CREATION = CREATIONS["custodial account without an address"]

    def test_the_custodian_has_the_account_of_the_first_request(self, api: ApiClient, fakes: FakeServices) -> None:
        ids = {self.CREATION.send(api, fakes).json()["userid"] for _ in range(2)}
        assert [grant.sharer_id for grant in fakes.grants.given_to(OWNER)] == list(ids)

    def test_an_account_that_was_changed_or_deleted_since_is_a_conflict(
        self, api: ApiClient, fakes: FakeServices
    ) -> None:
        user_id = self.CREATION.send(api, fakes).json()["userid"]
        account = fakes.accounts.find(user_id)
        assert account is not None
        fakes.accounts.replace(account, replace(account, email="kid@example.org", version=2))
        assert self.CREATION.send(api, fakes).status == 409
        server = fakes.sign_in("a-server", is_server=True)
        assert api.request("DELETE", f"/auth/user/{user_id}", token=server).status == 204
        assert self.CREATION.send(api, fakes).status == 409
        fakes.now_ms += SETTLED_AFTER_MS
        run = TaskRun(Task("0", "t", 0), {}, fakes.now_ms + HOUR_MS, lambda: fakes.now_ms, lambda: None)
        erase_deleted_users(run, fakes.services)
        assert self.CREATION.send(api, fakes).status == 201

    def test_an_address_that_is_taken_by_another_account_is_a_conflict(
        self, api: ApiClient, fakes: FakeServices
    ) -> None:
        creation = CREATIONS["custodial account"]
        assert creation.send(api, fakes, "another").status == 201
        assert creation.send(api, fakes, "k").status == 409


def _fails(*_: Any) -> None:
    raise UnavailableError
