"""Text for a terminal, of which a server or a file may have made a part."""

import unicodedata
from collections.abc import Sequence

HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode's control and format characters: escape sequences, changes of direction, and separators of lines."""


def printable(text: str) -> str:
    """The text on one line, with an escape in place of each character that a terminal would obey or hide."""
    return "".join(_escaped(letter) if unicodedata.category(letter) in HIDDEN_CATEGORIES else letter for letter in text)


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows of texts, all of one length, as printable lines of equal columns without blanks at their ends."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(printable(line.rstrip()) for line in lines)


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode() if letter != "\n" else " "
