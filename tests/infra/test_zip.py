"""Tests the size of the zip, and that it has all modules that the functions import."""

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tools.packaging.application import LOCAL_STAGE, UNUSED_REQUIREMENTS, UNUSED_SOURCES, make_package

MOST_BYTES = 10_000_000
MOST_BYTES_WITHOUT_CRYPTOGRAPHY = 4_000_000
OF_AN_ENTRY_BYTES = 76
"""The size of the two headers of a file without its name (APPNOTE 4.3.7 and 4.3.12)."""
EVERYTHING_IMPORTED = """
import app
from aws_lambda_powertools.metrics import MetricUnit, single_metric
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from chalicelib.sign_in.stores import signing_keys as oidc_keys
from chalicelib.sign_in.stores import id_tokens as oidc_tokens
from chalicelib.accounts.stores import passwords
from joserfc import jwk, jwt
import argon2
argon2.PasswordHasher().hash("a password")
jwk.RSAKey.generate_key(2048)
"""


@pytest.fixture(scope="module")
def code() -> bytes:
    """The zip of the local stage."""
    return make_package(LOCAL_STAGE).code


def test_the_zip_is_small(code: bytes) -> None:
    entries = zipfile.ZipFile(io.BytesIO(code)).infolist()
    cryptography_bytes = sum(
        entry.compress_size + 2 * len(entry.filename) + OF_AN_ENTRY_BYTES
        for entry in entries
        if entry.filename.startswith("cryptography")
    )
    assert len(code) <= MOST_BYTES
    assert len(code) - cryptography_bytes <= MOST_BYTES_WITHOUT_CRYPTOGRAPHY


def test_all_modules_can_be_imported_from_the_zip(code: bytes, tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(code)) as archive:
        archive.extractall(tmp_path)
    assert not any((tmp_path / name).exists() for name in (*UNUSED_REQUIREMENTS, *UNUSED_SOURCES))
    # Modules that Lambda provides come from this environment, which also has the modules that were left out.
    hidden = [name.replace("/", ".") for name in UNUSED_REQUIREMENTS]
    start = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); sys.modules.update(dict.fromkeys({hidden!r}))"
    run = subprocess.run(
        [sys.executable, "-I", "-c", start + EVERYTHING_IMPORTED],
        env={"STRANDLINE_STAGE": LOCAL_STAGE, "AWS_DEFAULT_REGION": "us-east-1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
