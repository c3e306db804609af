"""The local cloud's front: no prefix for clients, and an `Accept` for those that send none."""

import asyncio
from typing import Any

import pytest

from tools.local_cloud.engine.changes import may_change_state, noting_changes
from tools.local_cloud.engine.front import REQUESTS_AT_ONCE, Receive, Scope, Send, front


def _scope(headers: list[tuple[bytes, bytes]], **more: Any) -> Scope:
    return {"type": "http", "method": "GET", "path": "/v1/a b", "raw_path": b"/v1/a%20b", "headers": headers} | more


def _passed_on(scope: Scope) -> list[Scope]:
    seen: list[Scope] = []

    async def gateway(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)

    async def nothing(*_: Any) -> Any:
        raise AssertionError

    asyncio.run(front(gateway, "/restapis/1/api/_user_request_")(scope, nothing, nothing))  # type: ignore[arg-type]
    return seen


def test_the_prefix_is_added_to_the_path_which_stays_encoded() -> None:
    (scope,) = _passed_on(_scope([(b"accept", b"text/plain")], query_string=b"a=1"))
    assert scope["path"] == "/restapis/1/api/_user_request_/v1/a%20b"
    assert scope["raw_path"] == b"/restapis/1/api/_user_request_/v1/a%20b"
    assert (scope["query_string"], scope["headers"]) == (b"a=1", [(b"accept", b"text/plain")])


def test_an_encoded_slash_separates_nothing() -> None:
    (scope,) = _passed_on(_scope([], path="/access/a/b", raw_path=b"/access/a%2Fb"))
    assert scope["path"] == "/restapis/1/api/_user_request_/access/a%2Fb"


def test_a_broken_percent_in_a_query_is_passed_on_as_it_was_sent() -> None:
    query = b"a=100%&b=%zz&c=%4&d=%41%&e=%E9"
    (scope,) = _passed_on(_scope([], query_string=query))
    assert scope["query_string"] == query


def test_a_missing_accept_becomes_any_type() -> None:
    headers = [(b"host", b"127.0.0.1:8000")]
    (scope,) = _passed_on(_scope(headers))
    assert scope["headers"] == [(b"host", b"127.0.0.1:8000"), (b"accept", b"*/*")]
    assert headers == [(b"host", b"127.0.0.1:8000")]


def test_only_http_is_served() -> None:
    assert _passed_on({"type": "websocket"}) == []


def test_requests_above_the_limit_wait() -> None:
    under_way = most = answered = 0

    async def gateway(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal under_way, most, answered
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1
        answered += 1

    async def nothing(*_: Any) -> Any:
        raise AssertionError

    async def send_all() -> None:
        application = front(gateway, "")
        await asyncio.gather(*(application(_scope([]), nothing, nothing) for _ in range(5 * REQUESTS_AT_ONCE)))

    asyncio.run(send_all())
    assert (most, answered) == (REQUESTS_AT_ONCE, 5 * REQUESTS_AT_ONCE)


@pytest.mark.parametrize(
    ("method", "target", "may_change"),
    [
        ("POST", b"DynamoDB_20120810.PutItem", True),
        ("POST", b"DynamoDB_20120810.TransactWriteItems", True),
        ("POST", b"DynamoDB_20120810.GetItem", False),
        ("POST", b"DynamoDB_20120810.Query", False),
        ("POST", b"DynamoDB_20120810.BatchGetItem", False),
        ("POST", b"secretsmanager.GetSecretValue", False),
        ("POST", b"AmazonSQS.SendMessage", True),
        ("POST", None, True),
        ("PUT", None, True),
        ("DELETE", None, True),
        ("GET", None, False),
        ("HEAD", None, False),
    ],
)
def test_only_requests_that_may_write_require_a_save(method: str, target: bytes | None, may_change: bool) -> None:
    headers = [(b"x-amz-target", target)] if target else []
    assert may_change_state(_scope(headers, method=method)) is may_change


def test_a_change_is_reported_after_it_was_made() -> None:
    order: list[str] = []

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        order.append("made")

    async def nothing(*_: Any) -> Any:
        raise AssertionError

    noting = noting_changes(application, lambda: order.append("noted"))
    asyncio.run(noting(_scope([], method="PUT"), nothing, nothing))  # type: ignore[arg-type]
    asyncio.run(noting(_scope([], method="GET"), nothing, nothing))  # type: ignore[arg-type]
    assert order == ["made", "noted", "made"]
