"""Cuts the body of a reply to a size: what is refused has to be told, however much there is to tell."""

from typing import Any

import orjson

ELLIPSIS = "\u2026"
_CUTS = ((100, 1_000), (100, 100), (10, 100), (1, 20))
"""The most elements of an array or members of an object, and characters of a text; tried in this order."""
_MAX_DEPTH = 5


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
