"""Packages of npm for the end-to-end tests, installed as a lock file pins them, once for each lock file."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tools.environments import only_one
from tools.project import ROOT

PACKAGE_FILES = ("package.json", "package-lock.json")
INSTALL_TIMEOUT_S = 120


def require_programs(*names: str) -> None:
    """Skip the test if this machine lacks one of these programs. In CI the test fails: nothing goes unseen there."""
    missing = [name for name in names if not shutil.which(name)]
    if missing and os.environ.get("CI") == "true":
        pytest.fail(f"CI needs {' and '.join(missing)} on the path")
    if missing:
        pytest.skip(f"needs {' and '.join(missing)} on the path, and this machine has none")


def installed_packages(source: Path) -> Path:
    """The folder below `build` with the packages that the package files in `source` name, and `node_modules` in it."""
    lock = hashlib.sha256(b"".join((source / name).read_bytes() for name in PACKAGE_FILES)).hexdigest()
    folder = ROOT / "build" / f"{source.name}-{lock[:12]}"
    ready = folder / "node_modules" / ".package-lock.json"  # npm's last write
    with only_one():  # tests run in two processes
        if not ready.exists():
            folder.mkdir(parents=True, exist_ok=True)
            for name in PACKAGE_FILES:
                shutil.copy(source / name, folder)
            command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            ended = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S, check=False
            )
            assert ended.returncode == 0, ended.stderr
    return folder
