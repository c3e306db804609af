"""DynamoDB's form of attributes, and the plain one: `{"name": {"S": "Anna"}}` and `{"name": "Anna"}`."""

from binascii import a2b_base64
from collections.abc import Callable, Mapping
from typing import Any

AttributeValue = dict[str, Any]
"""A value with the letter of its type, as the low-level API has it."""


def to_values(attributes: Mapping[str, Any]) -> dict[str, AttributeValue]:
    """Attributes in DynamoDB's form.

    Raises:
        TypeError: a value is not a `str`, `int`, `bytes`, `bool`, or a list or tuple of `str`.
    """
    return {name: to_value(value) for name, value in attributes.items()}


def to_value(value: Any) -> AttributeValue:
    """A value in DynamoDB's form.

    Raises:
        TypeError: as `to_values`.
    """
    encode = _ENCODERS.get(type(value))
    if encode is not None:
        return encode(value)
    for base in (str, int):  # their enumerations
        if isinstance(value, base):
            return _ENCODERS[base](base(value))
    raise TypeError(f"no attribute holds a {type(value).__name__}")


def from_values(values: Mapping[str, AttributeValue]) -> dict[str, Any]:
    """Plain attributes of those in DynamoDB's form; bytes may be Base64, as in the JSON of DynamoDB."""
    # One comprehension: a tail of a day has 2,300 attributes, and a call for each takes longer than decoding it.
    return {name: _DECODERS[letter](content) for name, value in values.items() for letter, content in value.items()}


def _texts(value: list[Any] | tuple[Any, ...]) -> AttributeValue:
    if not all(isinstance(text, str) for text in value):
        raise TypeError("no attribute holds a list of anything but texts")
    return {"L": [{"S": str(text)} for text in value]}


_ENCODERS: Mapping[type, Callable[[Any], AttributeValue]] = {
    str: lambda text: {"S": text},
    int: lambda number: {"N": str(number)},
    bytes: lambda data: {"B": data},
    bool: lambda flag: {"BOOL": flag},
    list: _texts,
    tuple: _texts,
}
_DECODERS: Mapping[str, Callable[[Any], Any]] = {
    "S": str,
    "N": int,
    "B": lambda data: data if isinstance(data, bytes) else a2b_base64(data),
    "BOOL": bool,
    "L": lambda values: [value["S"] for value in values],
}
