"""The size and the depth of a free-form object. Source: data-model 2.

The size is the length of the reference's compact JSON, which writes `<`, `>`, `&` and the two line separators in six
bytes each, and numbers as doubles.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import orjson

from chalicelib.model.rendering import plain_decimal

MAX_DEPTH = 100
"""The deepest nesting of objects and arrays. At the same depth inside a record, orjson can still serialize it."""

# One byte of orjson's text corresponds to at most six bytes of the reference's.
_MAX_GROWTH = 6
_ESCAPED = re.compile("[<>&\u2028\u2029]")
_ESCAPE_BYTES = 6


def is_plain_and_small(body: dict[str, Any], max_bytes: int) -> bool:
    """Whether an object certainly keeps the limits. True for most objects, which are far below them."""
    try:
        text = orjson.dumps(body)
    except orjson.JSONEncodeError:
        return False
    if len(text) * _MAX_GROWTH > max_bytes:
        return False
    return len(text) <= MAX_DEPTH or text.count(b"[") + text.count(b"{") <= MAX_DEPTH


def is_too_deep(value: object, max_depth: int = MAX_DEPTH) -> bool:
    """Whether objects and arrays nest deeper than `max_depth`."""
    depth, level = 0, [value] if isinstance(value, dict | list) else []
    while level and depth <= max_depth:
        depth += 1
        level = [inner for outer in level for inner in _members(outer) if isinstance(inner, dict | list)]
    return depth > max_depth


def size_bytes(value: object) -> int:
    """The length of the reference's compact JSON for a value that came from JSON."""
    size = 0
    todo = [value]
    while todo:
        part = todo.pop()
        if isinstance(part, dict | list):
            size += len("{}") + max(len(part) - 1, 0)
            size += sum(_text_bytes(name) + len(":") for name in part) if isinstance(part, dict) else 0
            todo += _members(part)
        elif isinstance(part, str):
            size += _text_bytes(part)
        elif isinstance(part, bool) or part is None:
            size += len(orjson.dumps(part))
        else:
            size += _number_bytes(float(part))  # type: ignore[arg-type]  # JSON has no other values
    return size


def _members(value: object) -> Sequence[object]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else ()


def _text_bytes(text: str) -> int:
    escaped = _ESCAPED.findall(text)
    return len(orjson.dumps(text)) + sum(_ESCAPE_BYTES - len(character.encode()) for character in escaped)


def _number_bytes(value: float) -> int:
    magnitude = abs(value)
    if magnitude and not 1e-6 <= magnitude < 1e21:
        mantissa, _, exponent = repr(value).partition("e")
        # `e-09` is written `e-9`, `e+21` keeps both digits.
        return len(mantissa.removesuffix(".0")) + len("e+") + len(str(abs(int(exponent))))
    return len(plain_decimal(value))
