"""Tests that ministack has the names that the local cloud replaces."""

import subprocess

import pytest

from tools.local_cloud.engine_process import PYTHON
from tools.project import ROOT


def missing_names() -> str:
    """The names that the installed ministack lacks, read in its own environment."""
    script = "from tools.local_cloud.engine.replaced import missing; print(*missing())"
    command = [str(PYTHON), "-W", "error::ImportWarning", "-c", script]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.skipif(
    not PYTHON.exists(), reason="the local cloud's environment is not made; `make e2e` makes and tests it"
)
def test_this_ministack_has_all_that_is_replaced() -> None:
    assert missing_names() == ""
