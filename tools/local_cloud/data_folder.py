"""The folder in which one local cloud keeps everything: state, objects, ports, secret and logs."""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.local_cloud.snapshots import CURRENT, damaged_files, open_state, snapshot_in_use
from tools.project import ToolError

LARGE_REPLIES = "answers"
"""The folder of each bucket with replies on their way to a client. On AWS a lifecycle rule removes them after a day."""


@dataclass(frozen=True, slots=True)
class DataFolder:
    """The paths in the folder."""

    path: Path

    @property
    def state(self) -> Path:
        return self.path / "state"

    @property
    def objects(self) -> Path:
        return self.path / "objects"

    @property
    def scratch(self) -> Path:
        """Temporary files of the functions; emptied at each start."""
        return self.path / "scratch"

    @property
    def ports(self) -> Path:
        return self.path / "ports.json"

    @property
    def server_secret(self) -> Path:
        return self.path / "server-secret"

    @property
    def engine_log(self) -> Path:
        """The log of ministack; that of the previous run is kept beside it."""
        return self.path / "engine.log"

    @property
    def function_log(self) -> Path:
        """The output of the functions; that of the previous run is kept, too."""
        return self.path / "functions.log"

    def read_gateway_port(self) -> int | None:
        """The port of the gateway in the previous run."""
        try:
            port = json.loads(self.ports.read_text())["gateway"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return port if isinstance(port, int) and 0 < port < 65536 else None

    def write_gateway_port(self, port: int) -> None:
        self.ports.write_text(json.dumps({"gateway": port}) + "\n")

    def write_server_secret(self, secret: str) -> None:
        """Write a file that only its owner can read, from its first byte."""
        draft = self.path / "server-secret.draft"
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
            handle.write(secret + "\n")
        draft.replace(self.server_secret)


@contextmanager
def opened(path: Path) -> Iterator[DataFolder]:
    """The data folder, created if it is missing, and locked against a second local cloud until the end.

    Raises:
        ToolError: another local cloud uses the folder, its content is damaged, or it cannot be written.
    """
    folder = DataFolder(path.resolve())
    try:
        folder.path.mkdir(parents=True, exist_ok=True)
        handle = (folder.path / "lock").open("a+")
    except OSError as error:
        raise ToolError(f"the data folder {path} cannot be used: {error.strerror}.") from error
    with handle:
        _hold(handle.fileno(), folder)
        _check(folder)
        if not (folder.state / CURRENT).exists() and (found := snapshot_in_use(folder.state)):
            print(f"note: {folder.state / CURRENT} was missing; its latest snapshot is used: {found.name}", flush=True)
        open_state(folder.state)
        for replies in folder.objects.glob(f"*/*/{LARGE_REPLIES}"):
            shutil.rmtree(replies, ignore_errors=True)
        shutil.rmtree(folder.scratch, ignore_errors=True)
        for made in (folder.objects, folder.scratch):
            made.mkdir(exist_ok=True)
        for log in (folder.engine_log, folder.function_log):
            if log.exists():
                log.replace(log.with_suffix(".log.before"))
        yield folder


def _hold(lock: int, folder: DataFolder) -> None:
    """Lock the folder; the system releases the lock when the process ends, even if it is killed."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(lock, 32, 0).decode().strip()
        raise ToolError(
            f"the data folder {folder.path} is in use by another local cloud (process {holder}): stop that one, "
            "or choose another folder, make run DATA_DIR=..."
        ) from None
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)


def _check(folder: DataFolder) -> None:
    for damage in damaged_files(folder.state):
        raise ToolError(
            f"the data folder {folder.path} is damaged ({folder.state.name}/{damage}): put a copy of it back, or "
            "choose another folder, make run DATA_DIR=...; nothing in it was changed."
        )
