"""Runs ministack in this process until its standard input ends.

    python -m tools.local_cloud.engine GATEWAY_FD FRONT_FD STATE_FOLDER FUNCTION_LOG

The two sockets are bound by the parent, which so knows that the ports are free. Lines on standard input: `front PREFIX`
opens the second one. Lines on standard output: `note ...` for the user, `gateway` and `front` when each answers.
The end of standard input (the parent stopped, or died) is the order to save and stop.
"""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from ministack.app import app as ministack

from tools.local_cloud.engine import replaced
from tools.local_cloud.engine.changes import noting_changes
from tools.local_cloud.engine.front import Application, front
from tools.local_cloud.engine.saving import Saver


class Server(uvicorn.Server):  # type: ignore[misc] # not installed where mypy runs
    """A server among others in one process: signals are not its business."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def server(application: Application, lifespan: str) -> Server:
    config = uvicorn.Config(
        application,
        lifespan=lifespan,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=10,
    )
    return Server(config)


async def started(running: Server, task: "asyncio.Task[None]") -> None:
    while not running.started and not task.done():
        await asyncio.sleep(0.01)


async def serve(gateway_fd: int, front_fd: int, state: Path, function_log: Path) -> None:
    saver: Saver | None = None
    gateway: Application = ministack
    lacking = replaced.missing()
    if lacking:
        say(f"note this ministack lacks {', '.join(lacking)}: it runs as it comes, slower, and saves at its stop only")
    else:
        replaced.remember_parsed_expressions()
        replaced.write_function_logs(function_log)
        replaced.leave_saving_to_us()
        saver = Saver(state, replaced.save_services, lambda complaint: say(f"note {complaint}"))
        gateway = noting_changes(ministack, saver.note_change)

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    commands = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)

    gateway_server = server(gateway, "on")
    gateway_socket = socket.socket(fileno=gateway_fd)
    servers = [(gateway_server, asyncio.create_task(gateway_server.serve(sockets=[gateway_socket])))]
    await started(*servers[0])
    say("gateway")
    saving = asyncio.create_task(saver.run()) if saver else None

    async def obey() -> None:
        while line := (await commands.readline()).decode():
            command, _, prefix = line.strip().partition(" ")
            if command == "front":
                front_server = server(front(ministack, prefix), "off")
                front_socket = socket.socket(fileno=front_fd)
                servers.append((front_server, asyncio.create_task(front_server.serve(sockets=[front_socket]))))
                await started(*servers[-1])
                say("front")
        stop.set()

    obeying = asyncio.create_task(obey())
    await stop.wait()
    obeying.cancel()
    for running, task in reversed(servers):
        running.should_exit = True
        await task
    if saver and saving:
        saving.cancel()
        await saver.save_at_stop()
        replaced.stop_functions()


def say(line: str) -> None:
    print(line, file=ANSWERS, flush=True)


if __name__ == "__main__":
    # Answers have standard output to themselves; whatever ministack prints goes to the log with standard error.
    ANSWERS = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    gateway_fd, front_fd = int(sys.argv[1]), int(sys.argv[2])
    try:
        import uvloop

        run = uvloop.run
    except ImportError:
        run = asyncio.run
    run(serve(gateway_fd, front_fd, Path(sys.argv[3]), Path(sys.argv[4])))
