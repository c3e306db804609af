"""The commands beside a server that runs, each in a process of its own."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from strandline.home.launching import HomeServer, NotReadyError, home_server
from tests.e2e.client import Client, User
from tests.home.conftest import basic, readings
from tools.project import ROOT

CONTINUOUS = {"dataSetType": "continuous"}


def run(server: HomeServer, *arguments: str | Path) -> tuple[int, str]:
    """The exit code and the output of a command on the folder of a server."""
    command = [sys.executable, "-m", "strandline.cli", *map(str, arguments), "--data-dir", str(server.data_dir)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    return ended.returncode, ended.stdout + ended.stderr


def add_until(stop: Event, user: User, data_set_id: str) -> list[int]:
    """Add readings and blobs, one after another, and return the numbers of the readings that were answered."""
    added = []
    for number in range(1_000_000):
        if stop.is_set():
            break
        user.add(f"/v1/data_sets/{data_set_id}/data", readings(number, 1))
        added.append(number)
        reply = user.request("POST", f"/v1/users/{user.id}/blobs", b"%d" % number, {"Content-Type": "text/plain"})
        assert reply.status == 201
        if number % 2:
            assert user.request("DELETE", f"/v1/blobs/{reply.json()['id']}").status == 204
    return added


def test_all_commands_work_beside_a_server_under_load(tmp_path: Path) -> None:
    file = tmp_path / "a.tar"
    with home_server(tmp_path / "data") as server:
        users = [User(server.base_url) for _ in range(2)]
        data_sets = [user.open_data_set(CONTINUOUS) for user in users]
        users[0].add(f"/v1/data_sets/{data_sets[0]}/data", readings(1_000_000, 50))
        stop = Event()
        with ThreadPoolExecutor() as pool:
            loads = [pool.submit(add_until, stop, user, id_) for user, id_ in zip(users, data_sets, strict=True)]
            try:
                code, printed = run(server, "user", "add", "ben@example.org")
                assert code == 0, printed
                password = printed.partition("password: ")[2].split()[0]
                code, printed = run(server, "backup", file)
                assert code == 0, printed
                code, printed = run(server, "doctor")
                assert (code, printed.count("ok "), "error" in printed) == (0, 10, False), printed
                code, printed = run(server, "user", "list")
                assert (code, len(printed.splitlines())) == (0, 4)
                assert run(server, "restore", file)[0] == 1
            finally:
                stop.set()
            added = [load.result() for load in loads]
        ben = Client(server.base_url).request(
            "POST", "/auth/login", headers={"Authorization": basic("ben@example.org", password)}
        )
        assert ben.status == 200
        for user, numbers in zip(users, added, strict=True):
            assert len(user.records()) == len(numbers) + (50 if user is users[0] else 0)
        assert "stopped" in server.stop()

    restored = tmp_path / "restored"
    code, printed = run(HomeServer("", "", restored, server.process, ()), "restore", file)
    assert code == 0, printed
    with home_server(restored) as server:
        for user, numbers in zip(users, added, strict=True):
            user.base_url = server.base_url
            times = {record["time"][:19] for record in user.records()}
            before = {record["time"][:19] for record in readings(1_000_000, 50) if user is users[0]}
            meanwhile = {record["time"][:19] for record in readings(0, len(numbers))}
            assert before <= times <= before | meanwhile
            blobs = [blob["id"] for blob in user.request("GET", f"/v1/users/{user.id}/blobs").json()]
            # A deletion removes the content first. One that was under way at the moment of the backup can be repeated.
            cut_off = [id_ for id_ in blobs if user.request("GET", f"/v1/blobs/{id_}/content").status != 200]
            assert len(cut_off) <= 1
            assert all(user.request("DELETE", f"/v1/blobs/{id_}").status == 204 for id_ in cut_off)
        assert run(server, "doctor")[0] == 0


def test_a_server_does_not_start_while_a_folder_is_restored_or_half_restored(tmp_path: Path) -> None:
    with home_server(tmp_path / "data") as server:
        User(server.base_url)
        assert run(server, "backup", tmp_path / "a.tar")[0] == 0
    half = tmp_path / "half"
    code = (
        "import pathlib, sys\n"
        "from strandline.cli.progress import Progress\n"
        "from strandline.home import restoring\n"
        "def wait(*_):\n"
        "    print('extracted', flush=True)\n"
        "    sys.stdin.read()\n"
        "restoring._verify = wait\n"
        "restoring.restore(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), Progress)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "a.tar"), str(half)]
    with subprocess.Popen(command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "extracted\n"
        with pytest.raises(NotReadyError, match="in use by another process"), home_server(half):
            pass
        process.kill()
    with pytest.raises(NotReadyError, match=r"no strandline\.db"), home_server(half):
        pass
