"""A home server as a process of its own, for tests and tools that need one.

with home_server(folder) as server:
    urlopen(server.base_url + "/v1/time")
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from chalicelib.engine.embedded.folder import SECRETS_FOLDER
from chalicelib.engine.embedded.secret_files import secret_path
from strandline.home.opening import HOME

END_S = 30.0
_PACKAGE_FOLDER = Path(__file__).resolve().parents[2]


class NotReadyError(Exception):
    """The server ended before it was ready. The message is what it printed."""


@dataclass(frozen=True, slots=True)
class HomeServer:
    """A home server that serves."""

    base_url: str
    server_secret: str
    data_dir: Path
    process: "subprocess.Popen[str]"
    printed: tuple[str, ...]
    """The lines that it printed before it was ready."""

    def stop(self) -> str:
        """Stop it as a person does, and return what it printed meanwhile.

        Raises:
            subprocess.TimeoutExpired: it does not end.
        """
        self.process.send_signal(signal.SIGTERM)
        return self.process.communicate(timeout=END_S)[0]


@contextmanager
def home_server(
    data_dir: Path, port: int = 0, options: Sequence[str] = (), *, in_own_session: bool = False
) -> Iterator[HomeServer]:
    """Run `strandline serve` on a data folder until the block ends.

    Args:
        port: 0 for any that is free.
        options: further ones of the command line.
        in_own_session: whether Ctrl-C in the terminal of this process does not reach it.

    Raises:
        NotReadyError: it did not start.
    """
    command = [sys.executable, "-m", "strandline.cli", "serve", "--data-dir", str(data_dir), "--port", str(port)]
    process = subprocess.Popen(  # noqa: S603  this interpreter, and a module of this package
        [*command, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=in_own_session,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(_PACKAGE_FOLDER), os.environ.get("PYTHONPATH", "")])},
    )
    try:
        printed = _printed_until_ready(process)
        secret = json.loads(secret_path(data_dir / SECRETS_FOLDER, HOME.server_secret_name).read_text("utf-8"))["text"]
        yield HomeServer(printed[-1].removeprefix("ready: "), secret, data_dir, process, printed)
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.communicate(timeout=END_S)
            except subprocess.TimeoutExpired:
                process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _printed_until_ready(process: "subprocess.Popen[str]") -> tuple[str, ...]:
    printed: list[str] = []
    for line in process.stdout or ():
        printed.append(line.rstrip("\n"))
        if line.startswith("ready: "):
            return tuple(printed)
    raise NotReadyError("\n".join(printed))
