"""Tests the size of the zip, and that it has all modules that the functions import."""

import ast
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tools.packaging.application import LOCAL_STAGE, UNUSED_SOURCES, make_package
from tools.packaging.vendored import CLIENTS, SERVICES, UNUSED_REQUIREMENTS, undocumented
from tools.project import ROOT

MOST_BYTES = 10_000_000
MOST_BYTES_WITHOUT_CRYPTOGRAPHY = 5_000_000
"""Of these, botocore with what it needs is 1.8 MB."""
OF_AN_ENTRY_BYTES = 76
"""The size of the two headers of a file without its name (APPNOTE 4.3.7 and 4.3.12)."""
EVERYTHING_IMPORTED = """
import app
from aws_lambda_powertools.metrics import MetricUnit, single_metric
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from chalicelib.sign_in.stores import signing_keys as oidc_keys
from chalicelib.sign_in.stores import signed_tokens as oidc_tokens
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
    for name in (*UNUSED_REQUIREMENTS, *UNUSED_SOURCES):
        assert not (tmp_path / name).exists()
        assert not (tmp_path / name).with_suffix(".pyc").exists()
    # Modules that Lambda provides come from this environment, which also has the modules that were left out.
    hidden = [name.removesuffix(".py").replace("/", ".") for name in UNUSED_REQUIREMENTS]
    start = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); sys.modules.update(dict.fromkeys({hidden!r}))"
    run = subprocess.run(
        [sys.executable, "-I", "-c", start + EVERYTHING_IMPORTED],
        env={"STRANDLINE_STAGE": LOCAL_STAGE, "AWS_DEFAULT_REGION": "us-east-1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr


ENDPOINTS = """
import json
import botocore, botocore.session
session = botocore.session.get_session()
credentials = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
endpoints = {
    f"{service} {region}": session.create_client(service, region_name=region, **credentials).meta.endpoint_url
    for service in CLIENTS
    for region in ("us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1", "eusc-de-east-1")
}
"""
FROM_THE_ZIP = """
from chalicelib.engine.aws.clients import sdk_version
from chalicelib.engine.aws.session_access import endpoint_of
s3 = session.create_client("s3", region_name="us-east-1", **credentials)
print(json.dumps({
    "file": botocore.__file__,
    "version": sdk_version(),
    "endpoints": endpoints,
    "of_tables": endpoint_of(session, "dynamodb", "eu-central-1").url,
    "can_list": s3.can_paginate("list_objects_v2"),
    "address": s3.generate_presigned_url("get_object", Params={"Bucket": "b", "Key": "k"}),
}))
"""


def test_the_zip_has_the_locked_sdk_with_the_data_of_the_services_in_use(code: bytes, tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(code)) as archive:
        archive.extractall(tmp_path)
    start = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); sys.modules['boto3'] = None\n"
    services = f"CLIENTS = {sorted(CLIENTS)!r}\n"
    run = subprocess.run(
        [sys.executable, "-I", "-c", start + services + ENDPOINTS + FROM_THE_ZIP],
        env={},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert found["file"] == str(tmp_path / "botocore" / "__init__.pyc")
    assert f"botocore=={found['version']} " in (ROOT / "requirements.txt").read_text()
    assert found["can_list"]
    assert "Signature=" in found["address"]
    # The endpoints are those of the whole SDK, in each partition.
    whole: dict[str, Any] = {"CLIENTS": sorted(CLIENTS)}
    exec(ENDPOINTS, whole)  # noqa: S102  the text above
    assert found["endpoints"] == whole["endpoints"]
    assert found["of_tables"] == "https://dynamodb.eu-central-1.amazonaws.com"
    kept = {path.name for path in (tmp_path / "botocore" / "data").iterdir() if path.is_dir()}
    assert kept == SERVICES


def test_the_services_in_use_are_those_that_clients_are_made_of() -> None:
    made = {
        call.args[0].value
        for path in (ROOT / "chalicelib").rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id == "new_client"
        and isinstance(call.args[0], ast.Constant)
    }
    assert made == CLIENTS


def test_only_texts_are_taken_out_of_a_model() -> None:
    shape = {"type": "structure", "members": {"documentation": {"shape": "Text", "documentation": "<p>a text</p>"}}}
    model = {"documentation": "<p>a service</p>", "shapes": {"A": shape, "B": {"enum": ["documentation"]}}}
    assert undocumented(model) == {
        "documentation": "",
        "shapes": {
            "A": {"type": "structure", "members": {"documentation": {"shape": "Text", "documentation": ""}}},
            "B": {"enum": ["documentation"]},
        },
    }
