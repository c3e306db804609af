"""The way of a request from the gateway's event to the response, which all routes share: caller, limits, errors."""

import base64
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from chalice.app import Blueprint, Response

from chalicelib.access.call import NOBODY, Call, SessionReader, authenticate
from chalicelib.api.cors import cors_policy
from chalicelib.api.credentials import credentials_of
from chalicelib.api.errors.platform import failure
from chalicelib.api.messages import Reply, Request, Trace
from chalicelib.api.nightscout_devices import authenticate_device
from chalicelib.api.operations.operation import NIGHTSCOUT_FORMATS, Operation
from chalicelib.api.rendering import Exchange, rendered
from chalicelib.api.router import Router
from chalicelib.errors import InvalidTokenError, StrandlineError, TooLargeError, UnauthenticatedError
from chalicelib.observability import logger, stack_frames
from chalicelib.reading.etag import parse_known_etags
from chalicelib.reading.read_ahead import MANIFEST, Ahead
from chalicelib.services import services

TRACE_LENGTH = 64
AROUND_VALUES = " \t"

View = Callable[[Request], Reply]
Headers = Mapping[str, Sequence[str]]

ROUTER = Router()
"""The operations without a resource of the gateway."""


class ApiBlueprint(Blueprint):
    """A blueprint whose routes are registered from the operation table."""

    def operation(self, operation: Operation) -> Callable[[View], View]:
        """Register a view for all paths of an operation."""

        def register(view: View) -> View:
            if not operation.has_resource:
                ROUTER.add(operation, lambda event: respond(operation, view, event))
                return view

            def handle(**_path_parameters: str) -> Response:
                return respond(operation, view, self.current_request.to_original_event())

            for index, path in enumerate(operation.paths):
                name = f"{operation.name}.{index}".replace(".", "_")
                # Gateways remove a trailing slash before they look for a route; the view sees the path as it was sent.
                self.route(path.rstrip("/"), methods=[operation.method], name=name, content_types=["*/*"])(handle)
            return view

        return register


def respond(operation: Operation, view: View, event: Mapping[str, Any]) -> Response:
    """The response to a request; no error leaves.

    Errors have the format of the operation's API. A defect becomes a 500 without its cause, which is logged under the
    trace id of the response.
    """
    started = time.perf_counter()
    headers = headers_of(event)
    trace = _trace(headers)
    current = services()
    exchange = Exchange(
        error_format=operation.error_format,
        trace=trace,
        request_headers=headers,
        cors=cors_policy(current),
        method=operation.method,
        has_gateway=current.settings.has_gateway,
        takes_cookies=operation.takes_cookies,
    )
    large_replies = current.reading.large_replies
    try:
        request = _request(operation, event, headers, trace)
        with request.services.sessions_ahead(_reads_ahead(request)) as sessions:
            reply = view(_authenticate(request, sessions, headers, path_of(event)))
        response = rendered(reply, reply.status or operation.success_status, exchange, large_replies)
    except Exception as error:  # noqa: BLE001  the one broad except: a client never sees a stack trace
        if not isinstance(error, StrandlineError):
            logger.error("defect", trace=trace.request, error=type(error).__name__, at=stack_frames(error))
        refusal = failure(operation, error, trace.meta)
        reply = Reply(refusal.body, headers=refusal.headers)
        response = rendered(reply, refusal.status, exchange, large_replies)
    logger.info(
        "request",
        operation=operation.name,
        status=response.status_code,
        trace=trace.request,
        duration_ms=round((time.perf_counter() - started) * 1000, 1),
    )
    return response


def headers_of(event: Mapping[str, Any]) -> Headers:
    """All values of each header, by its name in lower case. Some gateways give single values only.

    Blanks and tabs around a value are not part of it (RFC 9110, 5.5).
    """
    multiple = event.get("multiValueHeaders")
    if not multiple:
        multiple = {name: [value] for name, value in (event.get("headers") or {}).items()}
    return {name.lower(): [value.strip(AROUND_VALUES) for value in values] for name, values in multiple.items()}


def path_of(event: Mapping[str, Any]) -> str:
    """The path that the client sent, decoded."""
    return unquote(raw_path_of(event))


def raw_path_of(event: Mapping[str, Any]) -> str:
    """The path that the client sent, without the name of the gateway's stage."""
    # Chalice's local gateway and test client give it in the context only, where the real gateway puts the stage first.
    return str(event.get("path") or event.get("requestContext", {}).get("path") or "/")


def _trace(headers: Headers) -> Trace:
    request = next(iter(headers.get("x-tidepool-trace-request", ())), "")[:TRACE_LENGTH]
    session = next(iter(headers.get("x-tidepool-trace-session", ())), "")[:TRACE_LENGTH]
    return Trace(request or uuid.uuid4().hex, session or None)


def _request(operation: Operation, event: Mapping[str, Any], headers: Headers, trace: Trace) -> Request:
    current = services()
    return Request(
        operation=operation,
        services=current,
        trace=trace,
        path={name: unquote(value) for name, value in (event.get("pathParameters") or {}).items()},
        query={name: tuple(values) for name, values in (event.get("multiValueQueryStringParameters") or {}).items()},
        headers={name: ", ".join(values) for name, values in headers.items() if values},
        body=_body(event),
        call=Call(NOBODY, operation.policy, current.accounts.grants, current.now_ms(), current.new_id),
        source_ip=str(event.get("requestContext", {}).get("identity", {}).get("sourceIp", "")),
    )


def _body(event: Mapping[str, Any]) -> bytes:
    body = event.get("body")
    if body is None:
        return b""
    if event.get("isBase64Encoded"):
        return base64.b64decode(body)
    return body if isinstance(body, bytes) else str(body).encode()


def _reads_ahead(request: Request) -> list[tuple[Ahead, str]]:
    """The items to fetch with the session, by kind and id."""
    # Most requests with a known ETag are answered without the manifest, which can be large.
    has_etag = bool(parse_known_etags(request.headers.get("if-none-match", "")))
    items = [item for item in request.operation.reads_ahead if not (has_etag and item is MANIFEST)]
    return [(item, request.path[item.parameter]) for item in items]


def _authenticate(request: Request, sessions: SessionReader, headers: Headers, path: str) -> Request:
    """The request with its caller. A request without a valid credential is refused first of all (errors 5)."""
    operation = request.operation
    if operation.error_format in NIGHTSCOUT_FORMATS:
        request = authenticate_device(request)
    elif not operation.policy.anyone:
        secret, accounts = request.services.server_secret, request.services.accounts
        credentials = credentials_of(headers, request.query, path, operation.error_format)
        caller = authenticate(credentials, sessions, secret, request.now_ms, accounts.restricted_tokens)
        if caller.is_nobody:
            raise UnauthenticatedError if credentials.session_token is None else InvalidTokenError
        if caller.user_id is not None and not caller.is_server:
            request.services.requests.count(caller.user_id, request.now_ms)
        request = replace(request, call=replace(request.call, caller=caller))
    if len(request.body) > operation.limit_bytes:
        detail = operation.beyond_limit or f"a body may have at most {operation.limit_bytes} bytes"
        raise TooLargeError(operation.limit_bytes, detail)
    return request
