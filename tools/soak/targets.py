"""The servers that a soak may try: a home server, a local cloud, or the one at an address."""

import json
import os
import subprocess
import sys
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from strandline.cli.exit_codes import FAILED
from strandline.home.launching import HomeServer, NotReadyError, home_server
from strandline.home.log import LOG_NAME
from tools.local_cloud.data_folder import DataFolder
from tools.local_cloud.snapshots import CURRENT
from tools.project import ROOT, ToolError
from tools.soak.calls import Calls, Client, Question, ServerGoneError, UnexpectedAnswerError
from tools.soak.server_work import sign_in_as_server

SECRET_VARIABLE = "STRANDLINE_SERVER_SECRET"  # noqa: S105  the name of a variable
LOST_EVENTS = "LostMetricsEvents"
"""The metric of events that were answered and could not be stored in time."""
OWN = ("home", "cloud")
"""The targets that a run starts and stops itself."""

NO_LIMIT = "1000000000"
"""Requests an hour: one machine sends the requests of all."""


class Target(ABC):
    """A running server."""

    name: str
    base_url: str
    server_secret: str | None
    restart_name = ""
    """Name of a restart in the report; empty for a server that cannot be restarted."""
    waits_for_steps = False
    """True if requests have to end before a restart."""

    @abstractmethod
    def restart(self) -> None:
        """End the server, and start it on the same data at the same address."""

    @property
    @abstractmethod
    def process_id(self) -> int | None:
        """The process that started all others of the server, if that is on this machine."""

    def stored_bytes(self) -> int | None:
        """The size of what the server has stored, if that is on this machine."""
        return None

    def lost_events(self) -> int:
        """The number of events of metrics that it has counted as lost, if its log is on this machine."""
        return 0

    def examine(self) -> list[str]:
        """The findings of an examination of the stored data, after the server has ended."""
        return []


class HomeTarget(Target):
    """A home server, which is killed and started on its folder."""

    name, restart_name = "home", "kill -9 and a start on the same folder"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running = ExitStack()
        self._server: HomeServer
        self.base_url = ""
        self._start()
        self.server_secret = self._server.server_secret

    def restart(self) -> None:
        """Kill it, and start it."""
        self._server.process.kill()
        self._server.process.wait()
        self._running.close()
        self._start()

    @property
    def process_id(self) -> int | None:
        """The server."""
        return self._server.process.pid

    def stored_bytes(self) -> int:
        """The size of its folder."""
        return size_bytes(self._folder)

    def lost_events(self) -> int:
        """Those in its log."""
        lines = _lines_of_losses(self._folder / LOG_NAME)
        return sum(line["value"] for line in lines if line.get("metric") == LOST_EVENTS)

    def examine(self) -> list[str]:
        """End the server as a person does, and let `strandline doctor` examine the folder."""
        self.close()
        command = [sys.executable, "-m", "strandline.cli", "doctor", "--data-dir", str(self._folder)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        # Warnings are none of its findings: a task whose process was killed three times is one.
        return [(done.stdout + done.stderr).strip()[-500:]] if done.returncode == FAILED else []

    def close(self) -> None:
        """End the server as a person does."""
        self._running.close()

    def _start(self) -> None:
        port = int(self.base_url.rpartition(":")[2] or 0)
        options = ["--requests-an-hour", NO_LIMIT]
        try:
            # Ctrl-C ends the run, which ends the server after everything was compared.
            server = home_server(self._folder, port, options, in_own_session=True)
            self._server = self._running.enter_context(server)
        except NotReadyError as error:
            raise ToolError(f"the home server did not start again: {error}") from error
        self.base_url = self._server.base_url


class CloudTarget(Target):
    """A local cloud, which is stopped and started: it saves everything when it is stopped, and before only in part."""

    name, restart_name, waits_for_steps = "cloud", "a stop and a start of the local cloud", True

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running = ExitStack()
        self.base_url = ""
        self._lost_before = 0
        self._start()

    def restart(self) -> None:
        """Stop it, and start it."""
        self._running.close()
        self._lost_before = self.lost_events()  # a start begins another log
        self._start()

    @property
    def process_id(self) -> int | None:
        """The engine."""
        return self._process_id

    def stored_bytes(self) -> int:
        """The size of the last snapshot of its tables and queues, which is written every few seconds."""
        return size_bytes(DataFolder(self._folder).state / CURRENT)

    def lost_events(self) -> int:
        """Those in the logs of its functions."""
        lines = _lines_of_losses(DataFolder(self._folder).function_log)
        return self._lost_before + int(sum(sum(line.get(LOST_EVENTS, ())) for line in lines))

    def close(self) -> None:
        """Stop it."""
        self._running.close()

    def _start(self) -> None:
        from tools.local_cloud.launcher import local_cloud  # needs the environment of the local cloud

        port = int(self.base_url.rpartition(":")[2] or 0)
        parameters = {"RequestsAnHour": NO_LIMIT}
        cloud = self._running.enter_context(local_cloud(self._folder, port, parameters=parameters))
        self.base_url, self.server_secret = cloud.base_url, cloud.server_secret
        self._process_id = cloud.engine.process_id


class AddressTarget(Target):
    """A server that runs already. It is not restarted.

    Raises:
        ToolError: it is not an address, nothing answers there, or the server refuses the secret.
    """

    def __init__(self, base_url: str, server_secret: str | None) -> None:
        self.name = self.base_url = _address(base_url)
        self.server_secret = server_secret
        client = Client(self.base_url, Calls())
        try:
            client.ask(Question("time", "GET", "/v1/time"))
        except ServerGoneError as error:
            raise ToolError(f"no server answers at {self.base_url} ({error}).") from error
        except UnexpectedAnswerError as error:
            raise ToolError(f"the server at {self.base_url} does not have Tidepool's API: {error}") from error
        try:
            if server_secret is not None:
                sign_in_as_server(client, server_secret)
        except UnexpectedAnswerError as error:
            raise ToolError(f"the server at {self.base_url} refuses the secret in {SECRET_VARIABLE}.") from error
        finally:
            client.close()

    def restart(self) -> None:
        """Leave it alone."""

    @property
    def process_id(self) -> int | None:
        """Unknown."""
        return None


@contextmanager
def target_of(name: str, server_secret: str | None) -> Iterator[Target]:
    """The server to try, until the block ends: `home`, `cloud`, or an address.

    Raises:
        ToolError: it did not start, nothing answers at the address, or the name is none of these.
    """
    if name not in OWN:
        yield AddressTarget(name, server_secret)
        return
    with tempfile.TemporaryDirectory(prefix="strandline-soak-", ignore_cleanup_errors=True) as folder:
        of_name = HomeTarget if name == "home" else CloudTarget
        target = of_name(Path(folder) / "data")
        try:
            yield target
        finally:
            target.close()


def size_bytes(folder: Path) -> int:
    """The size of all files in a folder that may be changing."""
    total = 0
    for path, _, names in os.walk(folder):  # Path.walk is new in Python 3.12
        for name in names:
            with suppress(OSError):  # removed meanwhile
                total += Path(path, name).stat().st_size
    return total


def _lines_of_losses(log: Path) -> Iterator[dict[str, Any]]:
    """The lines of a log that name the metric of lost events; not those that a kill has torn."""
    if not log.exists():
        return
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        if f'"{LOST_EVENTS}"' in line:
            with suppress(ValueError):
                yield json.loads(line)


def _address(text: str) -> str:
    """The address of a server, without a path."""
    parts = urlsplit(text)
    try:
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # the port is not a number
        is_address = False
    if not is_address or parts.path.strip("/") or parts.query or parts.fragment or parts.username is not None:
        raise ToolError(f"TARGET is home, cloud, or an address such as http://127.0.0.1:8000, not {text!r}.")
    return f"{parts.scheme}://{parts.netloc}"
