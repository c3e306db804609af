"""Runs ministack in this process until its standard input ends.

    python -m tools.local_cloud.engine GATEWAY_FD FRONT_FD STATE_FOLDER FUNCTION_LOG

The parent binds the two sockets, so it knows that the ports are free. The line `front PREFIX` on standard input opens
the second one. Lines on standard output: `note ...` for the user, `gateway` and `front` when each is ready.
At the end of standard input (the parent stopped or died), the process saves and stops.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TextIO

from ministack.app import app as ministack

from tools.local_cloud.engine import replaced
from tools.local_cloud.engine.changes import noting_changes
from tools.local_cloud.engine.front import Application, front
from tools.local_cloud.engine.saving import Saver
from tools.local_cloud.engine.serving import Serving, serve


class Engine:
    """ministack, its front, and the saving of its state."""

    def __init__(self, answers: TextIO, state: Path, function_log: Path) -> None:
        self._answers = answers
        self._saver: Saver | None = None
        self._gateway: Application = ministack
        if lacking := replaced.missing():
            missing = ", ".join(lacking)
            self._say(f"note this ministack lacks {missing}: it runs as it comes, slower, and saves at its stop only")
            return
        replaced.remember_parsed_expressions()
        replaced.heed_conditions_in_change_sets()
        replaced.take_alarms_on_calculations()
        replaced.write_function_logs(function_log)
        replaced.leave_saving_to_us()
        self._saver = Saver(state, replaced.save_services, lambda complaint: self._say(f"note {complaint}"))
        self._gateway = noting_changes(ministack, self._saver.note_change)

    async def run(self, gateway_fd: int, front_fd: int) -> None:
        """Serve until told to stop; then finish the requests under way, and save."""
        commands = await _standard_input()
        servers = [await serve(self._gateway, gateway_fd, lifespan=True)]
        self._say("gateway")
        saving = asyncio.create_task(self._saver.run()) if self._saver else None
        await _first_of(_signalled(), self._obey(commands, front_fd, servers))
        for server in reversed(servers):
            await server.stop()
        if self._saver and saving:
            saving.cancel()
            await self._saver.save_at_stop()
            replaced.stop_functions()

    async def _obey(self, commands: asyncio.StreamReader, front_fd: int, servers: list[Serving]) -> None:
        while line := (await commands.readline()).decode():
            command, _, prefix = line.strip().partition(" ")
            if command == "front":
                servers.append(await serve(front(ministack, prefix), front_fd, lifespan=False))
                self._say("front")

    def _say(self, line: str) -> None:
        print(line, file=self._answers, flush=True)


async def _standard_input() -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


async def _signalled() -> None:
    """Return when a signal tells this process to stop; the parent does not use signals for this."""
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    await told.wait()


async def _first_of(*waiting: Coroutine[Any, Any, None]) -> None:
    tasks = [asyncio.ensure_future(task) for task in waiting]
    done, rest = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in rest:
        task.cancel()
    for task in done:
        task.result()


def main() -> None:
    """Reserve standard output for the lines to the parent; output of ministack goes to its log."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    gateway_fd, front_fd, state, function_log = sys.argv[1:]
    try:
        import uvloop

        run = uvloop.run
    except ImportError:
        run = asyncio.run
    run(Engine(answers, Path(state), Path(function_log)).run(int(gateway_fd), int(front_fd)))


if __name__ == "__main__":
    main()
