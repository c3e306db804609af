"""`strandline serve`: the platform on a data folder, until a signal comes.

The last line of the output is `ready: ADDRESS`. The first signal lets what is under way end; the second one ends the
process at once, which loses nothing that was answered.
"""

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from threading import Event, Thread
from types import FrameType
from urllib.parse import urlsplit

from chalicelib import services as process_services
from chalicelib.errors import UnavailableError
from chalicelib.events import blobs, metrics, tasks
from chalicelib.services import machine
from strandline.cli.errors import CommandError
from strandline.home.http.callers import Callers
from strandline.home.http.gateway import HomeGateway
from strandline.home.http.listening import listening_socket
from strandline.home.http.names import Names
from strandline.home.http.server import HomeHttpServer
from strandline.home.lock import folder_lock
from strandline.home.log import LOG_NAME, count_in_log, set_up_log
from strandline.home.opening import Home, open_home, server_secret_path
from strandline.home.options import ServeOptions, home_settings
from strandline.home.work.consumers import QueueConsumer, StreamConsumer, TaskConsumer
from strandline.home.work.loops import start_thread
from strandline.home.work.memory import FreedMemory, share_heap
from strandline.home.work.scheduler import Schedule
from strandline.home.work.task_process import TaskProcess

TASK_PROCESSES = min(2, tasks.MAX_CONCURRENCY)
"""Largest number of tasks that run at a time, each in a process of its own."""
REQUESTS_PATIENCE_S = 10.0
WORK_PATIENCE_S = 10.0
"""Time that requests, and then tasks and other work, may take to end after the first signal."""
SIGN_UP = {
    "open": "anyone who reaches this server may sign up",
    "invitation": "sign-up needs the invitation code",
    "closed": "nobody may sign up; `strandline user add` makes accounts",
}


def serve(options: ServeOptions) -> None:
    """Serve until a signal comes.

    Raises:
        CommandError: the port is taken, or the folder cannot be used.
    """
    share_heap()
    with listening_socket(options.host, options.port) as listening, folder_lock(options.data_dir):
        options = options.with_base_url(options.public_url or f"http://127.0.0.1:{listening.getsockname()[1]}")
        surroundings = replace(machine(), count=count_in_log)
        with open_home(options.data_dir, home_settings(options.environ), surroundings=surroundings) as home:
            _prepare(options)
            process_services.override(home.services)
            callers = Callers(options.trusted_proxies)
            gateway = HomeGateway(lambda: home.engine.objects, callers, _names(options))
            server = HomeHttpServer(gateway, listening, gateway.refusal_of_upload, may_connect=callers.may_connect)
            _stop_on_signals(server)
            with _working(home, options):
                print(f"data: {home.data_dir}")
                print(f"server secret: in {server_secret_path(home)}")
                print(f"sign-up: {home.settings.sign_up}: {SIGN_UP[home.settings.sign_up]}")
                print(f"ready: {home.settings.base_url}", flush=True)
                server.serve(REQUESTS_PATIENCE_S)
    print("stopped", flush=True)


def _names(options: ServeOptions) -> Names | None:
    """The names by which the server may be called; None behind a proxy, which knows them."""
    return None if options.trusted_proxies else Names([urlsplit(options.public_url or "").hostname or ""])


def _prepare(options: ServeOptions) -> None:
    """Set up the log and the folder of temporary files, which lie beside the data: elsewhere they may be in memory."""
    temporary = options.data_dir / "tmp"
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        temporary.mkdir(mode=0o700)
        set_up_log(options.log_file or options.data_dir / LOG_NAME, is_verbose=options.is_verbose)
    except OSError as error:
        raise CommandError(f"{error.filename} cannot be written: {error.strerror}.") from error
    tempfile.tempdir = str(temporary)


def _stop_on_signals(server: HomeHttpServer) -> None:
    """Stop the server at the first signal, and end the process at the second."""
    has_come = False

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal has_come
        if has_come:
            os._exit(1)
        has_come = True
        server.stop()

    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), stop)


@contextmanager
def _working(home: Home, options: ServeOptions) -> Iterator[None]:
    """Do the work beside requests during the block: the schedule, tasks, uploads, metrics."""
    engine, stopping = home.engine, Event()
    for queue in (engine.task_queue, engine.blob_events):
        with suppress(UnavailableError):  # then the messages come again after the visibility time of the queue
            queue.release_all()
    processes = [TaskProcess(options.data_dir, options.environ) for _ in range(TASK_PROCESSES)]
    steps = {
        "schedule": Schedule(tasks.dispatch_tasks, engine.sweep, stopping).step,
        "memory": FreedMemory(stopping).step,
        "uploads": QueueConsumer(engine.blob_events, blobs.on_object_created, blobs.BATCH_SIZE).step,
        "metrics": StreamConsumer(engine.metrics_stream, metrics.on_metrics, engine.metrics_failures, stopping).step,
    }
    for number, process in enumerate(processes):
        steps[f"tasks {number}"] = TaskConsumer(engine.task_queue, process).step
    threads = [start_thread(name, step, stopping) for name, step in steps.items()]
    try:
        yield
    finally:
        stopping.set()
        for queue in (engine.task_queue, engine.blob_events):
            queue.announce()
        _await(threads)
        for process in processes:
            process.end()
        _await(threads)


def _await(threads: list[Thread]) -> None:
    """Wait for threads to end, for a limited time in all."""
    until_s = time.monotonic() + WORK_PATIENCE_S
    for thread in threads:
        thread.join(max(until_s - time.monotonic(), 0))
