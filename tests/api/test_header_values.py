"""Blanks and tabs around the values of headers, which are not part of them. Source: RFC 9110, 5.5; errors 6."""

import base64

import pytest

from tests.api.conftest import ApiClient
from tests.api.people import ANNA
from tests.fakes.services import SERVER_SECRET, FakeServices

AROUND = ["{0}", " {0}", "{0} ", "\t{0}", "{0}\t", " \t{0}\t "]
HELLO, HELLO_MD5 = b"hello world", "XrY7u+Ae7tCTyyK7j1rNww=="
OWNER = "aaaaaaaaaa"


@pytest.fixture(params=AROUND)
def around(request: pytest.FixtureRequest) -> str:
    """A format that puts blanks and tabs around a value."""
    return str(request.param)


def test_a_session_token_is_known(api: ApiClient, anna: str, around: str) -> None:
    for path in ("/auth/token", f"/data/{ANNA.user_id}", f"/v1/users/{ANNA.user_id}/data_sets"):
        assert api.request("GET", path, token=around.format(anna)).status == 200


def test_a_session_is_refreshed_and_ended(api: ApiClient, anna: str, around: str) -> None:
    refreshed = api.request("GET", "/auth/login", token=around.format(anna))
    assert refreshed.status == 200
    assert api.request("POST", "/auth/logout", token=around.format(anna)).status == 200
    assert api.request("GET", "/auth/token", token=refreshed.headers["x-tidepool-session-token"]).status == 401


def test_a_bearer_is_known(api: ApiClient, anna: str, around: str) -> None:
    path = f"/v1/users/{ANNA.user_id}/data_sets"
    for value in (around.format(f"Bearer {anna}"), f"Bearer  {anna}"):
        assert api.request("GET", path, authorization=value).status == 200


def test_a_password_is_known(api: ApiClient, anna: str, around: str) -> None:
    encoded = base64.b64encode(b"anna@example.org:password").decode()
    for value in (around.format(f"Basic {encoded}"), f"Basic  {encoded}"):
        assert api.request("POST", "/auth/login", authorization=value).status == 200


@pytest.mark.parametrize("name", ["X-Tidepool-Service-Secret", "X-Tidepool-Server-Secret"])
def test_the_secret_of_servers_is_known(api: ApiClient, around: str, name: str) -> None:
    headers = {name: around.format(SERVER_SECRET)}
    assert api.request("GET", "/v1/tasks", **headers).status == 200


def test_a_server_logs_in(api: ApiClient, around: str) -> None:
    headers = {
        "X-Tidepool-Server-Name": around.format("server"),
        "X-Tidepool-Server-Secret": around.format(SERVER_SECRET),
    }
    assert api.request("POST", "/auth/serverlogin", **headers).status == 200


def test_a_blob_and_a_device_log_are_described(api: ApiClient, fakes: FakeServices, around: str) -> None:
    token = fakes.sign_in(OWNER)
    sent = {
        "Digest": f"MD5={HELLO_MD5}",
        "Content-Type": "text/plain",
        "X-Upload-Size": "11",
        "X-Logs-Start-At-Time": "2026-01-01T00:00:00Z",
        "X-Logs-End-At-Time": "2026-01-01T01:00:00Z",
    }
    headers = {name: around.format(value) for name, value in sent.items()}
    for kind in ("blobs", "device_logs"):
        for query in ("", "?upload=direct"):
            reply = api.request("POST", f"/v1/users/{OWNER}/{kind}{query}", HELLO, token=token, **headers)
            assert reply.status == 201, reply.body
            assert (reply.json()["digestMD5"], reply.json()["mediaType"]) == (HELLO_MD5, "text/plain")


def test_preferences_tags_and_traces_are_read(api: ApiClient, fakes: FakeServices, around: str) -> None:
    token = fakes.sign_in(OWNER)
    body = {"dataSetType": "continuous"}
    opened = api.request("POST", f"/v1/users/{OWNER}/data_sets", body, token=token).json()["data"]["uploadId"]
    headers = {"Prefer": around.format("handling=lenient"), "X-Tidepool-Trace-Request": around.format("trace")}
    reply = api.request("POST", f"/v1/data_sets/{opened}/data", [{}], token=token, **headers)
    assert (reply.status, reply.headers["x-tidepool-trace-request"]) == (200, "trace")
    tag = api.request("GET", f"/data/{OWNER}", token=token).headers["etag"]
    headers = {"If-None-Match": around.format(tag)}
    assert api.request("GET", f"/data/{OWNER}", token=token, **headers).status == 304
