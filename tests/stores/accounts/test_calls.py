"""Tests the number of DynamoDB calls of requests on accounts: docs/access-patterns-accounts.md."""

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib import services as wiring
from chalicelib.config import Settings
from chalicelib.engine.aws import secrets_manager
from chalicelib.engine.aws.engine import aws_engine
from tests.api.conftest import ApiClient, Reply
from tests.engine.sent import hooked
from tests.stores.conftest import SERVER_SECRET

TOKEN = "x-tidepool-session-token"
USER = {"username": "anna@example.org", "emails": ["anna@example.org"], "password": "a-good-one?"}
FIND_CALLER = ["GetItem"]


class Calls:
    """Counts the calls of the client of DynamoDB, by operation, in order."""

    def __init__(self) -> None:
        self.made: list[str] = []

    def __call__(self, operation: str, _request: Any) -> None:
        """Record a call."""
        self.made.append(operation)


@pytest.fixture
def calls(stage: Settings) -> Iterator[Calls]:
    """The calls made in a test."""
    counted = Calls()
    with hooked(counted):
        yield counted


@pytest.fixture
def api(stage: Settings) -> Iterator[ApiClient]:
    """The application on DynamoDB, with open sign-up."""
    from dataclasses import replace

    secrets_manager.forget_clients()
    settings = replace(stage, sign_up="open")
    wiring.override(wiring.build_services(settings, aws_engine(settings)))
    yield ApiClient()
    wiring.override(None)
    secrets_manager.forget_clients()


@pytest.fixture
def anna(api: ApiClient) -> Reply:
    """Anna has signed up."""
    reply = api.request("POST", "/auth/user", USER)
    assert reply.status == 201
    return reply


def made(calls: Calls, api: ApiClient, method: str, path: str, body: Any = None, **request: str) -> list[str]:
    """The calls of one successful request."""
    calls.made.clear()
    reply = api.request(method, path, body, **request)
    assert reply.status in (200, 201, 204), reply.body
    return list(calls.made)


def test_sign_up_takes_three_calls(api: ApiClient, calls: Calls) -> None:
    expected = ["TransactWriteItems", "PutItem", "TransactWriteItems"]
    assert made(calls, api, "POST", "/auth/user", USER) == expected


def test_signing_in_takes_eleven_calls(api: ApiClient, calls: Calls, anna: Reply) -> None:
    authorization = "Basic " + base64.b64encode(b"anna@example.org:a-good-one?").decode()
    counting = ["UpdateItem", "UpdateItem", "UpdateItem"]
    known = ["PutItem", "BatchGetItem"]
    expected = [*counting, "GetItem", "GetItem", *counting, *known, "TransactWriteItems"]
    assert made(calls, api, "POST", "/auth/login", authorization=authorization) == expected


def test_an_unknown_name_takes_as_many_calls_as_a_wrong_password(api: ApiClient, calls: Calls, anna: Reply) -> None:
    tried = []
    for pair in (b"nobody@example.org:a-good-one?", b"anna@example.org:a-bad-one?"):
        calls.made.clear()
        reply = api.request("POST", "/auth/login", authorization="Basic " + base64.b64encode(pair).decode())
        assert reply.status == 401
        tried.append(list(calls.made))
    failing = ["UpdateItem", "UpdateItem"]
    assert tried[0] == tried[1] == ["UpdateItem", "UpdateItem", "UpdateItem", "GetItem", "GetItem", *failing]


def test_the_calls_of_refresh_and_logout(api: ApiClient, calls: Calls, anna: Reply) -> None:
    token = anna.headers[TOKEN]
    expected = [*FIND_CALLER, "GetItem", "TransactWriteItems"]
    assert made(calls, api, "GET", "/auth/login", token=token) == expected
    assert made(calls, api, "POST", "/auth/logout", token=token) == ["GetItem", "Query", "TransactWriteItems", "Query"]


def test_the_calls_of_reading_the_own_account(api: ApiClient, calls: Calls, anna: Reply) -> None:
    assert made(calls, api, "GET", "/auth/user", token=anna.headers[TOKEN]) == [*FIND_CALLER, "GetItem"]


def test_the_calls_of_changing_the_account_and_the_password(api: ApiClient, calls: Calls, anna: Reply) -> None:
    token = anna.headers[TOKEN]
    expected = [*FIND_CALLER, "GetItem", "UpdateItem", "TransactWriteItems"]
    body = {"updates": {"username": "anna@example.com"}}
    assert made(calls, api, "PUT", "/auth/user", body, token=token) == expected
    body = {"updates": {"password": "another-good-one"}}
    assert made(calls, api, "PUT", "/auth/user", body, token=token) == [*expected, "GetItem", "Query", "Query"]


def test_the_calls_of_a_restricted_token(api: ApiClient, calls: Calls, anna: Reply) -> None:
    path = f"/v1/users/{anna.json()['userid']}/restricted_tokens"
    assert made(calls, api, "POST", path, {}, token=anna.headers[TOKEN]) == [*FIND_CALLER, "TransactWriteItems"]


def test_a_grantee_costs_one_read_more(api: ApiClient, calls: Calls, anna: Reply) -> None:
    ben = api.request("POST", "/auth/user", USER | {"emails": ["ben@example.org"]})
    anna_id, ben_id = anna.json()["userid"], ben.json()["userid"]
    pair = f"/access/{anna_id}/{ben_id}"
    set_grant = made(calls, api, "POST", pair, {"custodian": {}, "view": {}}, token=anna.headers[TOKEN])
    assert set_grant == [*FIND_CALLER, "Query", "TransactWriteItems"]
    assert made(calls, api, "GET", pair, token=ben.headers[TOKEN]) == [*FIND_CALLER, "GetItem"]
    assert made(calls, api, "GET", f"/access/{anna_id}", token=ben.headers[TOKEN]) == [*FIND_CALLER, "GetItem", "Query"]
    listed = made(calls, api, "GET", f"/access/groups/{ben_id}", token=ben.headers[TOKEN])
    assert listed == [*FIND_CALLER, "Query"]


def test_metadata_take_no_more_calls_than_items(api: ApiClient, calls: Calls, anna: Reply) -> None:
    token, user_id = anna.headers[TOKEN], anna.json()["userid"]
    path = f"/metadata/{user_id}/profile"
    assert made(calls, api, "PUT", path, {"fullName": "A"}, token=token) == [*FIND_CALLER, "GetItem", "PutItem"]
    assert made(calls, api, "PUT", path, {"fullName": "A"}, token=token) == [*FIND_CALLER, "GetItem"]
    assert made(calls, api, "GET", path, token=token) == [*FIND_CALLER, "GetItem"]
    for number in range(3):
        api.request("POST", f"/access/{user_id}/{number}", {"view": {}}, token=token)
    users = made(calls, api, "GET", f"/metadata/users/{user_id}/users", token=token)
    assert users == [*FIND_CALLER, "Query", "Query", "BatchGetItem"]


def test_the_calls_of_deleting_an_account(api: ApiClient, calls: Calls, anna: Reply) -> None:
    token, user_id = anna.headers[TOKEN], anna.json()["userid"]
    confirmed = ["GetItem", *["UpdateItem"] * 6, "TransactWriteItems"]
    ends_credentials = ["Query", "Query", "DeleteItem", "Query", "Query", "TransactWriteItems", "Query"]
    confirmations = ["Query", "DeleteItem"]
    erases_data = ["GetItem", "GetItem", "TransactWriteItems"]
    erases_reachable = ["Query", "Query", *confirmations, "Query", "Query", "DeleteItem", *erases_data]
    body = {"password": USER["password"]}
    deleted = made(calls, api, "DELETE", f"/auth/user/{user_id}", body, token=token)
    assert deleted == [*FIND_CALLER, *confirmed, *ends_credentials, *erases_reachable]


def test_a_deleted_user_is_gone_from_every_route(api: ApiClient, anna: Reply) -> None:
    token, user_id = anna.headers[TOKEN], anna.json()["userid"]
    api.request("PUT", f"/metadata/{user_id}/profile", {"fullName": "A"}, token=token)
    body = {"password": USER["password"]}
    assert api.request("DELETE", f"/auth/user/{user_id}", body, token=token).status == 204
    assert api.request("GET", "/auth/user", token=token).status == 401
    headers = {"X-Tidepool-Server-Name": "a server", "X-Tidepool-Server-Secret": SERVER_SECRET}
    server = api.request("POST", "/auth/serverlogin", **headers).headers[TOKEN]
    assert api.request("GET", f"/auth/user/{user_id}", token=server).status == 404
    assert api.request("GET", f"/metadata/{user_id}/profile", token=server).status == 404
    assert api.request("POST", "/auth/user", USER).status == 201
