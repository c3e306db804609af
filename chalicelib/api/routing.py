"""One request, from the gateway's event to the reply: caller, limits, refusals. What all routes share, once."""

import base64
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from chalice.app import Blueprint, Response

from chalicelib.access.call import NOBODY, Call, SessionReader, authenticate
from chalicelib.api.credentials import credentials_of
from chalicelib.api.errors.platform import failure
from chalicelib.api.messages import Reply, Request, Trace
from chalicelib.api.operations.operation import Operation
from chalicelib.api.rendering import rendered
from chalicelib.errors import InvalidTokenError, StrandlineError, TooLargeError, UnauthenticatedError
from chalicelib.observability import logger, stack_frames
from chalicelib.services import services

TRACE_LENGTH = 64

View = Callable[[Request], Reply]
SessionsFor = Callable[[Request], SessionReader]
Headers = Mapping[str, Sequence[str]]


class ApiBlueprint(Blueprint):
    """A blueprint whose routes are registered from the operation table."""

    def operation(self, operation: Operation, sessions: SessionsFor | None = None) -> Callable[[View], View]:
        """Register a view for all paths of an operation.

        `sessions` makes the reader of sessions for a request whose caller is not known yet, for routes that read
        more in the same round trip; by default it is the services' own.
        """

        def register(view: View) -> View:
            def handle(**_path_parameters: str) -> Response:
                return respond(operation, view, self.current_request.to_original_event(), sessions)

            for index, path in enumerate(operation.paths):
                name = f"{operation.name}.{index}".replace(".", "_")
                # Gateways take a last slash away before they look for a route; the view sees the path as it was sent.
                self.route(path.rstrip("/"), methods=[operation.method], name=name, content_types=["*/*"])(handle)
            return view

        return register


def respond(
    operation: Operation, view: View, event: Mapping[str, Any], sessions_for: SessionsFor | None = None
) -> Response:
    """The reply to one request, whatever happens.

    A refusal has the form of the operation's API; a defect is a 500 without a word of its cause, which is in the log
    under the trace id that the reply carries.
    """
    started = time.perf_counter()
    headers = headers_of(event)
    trace = _trace(headers)
    try:
        request = _request(operation, event, headers, trace, sessions_for)
        reply = view(_authenticated(request, headers, path_of(event)))
        response = _rendered(operation, reply, reply.status or operation.success_status, trace, headers)
    except Exception as error:  # noqa: BLE001  the one broad except: a client never meets a stack trace
        if not isinstance(error, StrandlineError):
            logger.error("defect", trace=trace.request, error=type(error).__name__, at=stack_frames(error))
        refusal = failure(operation, error, trace.meta)
        reply = Reply(refusal.body, headers=refusal.headers)
        response = _rendered(operation, reply, refusal.status, trace, headers)
    logger.info(
        "request",
        operation=operation.name,
        status=response.status_code,
        trace=trace.request,
        duration_ms=round((time.perf_counter() - started) * 1000, 1),
    )
    return response


def _rendered(operation: Operation, reply: Reply, status: int, trace: Trace, headers: Headers) -> Response:
    ours = services()
    form, origins = operation.error_format, ours.settings.cors_origins
    return rendered(reply, status, form, trace, headers, origins, ours.reading.large_replies)


def headers_of(event: Mapping[str, Any]) -> Headers:
    """All values of each header, by its name in lower case; a gateway that tells single values only will do."""
    several = event.get("multiValueHeaders")
    if several:
        return {name.lower(): values for name, values in several.items()}
    return {name.lower(): [value] for name, value in (event.get("headers") or {}).items()}


def path_of(event: Mapping[str, Any]) -> str:
    """The path as the client sent it, decoded, without the name of the gateway's stage."""
    # Chalice's local gateway and test client tell it in the context only, where the real gateway puts the stage first.
    return unquote(str(event.get("path") or event.get("requestContext", {}).get("path") or "/"))


def _trace(headers: Headers) -> Trace:
    request = next(iter(headers.get("x-tidepool-trace-request", ())), "")[:TRACE_LENGTH]
    session = next(iter(headers.get("x-tidepool-trace-session", ())), "")[:TRACE_LENGTH]
    return Trace(request or uuid.uuid4().hex, session or None)


def _request(
    operation: Operation, event: Mapping[str, Any], headers: Headers, trace: Trace, sessions_for: SessionsFor | None
) -> Request:
    ours = services()
    request = Request(
        operation=operation,
        services=ours,
        trace=trace,
        path={name: unquote(value) for name, value in (event.get("pathParameters") or {}).items()},
        query={name: tuple(values) for name, values in (event.get("multiValueQueryStringParameters") or {}).items()},
        headers={name: ", ".join(values) for name, values in headers.items() if values},
        body=_body(event),
        call=Call(NOBODY, operation.policy, ours.accounts.grants, ours.now_ms(), ours.new_id),
        sessions=ours.accounts.sessions,
        source_ip=str(event.get("requestContext", {}).get("identity", {}).get("sourceIp", "")),
    )
    return request if sessions_for is None else replace(request, sessions=sessions_for(request))


def _body(event: Mapping[str, Any]) -> bytes:
    body = event.get("body")
    if body is None:
        return b""
    if event.get("isBase64Encoded"):
        return base64.b64decode(body)
    return body if isinstance(body, bytes) else str(body).encode()


def _authenticated(request: Request, headers: Headers, path: str) -> Request:
    """The request with its caller. Nobody is refused before anything else is looked at (errors 5)."""
    operation = request.operation
    if not operation.policy.anyone:
        ours = request.services
        credentials = credentials_of(headers, request.query, path, operation.error_format)
        caller = authenticate(
            credentials, request.sessions, ours.server_secret, request.now_ms, ours.accounts.restricted_tokens
        )
        if caller.is_nobody:
            raise UnauthenticatedError if credentials.session_token is None else InvalidTokenError
        request = replace(request, call=replace(request.call, caller=caller))
    if len(request.body) > operation.limit_bytes:
        at_most = f"a body may have at most {operation.limit_bytes} bytes"
        raise TooLargeError(operation.limit_bytes, operation.beyond_limit or at_most)
    return request
