"""Tests the number of calls of signing in by OpenID Connect, as in docs/access-patterns-accounts.md.

The whole application runs on DynamoDB and Secrets Manager."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from chalicelib import services as wiring
from chalicelib.config import Settings
from chalicelib.engine.aws import secrets_manager
from chalicelib.engine.aws.engine import aws_engine
from tests.api.conftest import ApiClient, Reply
from tests.engine.sent import hooked
from tests.fakes.oidc_app import App, Browser, ReplyLike, hidden_fields

EMAIL, PASSWORD = "anna@example.org", "a-good-one?"
AUTH_PATH = "/realms/tidepool/protocol/openid-connect/auth"
FORM_CALLS = [
    *["UpdateItem"] * 3,
    *["GetItem"] * 2,
    *["UpdateItem"] * 3,
    *["PutItem"] * 2,
    "BatchGetItem",
    "TransactWriteItems",
]
TOKEN_CALLS = ["GetItem", "TransactWriteItems", "GetItem"]
KEY_CALLS = ["GetSecretValue", "PutSecretValue", "GetSecretValue"]


class Calls:
    """The calls of both clients, by operation, in order."""

    def __init__(self) -> None:
        self.made: list[str] = []

    def __call__(self, model: Any, **_: Any) -> None:
        """Called by botocore before each call."""
        self.made.append(model.name)

    def sent(self, operation: str, _request: Any) -> None:
        """Called before each request to DynamoDB."""
        self.made.append(operation)

    def of(self, reply: ReplyLike, status: int = 200) -> list[str]:
        """The calls of a request with this status, since the last check."""
        assert reply.status == status, reply.body
        made, self.made = self.made, []
        return made


@pytest.fixture
def calls(stage: Settings) -> Iterator[Calls]:
    """The calls made in a test."""
    secrets_manager.forget_clients()
    secrets_manager.client(stage.region).create_secret(Name=stage.oidc_keys_name, SecretString="generated" * 5)
    counted = Calls()
    events = secrets_manager.client(stage.region).meta.events
    events.register("before-call", counted)
    with hooked(counted.sent):
        yield counted
    events.unregister("before-call", counted)
    secrets_manager.forget_clients()


@pytest.fixture
def xdrip(stage: Settings, calls: Calls) -> Iterator[App]:
    """xDrip+, and Anna, who has an account."""
    settings = replace(stage, sign_up="open")
    wiring.override(wiring.build_services(settings, aws_engine(settings)))
    api = ApiClient()

    def send(method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        return api.request(method, path, body, **headers)

    user = {"username": EMAIL, "emails": [EMAIL], "password": PASSWORD}
    assert api.request("POST", "/auth/user", user).status == 201
    calls.made.clear()
    yield App(send, "xdrip", "xdrip://callback/tidepool")
    wiring.override(None)


def test_the_calls_of_a_login_from_the_page_to_its_end(xdrip: App, calls: Calls) -> None:
    browser = Browser(xdrip.send)
    page = browser.get(xdrip.page_path())
    assert calls.of(page) == []
    fields = hidden_fields(page.body) | {"username": EMAIL, "password": PASSWORD}
    returned = browser.post(AUTH_PATH, fields)
    assert calls.of(returned, 303) == FORM_CALLS
    reply = xdrip.exchange(xdrip.returned(returned)["code"])
    assert calls.of(reply) == [
        TOKEN_CALLS[0],
        *KEY_CALLS,
        *TOKEN_CALLS[1:],
    ]  # the first token of the stage makes the key
    reply = xdrip.refresh(reply.json()["refresh_token"])
    assert calls.of(reply) == TOKEN_CALLS
    tokens = reply.json()
    assert calls.of(xdrip.send("GET", "/realms/tidepool/.well-known/openid-configuration", None, {})) == []
    assert calls.of(xdrip.user_info(tokens["access_token"])) == ["GetItem", "GetItem"]
    revoked = xdrip.post("revoke", {"token": tokens["refresh_token"], "client_id": "xdrip"})
    assert calls.of(revoked) == ["GetItem", "Query", "TransactWriteItems", "Query"]


def test_a_refused_token_is_counted_and_read_only_if_it_is_well_formed(xdrip: App, calls: Calls) -> None:
    assert calls.of(xdrip.refresh("x"), 401) == ["UpdateItem"]
    assert calls.of(xdrip.refresh(f"{'0' * 64}.x"), 401) == ["GetItem", "UpdateItem"]
