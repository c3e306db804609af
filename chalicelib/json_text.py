"""JSON as it stands on the wire and in what is kept: UTF-8, no spaces, member names sorted at every depth.

Source: data-api 9, order.
"""

from typing import Any

import orjson


def encode(value: Any) -> bytes:
    """The JSON text of a value; it holds no line break."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def decode(text: bytes | bytearray | memoryview) -> Any:
    """The value of a JSON text that `encode` made; what clients send is read by the API layer."""
    return orjson.loads(text)
