"""Tests the behavior that all routes share: errors, credentials, trace ids, compression, CORS, limits."""

import gzip
import io
import json
import re
import secrets
from collections.abc import Mapping
from typing import Any

import pytest

from app import app
from chalicelib import services as wiring
from chalicelib.access.policy import ANYONE, SERVERS
from chalicelib.api import routing as http
from chalicelib.api.messages import Reply, Request
from chalicelib.api.operations.operation import ErrorFormat, Operation
from chalicelib.api.operations.table import OPERATIONS
from chalicelib.errors import FieldError, InvalidFieldsError, UnavailableError
from tests.api.conftest import ApiClient
from tests.api.people import ANNA
from tests.fakes.services import SERVER_SECRET, FakeServices

UNAUTHENTICATED = {
    "code": "unauthenticated",
    "title": "authentication token is invalid",
    "detail": "authentication token is invalid",
}
UNAUTHORIZED = {
    "code": "unauthorized",
    "title": "authentication token is not authorized for requested action",
    "detail": "authentication token is not authorized for requested action",
}


def event(method: str, path: str, headers: Mapping[str, list[str]] | None = None, body: Any = None) -> dict[str, Any]:
    """A request as the gateway sends it for a path that no route takes."""
    return {
        "requestContext": {"httpMethod": method, "resourcePath": "/{proxy+}"},
        "path": path,
        "headers": {name: values[-1] for name, values in (headers or {}).items()},
        "multiValueHeaders": headers or {},
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "body": body,
    }


def answer_of(operation: Operation, view: http.View, **request: Any) -> tuple[int, Mapping[str, Any], Any]:
    """Status, headers and JSON body of one request to a view."""
    response = http.respond(operation, view, event(operation.method, "/any", **request))
    return response.status_code, response.headers, json.loads(response.body or "null")


def nothing(_: Request) -> Reply:
    """A view that is never refused."""
    return Reply({"ok": True})


def test_anyone_may_read_the_clock_with_milliseconds(api: ApiClient, fakes: FakeServices) -> None:
    fakes.now_ms += 250
    reply = api.request("GET", "/dataservices/v1/time")
    assert reply.status == 200
    assert reply.json()["data"] == {"time": "2026-01-01T00:00:00.25Z"}
    assert reply.headers["x-tidepool-trace-request"] == reply.json()["meta"]["trace"]["request"]


def test_status_version_and_info(api: ApiClient, fakes: FakeServices) -> None:
    assert api.request("GET", "/status").json()["data"]["Version"] == fakes.settings.version
    assert api.request("GET", "/version").json()["data"] == {"version": fakes.settings.version}
    assert api.request("GET", "/info").json()["versions"]["uploaderMinimum"] == "2.53.0"


def test_the_status_of_the_read_service_is_a_line_of_text(api: ApiClient) -> None:
    reply = api.request("GET", "/data/status")
    assert (reply.status, reply.headers["content-type"], reply.body) == (200, "text/plain; charset=utf-8", b"OK\n")


def test_trace_ids_are_echoed_and_truncated(api: ApiClient) -> None:
    reply = api.request("GET", "/v1/time", X_Tidepool_Trace_Request="r" * 70, X_Tidepool_Trace_Session="the-session")
    assert reply.json()["meta"]["trace"] == {"request": "r" * 64, "session": "the-session"}
    assert reply.headers["x-tidepool-trace-session"] == "the-session"


@pytest.mark.parametrize(
    ("method", "path", "status", "body"),
    [
        ("GET", "/v1/nothing", 404, {"Error": "Resource not found"}),
        ("GET", "/", 404, {"Error": "Resource not found"}),
        ("GET", "/v1/time/", 404, {"Error": "Resource not found"}),
        ("PATCH", "/v1/users/a1b2c3d4e5/data_sets", 405, {"Error": "Method not allowed"}),
        ("GET", "/v1/datasets/x", 405, {"Error": "Method not allowed"}),
        ("OPTIONS", "/v1/time", 405, {"Error": "Method not allowed"}),
        ("GET", "/metadata/a/b/c/d", 404, {"code": "ResourceNotFound", "message": "/metadata/a/b/c/d does not exist"}),
    ],
)
def test_unknown_paths_and_wrong_methods_get_the_reply_of_their_api(
    fakes: FakeServices, method: str, path: str, status: int, body: Any
) -> None:
    response = app(event(method, path), None)
    assert (response["statusCode"], json.loads(response["body"])) == (status, body)


def test_the_auth_api_replies_to_unknown_paths_with_text(fakes: FakeServices) -> None:
    response = app(event("GET", "/auth/nothing/at/all"), None)
    assert (response["statusCode"], response["body"]) == (404, "404 page not found\n")
    assert response["headers"]["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize(("origin", "echoed"), [("https://app.example.org", True), ("https://evil.example.org", False)])
def test_only_configured_origins_may_read_replies(fakes: FakeServices, origin: str, echoed: bool) -> None:
    preflight = app(event("OPTIONS", "/v1/time", {"Origin": [origin], "Access-Control-Request-Method": ["GET"]}), None)
    answer = answer_of(Operation("test", "GET", (), ANYONE), nothing, headers={"Origin": [origin]})[1]
    assert preflight["statusCode"] == 204
    for headers in (preflight["headers"], answer):
        assert headers.get("Access-Control-Allow-Origin") == (origin if echoed else None)
        assert ("X-Tidepool-Session-Token" in headers.get("Access-Control-Expose-Headers", "")) is echoed


@pytest.mark.parametrize(
    ("headers", "status", "body"),
    [
        ({}, 401, UNAUTHENTICATED),
        ({"X-Tidepool-Session-Token": ["unknown"]}, 401, UNAUTHENTICATED),
        ({"X-Tidepool-Session-Token": [""]}, 401, UNAUTHENTICATED),
        ({"Authorization": ["Basic abc"]}, 401, UNAUTHENTICATED),
        ({"Authorization": ["Bearer nope"]}, 401, UNAUTHENTICATED),
        ({"Authorization": ["Bearer"]}, 403, UNAUTHORIZED),
        ({"X-Tidepool-Service-Secret": ["wrong"]}, 403, UNAUTHORIZED),
        ({"X-Tidepool-Session-Token": ["a", "b"]}, 403, UNAUTHORIZED),
        ({"X-Tidepool-Service-Secret": [SERVER_SECRET]}, 200, {"ok": True}),
        ({"X-Tidepool-Server-Secret": [SERVER_SECRET]}, 200, {"ok": True}),
        ({"Authorization": ["Bearer nope"], "X-Tidepool-Session-Token": ["token-of-user"]}, 200, {"ok": True}),
        ({"Authorization": ["Bearer token-of-user"]}, 200, {"ok": True}),
        # As a bearer, a server's token stands for a user (errors 5); what is for servers refuses it, see test_tasks.
        ({"Authorization": ["Bearer token-of-server"]}, 200, {"ok": True}),
    ],
)
def test_credentials_decide_the_reply(
    fakes: FakeServices, headers: Mapping[str, list[str]], status: int, body: Any
) -> None:
    fakes.sign_in("user")
    fakes.sign_in("server", is_server=True)
    wiring.override(fakes.services)
    assert answer_of(Operation("test", "GET", (), SERVERS), nothing, headers=headers)[::2] == (status, body)


def test_an_expired_session_is_not_valid(fakes: FakeServices) -> None:
    token = fakes.sign_in("user")
    fakes.now_ms += 3_600_000
    wiring.override(fakes.services)
    sent = {"X-Tidepool-Session-Token": [token]}
    assert answer_of(Operation("test", "GET", (), SERVERS), nothing, headers=sent)[0] == 401


@pytest.mark.parametrize("form", [ErrorFormat.PLATFORM, ErrorFormat.PLATFORM_ENVELOPE, ErrorFormat.READ])
def test_a_defect_shows_only_the_trace_id_of_its_log_entry(
    fakes: FakeServices, form: ErrorFormat, log: io.StringIO
) -> None:
    def fails(_: Request) -> Reply:
        raise KeyError("a-health-value-of-somebody")

    status, headers, body = answer_of(Operation("test", "GET", (), ANYONE, form), fails)
    assert status == 500
    assert headers["X-Tidepool-Trace-Request"] in log.getvalue()
    assert "KeyError" in log.getvalue()
    assert "a-health-value-of-somebody" not in log.getvalue() + json.dumps(body)


def test_an_unavailable_store_gets_503_with_retry_after(fakes: FakeServices) -> None:
    def fails(_: Request) -> Reply:
        raise UnavailableError(retry_after_s=2)

    status, headers, body = answer_of(Operation("test", "GET", (), ANYONE), fails)
    assert (status, headers["Retry-After"], body["code"]) == (503, "2", "service-unavailable")


def test_a_body_above_the_limit_is_too_large(fakes: FakeServices) -> None:
    operation = Operation("test", "POST", (), ANYONE, limit_bytes=10)
    assert answer_of(operation, nothing, body="x" * 10)[0] == 200
    status, _, body = answer_of(operation, nothing, body="x" * 11)
    assert (status, body["code"]) == (413, "resource-too-large")


@pytest.mark.parametrize(
    ("sent", "encoding"),
    [
        ({"Accept": ["*/*"], "Accept-Encoding": ["gzip, deflate"]}, "gzip"),
        ({"Accept": ["*/*"], "Accept-Encoding": ["gzip;q=0"]}, None),
        ({"Accept": ["*/*"]}, None),
        ({"Accept-Encoding": ["gzip"]}, None),
    ],
)
def test_large_replies_are_compressed_for_clients_that_accept_gzip(
    fakes: FakeServices, sent: Mapping[str, list[str]], encoding: str | None
) -> None:
    def large(_: Request) -> Reply:
        return Reply(["x" * 100] * 100)

    response = http.respond(Operation("test", "GET", (), ANYONE), large, event("GET", "/any", sent))
    assert response.headers.get("Content-Encoding") == encoding
    assert response.to_dict(["*/*"]).get("isBase64Encoded", False) is (encoding == "gzip")


@pytest.mark.parametrize("encoding", [None, "gzip"])
def test_a_reply_that_is_too_large_for_lambda_is_stored(fakes: FakeServices, encoding: str | None) -> None:
    # Random text does not shrink, so that the compressed body is too large as well.
    text = json.dumps(secrets.token_hex(4_300_000)).encode()
    sent = {"Accept": ["*/*"], "Accept-Encoding": [encoding or "identity"]}

    response = http.respond(Operation("test", "GET", (), ANYONE), lambda _: Reply(text), event("GET", "/any", sent))

    stored = fakes.download(str(response.headers["Location"]))
    body = stored.body.read()
    assert (response.status_code, stored.content_encoding) == (303, encoding)
    assert "fetch it from the address in the header Location" in str(response.body)
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert "Content-Encoding" not in response.headers
    assert (gzip.decompress(body) if encoding else body) == text
    assert stored.media_type.startswith("application/json")


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
@pytest.mark.parametrize("form", list(ErrorFormat))
def test_a_refusal_is_never_redirected_and_is_cut_to_what_fits(
    fakes: FakeServices, form: ErrorFormat, encoding: str
) -> None:
    def refuses(_: Request) -> Reply:
        code = secrets.token_hex(2_000_000)
        raise InvalidFieldsError([FieldError(code, "t", "d", pointer) for pointer in ("/0", "/1", "/2", "/3")])

    sent = {"Accept": ["*/*"], "Accept-Encoding": [encoding]}
    for method in ("GET", "POST"):
        response = http.respond(Operation("test", method, (), ANYONE, form), refuses, event(method, "/any", sent))
        assert response.status_code in (400, 500)
        assert len(response.body) < 5_500_000
        text = response.body if isinstance(response.body, str) else gzip.decompress(response.body).decode()
        assert json.loads(text)
    assert fakes.object_keys() == []


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "body", [["x" * 100] * 100_000, {"text": "\n" * 6_000_000}, b"x" * 6_000_000, [["x"] * 6_000_000]]
)
def test_only_a_get_is_redirected(fakes: FakeServices, method: str, body: Any) -> None:
    operation = Operation("test", method, (), ANYONE)
    response = http.respond(operation, lambda _: Reply(body), event(method, "/any", {}))
    assert (response.status_code, fakes.object_keys()) == (200, [])
    assert 0 < len(response.body) < 3_000_000


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 429, 500, 503])
def test_a_reply_to_a_get_that_is_not_a_success_is_not_redirected(fakes: FakeServices, status: int) -> None:
    body = {"errors": [{"detail": "x" * 1000}] * 10_000}
    reply = Reply(body, status=status)
    response = http.respond(Operation("test", "GET", (), ANYONE), lambda _: reply, event("GET", "/any", {}))
    assert (response.status_code, fakes.object_keys()) == (status, [])
    assert json.loads(response.body) == {"errors": [{"detail": "x" * 1000}] * 100}


def test_a_reply_that_lambda_can_return_is_not_stored(fakes: FakeServices) -> None:
    text = b'"' + b"x" * 5_499_000 + b'"'
    response = http.respond(Operation("test", "GET", (), ANYONE), lambda _: Reply(text), event("GET", "/any", {}))
    assert (response.status_code, fakes.object_keys()) == (200, [])


def test_a_reply_that_cannot_be_stored_gets_an_error_in_the_format_of_its_api(
    fakes: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> str:
        raise UnavailableError

    monkeypatch.setattr(fakes.large_replies, "put", fails)
    text = b'"' + b"x" * 6_000_000 + b'"'
    response = http.respond(Operation("test", "GET", (), ANYONE), lambda _: Reply(text), event("GET", "/any", {}))
    assert (response.status_code, json.loads(response.body)["code"]) == (503, "service-unavailable")


BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.mark.parametrize("path", ["/favicon.ico", "/patients/0123456789/data", "/login", "/a//b", "/docs/x"])
def test_a_person_at_an_unknown_address_gets_a_page(api: ApiClient, path: str) -> None:
    reply = api.request("GET", path, **BROWSER)
    assert (reply.status, reply.headers["content-type"]) == (404, "text/html; charset=utf-8") or path == "/docs/x"
    assert (b"Nothing is here" in reply.body) == (path != "/docs/x")


def test_a_person_at_the_address_of_the_stage_gets_a_page(api: ApiClient) -> None:
    reply = api.request("GET", "/", **BROWSER)
    assert (reply.status, b"Strandline" in reply.body) == (200, True)
    assert api.request("GET", "/").status == 404


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/patients/x", {}),
        ("GET", "/patients/x", {"Accept": "application/json, text/html"}),
        ("GET", "/patients/x", {"Accept": "*/*"}),
        ("POST", "/patients/x", BROWSER),
        ("GET", "/v1/unknown", BROWSER),
        ("GET", "/auth/unknown/x", BROWSER),
        ("GET", "/data", BROWSER),
        ("GET", "/metadata/unknown", BROWSER),
        ("GET", "/realms/tidepool/account", BROWSER),
        ("PUT", "/realms/tidepool/protocol/openid-connect/token", BROWSER),
    ],
)
def test_an_api_never_answers_with_a_page(api: ApiClient, method: str, path: str, headers: dict[str, str]) -> None:
    reply = api.request(method, path, **headers)
    assert reply.status in (404, 405)
    assert "html" not in reply.headers["content-type"]


@pytest.mark.parametrize("operation", [row for row in OPERATIONS if row.policy is not ANYONE], ids=lambda row: row.name)
def test_no_cache_on_the_way_keeps_what_only_one_may_see(api: ApiClient, anna: str, operation: Operation) -> None:
    """Caches do not know session tokens: without a word, some would give the reply to the next one who asks."""
    names = {"userId": ANNA.user_id, "collection": "profile"}
    path = re.sub(r"{(\w+)}", lambda found: names.get(found[1], "x"), operation.paths[0])
    for token in (anna, None):
        reply = api.request(operation.method, path, token=token)
        assert reply.headers["cache-control"] in ("no-store", "private, no-cache")
