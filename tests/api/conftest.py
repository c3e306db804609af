"""A client of the application with in-memory services behind it, and requests in as few words as possible."""

import base64
import io
import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any
from urllib.parse import parse_qs

import pytest

from app import app
from chalicelib import services as wiring
from chalicelib.accounts.account import Account
from chalicelib.api.application import methods_of
from chalicelib.api.routing import ROUTER
from chalicelib.observability import logger
from tests.api.logs import faults
from tests.api.people import ANNA, BEN, CHILD
from tests.fakes.gateway import Gateway
from tests.fakes.services import FakeServices
from tools.fuzz.description import faults_of_answer


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply: status, headers by lower-case name, body as bytes."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as a JSON value."""
        return json.loads(self.body)


def joined(value: str | list[str]) -> str:
    """The values of a header, a line for each one that was sent."""
    return value if isinstance(value, str) else "\n".join(value)


@cache
def _gateway() -> Gateway:
    return Gateway(app)


@lru_cache(maxsize=10_000)
def _has_resource(method: str, path: str) -> bool:
    return method in methods_of(path) and ROUTER.find(method, path) is None


class ApiClient:
    """Sends requests to the application in process; `token` is sent in the session token header."""

    def request(self, method: str, path: str, body: Any = None, *, token: str | None = None, **headers: str) -> Reply:
        """The reply to one request; a body that is not bytes is sent as JSON, header names may use underscores.

        Whatever is answered has to be what the published description promises.
        """
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            sent["X-Tidepool-Session-Token"] = token
        reply = self._sent(method, path, body, sent)
        assert faults_of_answer(method, path, reply.status, reply.headers, reply.body) == []
        return reply

    def _sent(self, method: str, path: str, body: Any, sent: dict[str, str]) -> Reply:
        payload = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        bare, _, query = path.partition("?")
        if not _has_resource(method, bare):
            return self._unrouted(method, bare, parse_qs(query, keep_blank_values=True), sent, payload)
        response = _gateway().request(method, path, sent, payload)
        received = {name.lower(): joined(value) for name, value in response.headers.items()}
        return Reply(response.status_code, received, response.body)

    def _unrouted(
        self, method: str, path: str, query: Mapping[str, list[str]], headers: Mapping[str, str], payload: bytes
    ) -> Reply:
        """The reply to what has no resource: Chalice's own client knows nothing of the gateway's catch-alls."""
        event = {
            "requestContext": {"httpMethod": method, "resourcePath": "/{proxy+}"},
            "path": path,
            "headers": dict(headers),
            "multiValueQueryStringParameters": dict(query) or None,
            "body": base64.b64encode(payload).decode() if payload else None,
            "isBase64Encoded": bool(payload),
        }
        response = app(event, None)
        received = {name.lower(): value for name, value in response["headers"].items()}
        body = response["body"]
        content = base64.b64decode(body) if response.get("isBase64Encoded") else body.encode()
        return Reply(response["statusCode"], received, content)


@pytest.fixture(autouse=True)
def clean_log() -> Iterator[None]:
    """Fail any test that logs a health value, token or e-mail address."""
    logged = io.StringIO()
    handler = logging.StreamHandler(logged)
    handler.setFormatter(logger.registered_formatter)
    logging.getLogger(logger.name).addHandler(handler)
    yield
    logging.getLogger(logger.name).removeHandler(handler)
    assert faults(logged.getvalue()) == []


@pytest.fixture
def fakes() -> Iterator[FakeServices]:
    """Services in memory, seen by the application for the time of one test."""
    services = FakeServices()
    wiring.override(services.services)
    yield services
    wiring.override(None)


@pytest.fixture
def api(fakes: FakeServices) -> ApiClient:
    """A client of the application on the in-memory services."""
    return ApiClient()


@pytest.fixture
def server(fakes: FakeServices) -> str:
    """The token of a server."""
    return fakes.sign_in("server", is_server=True)


@pytest.fixture
def anna(fakes: FakeServices) -> str:
    """Anna's token; where a file has an Anna of its own, hers."""
    fakes.accounts.create(ANNA)
    return fakes.sign_in(ANNA.user_id)


@pytest.fixture
def ben(fakes: FakeServices) -> str:
    """Ben's token."""
    fakes.accounts.create(BEN)
    return fakes.sign_in(BEN.user_id)


@pytest.fixture
def child(fakes: FakeServices) -> Account:
    """An account without a login, whose custodian Anna is."""
    fakes.accounts.create(CHILD)
    fakes.grant(CHILD.user_id, ANNA.user_id, ["custodian", "view", "upload"])
    return CHILD
