"""The demo against the packaged application."""

import re
from typing import TYPE_CHECKING

import pytest

from tools.demo import __main__ as demo

if TYPE_CHECKING:
    from tests.e2e.conftest import Platform


def test_the_demo_reads_back_every_record_of_a_month(platform: "Platform", capsys: pytest.CaptureFixture[str]) -> None:
    assert demo.main(["--base-url", platform.base_url, "--days", "30"]) == 0
    out, err = capsys.readouterr()
    assert re.search(r"^cbg +8592 ", out, re.MULTILINE)
    assert re.search(r"^time in range +\d+%", out, re.MULTILINE)
    assert err == "uploading: 9248/9248\n"
