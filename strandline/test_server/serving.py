"""`strandline test-server`: serves the tests of an application until standard input is closed or a signal comes."""

import logging
import os
import secrets
import signal
import socket
import stat
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from queue import SimpleQueue
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from chalicelib.observability import log_to, logger
from chalicelib.services import system_now_ms
from strandline.home.http.gateway import HomeGateway
from strandline.home.http.listening import listening_socket
from strandline.home.http.server import HomeHttpServer
from strandline.home.opening import HOME
from strandline.test_server.clock import Clock
from strandline.test_server.control import Control, Stage
from strandline.test_server.due_work import DueWork
from strandline.test_server.faults import PlannedFaults
from strandline.test_server.front import Front
from strandline.test_server.received import ReceivedRequests
from strandline.test_server.store import Store

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

LOOPBACK = "127.0.0.1"
THREADS = 16
"""Number of requests that are served at a time. A late reply keeps a thread."""
CONTROL_THREADS = 2


def serve_tests(port: int, cors_origins: Sequence[str], show: Callable[[Mapping[str, Any]], None]) -> None:
    """Serve on loopback until the process is to end.

    Args:
        port: of the API; 0 for any that is free. The control API has another free one.
        cors_origins: whose pages may call the API.
        show: is called once, when the server is ready, with `url`, `control_url`, `token` and `server_secret`.

    Raises:
        CommandError: the port is taken.
    """
    _log_little()
    api_socket, control_socket = listening_socket(LOOPBACK, port), listening_socket(LOOPBACK, 0)
    settings = replace(
        HOME, base_url=_url(api_socket), cors_origins=tuple(cors_origins), has_gateway=False, takes_metrics=False
    )
    clock = Clock(system_now_ms)
    store = Store(settings, clock)
    stage = Stage(store, clock, PlannedFaults(), ReceivedRequests(), DueWork(store))
    token = secrets.token_urlsafe(32)
    front = Front(HomeGateway(lambda: store.engine.objects), store, stage.faults, stage.received)
    _serve(front, api_socket, THREADS)
    _serve(Control(stage, token), control_socket, CONTROL_THREADS)
    ended = Event()
    stage.work.carry_out_until(ended)
    ends = _ends()
    show(
        {
            "url": settings.base_url,
            "control_url": _url(control_socket),
            "token": token,
            "server_secret": store.server_secret,
        }
    )
    ends.get()
    ended.set()


def _log_little() -> None:
    """Log warnings alone, and to standard error: standard output says where the server is."""
    log_to([logging.StreamHandler(sys.stderr)])
    logger.setLevel(logging.WARNING)
    logging.getLogger("waitress").setLevel(logging.ERROR)


def _url(listening: socket.socket) -> str:
    return f"http://{LOOPBACK}:{listening.getsockname()[1]}"


def _serve(application: "WSGIApplication", listening: socket.socket, threads: int) -> None:
    """Serve an application in threads of its own, which end with the process. It sees each upload, signed or not."""
    server = HomeHttpServer(application, listening, lambda _target, _headers: None, threads)
    Thread(target=server.serve, args=(0,), name="test server", daemon=True).start()


def _ends() -> SimpleQueue[None]:
    """A queue that gets an element when a signal comes, or when standard input is a pipe and is closed.

    Other inputs are not read: a shell gives `/dev/null` to processes in the background.

    A signal handler may put into this queue at any time. An `Event` has a lock, which the main thread may hold when the
    handler runs.
    """
    ends: SimpleQueue[None] = SimpleQueue()

    def wait_for_input() -> None:
        while os.read(sys.stdin.fileno(), 4096):
            pass
        ends.put(None)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: ends.put(None))
    mode = 0 if sys.stdin is None else os.fstat(sys.stdin.fileno()).st_mode
    if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
        Thread(target=wait_for_input, name="standard input", daemon=True).start()
    return ends
