"""The gateway of a home server: HTTP by WSGI becomes the events that API Gateway sends, and their replies HTTP.

Nothing is encoded in between: a body goes in as bytes, and a reply comes out in parts. Paths and their parameters stay
encoded as they were sent, which is what API Gateway passes on, too.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from app import app
from chalicelib.api.rendering import Body
from chalicelib.engine.embedded.files import FileObjects
from chalicelib.engine.embedded.signed_addresses import PATH_PREFIX
from chalicelib.observability import logger, stack_frames
from strandline.home.http.callers import Callers
from strandline.home.http.names import Names
from strandline.home.http.objects import ObjectsEndpoint
from strandline.home.http.refusals import DEFECT, FORBIDDEN, MISDIRECTED, Refusal
from strandline.home.http.resources import Resources

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment


HEADERS = "strandline.headers"
"""The key of the environ with all headers as they came: pairs of a name and a value."""


class HomeGateway:
    """The WSGI application of a home server: the API, and the signed addresses of objects beside it."""

    def __init__(
        self, objects: Callable[[], FileObjects], callers: Callers | None = None, names: Names | None = None
    ) -> None:
        """
        Args:
            objects: the objects of the engine that the process uses at the moment.
            callers: tells who calls.
            names: the names by which the server may be called; None behind a proxy, which knows them.
        """
        self._names = names
        self._objects = ObjectsEndpoint(objects)
        self._callers = callers or Callers()
        self._resources = Resources(app.routes)

    def refusal_of_upload(self, target: str, headers: Mapping[str, str]) -> Refusal | None:
        """See `ObjectsEndpoint.refusal_of_upload`."""
        return self._objects.refusal_of_upload(target, headers)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Reply to a request; no error leaves."""
        try:
            if not self._callers.may_connect(environ["REMOTE_ADDR"]):
                return FORBIDDEN.send(start_response)
            if self._names is not None and not self._names.has(environ.get("HTTP_HOST", "")):
                return MISDIRECTED.send(start_response)
            target = _target(environ)
            if target.startswith(PATH_PREFIX):
                return self._objects.reply(target, environ, start_response)
            return self._reply(target, environ, start_response)
        except Exception as error:  # noqa: BLE001  the last place where a defect can be logged without its message
            logger.error("defect", error=type(error).__name__, at=stack_frames(error))
            return DEFECT.send(start_response)

    def _reply(self, target: str, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        reply = app(self._event(target, environ), None)
        body = reply["body"]
        if not isinstance(body, Body):  # Chalice's own refusals
            encoded = body.encode() if isinstance(body, str) else body
            body = Body((encoded,), len(encoded))
        headers = [*reply["headers"].items()]
        headers += [(name, value) for name, values in reply["multiValueHeaders"].items() for value in values]
        status = HTTPStatus(reply["statusCode"])
        if status not in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
            headers.append(("Content-Length", str(body.size_bytes)))
        start_response(f"{status.value} {status.phrase}", headers)
        return () if environ["REQUEST_METHOD"] == "HEAD" else _sent(body.parts)

    def _event(self, target: str, environ: "WSGIEnvironment") -> dict[str, Any]:
        """The event that API Gateway sends for a request."""
        path, _, query = target.partition("?")
        resource, parameters = self._resources.find(path)
        headers = _headers(environ)
        forwarded_for = next((values for name, values in headers.items() if name.lower() == "x-forwarded-for"), ())
        return {
            "resource": resource,
            "path": path,
            "httpMethod": environ["REQUEST_METHOD"],
            "headers": {name: values[-1] for name, values in headers.items()},
            "multiValueHeaders": headers,
            "queryStringParameters": None,
            "multiValueQueryStringParameters": _query(query) or None,
            "pathParameters": dict(parameters) or None,
            "stageVariables": None,
            "requestContext": {
                "resourcePath": resource,
                "httpMethod": environ["REQUEST_METHOD"],
                "path": path,
                "identity": {"sourceIp": self._callers.address(environ["REMOTE_ADDR"], forwarded_for)},
            },
            "body": environ["wsgi.input"].read() or None,
            "isBase64Encoded": False,
        }


def _target(environ: "WSGIEnvironment") -> str:
    """Path and query as they were sent, still encoded."""
    target = str(environ["REQUEST_URI"])
    if target.startswith("/"):
        return target.partition("#")[0]
    parts = urlsplit(target)  # the form that proxies are sent (RFC 9112, 3.2.2)
    return parts._replace(scheme="", netloc="", fragment="").geturl() or "/"


def _headers(environ: "WSGIEnvironment") -> dict[str, list[str]]:
    """All values of each header by its name as it was sent first."""
    names: dict[str, str] = {}
    headers: dict[str, list[str]] = defaultdict(list)
    for name, value in environ[HEADERS]:
        headers[names.setdefault(name.lower(), name)].append(value)
    return dict(headers)


def _query(query: str) -> Mapping[str, list[str]]:
    values: dict[str, list[str]] = defaultdict(list)
    for name, value in parse_qsl(query, keep_blank_values=True, errors="replace"):
        values[name].append(value)
    return dict(values)


def _sent(parts: Iterable[bytes | memoryview]) -> Iterator[bytes]:
    """The parts of a body. One that cannot be made cuts the body short, which the client notices by its length."""
    try:
        yield from map(bytes, parts)  # WSGI allows no views
    except ValueError as error:
        logger.error("reply cut short", error=type(error).__name__, at=stack_frames(error))
