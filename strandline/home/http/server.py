"""HTTP by waitress, with what it does not do by itself: repeated headers, limits by path, refusals as JSON.

waitress reads a request whole before the application is called, a large body into a temporary file.
"""

import math
import select
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from threading import BoundedSemaphore, Event
from typing import TYPE_CHECKING, Any

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask, WSGITask

from strandline.home.http import refusals
from strandline.home.http.gateway import HEADERS
from strandline.home.http.parsing import MAX_UPLOAD_BYTES, RefusalOfUpload, RequestParser, UploadRefusedError

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication, WSGIEnvironment

THREADS = 8
"""Number of requests that are served at a time; others wait."""
MAX_CONNECTIONS = 200
MAX_HEADER_BYTES = 16 * 1024
BODY_IN_MEMORY_BYTES = 1024 * 1024
"""From this size on, a body is received into a temporary file."""
REPLY_IN_MEMORY_BYTES = 8 * 1024 * 1024
"""From this size on, what a client is slow to receive goes into a temporary file."""
WAITING_REPLY_BYTES = 256 * 1024 * 1024
"""From this size on, the thread of a reply waits for its client."""
IDLE_CONNECTION_S = 75
REPLY_PATIENCE_S = 75.0
MIN_BYTES_A_SECOND = 1024
"""The rate at which a client has to receive a reply after `REPLY_PATIENCE_S`."""
MAX_STRANGERS = 20
"""Connections at a time from addresses that are not served."""
RECEIVED_AT_ONCE_BYTES = 64 * 1024
DRAINED_S, DRAINED_BYTES = 1.0, 32 * 1024 * 1024
"""Seconds and bytes that the server reads on after it has refused a request."""
_REFUSALS = {
    400: refusals.MALFORMED,
    413: refusals.TOO_LARGE,
    431: refusals.HEADERS_TOO_LARGE,
    501: refusals.NOT_IMPLEMENTED,
    507: refusals.NO_SPACE,
}
"""The refusals of waitress by its statuses."""
_UNREAD = (refusals.TOO_LARGE, refusals.HEADERS_TOO_LARGE, refusals.NO_SPACE)
"""Refusals of requests that are not read to their end, as uploads that nobody signed."""


class _Task(WSGITask):
    """Passes a request to the application."""

    def get_environment(self) -> "WSGIEnvironment":
        """The environ, with all headers as they came."""
        environ: WSGIEnvironment = super().get_environment()
        request: Any = self.request  # its stub declares it as an error
        environ[HEADERS] = request.all_headers
        return environ

    def write(self, data: bytes) -> None:
        """Send a part of the reply; the first one together with the headers, in one packet if it is small."""
        if self.wrote_header or self.content_length != len(data) or not self.has_body:
            super().write(data)
            return
        headers = self.build_response_header()
        self.wrote_header = True
        self.content_bytes_written = len(data)
        self.channel.write_soon(headers + data if len(data) < RECEIVED_AT_ONCE_BYTES else headers)
        if len(data) >= RECEIVED_AT_ONCE_BYTES:
            self.channel.write_soon(data)


class _ErrorTask(ErrorTask):
    """Replies to a request that the application is not to see."""

    def execute(self) -> None:
        """Send the refusal, and close the connection: what follows the request cannot be understood."""
        request: Any = self.request  # its stub declares it as the error
        error = request.error
        is_ours = isinstance(error, UploadRefusedError)
        refusal = error.refusal if is_ours else _REFUSALS.get(error.code, refusals.DEFECT)
        self.status = refusal.status_line
        self.response_headers = refusal.headers
        self.set_close_on_finish()
        self.content_length = len(refusal.body)
        self.write(refusal.body)
        if is_ours or refusal in _UNREAD:
            self._drain()

    def _drain(self) -> None:
        """Read what the client still sends. A connection that is closed before that is reset, with the refusal.

        Few threads do so at a time: clients that send nothing more would otherwise keep all of them.
        """
        server: Any = self.channel.server  # its stub declares the one of waitress
        if server.draining.acquire(blocking=False):
            try:
                self._drain_for_a_moment()
            finally:
                server.draining.release()

    def _drain_for_a_moment(self) -> None:
        connection: Any = self.channel.socket
        until_s, left_bytes = time.monotonic() + DRAINED_S, DRAINED_BYTES
        try:
            while left_bytes > 0 and (left_s := until_s - time.monotonic()) > 0:
                if not select.select([connection], [], [], left_s)[0]:
                    return
                part = connection.recv(RECEIVED_AT_ONCE_BYTES)
                if not part:
                    return
                left_bytes -= len(part)
        except (OSError, ValueError):  # it is closed, or has a number beyond those that select takes
            return


class _Channel(HTTPChannel):
    """A connection."""

    parser_class = RequestParser
    task_class = _Task
    error_task_class = _ErrorTask

    def __init__(self, server: "HomeHttpServer", *arguments: Any, **named: Any) -> None:
        super().__init__(server, *arguments, **named)
        self._sent_bytes = 0
        self._behind: tuple[float, int] | None = None
        """Since when the client is behind with receiving, and what was sent until then."""

    def send(self, data: bytes, do_close: bool = True) -> int:
        """Send as much as the client receives; returns how many bytes."""
        sent_bytes = int(super().send(data, do_close))
        self._sent_bytes += sent_bytes
        return sent_bytes

    def is_too_slow(self, now_s: float) -> bool:
        """Whether the client sends its request, or receives its reply, more slowly than any that wants an answer."""
        request: Any = self.request  # its stub declares it as None
        if request is not None and request.is_too_slow(now_s):
            return True
        if not self.total_outbufs_len:
            self._behind = None
            return False
        since_s, sent_bytes = self._behind = self._behind or (now_s, self._sent_bytes)
        return now_s - since_s > REPLY_PATIENCE_S + (self._sent_bytes - sent_bytes) / MIN_BYTES_A_SECOND

    def cut_off(self) -> None:
        """Close the connection soon. One whose client receives nothing is ready for nothing until it is shut down."""
        self.will_close = True
        connection: Any = self.socket  # its stub says that there may be none
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)

    def _flush_outbufs_below_high_watermark(self) -> None:
        """Wait until the client has received more, if it is far behind. Half of the threads do so at most: a client
        for which no further one may wait is cut off."""
        server: Any = self.server  # its stub declares the one of waitress, and lacks this method
        above: Any = super()
        if self.total_outbufs_len <= self.adj.outbuf_high_watermark:
            return
        if not server.waiting.acquire(blocking=False):
            self.connected = False
            self.cut_off()
            return
        try:
            above._flush_outbufs_below_high_watermark()
        finally:
            server.waiting.release()


class HomeHttpServer(TcpWSGIServer):
    """Serves an application on a socket until it is told to stop."""

    channel_class = _Channel

    def __init__(
        self,
        application: "WSGIApplication",
        listening: socket.socket,
        refusal_of_upload: RefusalOfUpload,
        threads: int = THREADS,
        may_connect: Callable[[str], bool] = lambda _: True,
    ) -> None:
        """Accept connections from now on.

        Args:
            listening: bound to its address.
            refusal_of_upload: tells why an upload to a signed address is refused before its body is received.
            threads: how many requests are served at a time.
            may_connect: tells whether requests of an address are served. A few others are told that they are not.
        """
        self.waiting = BoundedSemaphore(max(1, threads // 2))
        """Threads that may wait for clients that are far behind with receiving their replies."""
        self.draining = BoundedSemaphore(max(1, threads // 4))
        """Threads that may read what comes after a refused request."""
        self._may_connect = may_connect
        self._stopping = Event()
        self._listening = listening
        self._descriptors: dict[int, Any] = {}
        adjustments = Adjustments(
            sockets=[listening],
            threads=threads,
            ident=None,
            connection_limit=MAX_CONNECTIONS,
            channel_timeout=IDLE_CONNECTION_S,
            recv_bytes=RECEIVED_AT_ONCE_BYTES,
            max_request_header_size=MAX_HEADER_BYTES,
            max_request_body_size=MAX_UPLOAD_BYTES + 1,
            inbuf_overflow=BODY_IN_MEMORY_BYTES,
            outbuf_overflow=REPLY_IN_MEMORY_BYTES,
            outbuf_high_watermark=WAITING_REPLY_BYTES,
            clear_untrusted_proxy_headers=False,  # the gateway decides whom to believe
            log_socket_errors=False,
            asyncore_use_poll=hasattr(socket, "AF_UNIX"),  # select() ends at 1024 descriptors; Windows has no poll()
        )
        settings: Any = adjustments  # waitress hands its settings on to the parsers, and this with them
        settings.refusal_of_upload = refusal_of_upload
        sockinfo = (listening.family, listening.type, listening.proto, listening.getsockname())
        super().__init__(
            application, self._descriptors, _sock=listening, adj=adjustments, bind_socket=False, sockinfo=sockinfo
        )

    def maintenance(self, now: int) -> None:
        """Close connections that are idle or too slow: a client that sends or receives a byte a minute is never idle,
        and two hundred of them would keep all others out."""
        super().maintenance(now)
        for channel in self._channels():
            if channel.is_too_slow(time.monotonic()):
                channel.cut_off()

    def accept(self) -> tuple[socket.socket, Any] | None:
        """A new connection; None if there is none, or it is one too many from addresses that are not served."""
        accepted: tuple[socket.socket, Any] | None = super().accept()
        if accepted is None or self._may_connect(_host(accepted[1])):
            return accepted
        if sum(not self._may_connect(_host(channel.addr)) for channel in self._channels()) < MAX_STRANGERS:
            return accepted
        accepted[0].close()
        return None

    def _channels(self) -> list[Any]:
        channels: Any = self.active_channels  # its stub declares it as one channel
        return [*channels.values()]

    def stop(self) -> None:
        """Let `serve` return soon. May be called from a signal handler and from any thread."""
        self._stopping.set()
        self.pull_trigger()

    def serve(self, patience_s: float) -> None:
        """Serve until `stop` is called, then finish what is under way.

        Args:
            patience_s: how long to wait for requests and replies that are under way.
        """
        while not self._stopping.is_set():
            self._loop_once()
        self.accepting = False
        self.del_channel()
        self._listening.close()
        until_s = time.monotonic() + patience_s
        while self._is_busy() and time.monotonic() < until_s:
            self._loop_once()
        self.task_dispatcher.shutdown(timeout=max(math.ceil(until_s - time.monotonic()), 1))
        wasyncore.close_all(self._descriptors, ignore_all=True)

    def _loop_once(self) -> None:
        wasyncore.loop(timeout=0.5, use_poll=self.adj.asyncore_use_poll, map=self._descriptors, count=1)

    def _is_busy(self) -> bool:
        return any(
            channel.requests or channel.request is not None or channel.total_outbufs_len for channel in self._channels()
        )


def _host(address: Any) -> str:
    """The host of a socket's address."""
    return str(address[0]) if isinstance(address, tuple) else ""
