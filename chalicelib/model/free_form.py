"""The size of a free-form object, as the reference counts it. Source: data-model.md, section 2, and the limit of 4096.

The reference measures its own compact JSON, in which `<`, `>`, `&` and the two line separators take six bytes, and
numbers are doubles.
"""

from __future__ import annotations

import re
from typing import Any

import orjson

from chalicelib.model.rendering import plain_decimal

# A byte of orjson's text stands for at most six of the reference's.
_MAX_GROWTH = 6
_ESCAPED = re.compile("[<>&\u2028\u2029]")
_ESCAPE_BYTES = 6


def keeps_size(body: dict[str, Any], max_bytes: int) -> bool:
    """Whether an object keeps the limit; quick for the many small ones."""
    return len(orjson.dumps(body)) * _MAX_GROWTH <= max_bytes or size_bytes(body) <= max_bytes


def size_bytes(value: object) -> int:
    """The length of the reference's compact JSON for a value that came from JSON."""
    if isinstance(value, dict):
        members = sum(_text_bytes(name) + 1 + size_bytes(member) for name, member in value.items())
        return 2 + members + max(len(value) - 1, 0)
    if isinstance(value, list):
        return 2 + sum(map(size_bytes, value)) + max(len(value) - 1, 0)
    if isinstance(value, str):
        return _text_bytes(value)
    if isinstance(value, bool) or value is None:
        return len(orjson.dumps(value))
    return _number_bytes(float(value))  # type: ignore[arg-type]  # JSON has no other values


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
