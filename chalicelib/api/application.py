"""A Chalice application that answers in Tidepool's words where Chalice would answer in its own.

The gateway sends every path and method here (the overlay's catch-alls); what no route takes is answered as the API
that the path belongs to would. A missing `Accept` is taken for `*/*` before dispatch: OkHttp, Go, Node's http and
superagent send none, and Chalice refuses binary answers, which compression needs, without it.
"""

from typing import Any

from chalice.app import Chalice, Response

from chalicelib.api.messages import Reply, Trace
from chalicelib.api.operations.operation import ErrorFormat
from chalicelib.api.operations.table import OPERATIONS
from chalicelib.api.rendering import cors_headers, rendered
from chalicelib.api.routing import Headers, headers_of
from chalicelib.observability import begin
from chalicelib.services import random_id, services

NODE_PREFIXES = ("metrics", "access", "metadata")


class StrandlineApp(Chalice):
    """Chalice with the answers of the APIs' own routers for unknown paths, wrong methods and preflights."""

    def __call__(self, event: Any, context: Any) -> Any:
        """The gateway's answer to one event."""
        begin(context)
        request_context = event.get("requestContext", {})
        method = request_context.get("httpMethod", "")
        _accept_anything_by_default(event)
        if method in self.routes.get(request_context.get("resourcePath", ""), {}):
            return super().__call__(event, context)
        return _unrouted(
            method, str(event.get("path") or request_context.get("path") or "/"), headers_of(event)
        ).to_dict(self.api.binary_types)


def _accept_anything_by_default(event: dict[str, Any]) -> None:
    headers = event.get("headers") or {}
    if not any(name.lower() == "accept" for name in headers):
        event["headers"] = headers | {"Accept": "*/*"}


def methods_of(path: str) -> list[str]:
    """The methods that the operation table has for a path, sorted; empty for an unknown path."""
    parts = path.split("/")
    return sorted(
        {
            operation.method
            for operation in OPERATIONS
            for template in operation.paths
            if _matches(template.split("/"), parts)
        }
    )


def _matches(template: list[str], parts: list[str]) -> bool:
    return len(template) == len(parts) and all(
        part != "" if wanted.startswith("{") else part == wanted for wanted, part in zip(template, parts, strict=True)
    )


def _unrouted(method: str, path: str, headers: Headers) -> Response:
    origins = services().settings.cors_origins
    allowed = methods_of(path)
    if method == "OPTIONS" and "access-control-request-method" in headers:
        return Response(body=b"", status_code=204, headers=dict(cors_headers(headers, origins)))
    form, status, body, extra = _router_answer(path, method, allowed)
    return rendered(Reply(body, headers=extra), status, form, Trace(random_id()), headers, origins)


def _router_answer(path: str, method: str, allowed: list[str]) -> tuple[ErrorFormat, int, Any, dict[str, str]]:
    """Form, status, body and headers for what no route takes. Source: errors 7."""
    prefix = path.split("/")[1] if "/" in path else ""
    if prefix in NODE_PREFIXES:
        if allowed:
            body = {"code": "MethodNotAllowed", "message": f"{method} is not allowed"}
            return ErrorFormat.NODE, 405, body, {"Allow": ", ".join(allowed)}
        return ErrorFormat.NODE, 404, {"code": "ResourceNotFound", "message": f"{path} does not exist"}, {}
    if prefix == "auth" and allowed:
        return ErrorFormat.AUTH, 405, None, {}
    if prefix == "realms":
        status, words = (405, "the method is not allowed") if allowed else (404, "the path does not exist")
        return ErrorFormat.OAUTH, status, {"error": "invalid_request", "error_description": words}, {}
    if prefix in ("auth", "data"):
        # The read service knows no wrong method, only a path that it does not have (recorded).
        return ErrorFormat.AUTH, 404, b"404 page not found\n", {"Content-Type": "text/plain; charset=utf-8"}
    if allowed:
        return ErrorFormat.PLATFORM, 405, {"Error": "Method not allowed"}, {}
    return ErrorFormat.PLATFORM, 404, {"Error": "Resource not found"}, {}
