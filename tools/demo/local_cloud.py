"""The local cloud for the demo: the one that is running, or one started for the time of the demo."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tools.demo.client import Client, DemoError

ROOT = Path(__file__).resolve().parent.parent.parent
START_TIMEOUT_S = 300
STOP_TIMEOUT_S = 120


@contextmanager
def running_local_cloud(port: int) -> Iterator[str]:
    """The base URL of a local cloud on this port, running as long as the context.

    Raises:
        DemoError: it does not start, or something else has the port.
    """
    url = f"http://127.0.0.1:{port}"
    if _answers(url):
        print(f"using the local cloud at {url}")
        yield url
        return
    print(f"starting the local cloud at {url} ...", flush=True)
    command = ["sh", "tools/start.sh", "--cloud", "--run", "tools.local_cloud"]
    process = subprocess.Popen(
        command, cwd=ROOT, env=os.environ | {"PORT": str(port)}, stdout=sys.stderr, start_new_session=True
    )
    try:
        _wait(process, url)
        yield url
    finally:
        _stop(process)


def _answers(url: str) -> bool:
    """Whether a Strandline answers there; False when nothing does."""
    try:
        with closing(Client(url)) as client:
            client.server_time()
    except DemoError as error:
        if isinstance(error.__cause__, ConnectionRefusedError):
            return False
        raise DemoError(f"something that is no Strandline has the port: {error}") from error
    return True


def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise DemoError(f"the local cloud ended with code {process.returncode}")
        try:
            if _answers(url):
                return
        except DemoError:
            pass  # it listens before it is ready
        time.sleep(0.2)
    raise DemoError(f"the local cloud was not ready after {START_TIMEOUT_S} s")


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
