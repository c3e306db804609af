"""The Chalice application, with Tidepool's replies to requests that no route takes.

The gateway sends all paths and methods here (the catch-alls of the overlay). A request without a route gets the reply
of the API that its path belongs to. A missing `Accept` header counts as `*/*`: OkHttp, Go, Node's http and superagent
send none, and without it Chalice refuses binary replies, which compression needs.
"""

import gc
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

from chalice.app import Chalice, Request, Response

from chalicelib.api.cors import cors_headers, cors_policy
from chalicelib.api.errors.nightscout import UNAUTHORIZED
from chalicelib.api.errors.nightscout_v3 import UNKNOWN_PATH
from chalicelib.api.messages import Reply, Trace
from chalicelib.api.operations.operation import ErrorFormat, Operation
from chalicelib.api.operations.table import OPERATIONS
from chalicelib.api.pages.sign_in_page import unknown_path_page
from chalicelib.api.rendering import PLAIN_TEXT, Exchange, rendered
from chalicelib.api.routing import ROUTER, Headers, headers_of, raw_path_of
from chalicelib.observability import begin
from chalicelib.services import random_id, services

_ADMINISTRATION = re.compile(r"/api/v2/authorization/(?:subjects|roles|permissions)(?:[/.].*)?")
"""The paths on which an administrator of a Nightscout site manages who may do what."""
_REMOTE_COMMANDS = "/api/v2/notifications/loop"
NODE_PREFIXES = ("metrics", "access", "metadata", "message")
NIGHTSCOUT_PREFIXES = ("api", "pebble", "socket.io")
API_PREFIXES = frozenset(path.split("/")[1] for operation in OPERATIONS for path in operation.paths) - {""}
"""The first segments of paths below which every reply is of an API, also to a browser."""


_current_request: ContextVar[Request | None] = ContextVar("current_request", default=None)
_lambda_context: ContextVar[Any] = ContextVar("lambda_context", default=None)


class StrandlineApp(Chalice):
    """Chalice, which also replies to unknown paths, wrong methods and CORS preflights.

    Chalice keeps the current request on the application, which serves one request at a time on Lambda. The home server
    has a thread for each request, so here each request belongs to the context of its thread (ADR 15).
    """

    @property
    def current_request(self) -> Request | None:
        """The request of this context."""
        return _current_request.get()

    @current_request.setter
    def current_request(self, request: Request | None) -> None:
        _current_request.set(request)

    @property
    def lambda_context(self) -> Any:
        """The invocation of this context."""
        return _lambda_context.get()

    @lambda_context.setter
    def lambda_context(self, context: Any) -> None:
        _lambda_context.set(context)

    def __call__(self, event: Any, context: Any) -> Any:
        """The reply to an event of the gateway."""
        if context is None:
            return self._reply(event, context)
        with _collector_off():
            return self._reply(event, context)

    def _reply(self, event: Any, context: Any) -> Any:
        begin(context)
        request_context = event.get("requestContext", {})
        method = request_context.get("httpMethod", "")
        _accept_anything_by_default(event)
        if method in self.routes.get(request_context.get("resourcePath", ""), {}):
            return super().__call__(event, context)
        routed = ROUTER.find("GET" if method == "HEAD" else method, raw_path_of(event))
        if routed is not None:
            response = routed.handler({**event, "pathParameters": routed.parameters})
            if method == "HEAD" and services().settings.has_gateway:  # the home server drops the body itself
                response.body = ""
            return response.to_dict(self.api.binary_types)
        return _reply_to_unknown_route(method, raw_path_of(event), headers_of(event)).to_dict(self.api.binary_types)


@contextmanager
def _collector_off() -> Iterator[None]:
    """Turn off the collector of cyclic garbage, which looks at all objects of a large request several times in vain:
    a request leaves some thirty objects in cycles, whatever its size.

    For Lambda only, where a process serves one request at a time: the collector belongs to the whole process.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _accept_anything_by_default(event: dict[str, Any]) -> None:
    headers = event.get("headers") or {}
    if not any(name.lower() == "accept" for name in headers):
        event["headers"] = headers | {"Accept": "*/*"}


def methods_of(path: str) -> list[str]:
    """The methods that the operation table has for a path, sorted; empty for an unknown path."""
    return sorted({operation.method for operation in _operations_at(path)})


def _takes_cookies(path: str) -> bool:
    return any(operation.takes_cookies for operation in _operations_at(path))


def _operations_at(path: str) -> list[Operation]:
    """The operations of a path: those of its most exact resource, as the gateway chooses, which prefers names to
    parameters; without resources, those of all that match, as the router chooses."""
    parts = path.split("/")
    matching = [
        ([part.startswith("{") for part in template], operation)
        for template, operation in _templates().get((len(parts), _first(parts)), ())
        if _matches(template, parts)
    ]
    most_exact = min((parameters for parameters, operation in matching if operation.has_resource), default=[])
    return [operation for parameters, operation in matching if parameters == most_exact or not operation.has_resource]


@cache
def _templates() -> Mapping[tuple[int, str], Sequence[tuple[list[str], Operation]]]:
    """The paths, split, each with its operation: by the number of parts and the first of them."""
    templates: dict[tuple[int, str], list[tuple[list[str], Operation]]] = {}
    for operation in OPERATIONS:
        for path in operation.paths:
            template = path.split("/")
            templates.setdefault((len(template), _first(template)), []).append((template, operation))
    return templates


def _first(parts: list[str]) -> str:
    return parts[1] if len(parts) > 1 else ""


def _matches(template: list[str], parts: list[str]) -> bool:
    return all(
        part != "" if expected.startswith("{") else part == expected
        for expected, part in zip(template, parts, strict=True)
    )


def _reply_to_unknown_route(method: str, path: str, headers: Headers) -> Response:
    current = services()
    policy, allowed = cors_policy(current), methods_of(path)
    if method == "OPTIONS" and "access-control-request-method" in headers:
        shared = cors_headers(headers, policy, takes_cookies=_takes_cookies(path))
        return Response(body=b"", status_code=204, headers=dict(shared))
    error_format, status, reply = _router_reply(path, method, allowed)
    if method == "GET" and not allowed and _asks_for_page(headers) and path.split("/")[1] not in API_PREFIXES:
        reply = _front_page(headers) if path == "/" else unknown_path_page()
        status = reply.status or status
    exchange = Exchange(error_format, Trace(random_id()), headers, policy, has_gateway=current.settings.has_gateway)
    return rendered(reply, status, exchange)


def _front_page(headers: Headers) -> Reply:
    from chalicelib.api.pages.web.front_page import front_page  # imported late: few requests need it

    return front_page(services().settings, next(iter(headers.get("host", ())), ""))


def _asks_for_page(headers: Headers) -> bool:
    """Whether a browser asks for a page to show: HTML is what it accepts first."""
    accepted = next(iter(headers.get("accept", ())), "")
    return accepted.partition(",")[0].partition(";")[0].strip().lower() == "text/html"


def _router_reply(path: str, method: str, allowed: list[str]) -> tuple[ErrorFormat, int, Reply]:
    """The reply of an API to a path or method that it does not have, with its error format and status.

    A wrong method is told the right ones (RFC 9110, 15.5.6), also where the reference does not. Source: errors 7.
    """
    right_methods = {"Allow": ", ".join(allowed)} if allowed else {}
    prefix = path.split("/")[1] if "/" in path else ""
    if prefix in NIGHTSCOUT_PREFIXES:
        if _ADMINISTRATION.fullmatch(path):
            # Nobody is an administrator. LoopFollow asks for a token then (nightscout-api 15).
            return ErrorFormat.NIGHTSCOUT, 401, Reply(UNAUTHORIZED)
        if path.rstrip("/") == _REMOTE_COMMANDS:
            return ErrorFormat.NIGHTSCOUT, 501, Reply({"status": 501, "message": "Not Implemented"})
        # Nightscout has no wrong methods, only unknown paths (nightscout-api 3).
        message = UNKNOWN_PATH if path.startswith("/api/v3/") else "Not Found"
        return ErrorFormat.NIGHTSCOUT, 404, Reply({"status": 404, "message": message}, headers=right_methods)
    if prefix in NODE_PREFIXES:
        if allowed:
            body = {"code": "MethodNotAllowed", "message": f"{method} is not allowed"}
            return ErrorFormat.NODE, 405, Reply(body, headers=right_methods)
        return ErrorFormat.NODE, 404, Reply({"code": "ResourceNotFound", "message": f"{path} does not exist"})
    if prefix == "auth" and allowed:
        return ErrorFormat.AUTH, 405, Reply(headers=right_methods)
    if prefix == "realms":
        status, text = (405, "the method is not allowed") if allowed else (404, "the path does not exist")
        reply = Reply({"error": "invalid_request", "error_description": text}, headers=right_methods)
        return ErrorFormat.OAUTH, status, reply
    if prefix in ("auth", "data"):
        # The read service has no wrong methods, only unknown paths (recorded).
        return ErrorFormat.AUTH, 404, Reply(b"404 page not found\n", headers={"Content-Type": PLAIN_TEXT})
    if allowed:
        return ErrorFormat.PLATFORM, 405, Reply({"Error": "Method not allowed"}, headers=right_methods)
    return ErrorFormat.PLATFORM, 404, Reply({"Error": "Resource not found"})
