"""Tests the imports of the application, which each cold start pays for, and those between folders."""

import re
import subprocess
import sys
from functools import cache

import pytest

from tools.project import ROOT

MOST_MODULES = 590
"""563 on Python 3.13, and eight more on 3.11. A new API is six to fourteen of its own; the limit is to catch a library
that brings dozens."""
HEAVY = ("argon2", "aws_xray_sdk", "boto3", "cryptography", "joserfc", "pydantic", "sqlite3")
BOTOCORE = "botocore"


@cache
def imported() -> frozenset[str]:
    """The names of the modules that `import app` adds to those of a bare Python."""
    code = "import sys; bare = set(sys.modules); import app; print(*(set(sys.modules) - bare))"
    return frozenset(subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True).split())


def test_the_application_is_among_them() -> None:
    assert {"app", "chalicelib.api.routes.data", "chalicelib.log.stores.record_log", "chalice.app"} <= imported()


def test_the_application_imports_few_modules() -> None:
    assert len(imported()) <= MOST_MODULES


@pytest.mark.parametrize("package", HEAVY)
def test_a_heavy_package_waits_until_it_is_needed(package: str) -> None:
    assert not {name for name in imported() if name.partition(".")[0] == package}


def test_botocore_waits_until_it_is_needed() -> None:
    """Powertools imports the package itself, to name Powertools in requests, but none of its modules."""
    assert {name for name in imported() if name.partition(".")[0] == BOTOCORE} <= {BOTOCORE}


def test_the_application_can_be_imported_where_the_sdk_is_not_installed() -> None:
    """On a home server."""
    code = "import sys; sys.modules['boto3'] = sys.modules['botocore'] = None; import app; print(app.app.app_name)"
    assert subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True) == "strandline\n"


def test_tools_and_the_program_do_not_need_the_benchmarks() -> None:
    sources = [path for folder in ("chalicelib", "strandline", "tools") for path in (ROOT / folder).rglob("*.py")]
    assert len(sources) > 500
    assert [path for path in sources if re.search(r"^\s*(from|import) bench\b", path.read_text(), re.MULTILINE)] == []
