"""What requests to DynamoDB cost, by its published rules: sizes of items, write units, pages."""

import base64
import math
from collections.abc import Mapping
from typing import Any

WRITE_UNIT_BYTES = 1024
TRANSACTION_FACTOR = 2
"""A write in a transaction costs twice: it is prepared, then committed."""
PAGE_BYTES = 1024 * 1024


def item_bytes(item: Mapping[str, Mapping[str, Any]]) -> int:
    """The size of an item as DynamoDB counts it: names and values; those of text, numbers, bytes and booleans."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


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
    raise ValueError(f"no size known of the type {kind}")


def write_units(operation: str, request: Mapping[str, Any]) -> int:
    """The write units of a request; what updates and checks touch is taken to be at most 1 KB."""
    if operation == "PutItem":
        return _units(request["Item"])
    if operation == "BatchWriteItem":
        return sum(
            _units(write["PutRequest"]["Item"]) if "PutRequest" in write else 1
            for writes in request["RequestItems"].values()
            for write in writes
        )
    if operation == "TransactWriteItems":
        return TRANSACTION_FACTOR * sum(
            _units(write["Put"]["Item"]) if "Put" in write else 1 for write in request["TransactItems"]
        )
    return 1 if operation in ("UpdateItem", "DeleteItem") else 0


def _units(item: Mapping[str, Mapping[str, Any]]) -> int:
    return math.ceil(item_bytes(item) / WRITE_UNIT_BYTES)
