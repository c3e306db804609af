"""Starts the engine in a child process with sockets and folders, sends it commands, and stops it."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import Empty, Queue
from typing import IO, cast

from tools.local_cloud.data_folder import DataFolder
from tools.local_cloud.ports import port_of
from tools.project import ROOT, ToolError, step

PYTHON = ROOT / ".venv-ministack" / "bin" / "python"
START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 120
# The variables that the engine and its functions inherit from the user: no proxies, no AWS profiles or keys.
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "USER", "LOGNAME")


class Engine:
    """A running engine."""

    def __init__(self, process: "subprocess.Popen[str]", log_name: str) -> None:
        self._process = process
        self._commands = cast(IO[str], process.stdin)
        self._log_name = log_name
        self._answers: Queue[str | None] = Queue()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def open_front(self, prefix: str) -> None:
        """Serve the API under `prefix` of the gateway on the public port."""
        with suppress(BrokenPipeError):
            self._commands.write(f"front {prefix}\n")
            self._commands.flush()
        self.await_answer("front")

    def await_answer(self, expected: str) -> None:
        """Wait until the engine is ready; print its notes for the user."""
        with suppress(Empty):
            while (answer := self._answers.get(timeout=START_TIMEOUT_S)) is not None:
                if answer == expected:
                    return
                _pass_on(answer)
        raise ToolError(f"the local cloud stopped while starting; the reason is in {self._log_name}.")

    @property
    def has_saved(self) -> bool:
        """Whether it was stopped, and saved everything before."""
        return self._process.returncode == 0

    @property
    def process_id(self) -> int:
        """The id of its process, which has started all others of the local cloud."""
        return self._process.pid

    def has_ended(self) -> bool:
        """Whether it stopped by itself. Prints the notes that it has sent meanwhile."""
        with suppress(Empty):
            while (answer := self._answers.get_nowait()) is not None:
                _pass_on(answer)
        return self._process.poll() is not None

    def stop(self) -> int:
        """Make it save and end, without leaving processes behind; return its exit code."""
        with suppress(BrokenPipeError):
            self._commands.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_TIMEOUT_S)
        # The worker processes of functions are in the process group of the engine.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._listener.join()
        return self._process.wait()

    def _listen(self) -> None:
        with cast(IO[str], self._process.stdout) as answers:
            for line in answers:
                self._answers.put(line.strip())
        self._answers.put(None)


def _pass_on(answer: str) -> None:
    if answer.startswith("note "):
        print(answer.replace("note ", "note: ", 1), file=sys.stderr, flush=True)


@contextmanager
def running_engine(folder: DataFolder, gateway: socket.socket, public: socket.socket) -> Iterator[Engine]:
    """Run an engine until the end of the context; its gateway is ready.

    Raises:
        ToolError: it did not start.
    """
    arguments = [str(gateway.fileno()), str(public.fileno()), str(folder.state), str(folder.function_log)]
    with folder.engine_log.open("w") as log:
        process = subprocess.Popen(
            [str(PYTHON), "-m", "tools.local_cloud.engine", *arguments],
            cwd=ROOT,
            env=engine_environ(folder, port_of(gateway)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            pass_fds=(gateway.fileno(), public.fileno()),
            start_new_session=True,  # the parent handles Ctrl-C and stops the engine cleanly
        )
    gateway.close()
    public.close()
    engine = Engine(process, str(folder.engine_log))
    try:
        with step("starting the local cloud"):
            engine.await_answer("gateway")
        yield engine
    finally:
        engine.stop()


def engine_environ(folder: DataFolder, gateway_port: int) -> dict[str, str]:
    """The environment of ministack and, through it, of the functions."""
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return inherited | {
        "AUTH": "true",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(gateway_port),
        "MINISTACK_HOST": "localhost",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(folder.state / "current"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(folder.objects),
        "TMPDIR": str(folder.scratch),
        "LOG_LEVEL": "WARNING",
        # Without these, it listens on other interfaces and looks for Docker.
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "DOCKER_HOST": f"unix://{folder.scratch}/no-docker",
        "AWS_ENDPOINT_URL": f"http://localhost:{gateway_port}",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "PYTHONUNBUFFERED": "1",
    }
