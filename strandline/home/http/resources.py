"""The resources of the API: which route a path belongs to, and the parameters in it, as API Gateway finds them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

UNKNOWN = "/{proxy+}"
"""The resource of all paths that have no other: the gateway passes them on as well."""


@dataclass(slots=True)
class _Node:
    """The segments that may follow the first ones of a path."""

    literals: dict[str, "_Node"] = field(default_factory=dict)
    parameter: "tuple[str, _Node] | None" = None
    resource: str | None = None


class Resources:
    """The resources of an API. A segment that is spelled out goes before a parameter."""

    def __init__(self, paths: Iterable[str]) -> None:
        """
        Args:
            paths: the templates, such as `/v1/users/{userId}/data_sets`.
        """
        self._root = _Node()
        for path in paths:
            node = self._root
            for segment in _segments(path):
                node = _child(node, segment)
            node.resource = path

    def find(self, path: str) -> tuple[str, Mapping[str, str]]:
        """The resource of a path, and its parameters.

        Args:
            path: as the client sent it, still encoded; a slash at its end makes no difference.

        Returns:
            The template, or `UNKNOWN`; the parameters by name, still encoded.
        """
        found = _find(self._root, _segments(path), 0)
        return (UNKNOWN, {}) if found is None else found


def _segments(path: str) -> list[str]:
    return path.removesuffix("/").split("/")


def _child(node: _Node, segment: str) -> _Node:
    if not segment.startswith("{"):
        return node.literals.setdefault(segment, _Node())
    if node.parameter is None:
        node.parameter = segment[1:-1], _Node()
    name, child = node.parameter
    if name != segment[1:-1]:
        raise ValueError(f"one place of a path has two names: {name} and {segment[1:-1]}")
    return child


def _find(node: _Node, segments: list[str], index: int) -> tuple[str, dict[str, str]] | None:
    if index == len(segments):
        return None if node.resource is None else (node.resource, {})
    segment = segments[index]
    if segment in node.literals and (found := _find(node.literals[segment], segments, index + 1)) is not None:
        return found
    if node.parameter is None or not segment:
        return None
    name, child = node.parameter
    found = _find(child, segments, index + 1)
    if found is not None:
        found[1][name] = segment
    return found
