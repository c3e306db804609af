"""A recording: two people use a home server that `strace` watches, through a restart in the middle."""

import json
import lzma
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from http.client import HTTPConnection
from pathlib import Path
from threading import Thread
from typing import Any

from tools.power_loss.calls import TRACED, Call, calls_of
from tools.power_loss.people import Person, Reply, Send, Step
from tools.project import ROOT, ToolError

PEOPLE = ("anna", "ben")
START_S = 120
HEADER_BYTES = 8
LONGEST_DATA = 8 * 1024 * 1024
STRACE = ("strace", "-f", "-y", "-xx", "-s", str(LONGEST_DATA), "--signal=none", "-e", f"trace={TRACED}")


@dataclass(frozen=True, slots=True)
class Recording:
    """The calls in order, and by person what was sent and what it was given."""

    calls: list[Call]
    steps: Mapping[str, list[Step]]
    given: Mapping[str, Mapping[str, str]]
    ended_s: float
    """Time at which it ended, in seconds since the epoch."""

    def write(self, file: Path) -> None:
        """Write the recording to a file."""
        described = [{name: value for name, value in asdict(call).items() if name != "data"} for call in self.calls]
        for call, entry in zip(self.calls, described, strict=True):
            entry["size"] = len(call.data)
        steps = {name: [asdict(step) for step in steps] for name, steps in self.steps.items()}
        head = {"calls": described, "steps": steps, "given": self.given, "ended_s": self.ended_s}
        text = json.dumps(head, separators=(",", ":")).encode()
        data = b"".join(call.data for call in self.calls)
        file.write_bytes(lzma.compress(len(text).to_bytes(HEADER_BYTES, "big") + text + data, preset=9))


def read_recording(file: Path) -> Recording:
    """The recording of a file."""
    content = lzma.decompress(file.read_bytes())
    end = HEADER_BYTES + int.from_bytes(content[:HEADER_BYTES], "big")
    head = json.loads(content[HEADER_BYTES:end])
    calls = []
    for entry in head["calls"]:
        size = entry.pop("size")
        calls.append(Call(**entry, data=content[end : end + size]))
        end += size
    steps = {name: [Step(**step) for step in steps] for name, steps in head["steps"].items()}
    return Recording(calls, steps, head["given"], head["ended_s"])


def record(folder: Path, rounds: int) -> Recording:
    """Record two people who send requests at the same time, to a server that stops and starts in the middle.

    Args:
        folder: an empty folder, for the data folder and the recordings of `strace`.

    Raises:
        ToolError: there is no `strace` here, or it may not watch a process.
    """
    if shutil.which("strace") is None:
        raise ToolError("there is no strace here, which records the system calls: install it (Linux only).")
    data, now_s = folder / "data", time.time()
    people = [Person(name, _nothing, now_s) for name in PEOPLE]
    traces = []
    for life, numbers in enumerate((range(rounds // 2), range(rounds // 2, rounds))):
        traces.append(folder / f"trace-{life}")
        with _watched(data, traces[-1]) as send:
            _at_once(people, send, numbers, is_first=life == 0)
            if life == 0:
                _rebuild(send, data, people)
    lines = [line for trace in traces for line in trace.read_text().splitlines()]
    calls = calls_of(lines, data)
    if not any(call.name == "answer" for call in calls):
        raise ToolError("strace recorded no answer of the server: may it watch processes here?")
    steps = {person.name: person.steps for person in people}
    return Recording(calls, steps, {person.name: person.given for person in people}, time.time())


def _nothing(_method: str, _path: str, _body: bytes, _headers: Mapping[str, str]) -> Reply:
    raise RuntimeError("no server runs")


def _at_once(people: list[Person], send: Send, numbers: range, *, is_first: bool) -> None:
    """Let all people send their requests, each in a thread."""
    failed: list[BaseException] = []

    def use(person: Person) -> None:
        try:
            person.send = send
            if is_first:
                person.sign_up()
            for number in numbers:
                person.round(number)
            if not is_first:
                person.change_password()
        except BaseException as error:  # noqa: BLE001  raised again in the thread that waits
            failed.append(error)

    threads = [Thread(target=use, args=[person]) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


def _rebuild(send: Send, data: Path, people: list[Person]) -> None:
    """Have tiles made while nobody sends anything."""
    (file,) = (path for path in (data / "secrets").iterdir() if "server-secret" in path.name)
    secret = {"X-Tidepool-Server-Secret": json.loads(file.read_text())["text"]}
    for person in people:
        task = {"type": "strandline.data.rebuild", "data": {"userId": person.given["user"]}}
        status, _, body = send("POST", "/v1/tasks", json.dumps(task).encode(), secret)
        path, deadline = f"/v1/tasks/{json.loads(body)['id']}", time.monotonic() + START_S
        while json.loads(send("GET", path, b"", secret)[2]).get("state") != "completed":
            if time.monotonic() > deadline:
                raise ToolError(f"the tiles were not made: {status}")
            time.sleep(0.2)


@contextmanager
def _watched(data: Path, trace: Path) -> Iterator[Send]:
    """A home server whose system calls are written to a file."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    serve = [sys.executable, "-m", "strandline.cli", "serve", "--data-dir", str(data), "--port", str(port)]
    log = trace.with_name(f"{trace.name}.log")
    command = [*STRACE, "-o", str(trace), *serve, "--sign-up", "open", "--log", str(log)]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    try:
        _wait_for(port, server)
        yield _sender(port)
    finally:
        _stop(server)


def _stop(server: "subprocess.Popen[bytes]") -> None:
    """Stop the server as its owner does; `strace` ends with it."""
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children")
    for child in children.read_text().split() if children.exists() else []:
        with suppress(ProcessLookupError):
            os.kill(int(child), signal.SIGTERM)
    server.wait(timeout=START_S)


def _wait_for(port: int, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise ToolError(f"the server ended with {server.returncode}: may strace watch processes here?")
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise ToolError("the server does not start.")


def _sender(port: int) -> Send:
    def send(method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        connection = HTTPConnection("127.0.0.1", port, timeout=START_S)
        try:
            connection.request(method, path, body, dict(headers))
            reply = connection.getresponse()
            return reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read()
        finally:
            connection.close()

    return send


def summary(recording: Recording) -> dict[str, Any]:
    """The numbers of a recording."""
    counted: dict[str, Any] = {}
    for call in recording.calls:
        counted[call.name] = counted.get(call.name, 0) + 1
    return counted | {"bytes": sum(len(call.data) for call in recording.calls)}
