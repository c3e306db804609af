"""The home server as a process: start, kill, stop, and the starts that it refuses."""

import signal
import socket
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from pathlib import Path
from threading import Event
from typing import Any

import orjson
import pytest

from strandline.home.launching import NotReadyError, home_server
from tests.e2e.client import Client, User, sample
from tools.project import ROOT

CONTINUOUS = {"dataSetType": "continuous"}
LOOP_DAY = ("loop/02_settings.json", "loop/03_glucose.json", "loop/04_doses.json", "loop/05_carbs.json")
MANY = 100_000


def reading(number: int) -> dict[str, Any]:
    """A reading of its own minute."""
    time_of_day = f"{number % 1440 // 60:02}:{number % 60:02}"
    return {
        "type": "cbg",
        "time": f"2026-01-{1 + number // 1440:02}T{time_of_day}:00Z",
        "value": 100,
        "units": "mg/dL",
        "origin": {"id": f"reading-{number}"},
    }


def refusal(folder: Path, *options: str) -> str:
    """The output of a server that does not start."""
    command = [sys.executable, "-m", "strandline.cli", "serve", "--data-dir", str(folder), "--port", "0", *options]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (1, "")
    return ended.stderr


def test_what_was_answered_is_there_after_a_kill(tmp_path: Path) -> None:
    with home_server(tmp_path / "data") as server:
        user = User(server.base_url)
        data_set_id = user.open_data_set(CONTINUOUS)
        user.add(f"/v1/data_sets/{data_set_id}/data", [reading(number) for number in range(100)])
        headers = {"Content-Type": "text/plain"}
        blob = user.request("POST", f"/v1/users/{user.id}/blobs", b"a blob", headers)
        assert blob.status == 201, blob.body
        server.process.kill()
        server.process.wait()

    with home_server(tmp_path / "data") as server:
        user.base_url = server.base_url
        assert len(user.records()) == 100
        assert user.request("GET", f"/v1/blobs/{blob.json()['id']}/content").body == b"a blob"


def test_a_stop_lets_requests_end_and_loses_no_answered_write(tmp_path: Path) -> None:
    begun = Event()

    with home_server(tmp_path / "data") as server:
        user = User(server.base_url)
        path = f"/v1/data_sets/{user.open_data_set(CONTINUOUS)}/data"

        def write(first: int) -> list[int]:
            answered = []
            for number in range(first, MANY, 4):
                try:
                    status = user.request("POST", path, [reading(number)]).status
                except (OSError, HTTPException):
                    break
                assert status == 200
                answered.append(number)
                if len(answered) == 10:
                    begun.set()
            return answered

        with ThreadPoolExecutor(4) as pool:
            written = [pool.submit(write, first) for first in range(4)]
            assert begun.wait(60)
            assert server.stop() == "stopped\n"
            numbers = {number for part in written for number in part.result()}
        assert server.process.returncode == 0

    with home_server(tmp_path / "data") as server:
        user.base_url = server.base_url
        stored = {int(record["origin"]["id"].removeprefix("reading-")) for record in user.records()}
        assert numbers <= stored
        assert len(numbers) > 10


def test_a_second_signal_ends_the_process_at_once(tmp_path: Path) -> None:
    with home_server(tmp_path / "data") as server:
        host, port = server.base_url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(b"POST /v1/users/x/data_sets HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n")
            time.sleep(0.2)
            server.process.send_signal(signal.SIGINT)
            with pytest.raises(subprocess.TimeoutExpired):  # it waits for the rest of the request
                server.process.wait(1)
            server.process.send_signal(signal.SIGINT)
            assert server.process.wait(2) == 1


def test_the_secret_of_servers_is_not_printed_but_where_it_is(tmp_path: Path) -> None:
    with home_server(tmp_path / "data") as server:
        place = next(line for line in server.printed if line.startswith("server secret: in "))
        headers = {"X-Tidepool-Server-Name": "test", "X-Tidepool-Server-Secret": server.server_secret}
        assert Client(server.base_url).request("POST", "/auth/serverlogin", headers=headers).status == 200

    assert orjson.loads(Path(place.removeprefix("server secret: in ")).read_bytes())["text"] == server.server_secret
    assert server.server_secret not in "".join(server.printed)


def test_requests_are_logged_in_the_folder_and_not_shown(tmp_path: Path) -> None:
    with home_server(tmp_path / "data") as server:
        User(server.base_url)
        assert server.stop() == "stopped\n"

    log = (tmp_path / "data" / "strandline.log").read_text()
    assert "users.create" in {orjson.loads(line).get("operation") for line in log.splitlines()}
    assert (tmp_path / "data" / "strandline.log").stat().st_mode & 0o077 == 0


def test_a_name_that_is_not_its_own_is_refused(tmp_path: Path) -> None:
    with home_server(tmp_path / "data") as server:
        client = Client(server.base_url)
        statuses = {
            name: client.request("GET", "/v1/time", headers={"Host": name}).status
            for name in ("evil.example.org:8000", "localhost:8000", "10.0.2.2:8000")
        }
    assert statuses == {"evil.example.org:8000": 421, "localhost:8000": 200, "10.0.2.2:8000": 200}


def test_a_verbose_server_shows_its_log(tmp_path: Path) -> None:
    with home_server(tmp_path / "data", options=["--verbose", "--log", str(tmp_path / "a.log")]) as server:
        User(server.base_url)
        shown = server.stop()

    assert "users.create" in shown
    assert "users.create" in (tmp_path / "a.log").read_text()


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    with home_server(tmp_path / "data") as server:
        assert refusal(tmp_path / "data") == (
            f"error: the folder {tmp_path}/data is in use by another process ({server.process.pid}).\n"
        )


def test_a_port_in_use_is_refused(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert refusal(tmp_path / "data", "--port", str(port)) == (
            f"error: the port {port} is in use by another program: choose another one, --port {port + 1}.\n"
        )
    assert not (tmp_path / "data").exists()


def test_a_newer_folder_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    with home_server(tmp_path / "data"):
        pass
    database = sqlite3.connect(tmp_path / "data" / "strandline.db")
    database.execute("PRAGMA user_version = 999")
    database.close()

    with pytest.raises(NotReadyError, match="was written by a newer version of Strandline"):
        home_server(tmp_path / "data").__enter__()

    database = sqlite3.connect(tmp_path / "data" / "strandline.db")
    assert database.execute("PRAGMA user_version").fetchone() == (999,)
    database.close()


def test_a_damaged_folder_is_refused(tmp_path: Path) -> None:
    with home_server(tmp_path / "data"):
        pass
    (tmp_path / "data" / "strandline.db").write_bytes(b"no database" * 1000)

    assert "cannot be used: file is not a database" in refusal(tmp_path / "data")


def test_a_day_of_loop_goes_in_and_comes_out(tmp_path: Path) -> None:
    with home_server(tmp_path / "data") as server:
        user = User(server.base_url)
        data_set_id = user.open_data_set(sample("loop/01_create_data_set.json"))
        sent = [record for file in LOOP_DAY for record in sample(file)]
        for file in LOOP_DAY:
            user.add(f"/v1/data_sets/{data_set_id}/data", sample(file))

        stored = {record["origin"]["id"]: record for record in user.records()}

    assert {record["origin"]["id"] for record in sent} == set(stored)
    for record in sent:
        assert record["type"] == stored[record["origin"]["id"]]["type"]
