"""Kept-alive connections to one address, by `http.client`.

botocore's own transport takes twice the CPU for a small request, and much more to import. Errors are those of botocore,
so that its retries and the table in `sdk_errors` know them.
"""

import http.client
import os
import select
import socket
from collections.abc import Callable, Mapping
from email.message import Message
from functools import cache, partial
from pathlib import Path
from ssl import OP_NO_COMPRESSION, PROTOCOL_TLS_CLIENT, SSLContext, SSLError
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit
from weakref import finalize

import botocore
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ReadTimeoutError,
)
from botocore.exceptions import SSLError as HandshakeError

MAX_IDLE = 10
"""Connections that are kept for later requests."""


class Timeouts(NamedTuple):
    """The seconds that a connection attempt and a single read may take."""

    connect_s: float
    read_s: float


class HttpReply(NamedTuple):
    """A whole reply. Its attributes have the names of botocore's `AWSResponse`."""

    status_code: int
    headers: Message
    content: bytes


class Exchange(Protocol):
    """Sends headers and body by a POST and returns the whole reply.

    Raises:
        HTTPClientError, ConnectionError: those of botocore; there is no reply, or only a part of one.
    """

    def __call__(self, headers: Mapping[str, str], body: bytes) -> Any: ...


def exchange_with(url: str, timeouts: Timeouts, ca_bundle: str | None) -> Exchange:
    """The function that exchanges requests with an address: by botocore, if the environment names a proxy for it.

    Args:
        ca_bundle: a file of certificates; None stands for those that come with botocore.
    """
    if any(name.lower().endswith("_proxy") for name in os.environ):
        from botocore.utils import get_environ_proxies

        if proxies := get_environ_proxies(url):
            return _through(proxies, url, timeouts, ca_bundle)
    return HttpConnections(url, timeouts, ca_bundle).exchange


def _through(proxies: Any, url: str, timeouts: Timeouts, ca_bundle: str | None) -> Exchange:
    """The function that exchanges requests through a proxy: the HTTP client of botocore."""
    from botocore.awsrequest import AWSPreparedRequest, HeadersDict
    from botocore.httpsession import URLLib3Session

    verify: Any = ca_bundle or True
    timeout: Any = (timeouts.connect_s, timeouts.read_s)
    session = URLLib3Session(verify=verify, proxies=proxies, timeout=timeout)

    def exchange(headers: Mapping[str, str], body: bytes) -> Any:
        sent: Any = HeadersDict(headers)
        return session.send(AWSPreparedRequest("POST", url, sent, body, stream_output=False))

    return exchange


class _InOneSend(http.client.HTTPConnection):
    """Sends head and body by one system call, and so in one packet and one TLS record if they fit."""

    _parts: list[bytes] | None = None

    def post(self, path: str, headers: Mapping[str, str], body: bytes) -> None:
        """Send a request."""
        self._parts = []
        self.request("POST", path, body, headers)
        parts, self._parts = self._parts, None
        self.sock.sendall(b"".join(parts))

    def send(self, data: Any) -> None:
        """Called by `request` for the head and for the body."""
        if self._parts is None:
            super().send(data)
        else:
            self._parts.append(data)


class _InOneSendOverTls(_InOneSend, http.client.HTTPSConnection):
    pass


class HttpConnections:
    """Connections to one address. Threads may share it: each request has a connection of its own."""

    def __init__(self, url: str, timeouts: Timeouts, ca_bundle: str | None) -> None:
        self._url = url
        self._path = urlsplit(url).path
        self._timeouts = timeouts
        # Late: a TLS context reads all certificates, and the first connection may be made much later.
        self._maker = cache(partial(_connection_maker, url, timeouts, ca_bundle))
        self._idle: list[_InOneSend] = []
        finalize(self, _close_all, self._idle)

    def exchange(self, headers: Mapping[str, str], body: bytes) -> HttpReply:
        """See `Exchange`."""
        connection = self._idle_connection() or self._connected()
        try:
            reply = self._exchange(connection, headers, body)
        except BaseException:
            connection.close()
            raise
        if connection.sock is not None and len(self._idle) < MAX_IDLE:  # `http.client` closes what is not kept alive
            self._idle.append(connection)
        else:
            connection.close()
        return reply

    def _idle_connection(self) -> _InOneSend | None:
        """The connection that was used last, unless the other side has closed it, as it does after a while."""
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return None
            if not _can_read(connection.sock):  # what can be read is the end of the connection
                return connection
            connection.close()

    def _connected(self) -> _InOneSend:
        connection = self._maker()()
        try:
            connection.connect()
        except TimeoutError as error:
            connection.close()
            raise ConnectTimeoutError(endpoint_url=self._url, error=error) from error
        except SSLError as error:
            connection.close()
            raise HandshakeError(endpoint_url=self._url, error=error) from error
        except OSError as error:
            connection.close()
            raise EndpointConnectionError(endpoint_url=self._url, error=error) from error
        connection.sock.settimeout(self._timeouts.read_s)
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return connection

    def _exchange(self, connection: _InOneSend, headers: Mapping[str, str], body: bytes) -> HttpReply:
        try:
            connection.post(self._path, headers, body)
            response = connection.getresponse()
            return HttpReply(response.status, response.headers, response.read())
        except TimeoutError as error:
            raise ReadTimeoutError(endpoint_url=self._url, error=error) from error
        except SSLError as error:
            raise HTTPClientError(error=error) from error
        except (OSError, http.client.HTTPException) as error:
            raise ConnectionClosedError(endpoint_url=self._url, error=error) from error


def _can_read(connected: socket.socket) -> bool:
    poll = select.poll()
    poll.register(connected, select.POLLIN)
    return bool(poll.poll(0))


def _close_all(connections: list[_InOneSend]) -> None:
    while connections:
        connections.pop().close()


def _connection_maker(url: str, timeouts: Timeouts, ca_bundle: str | None) -> Callable[[], _InOneSend]:
    address = urlsplit(url)
    host = str(address.hostname)
    if address.scheme == "http":
        return partial(_InOneSend, host, address.port, timeout=timeouts.connect_s)
    context = _tls_context(ca_bundle)
    return partial(_InOneSendOverTls, host, address.port, timeout=timeouts.connect_s, context=context)


def _tls_context(ca_bundle: str | None) -> SSLContext:
    """A context that checks certificates and names, by default with the certificates that botocore brings."""
    context = SSLContext(PROTOCOL_TLS_CLIENT)
    context.options |= OP_NO_COMPRESSION
    context.load_verify_locations(ca_bundle or Path(botocore.__file__).with_name("cacert.pem"))
    return context
