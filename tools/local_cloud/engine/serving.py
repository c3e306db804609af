"""Runs one of several HTTP servers in a process, on a socket that is already bound."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass

import uvicorn

from tools.local_cloud.engine.front import Application


class _Server(uvicorn.Server):  # type: ignore[misc] # not installed where mypy runs
    """A server that ignores signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@dataclass(frozen=True, slots=True)
class Serving:
    """A server that answers."""

    server: _Server
    task: "asyncio.Task[None]"

    async def stop(self) -> None:
        """Accept no more requests, and wait for those under way."""
        self.server.should_exit = True
        await self.task


async def serve(application: Application, socket_fd: int, *, lifespan: bool) -> Serving:
    """Serve an application; with `lifespan`, it is notified of its start and end.

    h11 parses, since httptools loses the body of a request that offers to upgrade to HTTP/2, as Java's client does:
    https://github.com/MagicStack/httptools/issues/124, https://github.com/Kludex/uvicorn/issues/2722.
    """
    server = _Server(
        uvicorn.Config(
            application,
            http="h11",
            lifespan="on" if lifespan else "off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=10,
        )
    )
    task = asyncio.create_task(server.serve(sockets=[socket.socket(fileno=socket_fd)]))
    while not server.started and not task.done():
        await asyncio.sleep(0.01)
    return Serving(server, task)
