"""Tests the local cloud: its addresses, access to its services, and its stop."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.client import Client
from tests.e2e.conftest import Platform
from tests.infra.test_engine import missing_names
from tools.local_cloud.ports import bind_public, port_of
from tools.project import ROOT

COMMAND = [sys.executable, "-m", "tools.local_cloud"]


def _run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*COMMAND, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def data_dir(cloud: Platform) -> Path:
    if cloud.data_dir is None:
        pytest.skip("BASE_URL is not a local cloud of ours")
    return cloud.data_dir


def test_this_ministack_has_all_that_is_replaced(tmp_path: Path) -> None:
    assert missing_names(tmp_path) == ""


def test_unknown_paths_and_methods_reach_the_application(cloud: Platform) -> None:
    client = Client(cloud.base_url)
    for method, path, status in (
        ("GET", "/", 404),
        ("GET", "/nowhere/at/all", 404),
        ("GET", "/v1", 404),
        ("DELETE", "/v1/time", 405),
        ("HEAD", "/v1/time", 405),
    ):
        reply = client.request(method, path)
        assert (reply.status, b"Missing Authentication Token" in reply.body) == (status, False), (method, path)


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="the table of sockets is Linux's")
def test_the_local_cloud_listens_on_loopback_only(data_dir: Path, cloud: Platform) -> None:
    gateway = json.loads((data_dir / "ports.json").read_text())["gateway"]
    expected_ports = {gateway, int(cloud.base_url.rpartition(":")[2])}
    listening = set()
    for table in ("tcp", "tcp6"):
        for line in Path("/proc/net", table).read_text().splitlines()[1:]:
            address, state = line.split()[1], line.split()[3]
            host, _, port = address.partition(":")
            if state == "0A" and _belongs_to(line.split()[9], data_dir):
                listening.add((host, int(port, 16)))
    assert {port for _, port in listening} == expected_ports
    assert {host for host, _ in listening} == {f"{int.from_bytes(socket.inet_aton('127.0.0.1'), 'little'):08X}"}


def _belongs_to(inode: str, data_dir: Path) -> bool:
    """Whether a socket is held by a process whose command line names the data folder: the engine."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str(data_dir).encode() not in (process / "cmdline").read_bytes():
                continue
            if any(str(handle.readlink()) == f"socket:[{inode}]" for handle in (process / "fd").iterdir()):
                return True
        except OSError:
            continue
    return False


def test_only_signed_requests_reach_the_services(data_dir: Path, cloud: Platform) -> None:
    assert cloud.gateway_url is not None
    headers = {"X-Amz-Target": "DynamoDB_20120810.ListTables", "Content-Type": "application/x-amz-json-1.0"}
    assert Client(cloud.gateway_url).request("POST", "/", b"{}", headers).status in (400, 403)


def test_the_server_secret_is_in_the_data_folder_for_the_owner_only(data_dir: Path, cloud: Platform) -> None:
    file = data_dir / "server-secret"
    assert file.read_text().strip() == cloud.server_secret
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_second_one_in_the_same_folder_is_refused_in_one_sentence(data_dir: Path) -> None:
    result = _run("--port", "0", "--data-dir", str(data_dir))
    assert result.returncode == 1
    assert result.stderr.startswith(f"error: the data folder {data_dir} is in use by another local cloud (process ")
    assert result.stderr.count("\n") == 1


def test_a_taken_port_is_refused_in_one_sentence(cloud: Platform, data_dir: Path, tmp_path: Path) -> None:
    port = cloud.base_url.rpartition(":")[2]
    result = _run("--port", port, "--data-dir", str(tmp_path))
    assert result.returncode == 1
    assert result.stderr.startswith(f"error: port {port} is in use by another program")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("order", [signal.SIGTERM, signal.SIGINT])
def test_a_local_cloud_saves_at_its_stop_and_restarts_without_deploying(tmp_path: Path, order: signal.Signals) -> None:
    with bind_public(0) as free:
        port = port_of(free)
    first, again = (_run_until(order, port, tmp_path) for _ in range(2))
    assert any(line.startswith("deploying") for line in first)
    assert not any(line.startswith("deploying") for line in again)
    assert (tmp_path / "state" / "current" / "dynamodb.json").exists()
    assert not _all_of(tmp_path)


def _run_until(order: signal.Signals, port: int, data_dir: Path) -> list[str]:
    """Start a local cloud, ask it something and stop it; what it said until it was ready."""
    with _started("--port", str(port), "--data-dir", str(data_dir)) as process:
        lines = _lines_until_ready(process)
        assert lines[-1] == f"ready: http://127.0.0.1:{port}\n"
        assert Client(f"http://127.0.0.1:{port}").request("GET", "/v1/time").status == 200
        process.send_signal(order)
        assert (*process.communicate(timeout=60), process.returncode) == ("saved, stopped\n", "", 0)
    return lines


@pytest.mark.parametrize("killed", ["the launcher", "the engine"])
def test_no_process_remains_after_a_part_of_the_local_cloud_is_killed(tmp_path: Path, killed: str) -> None:
    with _started("--port", "0", "--data-dir", str(tmp_path)) as process:
        ready = _lines_until_ready(process)[-1]
        assert Client(ready.removeprefix("ready: ").strip()).request("GET", "/v1/time").status == 200
        engines = [path for path in _all_of(tmp_path) if b"local_cloud.engine" in path.read_bytes()]
        pid = process.pid if killed == "the launcher" else int(engines[0].parent.name)
        os.kill(pid, signal.SIGKILL)
        assert process.wait(30) == (-signal.SIGKILL if killed == "the launcher" else 1)
    deadline = time.monotonic() + 30
    while _all_of(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _all_of(tmp_path)


@contextmanager
def _started(*arguments: str) -> "Iterator[subprocess.Popen[str]]":
    """A local cloud that is killed at the end, unless it has ended."""
    with subprocess.Popen(
        [*COMMAND, *arguments], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _lines_until_ready(process: "subprocess.Popen[str]") -> list[str]:
    """The lines that a local cloud prints up to the one with its address."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("ready: "):
            break
    assert lines[-1].startswith("ready: "), lines
    return lines


def _all_of(folder: Path) -> list[Path]:
    """The processes whose command line names the folder: launcher, engine and functions."""
    return [path for path in Path("/proc").glob("[0-9]*/cmdline") if _mentions(path, folder)]


def _mentions(cmdline: Path, folder: Path) -> bool:
    try:
        return str(folder).encode() in cmdline.read_bytes()
    except OSError:
        return False
