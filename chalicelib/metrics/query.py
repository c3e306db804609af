"""Query parameters as one JSON object: repeated names become arrays, brackets become objects.

The reference platform reads them with npm `qs`. These are its rules as far as clients use them: `c[d]=4` is an object,
`a[]=1` and `a[0]=1` are arrays, `e=` is an empty string, and brackets below the fifth level stay part of the name.
When parameters make different kinds of value for one name, an array holds them all.
Source: metrics-api 2.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

MAX_NESTING = 5
MAX_INDEX = 20
"""Larger numbers in brackets are names, so that a short query cannot make a long array."""

_INDICES = frozenset(map(str, range(MAX_INDEX + 1)))
_BRACKETS = re.compile(r"\[([^\[\]]*)\]")


def nested(parameters: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The object of all values of all parameters."""
    result: dict[str, Any] = {}
    for name, values in parameters.items():
        segments = _segments(name)
        value: Any = values[0] if len(values) == 1 else list(values)
        _insert(result, segments, value)
    return {name: _with_arrays(value) for name, value in result.items()}


def _segments(name: str) -> list[str]:
    """`a[b][c]` is a, b, c; a name without a pair of brackets is one segment."""
    first = _BRACKETS.search(name)
    if first is None:
        return [name]
    groups = list(_BRACKETS.finditer(name))
    segments = [name[: first.start()]] if first.start() else []
    segments += [group[1] for group in groups[:MAX_NESTING]]
    if len(groups) > MAX_NESTING:
        segments.append(name[groups[MAX_NESTING].start() :])
    return segments


def _insert(target: dict[str, Any], segments: Sequence[str], value: Any) -> None:
    head, *rest = segments
    if not rest:
        target[head] = _combine(target[head], value) if head in target else value
        return
    child = target.setdefault(head, {})
    if not isinstance(child, dict):
        child = target[head] = {"": child}
    _insert(child, rest, value)


def _combine(stored: Any, value: Any) -> Any:
    if isinstance(stored, dict):
        return stored | {"": _combine(stored[""], value) if "" in stored else value}
    return [*_as_list(stored), *_as_list(value)]


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _with_arrays(value: Any) -> Any:
    """The value, in which objects whose names are `[]` or small numbers have become arrays."""
    if not isinstance(value, dict):
        return value
    members = {name: _with_arrays(member) for name, member in value.items()}
    indexed = sorted(int(name) for name in members if _is_index(name))
    if len(indexed) + ("" in members) < len(members):
        if "" not in members:
            return members
        named = {name: member for name, member in members.items() if name != ""}
        return [*_as_list(members[""]), named]
    return [*_flatten(members[str(index)] for index in indexed), *_as_list(members.get("", []))]


def _flatten(values: Iterable[Any]) -> list[Any]:
    return [item for value in values for item in _as_list(value)]


def _is_index(name: str) -> bool:
    return name in _INDICES
