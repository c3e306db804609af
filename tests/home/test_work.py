"""The work of a home server beside requests: uploads are confirmed, events are counted, tasks run."""

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from chalicelib.jobs import TASK_TYPES
from chalicelib.tasks.ports import RunMessage
from strandline.home.launching import HomeServer, home_server
from strandline.home.opening import open_home
from strandline.home.work.task_process import TaskProcess
from tests.e2e.client import Client, User
from tests.e2e.test_blobs import content, open_upload, put

ECHO = "strandline.diagnostics.echo"
WITHIN_S = 60
HANGS = """
import threading
import strandline.home
from chalicelib.events import tasks
from strandline.home.work import task_process
tasks.carry_out = lambda *_: threading.Event().wait()
task_process.main()
"""
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HomeServer]:
    with home_server(tmp_path_factory.mktemp("home") / "data") as server:
        yield server


@pytest.fixture(scope="module")
def partner(server: HomeServer) -> Client:
    """A client with the token of a server."""
    headers = {"X-Tidepool-Server-Name": "test", "X-Tidepool-Server-Secret": server.server_secret}
    reply = Client(server.base_url).request("POST", "/auth/serverlogin", headers=headers)
    return Client(server.base_url, reply.headers["x-tidepool-session-token"])


def soon(found: Callable[[], Any]) -> Any:
    """The result of `found` as soon as it finds something."""
    last_s = time.monotonic() + WITHIN_S
    while not (value := found()):
        assert time.monotonic() < last_s
        time.sleep(0.1)
    return value


def test_a_direct_upload_becomes_a_blob(server: HomeServer) -> None:
    user, sent = User(server.base_url), content(6 * MIB)
    opened = open_upload(user, sent)
    assert opened.status == 201, opened.body
    upload, blob_id = opened.json()["upload"], opened.json()["id"]

    assert upload["url"].startswith(f"{server.base_url}/objects/")
    assert put(upload, sent).status == 200

    soon(lambda: user.request("GET", f"/v1/blobs/{blob_id}").json()["status"] == "available")
    read = user.request("GET", f"/v1/blobs/{blob_id}/content")
    assert read.status == 307
    assert _fetched(server, read.headers["location"]) == sent


def _fetched(server: HomeServer, url: str) -> bytes:
    assert url.startswith(server.base_url)
    return Client(server.base_url).request("GET", url.removeprefix(server.base_url)).body


def test_events_are_counted(server: HomeServer, partner: Client) -> None:
    user = User(server.base_url)
    for _ in range(3):
        assert user.request("GET", "/metrics/thisuser/home-event").status == 200
    today = datetime.now(UTC).date().isoformat()

    def counted() -> bool:
        reply = partner.request("GET", f"/v1/metrics/events?from={today}&to={today}&prefix=home-event")
        return [count["count"] for count in reply.json()] == [3]

    assert soon(counted)


def test_a_task_runs_in_a_process_of_its_own(server: HomeServer, partner: Client) -> None:
    task = partner.request("POST", "/v1/tasks", {"type": ECHO, "data": {"message": "hello"}}).json()

    def done() -> dict[str, Any]:
        found: dict[str, Any] = partner.request("GET", f"/v1/tasks/{task['id']}").json()
        return found if found["state"] == "completed" else {}

    assert soon(done)["data"]["echo"] == "hello"


def _alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{process_id}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.fixture
def tasks(tmp_path: Path) -> Iterator[TaskProcess]:
    """The process of tasks on a data folder."""
    with open_home(tmp_path / "data"):
        pass
    process = TaskProcess(tmp_path / "data", {"STRANDLINE_STAGE": "home"})
    yield process
    process.end()


def message(run_time_ms: int = 0) -> str:
    """A message for a task that is not there; it is dropped."""
    return json.dumps(asdict(RunMessage("a-task", ECHO, run_time_ms, 0, "a-slot")))


def _id(process: TaskProcess) -> int:
    assert process._process is not None
    return process._process.pid


def test_one_process_takes_one_message_after_another(tasks: TaskProcess) -> None:
    now_ms = time.time_ns() // 1_000_000
    assert tasks.run(message(now_ms))
    first = _id(tasks)
    assert tasks.run(message(now_ms))

    assert _id(tasks) == first


def test_a_message_that_fails_leaves_the_process_alive(tasks: TaskProcess) -> None:
    assert not tasks.run("no JSON")
    first = _id(tasks)
    assert tasks.run(json.dumps({"wake": ECHO}))

    assert _id(tasks) == first


def test_a_task_at_its_hard_limit_ends_its_process_alone(tasks: TaskProcess) -> None:
    long_ago_ms = time.time_ns() // 1_000_000 - int(TASK_TYPES[ECHO].hard_limit_s * 1000)
    tasks._code = ("-c", HANGS)

    assert not tasks.run(message(long_ago_ms))
    assert tasks._process is None
    assert tasks.run(json.dumps({"wake": ECHO}))


def test_a_process_that_died_is_replaced(tasks: TaskProcess) -> None:
    assert tasks.run(json.dumps({"wake": ECHO}))
    died = _id(tasks)
    os.kill(died, 9)

    assert not tasks.run(json.dumps({"wake": ECHO}))
    assert tasks.run(json.dumps({"wake": ECHO}))
    assert _id(tasks) != died


def test_the_process_ends_with_its_parent(tmp_path: Path) -> None:
    with home_server(tmp_path / "data") as server:
        headers = {"X-Tidepool-Server-Name": "test", "X-Tidepool-Server-Secret": server.server_secret}
        reply = Client(server.base_url).request("POST", "/auth/serverlogin", headers=headers)
        partner = Client(server.base_url, reply.headers["x-tidepool-session-token"])
        partner.request("POST", "/v1/tasks", {"type": ECHO})
        children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
        if not children.exists():
            pytest.skip("this system does not list the children of a process")
        found = soon(lambda: [*map(int, _children(server.process.pid))])
        server.process.kill()
        server.process.wait()

        assert soon(lambda: not any(map(_alive, found)))


def _children(process_id: int) -> list[str]:
    lists = Path(f"/proc/{process_id}/task").glob("*/children")
    return [child for file in lists for child in file.read_text().split()]
