"""The router of operations without a resource of the gateway, which sends them to the application by `/{proxy+}`.

A path may end with an extension such as `.json`, which is not part of the template (nightscout-api 3).
"""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from chalice.app import Response

from chalicelib.api.operations.operation import Operation
from chalicelib.frozen import frozen

EXTENSION = "extension"
"""The path parameter that holds the extension, such as `json`; empty without one."""
EXTENSIONS = ("csv", "html", "js", "json", "tsv", "txt", "xml")

_API = "api"
_ANY_CASE = (_API, "pebble")
"""The first segments of paths of Nightscout."""
_AFTER_VERSION = 3
"""The place of the segment after `/api/v1`."""

Handler = Callable[[Mapping[str, Any]], Response]
"""Responds to an event of the gateway."""


@frozen
class RouteMatch:
    """The handler of a request, and the parameters of its path, encoded as they were sent."""

    handler: Handler
    parameters: Mapping[str, str]


@frozen
class _Route:
    segments: tuple[str, ...]
    handler: Handler


class Router:
    """The routes in the order of matching: a segment that is spelled out goes before a parameter."""

    def __init__(self) -> None:
        self._routes: dict[tuple[str, int], list[_Route]] = {}
        """By the method and the number of segments."""

    def add(self, operation: Operation, handler: Handler) -> None:
        """Add all paths of an operation."""
        for path in operation.paths:
            segments = tuple(_segments(path))
            if segments[1] in _ANY_CASE:
                segments = tuple(part if part.startswith("{") else part.lower() for part in segments)
            routes = self._routes.setdefault((operation.method, len(segments)), [])
            routes.append(_Route(segments, handler))
            routes.sort(key=lambda route: [segment.startswith("{") for segment in route.segments])

    def find(self, method: str, path: str) -> RouteMatch | None:
        """The route of a request, by the path as the client sent it; a slash at its end makes no difference.

        In paths of Nightscout, neither does the case of letters nor a second slash after the version.
        Source: nightscout-api 3.
        """
        path, extension = split_extension(path)
        segments = _segments(path)
        decoded = [unquote(segment) for segment in segments]
        if (prefix := decoded[1].lower() if len(decoded) > 1 else "") in _ANY_CASE:
            if prefix == _API and len(segments) > _AFTER_VERSION + 1 and not segments[_AFTER_VERSION]:
                del segments[_AFTER_VERSION], decoded[_AFTER_VERSION]
            decoded = [segment.lower() for segment in decoded]
        for route in self._routes.get((method, len(segments)), ()):
            if (parameters := _parameters(route.segments, segments, decoded)) is not None:
                return RouteMatch(route.handler, parameters | {EXTENSION: extension})
        return None


def split_extension(path: str) -> tuple[str, str]:
    """The path without its extension, and the extension; empty if the path has none that is known."""
    bare, dot, extension = path.rstrip("/").rpartition(".")
    return (bare, extension) if dot and extension in EXTENSIONS else (path, "")


def _segments(path: str) -> list[str]:
    return path.rstrip("/").split("/")


def _parameters(template: tuple[str, ...], segments: list[str], decoded: list[str]) -> dict[str, str] | None:
    """The parameters of a path with as many segments as the template; None if it does not match."""
    parameters = {}
    for expected, segment, name in zip(template, segments, decoded, strict=True):
        if expected.startswith("{") and segment:
            parameters[expected[1:-1]] = segment
        elif expected != name:
            return None
    return parameters
