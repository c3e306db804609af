"""HTTP of the home server: what API Gateway does on AWS, it does here."""

import gzip
import json
import secrets
import socket
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any

import pytest

from app import app
from strandline.home.http import gateway
from tests.e2e.client import User
from tests.home.serving import PAGE, Served, served

CLOSE = "Host: x\nConnection: close\n"


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with served() as server:
        yield server


@pytest.fixture(scope="module")
def user(server: Served) -> User:
    return User(server.base_url)


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The events that the application gets."""
    seen: list[dict[str, Any]] = []

    def note(event: dict[str, Any], context: None) -> Any:
        seen.append({**event, "headers": dict(event["headers"])})
        return app(event, context)

    monkeypatch.setattr(gateway, "app", note)
    return seen


def test_the_path_and_its_parameters_stay_as_they_were_sent(server: Served, events: list[dict[str, Any]]) -> None:
    server.bare(f"GET /v1/users/a%2Fb%20c/data_sets HTTP/1.1\n{CLOSE}\n")

    (event,) = events
    assert event["path"] == event["requestContext"]["path"] == "/v1/users/a%2Fb%20c/data_sets"
    assert event["pathParameters"] == {"userId": "a%2Fb%20c"}
    assert event["requestContext"]["resourcePath"] == "/v1/users/{userId}/data_sets"


@pytest.mark.parametrize("target", ["/v1/time", "/v1/time/", "http://elsewhere.example.org/v1/time"])
def test_a_slash_at_the_end_and_a_host_in_the_target_make_no_difference(server: Served, target: str) -> None:
    assert server.bare(f"GET {target} HTTP/1.1\n{CLOSE}\n").status == 200


@pytest.mark.parametrize("target", ["//v1/time", "/v1//time", "*", "/v1/time/nothing"])
def test_other_spellings_are_other_resources(server: Served, target: str) -> None:
    assert server.bare(f"GET {target} HTTP/1.1\n{CLOSE}\n").status == 404


def test_a_broken_percent_in_a_query_is_the_text_that_was_sent(server: Served, events: list[dict[str, Any]]) -> None:
    reply = server.bare(f"GET /v1/time?a=100%&b=%zz&c=%4&d=%41%&e=%E9 HTTP/1.1\n{CLOSE}\n")

    (event,) = events
    expected = {"a": ["100%"], "b": ["%zz"], "c": ["%4"], "d": ["A%"], "e": ["\N{REPLACEMENT CHARACTER}"]}
    assert (reply.status, event["multiValueQueryStringParameters"]) == (200, expected)


def test_repeated_headers_and_parameters_are_kept(server: Served, events: list[dict[str, Any]]) -> None:
    server.bare(f"GET /v1/time?type=a&type=b%2Bc&empty&x=1+2 HTTP/1.1\n{CLOSE}X-A: 1\nx-a: 2\nX-B: 3, 4\n\n")

    (event,) = events
    assert event["multiValueHeaders"]["X-A"] == ["1", "2"]
    assert (event["headers"]["X-A"], event["multiValueHeaders"]["X-B"]) == ("2", ["3, 4"])
    assert event["multiValueQueryStringParameters"] == {"type": ["a", "b+c"], "empty": [""], "x": ["1 2"]}


def test_head_has_the_headers_of_the_reply_and_no_body(server: Served) -> None:
    reply = server.bare(f"HEAD /v1/nothing HTTP/1.1\n{CLOSE}\n")

    assert (reply.status, reply.body) == (404, b"")
    assert int(reply.headers["content-length"]) > 0


def test_a_page_may_ask_before_it_calls(server: Served) -> None:
    asked = f"Origin: {PAGE}\nAccess-Control-Request-Method: GET\n"
    reply = server.bare(f"OPTIONS /v1/time HTTP/1.1\n{CLOSE}{asked}\n")

    assert (reply.status, reply.headers["access-control-allow-origin"], reply.body) == (204, PAGE, b"")


def test_an_offer_of_http_2_is_ignored(server: Served) -> None:
    offer = "Connection: Upgrade, HTTP2-Settings\nUpgrade: h2c\nHTTP2-Settings: AAMAAABkAAQAAP__\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(f"GET /v1/time HTTP/1.1\nHost: x\n{offer}\n".replace("\n", "\r\n").encode())
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_the_name_that_a_client_calls_the_server_by_is_not_believed(server: Served) -> None:
    names = "Host: evil.example.org\nX-Forwarded-Host: evil.example.org\nForwarded: host=evil.example.org\n"
    for path in ("/info", "/realms/tidepool/.well-known/openid-configuration"):
        reply = server.bare(f"GET {path} HTTP/1.1\n{names}Connection: close\n\n")
        assert (reply.status, b"evil" in reply.body, server.base_url.encode() in reply.body) == (200, False, True)


def test_a_connection_serves_several_requests(server: Served) -> None:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=20)
    sockets = set()
    for _ in range(3):
        connection.request("GET", "/v1/time")
        sockets.add(connection.sock)
        response = connection.getresponse()
        assert (response.status, len(response.read())) == (200, int(response.headers["Content-Length"]))
    connection.close()

    assert len(sockets) == 1


def test_a_body_in_chunks_is_taken(server: Served, user: User) -> None:
    body = b"1a\r\n" + b'{"dataSetType":"continuous' + b"\r\n2\r\n" + b'"}' + b"\r\n0\r\n\r\n"
    headers = f"{CLOSE}X-Tidepool-Session-Token: {user.token}\nTransfer-Encoding: chunked\n"
    reply = server.bare(f"POST /v1/users/{user.id}/data_sets HTTP/1.1\n{headers}\n", body)

    assert reply.status == 201, reply.body


@pytest.mark.parametrize(
    ("head", "status", "code"),
    [
        (f"POST /v1/users/x/data_sets HTTP/1.1\n{CLOSE}Content-Length: 10485761\n", 413, "resource-too-large"),
        (f"PUT /objects/x HTTP/1.1\n{CLOSE}Content-Length: 104923137\n", 413, "resource-too-large"),
        (f"GET /v1/time HTTP/1.1\n{CLOSE}X: {'x' * 200_000}\n", 431, "refused-by-gateway"),
        ("GET /v1/time HTTP/1.1\nno header\n", 400, "refused-by-gateway"),
        (f"POST /v1/time HTTP/1.1\n{CLOSE}Transfer-Encoding: gzip\n", 501, "refused-by-gateway"),
    ],
)
def test_what_the_api_is_not_to_see_is_refused_as_json(server: Served, head: str, status: int, code: str) -> None:
    reply = server.bare(f"{head}\n")

    assert (reply.status, reply.json()["code"]) == (status, code)
    assert "server" not in reply.headers


def test_a_client_that_sends_all_of_a_body_that_is_too_large_gets_the_refusal(server: Served) -> None:
    reply = server.bare(f"POST /v1/time HTTP/1.1\n{CLOSE}Content-Length: 12000000\n\n", bytes(12_000_000))

    assert (reply.status, reply.json()["code"]) == (413, "resource-too-large")


def test_a_body_above_the_limit_of_an_operation_is_refused_by_the_api(server: Served, user: User) -> None:
    data_set_id = user.open_data_set({"dataSetType": "continuous"})
    reply = user.request("POST", f"/v1/data_sets/{data_set_id}/data", b"[" + b" " * 4_500_000)

    assert (reply.status, reply.json()["errors"][0]["code"]) == (413, "resource-too-large")


def test_a_reply_that_lambda_could_not_return_is_sent_whole(server: Served) -> None:
    user = User(server.base_url)
    data_set_id = user.open_data_set({"dataSetType": "continuous"})
    for part in range(2):
        texts = [secrets.token_hex(2_000) for _ in range(900)]
        records = [
            {
                "type": "cbg",
                "time": f"2026-01-{1 + part:02}T{number // 60:02}:{number % 60:02}:00Z",
                "value": 100,
                "units": "mg/dL",
                "payload": {"text": text},
            }
            for number, text in enumerate(texts)
        ]
        user.add(f"/v1/data_sets/{data_set_id}/data", records)

    plain = user.request("GET", f"/data/{user.id}?type=cbg")
    packed = user.request("GET", f"/data/{user.id}?type=cbg", headers={"Accept-Encoding": "gzip"})

    assert (plain.status, packed.status) == (200, 200)
    assert len(plain.body) == int(plain.headers["content-length"]) > 6_291_456
    assert gzip.decompress(packed.body) == plain.body
    assert len(json.loads(plain.body)) == 1800


def test_a_binary_reply_is_sent_as_it_is_stored(user: User) -> None:
    content = bytes(range(256)) * 10
    blob = user.request("POST", f"/v1/users/{user.id}/blobs", content, {"Content-Type": "application/octet-stream"})
    assert blob.status == 201, blob.body

    assert user.request("GET", f"/v1/blobs/{blob.json()['id']}/content").body == content


def test_a_defect_is_answered_without_its_cause(server: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_event: Any, _context: None) -> None:
        raise ValueError("a-value-of-somebody")

    monkeypatch.setattr(gateway, "app", fail)
    reply = server.bare(f"GET /v1/time HTTP/1.1\n{CLOSE}\n")

    assert (reply.status, reply.json()["code"]) == (500, "internal-server-failure")
    assert b"somebody" not in reply.body


def test_the_caller_is_the_one_that_a_trusted_proxy_names(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def note(event: dict[str, Any], context: None) -> Any:
        seen.append(event["requestContext"]["identity"]["sourceIp"])
        return app(event, context)

    request = f"GET /v1/time HTTP/1.1\n{CLOSE}X-Forwarded-For: 203.0.113.9, 198.51.100.7\n\n"
    for proxies in ((), ("127.0.0.1",)):
        with served(proxies) as server, monkeypatch.context() as patch:
            patch.setattr(gateway, "app", note)
            assert server.bare(request).status == 200

    assert seen == ["127.0.0.1", "198.51.100.7"]
