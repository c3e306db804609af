"""JSON on the wire and in storage: UTF-8, no spaces, member names sorted at every depth.

Source: data-api 9, order.
"""

from typing import Any

import orjson


def encode(value: Any) -> bytes:
    """The JSON text of a value, without line breaks."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def decode(text: bytes | bytearray | memoryview) -> Any:
    """The value of a JSON text that `encode` made. The API layer decodes what clients send."""
    return orjson.loads(text)
