"""Renders values for the details of errors. Source: errors 2.3."""

from __future__ import annotations

from collections.abc import Sequence

MAX_LENGTH = 1_000
"""The number of characters of a string that are rendered; an ellipsis stands for the rest."""

_ESCAPES = {
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
    '"': '\\"',
    "\\": "\\\\",
}


def render(value: str | float) -> str:
    """The value as text: strings quoted, with backslash escapes; numbers in their shortest decimal form."""
    if isinstance(value, str):
        shown = value if len(value) <= MAX_LENGTH else value[:MAX_LENGTH] + "\u2026"
        return f'"{"".join(map(_escape, shown))}"'
    if isinstance(value, int):
        return str(value)
    return plain_decimal(value)


def render_list(values: Sequence[str | float]) -> str:
    """The values as text, in brackets."""
    return f"[{', '.join(map(render, values))}]"


def plain_decimal(value: float) -> str:
    """The shortest decimal without exponent that parses to `value`: 120.0 is `120`, 1e-05 is `0.00001`."""
    text = repr(value)
    if "e" in text:
        # Imported late: such numbers are rare.
        from decimal import Decimal

        text = f"{Decimal(text):f}"
    return text.removesuffix(".0")


def _escape(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
