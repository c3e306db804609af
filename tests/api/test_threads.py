"""Tests requests of several threads in one process: no answer reaches another caller."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from app import app
from chalicelib import services as wiring
from chalicelib.config import Settings
from chalicelib.engine.embedded.engine import embedded_engine
from chalicelib.services import build_services, system_now_ms

THREADS = 8
REQUESTS_OF_A_THREAD = 150

pytestmark = pytest.mark.usefixtures("threads_that_switch_often")


@pytest.fixture(autouse=True)
def stage() -> Iterator[None]:
    """A stage in memory."""
    engine = embedded_engine(None, system_now_ms)
    wiring.override(build_services(Settings(), engine))
    yield
    wiring.override(None)
    engine.close()


def answer(method: str, path: str, token: str | None = None, body: Any = None) -> dict[str, Any]:
    """The answer to a request of the gateway."""
    headers = {"Accept": ["*/*"], "X-Tidepool-Session-Token": [token]} if token else {"Accept": ["*/*"]}
    reply: dict[str, Any] = app(
        {
            "requestContext": {"httpMethod": method, "resourcePath": path, "path": path},
            "path": path,
            "headers": {name: values[0] for name, values in headers.items()},
            "multiValueHeaders": headers,
            "multiValueQueryStringParameters": None,
            "pathParameters": None,
            "stageVariables": None,
            "body": None if body is None else json.dumps(body),
        },
        None,
    )
    return reply


def _header(reply: dict[str, Any], wanted: str) -> Any:
    return next(value for name, value in reply["headers"].items() if name.lower() == wanted)


def signed_up(number: int) -> tuple[str, str]:
    """The id and a token of a new user."""
    email = f"user-{number}@example.org"
    body = {"username": email, "emails": [email], "password": "a-password", "roles": ["patient"]}
    reply = answer("POST", "/auth/user", body=body)
    assert reply["statusCode"] == 201, reply
    return json.loads(reply["body"])["userid"], str(_header(reply, "x-tidepool-session-token"))


def test_no_answer_reaches_another_caller() -> None:
    users = [signed_up(number) for number in range(THREADS)]
    ready = Barrier(THREADS)

    def wrong_answers(user_id: str, token: str) -> list[Any]:
        ready.wait()
        replies = [answer("GET", "/auth/user", token) for _ in range(REQUESTS_OF_A_THREAD)]
        return [reply for reply in replies if json.loads(reply["body"]).get("userid") != user_id]

    with ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(lambda user: wrong_answers(*user), users))

    assert found == [[]] * THREADS
