"""Tests that progress is a bar in a terminal, and one line for each step elsewhere."""

import io

import pytest

from strandline.cli.progress import BAR_WIDTH, Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_is_drawn_again_in_one_line_of_a_terminal() -> None:
    stream = Terminal()
    with Progress("uploading", 2000, stream) as progress:
        progress.advance(1000)
        progress.advance(1000)
    half = BAR_WIDTH // 2
    drawn = ["░" * BAR_WIDTH + " 0/2000", "█" * half + "░" * half + " 1000/2000", "█" * BAR_WIDTH + " 2000/2000"]
    assert stream.getvalue() == "".join(f"\ruploading    {bar}" for bar in drawn) + "\n"


def test_a_step_is_a_line_elsewhere() -> None:
    stream = io.StringIO()
    with Progress("uploading", 2000, stream) as progress:
        progress.advance(1000)
        progress.advance(1000)
    assert stream.getvalue() == "uploading: 2000/2000\n"


def test_a_step_that_fails_has_no_line() -> None:
    stream = io.StringIO()
    with pytest.raises(ValueError, match="a fault"), Progress("uploading", 2000, stream):
        raise ValueError("a fault")
    assert stream.getvalue() == ""
