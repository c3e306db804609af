"""The published rules by which DynamoDB charges: sizes of items, read units, write units, pages."""

import base64
import math
from collections.abc import Mapping
from typing import Any

READ_UNIT_BYTES = 4096
WRITE_UNIT_BYTES = 1024
TRANSACTION_FACTOR = 2
"""A write in a transaction costs twice, because it is prepared and committed."""
PAGE_BYTES = 1024 * 1024
ITEM_OVERHEAD_BYTES = 100
"""The storage that an item takes beside its own size; reads and writes do not count it."""


def item_bytes(item: Mapping[str, Mapping[str, Any]]) -> int:
    """The size of an item as DynamoDB counts it: names, and values of strings, numbers, binary and booleans."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def write_units(size_bytes: int) -> int:
    """The units of one write, by the size of the item before or after, whichever is larger."""
    return max(1, math.ceil(size_bytes / WRITE_UNIT_BYTES))


def read_units(size_bytes: int, *, is_consistent: bool) -> float:
    """The units of reading one item by key, or one page of a query, before filters."""
    return max(1, math.ceil(size_bytes / READ_UNIT_BYTES)) * (1 if is_consistent else 0.5)


def _value_bytes(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "N":
            return len(content.lstrip("-").replace(".", "")) // 2 + 1
        case "B":
            return len(base64.b64decode(content))
        case "BOOL" | "NULL":
            return 1
        case "M":
            return 3 + item_bytes(content) + len(content)
        case "L":
            return 3 + sum(map(_value_bytes, content)) + len(content)
        case "SS":
            return sum(len(text.encode()) for text in content)
    raise ValueError(f"unknown size of the type {kind}")
