"""A test server in a child process, and what a test does with it."""

import base64
import contextlib
import json
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 10
LOG_LINES = 50
CALL_TIMEOUT_S = 120
"""Longest time of a call of the control port: setting the clock forward carries out what falls due."""


class TestServerError(Exception):
    """The test server did not start, ended, or refused a call."""

    __test__ = False


@dataclass(frozen=True, slots=True)
class User:
    """A user who is signed in."""

    id: str
    email: str
    password: str
    token: str
    """Of a session: the header `X-Tidepool-Session-Token`."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request that came in."""

    method: str
    path: str
    """As it was sent, still encoded, without the query."""
    query: str
    headers: Mapping[str, str]
    """By their names in lower case; the values of a repeated header are joined by a comma."""
    body: bytes
    status: int | None
    """That of the reply; None if there is none yet, or the connection was dropped."""

    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


class Clock:
    """The clock of the server, which runs as the machine's does, ahead of it by what it was advanced."""

    def __init__(self, control: "_Control") -> None:
        self._control = control

    @property
    def now_ms(self) -> int:
        """Its time, in milliseconds since the epoch."""
        return int(self._control.call("GET", "/clock")["now_ms"])

    def advance(self, seconds: float) -> None:
        """Set it forward. Tokens expire, and tasks that fall due are carried out before this returns."""
        self._control.call("POST", "/clock", {"advance_s": seconds})


class TidepoolServer:
    """A server of the Tidepool API, on this machine and in memory."""

    def __init__(self, started: Mapping[str, Any]) -> None:
        """
        Args:
            started: what `strandline test-server --print-json` prints.
        """
        self.url: str = started["url"]
        """The address of the API, without a slash at its end."""
        self.server_secret: str = started["server_secret"]
        """The secret with which servers sign in: the header `X-Tidepool-Server-Secret` of `POST /auth/serverlogin`."""
        self._control = _Control(started["control_url"], started["token"])
        self.clock = Clock(self._control)

    def create_user(
        self, email: str | None = None, password: str | None = None, roles: Sequence[str] | None = None
    ) -> User:
        """Create a user, and sign them in.

        Args:
            email: made up if it is not given, and so is the password.
            roles: such as `clinic`; a patient if they are not given.

        Raises:
            TestServerError: the server refuses one of them, or a user has this address.
        """
        details = {"email": email, "password": password, "roles": None if roles is None else list(roles)}
        given = {name: value for name, value in details.items() if value is not None}
        return User(**self._control.call("POST", "/users", given))

    def fail_next(
        self,
        kind: str,
        *,
        times: int = 1,
        method: str | None = None,
        path: str | None = None,
        seconds: float | None = None,
    ) -> None:
        """Let the next requests fail. Faults are met in the order in which they were asked for, one by each request.

        Args:
            kind: `throttle` (429) or `unavailable` (503), both with `Retry-After`; `drop`: the connection is closed and
                nothing is carried out; `drop_reply`: it is closed after the request was carried out; `late`: the
                request is carried out and the reply is delayed.
            times: how many requests.
            method: of these requests; any if it is not given.
            path: of these requests, in which `*` stands for any text; any if it is not given.
            seconds: the delay of a late reply.

        Raises:
            TestServerError: one of them is wrong.
        """
        fault = {"kind": kind, "times": times, "method": method, "path": path, "delay_s": seconds}
        self._control.call("POST", "/faults", {name: value for name, value in fault.items() if value is not None})

    @property
    def requests(self) -> list[Request]:
        """The requests that came in since the last reset, oldest first; those that met a fault, too."""
        shown = self._control.call("GET", "/requests")["requests"]
        return [_request(request) for request in shown]

    def reset(self) -> None:
        """Remove all users and data, forget faults and requests, and set the clock to the machine's time.

        Raises:
            TestServerError: a request is still under way after 10 s.
        """
        self._control.call("POST", "/reset")


@contextlib.contextmanager
def running_server(arguments: Sequence[str] = ()) -> Iterator[TidepoolServer]:
    """A test server in a process of its own, until the block ends.

    Args:
        arguments: more arguments of `strandline test-server`.

    Raises:
        TestServerError: it does not start.
    """
    command = [sys.executable, "-P", "-m", "strandline.cli", "test-server", "--port", "0", "--print-json", *arguments]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # noqa: S603  this Python, with these arguments
    log = ServerLog(process)
    try:
        yield TidepoolServer(_started(process, log))
    finally:
        _stop(process)
        log.end()


class ServerLog:
    """The warnings and errors of a server: shown on the standard error of the tests, as they come."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._lines: deque[str] = deque(maxlen=LOG_LINES)
        self._stream = process.stderr
        self._thread = threading.Thread(target=self._copy, name="log of the test server", daemon=True)
        self._thread.start()

    def _copy(self) -> None:
        for line in self._stream or ():
            text = line.decode(errors="replace")
            self._lines.append(text)
            sys.stderr.write(text)

    def end(self) -> str:
        """The last lines, when the server has ended."""
        self._thread.join(STOP_TIMEOUT_S)
        if self._stream is not None:
            self._stream.close()
        return "".join(self._lines).strip()


def _started(process: "subprocess.Popen[bytes]", log: ServerLog) -> dict[str, Any]:
    """The line that a test server prints when it is ready."""
    if process.stdout is None:
        raise ValueError("the output of the process is not piped")
    too_late = threading.Timer(START_TIMEOUT_S, process.kill)
    too_late.start()
    try:
        line = process.stdout.readline()
    finally:
        too_late.cancel()
    try:
        return dict(json.loads(line))
    except ValueError:
        process.kill()
        process.wait()
        raise TestServerError(f"the test server did not start: {log.end()}") from None


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """Close its standard input, which ends it, and wait for that."""
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class _Control:
    """Calls of the control port."""

    def __init__(self, url: str, token: str) -> None:
        self._address = urlsplit(url).netloc
        self._headers = {"Authorization": f"Bearer {token}"}

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The answer of the control port, parsed; None for nothing.

        Raises:
            TestServerError: the server refuses the call, or does not answer.
        """
        content = None if body is None else json.dumps(body).encode()
        connection = HTTPConnection(self._address, timeout=CALL_TIMEOUT_S)
        try:
            connection.request(method, path, content, self._headers)
            reply = connection.getresponse()
            answer = reply.read()
        except (OSError, HTTPException) as error:
            raise TestServerError(f"the test server does not answer: {error}") from error
        finally:
            connection.close()
        parsed = json.loads(answer) if answer else None
        if reply.status >= 400:
            raise TestServerError(parsed["error"] if isinstance(parsed, dict) else f"the reply is {reply.status}")
        return parsed


def _request(shown: dict[str, Any]) -> Request:
    encoded = shown.pop("body_base64", None)
    body = shown.pop("body", "").encode() if encoded is None else base64.b64decode(encoded)
    return Request(**shown, body=body)
