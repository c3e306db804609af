"""Tests the test server in a process of its own, through the fixture that applications use."""

import base64
import hashlib
import http.client
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from strandline.cli.commands.stage import SECRET_VARIABLE
from strandline.cli.main import main
from strandline.testing.server import ServerLog, TestServerError, TidepoolServer, User, running_server
from tests.e2e.client import Client
from tools.project import ROOT


@pytest.fixture(scope="module")
def process() -> Iterator[TidepoolServer]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        with running_server() as server:
            yield server


@pytest.fixture
def server(process: TidepoolServer) -> TidepoolServer:
    process.reset()
    return process


def client_of(server: TidepoolServer, user: User | None = None) -> Client:
    return Client(server.url, None if user is None else user.token)


def data_set_of(client: Client, user: User) -> str:
    reply = client.request("POST", f"/v1/users/{user.id}/data_sets", {"dataSetType": "continuous"})
    return str(reply.json()["data"]["uploadId"])


LOG = b"a log of a device"
AVAILABLE_WITHIN_S = 60
ENDS_WITHIN_S = 60
READING = {"type": "cbg", "time": "2026-01-31T08:00:00Z", "value": 119, "units": "mg/dL", "origin": {"id": "1"}}


def test_a_created_user_sends_and_reads_data(server: TidepoolServer) -> None:
    user = server.create_user()
    client = client_of(server, user)
    added = client.request("POST", f"/v1/data_sets/{data_set_of(client, user)}/data", [READING])
    assert (added.status, added.json()["data"]) == (200, [])
    assert [record["value"] for record in client.request("GET", f"/data/{user.id}?type=cbg").json()] == [6.60539]


def test_the_command_line_prints_the_figures_to_who_knows_the_server_secret(
    server: TidepoolServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server.create_user()
    monkeypatch.setenv(SECRET_VARIABLE, server.server_secret)
    assert main(["stage", "--url", server.url]) == 0
    assert "users      1\n" in capsys.readouterr().out
    monkeypatch.setenv(SECRET_VARIABLE, "a wrong secret")
    assert main(["stage", "--url", server.url]) == 1
    assert capsys.readouterr().err.startswith("error: POST /auth/serverlogin failed with status 401")


def test_a_created_user_signs_in_by_password(server: TidepoolServer) -> None:
    user = server.create_user("ada@example.org", "lovelace-1815", ["clinic"])
    assert (user.email, user.password) == ("ada@example.org", "lovelace-1815")
    basic = base64.b64encode(b"ada@example.org:lovelace-1815").decode()
    reply = client_of(server).request("POST", "/auth/login", headers={"Authorization": f"Basic {basic}"})
    assert (reply.status, reply.json()["userid"], reply.json()["roles"]) == (200, user.id, ["clinic"])


def test_a_server_signs_in_with_the_secret(server: TidepoolServer) -> None:
    headers = {"X-Tidepool-Server-Name": "app", "X-Tidepool-Server-Secret": server.server_secret}
    assert client_of(server).request("POST", "/auth/serverlogin", headers=headers).status == 200


def test_a_reset_leaves_an_empty_store(server: TidepoolServer) -> None:
    user = server.create_user("ada@example.org")
    server.reset()
    assert client_of(server, user).request("GET", f"/data/{user.id}").status == 401
    server.create_user("ada@example.org")


def test_tokens_expire_when_the_clock_is_advanced(server: TidepoolServer) -> None:
    user = server.create_user()
    client = client_of(server, user)
    before_ms = server.clock.now_ms
    server.clock.advance(30 * 24 * 3600 - 60)
    assert client.request("GET", "/auth/user").status == 200
    server.clock.advance(60)
    assert client.request("GET", "/auth/user").status == 401
    assert server.clock.now_ms - before_ms >= 30 * 24 * 3600 * 1000


def test_requests_are_shown(server: TidepoolServer) -> None:
    user = server.create_user()
    client = client_of(server, user)
    client.request("POST", f"/v1/users/{user.id}/data_sets?a=b%20c", {"dataSetType": "continuous"})
    client.request("POST", "/nowhere", b"\xff")
    opened, unknown = server.requests
    assert (opened.method, opened.path, opened.query) == ("POST", f"/v1/users/{user.id}/data_sets", "a=b%20c")
    assert (opened.json(), opened.status) == ({"dataSetType": "continuous"}, 201)
    assert opened.headers["x-tidepool-session-token"] == user.token
    assert (unknown.body, unknown.status) == (b"\xff", 404)


def test_a_throttled_request_may_be_sent_again(server: TidepoolServer) -> None:
    server.fail_next("throttle")
    replies = [client_of(server).request("GET", "/v1/time") for _ in range(2)]
    assert [reply.status for reply in replies] == [429, 200]
    assert replies[0].headers["retry-after"] == "1"


def test_an_unavailable_server_answers_in_the_form_of_the_api(server: TidepoolServer) -> None:
    user = server.create_user()
    client = client_of(server, user)
    server.fail_next("unavailable", times=2)
    replies = [client.request("GET", f"/v1/users/{user.id}/data_sets") for _ in range(3)]
    assert [reply.status for reply in replies] == [503, 503, 200]
    assert "retry-after" in replies[0].headers
    assert replies[0].json()["code"] == "service-unavailable"


def test_a_dropped_request_has_no_reply_and_no_effect(server: TidepoolServer) -> None:
    user = server.create_user()
    client = client_of(server, user)
    server.fail_next("drop", method="POST")
    with pytest.raises(http.client.RemoteDisconnected):
        data_set_of(client, user)
    assert client.request("GET", f"/v1/users/{user.id}/data_sets").json() == []


def test_a_request_whose_reply_is_dropped_has_its_effect(server: TidepoolServer) -> None:
    user = server.create_user()
    client = client_of(server, user)
    server.fail_next("drop_reply", path="/v1/users/*/data_sets")
    assert client.request("GET", "/auth/user").status == 200
    with pytest.raises(http.client.RemoteDisconnected):
        data_set_of(client, user)
    assert len(client.request("GET", f"/v1/users/{user.id}/data_sets").json()) == 1
    assert [request.status for request in server.requests] == [200, None, 200]


def test_a_late_reply_comes_when_faults_are_cleared(server: TidepoolServer) -> None:
    server.fail_next("late", seconds=600)
    replies: list[int] = []
    asking = threading.Thread(target=lambda: replies.append(client_of(server).request("GET", "/v1/time").status))
    asking.start()
    while not server.requests:
        time.sleep(0.01)
    assert replies == []
    server.reset()
    asking.join()
    assert replies == [200]


def test_a_direct_upload_counts_soon_after_its_content_came(server: TidepoolServer) -> None:
    user = server.create_user()
    client = client_of(server, user)
    md5 = base64.b64encode(hashlib.md5(LOG, usedforsecurity=False).digest()).decode()
    headers = {"Digest": f"MD5={md5}", "Content-Type": "text/plain", "X-Upload-Size": str(len(LOG))}
    created = client.request("POST", f"/v1/users/{user.id}/blobs?upload=direct", b"", headers).json()
    upload = created["upload"]
    assert upload["url"].startswith(server.url)
    target = upload["url"].removeprefix(server.url)
    assert Client(server.url).request(upload["method"], target, LOG, upload["headers"]).status == 200
    deadline_s = time.monotonic() + AVAILABLE_WITHIN_S
    while client.request("GET", f"/v1/blobs/{created['id']}").json()["status"] != "available":
        assert time.monotonic() < deadline_s
    assert client.request("GET", f"/v1/blobs/{created['id']}/content").body == LOG


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda server: server.fail_next("fire"), "kind is one of"),
        (lambda server: server.clock.advance(-1), "above 0"),
        (lambda server: server.create_user("nobody"), "email is an address"),
    ],
)
def test_a_wrong_call_says_what_is_wrong(server: TidepoolServer, call: object, sentence: str) -> None:
    assert callable(call)
    with pytest.raises(TestServerError, match=sentence):
        call(server)


def test_a_taken_port_is_an_error_of_the_start(server: TidepoolServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    port = server.url.rpartition(":")[2]
    with pytest.raises(TestServerError, match=f"the port {port} is in use"), running_server(["--port", port]):
        pass


def test_a_server_that_has_ended_is_an_error_of_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with running_server() as server:
        assert client_of(server).request("GET", "/v1/time").status == 200
    with pytest.raises(TestServerError, match="does not answer"):
        server.reset()


def test_what_a_server_logs_is_shown_with_the_test(capsys: pytest.CaptureFixture[str]) -> None:
    command = [sys.executable, "-c", "import sys; sys.stderr.write('a defect\\n')"]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        assert ServerLog(process).end() == "a defect"
    assert capsys.readouterr().err == "a defect\n"


ENDED_AT_ONCE = """
import os
from strandline.testing.server import running_server
with running_server() as server:
    print(server.url, flush=True)
    input()
    os._exit(1)
"""


def serves(client: Client) -> bool:
    try:
        return client.request("GET", "/v1/time").status == 200
    except OSError:
        return False


def test_a_server_does_not_outlive_the_process_that_started_it() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", ENDED_AT_ONCE],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        client = Client(parent.stdout.readline().strip())
        assert serves(client)
    assert parent.returncode == 1
    deadline_s = time.monotonic() + ENDS_WITHIN_S
    while serves(client):
        assert time.monotonic() < deadline_s


TESTS = """
import sys
import urllib.request

import pytest

FIRST = set(sys.modules)

def test_nothing_is_imported_before_it_is_used():
    assert "strandline.testing" in FIRST
    assert not {name for name in FIRST if name.startswith(("chalicelib", "strandline.testing.", "strandline.home"))}

@pytest.mark.parametrize("_", range(2))
def test_each_test_finds_an_empty_server(tidepool_server, _):
    assert tidepool_server.requests == []
    tidepool_server.create_user("ada@example.org")
    urllib.request.urlopen(tidepool_server.url + "/v1/time").close()
"""


def test_the_plugin_gives_each_test_an_empty_server(tmp_path: Path) -> None:
    (tmp_path / "test_application.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "strandline.testing", "test_application.py"]
    environ = os.environ | {"PYTHONPATH": str(ROOT)}
    run = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    assert "3 passed" in run.stdout, run.stdout
