"""The front of the test server: notes each request, lets it meet its fault, and passes it on to the home server."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

from waitress.channel import ClientDisconnected

from strandline.home.http.gateway import HEADERS
from strandline.home.http.refusals import Refusal
from strandline.test_server.faults import Fault, FaultKind, PlannedFaults, refused_tables
from strandline.test_server.received import MAX_BODY_BYTES, ReceivedRequest, ReceivedRequests
from strandline.test_server.store import Store

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

THROTTLED = Refusal(429, "too-many-requests", "there are too many requests at the moment", retry_after_s=1)
"""Reply of the gateway on AWS to a request that is one too many."""


class Front:
    """The WSGI application in front of that of the home server."""

    def __init__(
        self, application: "WSGIApplication", store: Store, faults: PlannedFaults, received: ReceivedRequests
    ) -> None:
        self._application = application
        self._store = store
        self._faults = faults
        self._received = received

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Reply to a request.

        Raises:
            ClientDisconnected: the request meets a dropped connection. waitress then closes it without a reply.
        """
        request = _received(environ)
        self._received.add(request)
        fault = self._faults.take(request.method, request.path)
        if fault is not None and fault.kind is FaultKind.DROP:
            raise ClientDisconnected
        noted = _noting_status(request, start_response)
        if fault is None:
            return self._reply(environ, noted)
        if fault.kind is FaultKind.THROTTLE:
            return THROTTLED.send(noted)
        return self._reply_with(fault, environ, noted, request)

    def _reply(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> "_Reply":
        """The reply of the home server, which uses the store until it is closed."""
        self._store.enter()
        try:
            return _Reply(self._application(environ, start_response), self._store.leave)
        except BaseException:
            self._store.leave()
            raise

    def _reply_with(
        self, fault: Fault, environ: "WSGIEnvironment", start_response: "StartResponse", request: ReceivedRequest
    ) -> list[bytes]:
        """The whole reply of the home server under a fault that does not keep the request from it."""
        if fault.kind is FaultKind.UNAVAILABLE:
            with refused_tables():
                return self._whole_reply(environ, start_response)
        parts = self._whole_reply(environ, start_response)
        if fault.kind is FaultKind.DROP_REPLY:
            request.status = None
            raise ClientDisconnected
        self._faults.wait(fault.delay_ms)
        return parts

    def _whole_reply(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> list[bytes]:
        reply = self._reply(environ, start_response)
        try:
            return list(reply)
        finally:
            reply.close()


class _Reply:
    """A reply that is sent part by part, and calls something when it is closed."""

    def __init__(self, parts: Iterable[bytes], on_close: Callable[[], None]) -> None:
        self._parts = parts
        self._on_close = on_close

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._parts)

    def close(self) -> None:
        """Close the reply of the home server, too."""
        try:
            close = getattr(self._parts, "close", None)
            if close is not None:
                close()
        finally:
            self._on_close()


def _received(environ: "WSGIEnvironment") -> ReceivedRequest:
    path, _, query = str(environ["REQUEST_URI"]).partition("?")
    headers: dict[str, str] = {}
    for name, value in environ[HEADERS]:
        known = headers.get(name.lower())
        headers[name.lower()] = value if known is None else f"{known}, {value}"
    body: BinaryIO = environ["wsgi.input"]  # waitress has read it whole, and it can be read again
    content = body.read(MAX_BODY_BYTES)
    body.seek(0)
    return ReceivedRequest(environ["REQUEST_METHOD"], path, query, headers, content)


def _noting_status(request: ReceivedRequest, start_response: "StartResponse") -> "StartResponse":
    def note(status: str, *arguments: Any) -> Any:
        request.status = int(status.partition(" ")[0])
        return start_response(status, *arguments)

    return note
