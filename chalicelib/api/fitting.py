"""Bodies of replies that cannot be sent as they are: cut to a size, or without what cannot be written as JSON."""

from typing import Any

import orjson

ELLIPSIS = "\u2026"
_CUTS = ((100, 1_000), (100, 100), (10, 100), (1, 20))
"""The most elements of an array or members of an object, and characters of a text; tried in this order."""
_MAX_DEPTH = 5
_SEARCHED_LEVELS = 4
"""In a list of users, the value of a permission is four levels deep."""
_NOTHING = object()


def fitting(body: Any, limit_bytes: int) -> Any:
    """The body, or as much of it as fits: later elements and ends of texts are left out.

    Args:
        body: a JSON value or bytes.
    """
    if isinstance(body, bytes):
        return body[:limit_bytes]
    for max_items, max_length in _CUTS:
        cut = _cut(body, max_items, max_length, _MAX_DEPTH)
        if len(orjson.dumps(cut)) <= limit_bytes:
            return cut
    return None


def showable(body: Any) -> tuple[Any, int]:
    """The body without the elements and members that cannot be written as JSON, and their number.

    Only the outer levels are searched; what is left out is an element or member of one of them.
    """
    shown, left_out = _showable(body, 0)
    return (None if shown is _NOTHING else shown), left_out


def _showable(value: Any, level: int) -> tuple[Any, int]:
    if _is_json(value, level):
        return value, 0
    if level == _SEARCHED_LEVELS or not isinstance(value, dict | list):
        return _NOTHING, 1
    members = list(value.items()) if isinstance(value, dict) else list(enumerate(value))
    shown = [(name, *_showable(member, level + 1)) for name, member in members]
    left_out = sum(count for _, _, count in shown)
    kept = {name: member for name, member, _ in shown if member is not _NOTHING}
    return (kept if isinstance(value, dict) else list(kept.values())), left_out


def _is_json(value: Any, level: int) -> bool:
    """Whether a value can be written at this level of a body."""
    for _ in range(level):
        value = [value]
    try:
        orjson.dumps(value)
    except orjson.JSONEncodeError:
        return False
    return True


def _cut(value: Any, max_items: int, max_length: int, max_depth: int) -> Any:
    if isinstance(value, str):
        return value if len(value) <= max_length else value[:max_length] + ELLIPSIS
    if isinstance(value, dict | list) and not max_depth:
        return ELLIPSIS
    if isinstance(value, dict):
        return {
            _cut(name, max_items, max_length, 0): _cut(member, max_items, max_length, max_depth - 1)
            for name, member in list(value.items())[:max_items]
        }
    if isinstance(value, list):
        return [_cut(element, max_items, max_length, max_depth - 1) for element in value[:max_items]]
    return value
