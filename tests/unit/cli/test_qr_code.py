"""QR codes on a terminal, against those of the page, which are those of the reference implementation."""

import pytest

from strandline.cli.commands.qr_code import BLACK_ON_WHITE, HALF_BLOCKS, QUIET_ZONE, RESET, for_terminal, qr_code
from tests.unit.api.page.test_qr import ADDRESS, CODES, SMALLEST, digest_of


def rows_of(text: str) -> list[str]:
    """The rows of the code of a text, 1 for dark."""
    return ["".join(str(int(is_dark)) for is_dark in row) for row in qr_code(text)]


def test_the_code_of_one_letter_is_that_of_the_reference() -> None:
    assert rows_of("A") == SMALLEST.splitlines()


@CODES
def test_larger_codes_are_those_of_the_reference(text: str, size: int, digest: str) -> None:
    rows = rows_of(text)
    assert (len(rows), digest_of(rows)) == (size, digest)


def test_a_text_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="too long"):
        qr_code("x" * 667)


def test_a_terminal_shows_two_rows_of_modules_in_a_line_black_on_white_with_a_quiet_zone() -> None:
    lines = for_terminal(ADDRESS).splitlines()
    assert all(line.startswith(BLACK_ON_WHITE) and line.endswith(RESET) for line in lines)
    pairs = {block: pair for pair, block in HALF_BLOCKS.items()}
    shown = []
    for line in lines:
        blocks = [pairs[block] for block in line.removeprefix(BLACK_ON_WHITE).removesuffix(RESET)]
        shown += [[upper for upper, _ in blocks], [lower for _, lower in blocks]]
    size = len(qr_code(ADDRESS))
    inside = slice(QUIET_ZONE, QUIET_ZONE + size)
    assert [row[inside] for row in shown[inside]] == qr_code(ADDRESS)
    border = [*shown[:QUIET_ZONE], *shown[QUIET_ZONE + size :], *(row[:QUIET_ZONE] for row in shown)]
    border += [row[QUIET_ZONE + size :] for row in shown]
    assert len(shown) >= size + 2 * QUIET_ZONE
    assert not any(any(row) for row in border)
