"""JSON on the wire and in storage: UTF-8, no spaces, member names sorted at every depth.

Source: data-api 9, order; errors 3.
"""

import codecs
import re
from typing import Any

import orjson

_REPLACED_BYTES = "strandline.replace-each-byte"
_LONE_SURROGATE = re.compile(
    r"""
    (?: \\[^u] | \\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2} )+  # other escapes and whole pairs
    | ( \\u[dD][89a-fA-F][0-9a-fA-F]{2} )
    """,
    re.VERBOSE,
)


def encode(value: Any) -> bytes:
    """The JSON text of a value, without line breaks."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def decode(text: bytes | bytearray | memoryview) -> Any:
    """The value of a JSON text that `encode` made."""
    return orjson.loads(text)


def decode_sent(text: bytes) -> Any:
    """The value of a JSON text that a client sent.

    Inside strings, U+FFFD replaces each byte that is not UTF-8 and each escape of half a surrogate pair, as in Go's
    `encoding/json`. Programs that cut strings by UTF-16 units, or write Latin-1, send such text.

    Raises:
        orjson.JSONDecodeError: the text is not JSON.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        repaired = _with_replacements(text)
        if repaired is None:
            raise
    return orjson.loads(repaired)


def _with_replacements(text: bytes) -> str | None:
    """The text with U+FFFD for what is not Unicode; None if there is nothing to replace.

    A text with a replacement outside strings is still not JSON.
    """
    decoded = text.decode(errors=_REPLACED_BYTES)
    repaired = _LONE_SURROGATE.sub(lambda match: "\ufffd" if match[1] else match[0], decoded)
    return None if len(repaired) == len(decoded) and repaired.isascii() else repaired


def _replace_each_byte(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "\ufffd" * (error.end - error.start), error.end


codecs.register_error(_REPLACED_BYTES, _replace_each_byte)
