"""Items as bytes: a JSON object of the attributes, then the contents of those that are bytes.

    length of the JSON (4 bytes, little-endian) | {"name":"Anna","body":{"b":3}} | b"\\x00\\x01\\x02"

In the JSON, `{"b": size}` stands for the next `size` bytes, and `{"i": digits}` for a number beyond 64 bits. So a
body of a megabyte is copied and not encoded, and everything else has the speed of orjson.
"""

from collections.abc import Mapping
from struct import Struct
from typing import Any

import orjson

_SIZE = Struct("<I")
_LEAST, _GREATEST = -(2**63), 2**64 - 1
"""Numbers that orjson reads back as they were."""
_MAX_DIGITS = 38
"""Significant digits of a number (a limit of DynamoDB)."""


def encode(attributes: Mapping[str, Any]) -> bytes:
    """Attributes as bytes.

    Raises:
        TypeError: a value is not a `str`, `int`, `bytes`, `bool`, or a list or tuple of `str`.
        RuntimeError: a number has more than 38 significant digits.
    """
    head: dict[str, Any] = {}
    contents: list[bytes] = []
    for name, value in attributes.items():
        kind = type(value)
        if kind is str or kind is bool:
            head[name] = value
        elif kind is int:
            head[name] = value if _LEAST <= value <= _GREATEST else {"i": _digits(value)}
        elif kind is bytes:
            head[name] = {"b": len(value)}
            contents.append(value)
        else:
            head[name] = plain(value)
    text = orjson.dumps(head)
    return b"".join((_SIZE.pack(len(text)), text, *contents))


def decode(body: bytes) -> dict[str, Any]:
    """The attributes that `encode` made bytes of."""
    start = _SIZE.size + _SIZE.unpack_from(body)[0]
    attributes: dict[str, Any] = orjson.loads(memoryview(body)[_SIZE.size : start])
    for name, value in attributes.items():
        if type(value) is dict:
            if "b" in value:
                stop = start + value["b"]
                attributes[name] = body[start:stop]
                start = stop
            else:
                attributes[name] = int(value["i"])
    return attributes


def plain(value: Any) -> Any:
    """A value as it comes back from the engine: a tuple as a list, a member of an enumeration as its value.

    Raises:
        TypeError: as `encode`.
    """
    if type(value) in (str, int, bytes, bool):
        return value
    if isinstance(value, (list, tuple)):
        if not all(isinstance(text, str) for text in value):
            raise TypeError("no attribute holds a list of anything but texts")
        return [str(text) for text in value]
    for base in (str, int):
        if isinstance(value, base):
            return base(value)
    raise TypeError(f"no attribute holds a {type(value).__name__}")


def size_bytes(item: Mapping[str, Any]) -> int:
    """The size of an item as DynamoDB counts it: the bytes of names and values."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: Any) -> int:
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, bytes):
        return len(value)
    if isinstance(value, bool):
        return 1
    if isinstance(value, int):
        return len(str(abs(value))) // 2 + 2
    return 3 + sum(1 + len(text.encode()) for text in value)


def _digits(value: int) -> str:
    digits = str(value)
    if len(digits.lstrip("-").rstrip("0")) > _MAX_DIGITS:
        raise RuntimeError("a number has more than 38 significant digits")
    return digits
