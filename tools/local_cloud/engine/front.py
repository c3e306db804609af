"""The address for clients: the routes of the API without the prefix of ministack's gateway."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

REQUESTS_AT_ONCE = 8
"""The limit of concurrent requests. Each has its own worker process of about 80 MB; further requests wait."""


def front(gateway: Application, prefix: str) -> Application:
    """An ASGI application that passes each request to that of ministack, under `prefix`.

    A missing `Accept` becomes `*/*`: without one ministack sends binary answers as base64 text, and OkHttp, Go, Node's
    http and superagent send none.
    """

    turns = asyncio.Semaphore(REQUESTS_AT_ONCE)

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        async with turns:
            await gateway(_rewritten(scope, prefix), receive, send)

    return application


def _rewritten(scope: Scope, prefix: str) -> Scope:
    """The request under the prefix. Its path stays encoded, as API Gateway passes it on: `%2F` separates nothing."""
    headers = scope["headers"]
    if all(name != b"accept" for name, _ in headers):
        headers = [*headers, (b"accept", b"*/*")]
    raw_path = scope.get("raw_path") or scope["path"].encode()
    path = prefix.encode() + raw_path
    return {**scope, "path": path.decode("latin-1"), "raw_path": path, "headers": headers}
