"""Attributes as DynamoDB stores and measures them.

Sizes are those of https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html.
"""

import binascii
import re
from collections.abc import Callable, Mapping
from typing import Any

from tests.fakes.dynamodb.refusals import UnsupportedError, invalid

AttributeValue = Mapping[str, Any]
"""A value with the letter of its type; bytes are Base64."""
Item = Mapping[str, AttributeValue]

MAX_DIGITS = 38
LIST_OVERHEAD_BYTES = 3
ELEMENT_OVERHEAD_BYTES = 1
_WHOLE_NUMBER = re.compile(r"0|-?[1-9][0-9]*")
"""The only numbers that the engine emits, in the form in which DynamoDB returns them."""


def letter_of(value: AttributeValue) -> str:
    """The letter of the type of a value."""
    return next(iter(value))


def size_of(item: Item) -> int:
    """The size of an item in bytes. Its values are checked on the way.

    Raises:
        ClientError: DynamoDB refuses a value.
        UnsupportedError: a value has a type or a form that the engine does not emit.
    """
    return sum(len(name.encode()) + value_size(value) for name, value in item.items())


def value_size(value: AttributeValue) -> int:
    """The size of a value in bytes. The value is checked on the way.

    Raises:
        ClientError, UnsupportedError: see `size_of`.
    """
    if not isinstance(value, dict) or len(value) != 1:
        raise UnsupportedError(f"a value with other than one type: {value}")
    ((letter, content),) = value.items()
    measure = _SIZES.get(letter)
    if measure is None:
        raise UnsupportedError(f"a value of type {letter}")
    return measure(content)


def comparable(value: AttributeValue) -> Any:
    """The key that orders a value among those of its type: texts by the bytes of UTF-8, whose order is Python's own."""
    ((letter, content),) = value.items()
    return _COMPARABLE[letter](content)


def _text_size(content: Any) -> int:
    _require(content, str)
    encoded: bytes = content.encode()
    return len(encoded)


def _number_size(content: Any) -> int:
    _require(content, str)
    if not _WHOLE_NUMBER.fullmatch(content):
        raise UnsupportedError(f"the number {content}")
    digits = len(content.lstrip("-").rstrip("0"))
    if digits > MAX_DIGITS:
        raise invalid("Attempting to store more than 38 significant digits in a Number")
    size_bytes = (digits + 1) // 2 + 1
    return size_bytes + 1 if content.startswith("-") else size_bytes


def _bytes_size(content: Any) -> int:
    _require(content, str)
    try:
        return len(binascii.a2b_base64(content, strict_mode=True))
    except binascii.Error as error:
        raise UnsupportedError(f"bytes that are not Base64: {content[:20]}") from error


def _flag_size(content: Any) -> int:
    _require(content, bool)
    return 1


def _list_size(content: Any) -> int:
    _require(content, list)
    return LIST_OVERHEAD_BYTES + sum(ELEMENT_OVERHEAD_BYTES + value_size(value) for value in content)


def _require(content: Any, kind: type) -> None:
    if type(content) is not kind:
        raise UnsupportedError(f"{content!r} as a value")


_SIZES: Mapping[str, Callable[[Any], int]] = {
    "S": _text_size,
    "N": _number_size,
    "B": _bytes_size,
    "BOOL": _flag_size,
    "L": _list_size,
}
_COMPARABLE: Mapping[str, Callable[[str], Any]] = {"S": str, "N": int, "B": binascii.a2b_base64}
ORDERED = frozenset(_COMPARABLE)
"""The types whose values are less or greater."""
