"""`strandline test-server`: what it prints, and when it ends."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.e2e.client import Client
from tools.project import ROOT

END_TIMEOUT_S = 60


@contextmanager
def running(*arguments: str, stdin: int = subprocess.PIPE) -> Iterator[subprocess.Popen[str]]:
    """A process of the command, which is killed at the end of the block."""
    command = [sys.executable, "-m", "strandline.cli", "test-server", *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdin=stdin, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def addresses_of(process: subprocess.Popen[str]) -> dict[str, Any]:
    return dict(json.loads(line_of(process)))


def test_the_server_prints_one_line_of_json_when_it_serves() -> None:
    with running("--print-json") as process:
        addresses = addresses_of(process)
        assert addresses.keys() == {"url", "control_url", "token", "server_secret"}
        assert Client(addresses["url"]).request("GET", "/status").status == 200
        process.terminate()
        assert line_of(process) == ""


def test_the_server_prints_lines_for_people_otherwise() -> None:
    with running() as process:
        assert line_of(process).startswith("url: http://127.0.0.1:")
        assert line_of(process).startswith("control_url: http://127.0.0.1:")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_server_ends_at_a_signal(number: signal.Signals) -> None:
    with running() as process:
        line_of(process)
        process.send_signal(number)
        assert process.wait(END_TIMEOUT_S) == 0


def test_the_server_ends_when_its_input_is_closed() -> None:
    with running() as process:
        line_of(process)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(END_TIMEOUT_S) == 0


def test_the_server_goes_on_without_an_input() -> None:
    with running("--print-json", stdin=subprocess.DEVNULL) as process:
        url = addresses_of(process)["url"]
        assert [Client(url).request("GET", "/status").status for _ in range(3)] == [200] * 3
        process.terminate()
        assert process.wait(END_TIMEOUT_S) == 0


def test_pages_of_the_origins_that_are_named_may_call_it() -> None:
    with running("--print-json", "--cors-origin", "http://localhost:3000") as process:
        reply = Client(addresses_of(process)["url"]).request(
            "GET", "/status", headers={"Origin": "http://localhost:3000"}
        )
        assert reply.headers["access-control-allow-origin"] == "http://localhost:3000"
