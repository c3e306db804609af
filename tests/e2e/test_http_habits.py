"""Tests the HTTP of clients: headers, spellings of paths, redirects, and refusals."""

import http.client
import json
import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.cases import case
from tests.e2e.client import TIMEOUT_S, Client, Reply, User
from tests.e2e.conftest import PAGE_ORIGIN

if TYPE_CHECKING:
    from tests.e2e.conftest import Platform

CONTINUOUS = {"dataSetType": "continuous"}


@pytest.fixture(scope="module")
def user(platform: "Platform") -> User:
    return User(platform.base_url)


@pytest.fixture(scope="module")
def data_set_id(user: User) -> str:
    return user.open_data_set(CONTINUOUS)


def _cbg(number: int, value: Any = 100) -> dict[str, Any]:
    time = f"2026-01-{1 + number // 288:02}T{number % 288 // 12:02}:{number % 12 * 5:02}:00Z"
    return {"type": "cbg", "time": time, "value": value, "units": "mg/dL", "origin": {"id": f"reading-{number}"}}


def _bare(base_url: str, request: str) -> Reply:
    """The answer to a request written by hand, head and all."""
    parts = urlsplit(base_url)
    with socket.create_connection((str(parts.hostname), parts.port), timeout=TIMEOUT_S) as connection:
        connection.sendall(request.replace("\n", "\r\n").encode())
        answer = b""
        while received := connection.recv(65536):
            answer += received
    head, _, body = answer.partition(b"\r\n\r\n")
    status_line, *lines = head.decode().splitlines()
    fields = (line.partition(":") for line in lines)
    return Reply(int(status_line.split()[1]), {name.lower(): value.strip() for name, _, value in fields}, body)


@pytest.mark.parametrize("encoding", ["", "Accept-Encoding: gzip\n"])
def test_a_client_that_sends_no_accept_gets_readable_json(
    platform: "Platform", user: User, data_set_id: str, encoding: str
) -> None:
    user.add(f"/v1/data_sets/{data_set_id}/data", [_cbg(number) for number in range(100)])
    headers = f"Host: localhost\n{encoding}X-Tidepool-Session-Token: {user.token}\n"
    reply = _bare(platform.base_url, f"GET /data/{user.id}?type=cbg HTTP/1.0\n{headers}\n")
    assert reply.status == 200
    assert encoding or "content-encoding" not in reply.headers
    assert len(reply.json()) == 100


def test_a_large_answer_is_gzip_for_those_who_take_it(user: User, data_set_id: str) -> None:
    user.add(f"/v1/data_sets/{data_set_id}/data", [_cbg(number) for number in range(100)])
    path = f"/data/{user.id}?type=cbg"
    packed, plain = user.request("GET", path, headers={"Accept-Encoding": "gzip"}), user.request("GET", path)
    assert (packed.headers["content-encoding"], packed.body[:2]) == ("gzip", b"\x1f\x8b")
    assert "content-encoding" not in plain.headers
    assert len(packed.body) < len(plain.body) / 4
    assert packed.json() == plain.json()


@pytest.fixture(scope="module")
def large(platform: "Platform") -> User:
    """A user whose readings take more than 8 MB."""
    user = User(platform.base_url)
    data_set_id = user.open_data_set(CONTINUOUS)
    for start in (0, 1000):
        readings = [_cbg(number) | {"payload": {"text": "x" * 4000}} for number in range(start, start + 1000)]
        user.add(f"/v1/data_sets/{data_set_id}/data", readings)
    return user


@pytest.mark.only_on("cloud", reason="a home server sends a reply of any size itself")
def test_an_answer_too_large_for_lambda_is_found_where_the_client_is_sent(large: User) -> None:
    path = f"/data/{large.id}?type=cbg"
    plain = large.request("GET", path)
    assert plain.status == 303
    assert b"fetch it from the address in the header Location" in plain.body
    parts = urlsplit(plain.headers["location"])
    elsewhere = Client(f"{parts.scheme}://{parts.netloc}").request("GET", f"{parts.path}?{parts.query}")
    assert (elsewhere.status, elsewhere.headers["content-type"]) == (200, "application/json")
    assert len(elsewhere.body) > 8_000_000
    packed = large.request("GET", path, headers={"Accept-Encoding": "gzip"})
    assert packed.status == 200
    assert packed.json() == elsewhere.json()


@pytest.mark.only_on("home", reason="a local cloud redirects, as Lambda has to")
def test_an_answer_of_any_size_is_sent_by_the_server_itself(large: User) -> None:
    path = f"/data/{large.id}?type=cbg"
    plain = large.request("GET", path)
    assert (plain.status, plain.headers["content-type"]) == (200, "application/json")
    assert len(plain.body) > 8_000_000
    assert len(plain.json()) == 2000
    packed = large.request("GET", path, headers={"Accept-Encoding": "gzip"})
    assert packed.status == 200
    assert packed.json() == plain.json()


def test_all_spellings_of_a_path_name_the_same_resource(platform: "Platform") -> None:
    user = User(platform.base_url)
    spellings = [(prefix, name) for prefix in ("/v1", "/dataservices/v1") for name in ("data_sets", "datasets")]
    opened = []
    for prefix, name in spellings:
        reply = user.request("POST", f"{prefix}/users/{user.id}/{name}", CONTINUOUS)
        assert reply.status == 201
        opened.append(reply.json()["data"]["id"])
    for number, (prefix, name) in enumerate(spellings):
        user.add(f"{prefix}/{name}/{opened[0]}/data", [_cbg(number)])
    assert len(user.records()) == len(spellings)
    for prefix in ("/v1", "/dataservices/v1"):
        listed = user.request("GET", f"{prefix}/users/{user.id}/data_sets").json()
        assert [data_set["id"] for data_set in listed] == opened[::-1]
    for data_set_id, (prefix, name) in zip(opened, spellings, strict=True):
        assert user.request("DELETE", f"{prefix}/{name}/{data_set_id}").status == 200
    assert user.records() == []


def test_unknown_path_is_404_in_the_words_of_its_api(platform: "Platform") -> None:
    nobody = Client(platform.base_url)
    reply = nobody.request("GET", "/v1/nothing")
    assert (reply.status, reply.json()) == (404, {"Error": "Resource not found"})
    assert nobody.request("GET", "/nothing/at/all").status == 404
    assert nobody.request("GET", "/").status == 404
    reply = nobody.request("GET", "/auth/nothing")
    assert (reply.status, reply.body) == (404, b"404 page not found\n")


def test_wrong_method_is_405(user: User) -> None:
    reply = user.request("PATCH", f"/v1/users/{user.id}/data_sets")
    assert (reply.status, reply.json()) == (405, {"Error": "Method not allowed"})


def test_a_page_of_another_origin_may_read_nothing_unless_it_is_configured(user: User) -> None:
    headers = {
        "Origin": "https://elsewhere.example.org",
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "x-tidepool-session-token",
    }
    preflight = user.request("OPTIONS", f"/data/{user.id}", headers=headers)
    assert preflight.status == 204
    assert "access-control-allow-origin" not in preflight.headers
    answer = user.request("GET", "/v1/time", headers={"Origin": "https://elsewhere.example.org"})
    assert answer.status == 200
    assert "access-control-allow-origin" not in answer.headers


def test_a_page_of_a_configured_origin_may_call(platform: "Platform", user: User) -> None:
    if platform.data_dir is None:
        pytest.skip("needs a platform that is configured for the pages of the tests")
    headers = {"Origin": PAGE_ORIGIN, "Access-Control-Request-Method": "POST"}
    preflight = user.request("OPTIONS", f"/v1/users/{user.id}/data_sets", headers=headers)
    assert (preflight.status, preflight.headers["access-control-allow-origin"]) == (204, PAGE_ORIGIN)
    assert "access-control-allow-credentials" not in preflight.headers
    answer = user.request("GET", f"/data/{user.id}", headers={"Origin": PAGE_ORIGIN})
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (200, PAGE_ORIGIN)


@pytest.mark.parametrize("token", [None, "", "nonsense"])
def test_a_missing_or_bad_token_is_401_before_any_other_check(
    platform: "Platform", user: User, token: str | None
) -> None:
    caller = Client(platform.base_url, token)
    for method, path in (("POST", "/v1/data_sets/nothing/data"), ("GET", f"/data/{user.id}?startDate=nonsense")):
        assert caller.request(method, path, b"{").status == 401


def test_another_users_data_is_403(platform: "Platform", user: User, data_set_id: str) -> None:
    stranger = User(platform.base_url)
    assert stranger.request("GET", f"/data/{user.id}").status == 403
    assert stranger.request("POST", f"/v1/data_sets/{data_set_id}/data", [_cbg(0)]).status == 403


def test_one_bad_record_among_a_thousand_refuses_them_all_and_names_every_fault(platform: "Platform") -> None:
    user = User(platform.base_url)
    data_set_id = user.open_data_set(CONTINUOUS)
    records = [_cbg(number) for number in range(1000)]
    records[417] |= {"value": 1001, "timezoneOffset": 99999}
    reply = user.request("POST", f"/v1/data_sets/{data_set_id}/data", records)
    assert reply.status == 400
    faults = {error["source"]["pointer"]: error["code"] for error in reply.json()["errors"]}
    assert faults == {"/417/value": "value-out-of-range", "/417/timezoneOffset": "value-out-of-range"}
    assert user.records() == []
    records[417] = _cbg(417)
    user.add(f"/v1/data_sets/{data_set_id}/data", records)
    assert len(user.records()) == 1000


def test_a_body_above_four_and_a_half_megabytes_is_413(platform: "Platform") -> None:
    user = User(platform.base_url)
    data_set_id = user.open_data_set(CONTINUOUS)
    path = f"/v1/data_sets/{data_set_id}/data"
    small = json.dumps([_cbg(0)]).encode()
    reply = user.request("POST", path, small + b" " * (4_500_001 - len(small)))
    assert reply.status == 413
    (error,) = reply.json()["errors"]
    assert (error["code"], error["status"]) == ("resource-too-large", "413")
    assert user.records() == []
    assert user.request("POST", path, small + b" " * (4_500_000 - len(small))).status == 200
    assert len(user.records()) == 1


def test_a_logged_out_token_is_refused_at_once(platform: "Platform") -> None:
    user = User(platform.base_url)
    assert user.request("POST", "/auth/logout").status == 200
    assert user.request("GET", f"/data/{user.id}").status == 401


@pytest.mark.parametrize("is_chunked", [False, True])
@pytest.mark.parametrize("is_split", [False, True])
def test_an_offer_to_upgrade_to_http_2_is_ignored_and_the_body_kept(
    user: User, is_split: bool, is_chunked: bool
) -> None:
    """The clients of Java and of Ktor make this offer with each first request over plain HTTP."""
    parts = urlsplit(user.base_url)
    content = b"0123456789"
    length = "Transfer-Encoding: chunked" if is_chunked else f"Content-Length: {len(content)}"
    head = (
        f"POST /v1/users/{user.id}/blobs HTTP/1.1\r\nHost: {parts.netloc}\r\nX-Tidepool-Session-Token: {user.token}\r\n"
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
        "HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\n"
        f"Content-Type: text/plain\r\n{length}\r\n\r\n"
    ).encode()
    body = b"a\r\n" + content + b"\r\n0\r\n\r\n" if is_chunked else content
    with socket.create_connection((str(parts.hostname), parts.port), timeout=TIMEOUT_S) as connection:
        for part in (head, body) if is_split else (head + body,):
            connection.sendall(part)
        reply = http.client.HTTPResponse(connection)
        reply.begin()
        created = json.loads(reply.read())
        assert (reply.status, created["size"], created["status"]) == (201, len(content), "available")
        connection.sendall(f"GET /v1/time HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
        second = http.client.HTTPResponse(connection)
        second.begin()
        assert second.status == 200


def test_the_offer_of_the_jdk_adds_its_record(user: User) -> None:
    parts = urlsplit(user.base_url)
    adding = user.open_data_set(CONTINUOUS)
    offer = case("h2c-offer.http").decode()
    for name, value in (("HOST", parts.netloc), ("TOKEN", str(user.token)), ("DATA_SET", adding)):
        offer = offer.replace(f"{{{name}}}", value)
    with socket.create_connection((str(parts.hostname), parts.port), timeout=TIMEOUT_S) as connection:
        connection.sendall(offer.encode())
        reply = http.client.HTTPResponse(connection)
        reply.begin()
        assert (reply.status, bool(reply.read())) == (200, True)
    assert [record["origin"]["id"] for record in user.records(f"?uploadId={adding}")] == ["h2c"]


@pytest.mark.parametrize(("status", "token", "body"), [(400, None, b"nonsense"), (401, "nonsense", b"[{}]" * 1000)])
def test_a_connection_is_used_on_after_a_refused_body(
    user: User, data_set_id: str, status: int, token: str | None, body: bytes
) -> None:
    parts = urlsplit(user.base_url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=TIMEOUT_S)
    headers = {"X-Tidepool-Session-Token": token or str(user.token)}
    connection.request("POST", f"/v1/data_sets/{data_set_id}/data", body, headers)
    refused = connection.getresponse()
    refused.read()
    assert refused.status == status
    connection.request("GET", "/auth/user", headers={"X-Tidepool-Session-Token": str(user.token)})
    account = connection.getresponse()
    assert (account.status, json.loads(account.read())["userid"]) == (200, user.id)
    connection.close()


def test_an_encoded_slash_separates_nothing(user: User) -> None:
    assert user.request("PUT", f"/metadata/{user.id}/profile", {"fullName": "Ada Lovelace"}).status == 200
    assert user.request("GET", f"/metadata/{user.id}/profile").status == 200
    assert user.request("GET", f"/metadata/{user.id}%2Fprofile").status == 404
