"""QR codes of the page, against those of qrcodegen 1.8.0 (Project Nayuki), the reference implementation."""

import hashlib

import pytest

from tests.unit.api.page.node import evaluate

ADDRESS = "https://data.example.org/?token=watch-0123456789abcdef0123456789abcdef"
SMALLEST = """\
111111101101001111111
100000100110001000001
101110100111101011101
101110101110001011101
101110101110101011101
100000101111001000001
111111101010101111111
000000001011100000000
100010111001011111001
001010001001100101011
111101100011001111100
111000010100011010110
111011111000111000111
000000001010111000111
111111101100110000010
100000100111100101010
101110101111001111111
101110100101100101011
101110100001001111100
100000100100011010100
111111101010111000101"""

CODES = pytest.mark.parametrize(
    ("text", "size", "digest"),
    [
        ("é€", 21, "ebfff84d1edabdd22b08cbf6fccc1f93bb6c18b6bd6c62cf80b4d93ec0ecbd3e"),
        (ADDRESS, 37, "b2872d207d984d2daa5421e9f20d67dafc1c8de5a193dd82c42ab7e3afa7e75d"),
        ("x" * 150, 49, "9782fa7f0642d3e6b22295c01fc9e2fe9a0f19d22af2cf7b3964dcb6a932e44e"),
        ("x" * 213, 57, "f8a692e420006d88c10e55f6fb2f048c68ad07db0d7c3f134adf4ff3fc04aae2"),
        ("x" * 300, 69, "a6c4c99a50e77d18b6ddfdcbd85fffbd3b4da81e4eabc96b030a3f559d2b7fbb"),
        ("x" * 666, 97, "497df6c35a67d13f72b0afac007734db4ed5c1f0b80267e83a5414d2a6f3aa0c"),
    ],
    ids=["utf-8", "an address", "version 8", "version 10", "version 13", "the longest"],
)
"""Larger codes of the reference: text, modules on a side, and the digest of the rows."""


def rows_of(text: str) -> list[str]:
    """The rows of the code of a text, 1 for dark."""
    rows: list[list[int]] = evaluate('{ qrCode } from "./qr.js"', f"qrCode({text!r}).map((row) => row.map(Number))")
    return ["".join(map(str, row)) for row in rows]


def digest_of(rows: list[str]) -> str:
    """The digest of the rows of a code."""
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


def test_the_code_of_one_letter_is_that_of_the_reference() -> None:
    assert rows_of("A") == SMALLEST.splitlines()


@CODES
def test_larger_codes_are_those_of_the_reference(text: str, size: int, digest: str) -> None:
    rows = rows_of(text)
    assert (len(rows), digest_of(rows)) == (size, digest)
