"""Paths of the Nightscout API, which have no resource of the gateway. Source: nightscout-api 3 and 17."""

from typing import Any

import pytest

from app import app
from chalicelib.api.operations.table import OPERATIONS
from tests.api.conftest import ApiClient
from tests.fakes.services import FakeServices

NOT_FOUND = {"status": 404, "message": "Not Found"}


def event(method: str, path: str) -> dict[str, Any]:
    """An event of the gateway."""
    return {
        "requestContext": {"httpMethod": method, "resourcePath": "/{proxy+}"},
        "path": path,
        "headers": {"Accept": "*/*"},
    }


def test_paths_of_nightscout_are_no_routes_of_chalice() -> None:
    paths = {path for operation in OPERATIONS if not operation.has_resource for path in operation.paths}
    assert {"/api/v1/verifyauth", "/api/v2/verifyauth"} <= paths
    assert paths & app.routes.keys() == set()


@pytest.mark.parametrize("path", ["/api/v1/verifyauth", "/api/v1/verifyauth/", "/api/v2/verifyauth.json"])
def test_a_path_may_end_with_an_extension_or_a_slash(api: ApiClient, path: str) -> None:
    assert api.request("GET", path).status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/verifyAuth",
        "/API/V1/VERIFYAUTH.json",
        "/api/v1//verifyauth",
        "/api/v2//verifyauth/",
        "/api/v1/%76erifyauth",
    ],
)
def test_neither_case_nor_a_second_slash_after_the_version_makes_a_difference(api: ApiClient, path: str) -> None:
    assert api.request("GET", path).status == 200


@pytest.mark.parametrize(
    "path", ["//api/v1/verifyauth", "/api//v1/verifyauth", "/api/v1///verifyauth", "/api/v1//", "/api/v1//x"]
)
def test_other_slashes_do(api: ApiClient, path: str) -> None:
    assert api.request("GET", path).status == 404


@pytest.mark.parametrize("path", ["/api/v3/lastModified", "/api/v3/lastmodified"])
def test_a_path_that_is_spelled_with_a_capital_is_found_in_any_case(api: ApiClient, path: str) -> None:
    assert api.request("GET", path).status == 401


def test_what_a_path_names_keeps_its_case(api: ApiClient, pump: dict[str, Any]) -> None:
    for token, status in ((pump["token"], 200), (pump["token"].upper(), 401)):
        assert api.request("GET", f"/API/V2/Authorization/Request/{token}").status == status


def test_head_is_get_without_a_body(api: ApiClient) -> None:
    got, head = (app(event(method, "/api/v1/verifyauth"), None) for method in ("GET", "HEAD"))
    assert (head["statusCode"], head["body"]) == (200, "")
    assert head["headers"]["Content-Type"] == got["headers"]["Content-Type"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api"),
        ("GET", "/api/v1/unknown.json"),
        ("GET", "/api/v2/authorization/request/"),
        ("PUT", "/api/v1/verifyauth"),
        ("GET", "/socket.io/"),
        ("POST", "/socket.io/"),
        ("GET", "/pebble/x"),
        ("GET", "/api/v2/ddata"),
        ("GET", "/api/v2/ddata/at/1700000000000"),
        ("GET", "/api/v1/slice/entries/dateString/sgv/2024"),
        ("GET", "/api/v1/echo/entries/sgv.json"),
        ("GET", "/api/v1/times/2014-07/.*T00:.json"),
        ("GET", "/api/v1/slice/entries/dateString/sgv/2014-07.json"),
        ("GET", "/api/v1/count/entries/where.json"),
        ("GET", "/api/v1/status.svg"),
        ("GET", "/api/v1/status.png"),
    ],
)
def test_unknown_paths_and_methods_are_refused_at_once(api: ApiClient, method: str, path: str) -> None:
    reply = api.request(method, path)
    assert (reply.status, reply.json()) == (404, NOT_FOUND)
    assert reply.headers["content-type"] == "application/json; charset=utf-8"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v2/authorization/subjects"),
        ("POST", "/api/v2/authorization/subjects"),
        ("DELETE", "/api/v2/authorization/subjects/695e0f80aabbccddeeff0011"),
        ("GET", "/api/v2/authorization/roles.json"),
        ("GET", "/api/v2/authorization/permissions"),
    ],
)
def test_nobody_manages_who_may_do_what(api: ApiClient, method: str, path: str) -> None:
    reply = api.request(method, path)
    refusal = {"status": 401, "message": "Unauthorized", "description": "Invalid/Missing"}
    assert (reply.status, reply.json()) == (401, refusal)


def test_remote_commands_are_not_implemented(api: ApiClient) -> None:
    reply = api.request("POST", "/api/v2/notifications/loop", {"eventType": "Remote Bolus Entry"})
    assert (reply.status, reply.json()) == (501, {"status": 501, "message": "Not Implemented"})


@pytest.mark.parametrize(
    ("origin", "is_named"), [("https://app.example.org", True), ("https://follower.example", False)]
)
@pytest.mark.parametrize("path", ["/api/v1/entries.json", "/api/v3/entries"])
def test_pages_of_origins_that_the_stage_names_may_call(
    fakes: FakeServices, path: str, origin: str, is_named: bool
) -> None:
    asked = {"Origin": [origin], "Access-Control-Request-Method": ["GET"]}
    preflight, refused = (
        app({**event(method, path), "multiValueHeaders": headers}, None)
        for method, headers in (("OPTIONS", asked), ("GET", {"Origin": [origin]}))
    )
    assert (preflight["statusCode"], refused["statusCode"]) == (204, 401)
    for reply in (preflight, refused):
        assert reply["headers"].get("Access-Control-Allow-Origin") == (origin if is_named else None)
