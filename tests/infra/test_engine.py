"""Tests that ministack has the names that the local cloud replaces."""

import os
import subprocess
from pathlib import Path

import pytest

from tools.local_cloud.engine_process import PYTHON
from tools.project import ROOT


def missing_names(folder: Path) -> str:
    """The names that the installed ministack lacks, read in its own environment.

    An import of ministack writes a private key, into its state folder or, without one, for all users of this machine
    into /tmp.
    """
    script = "from tools.local_cloud.engine.replaced import missing; print(*missing())"
    command = [str(PYTHON), "-W", "error::ImportWarning", "-c", script]
    environ = os.environ | {"STATE_DIR": str(folder), "TMPDIR": str(folder)}
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.skipif(
    not PYTHON.exists(), reason="the local cloud's environment is not made; `make e2e` makes and tests it"
)
def test_this_ministack_has_all_that_is_replaced(tmp_path: Path) -> None:
    assert missing_names(tmp_path) == ""
    assert (tmp_path / "cognito-rsa-key.pem").exists()
