"""Upgrades: what earlier versions wrote is read whole by this one, and can be used. A home server's folder, and tables.

The clock stands at the moment at which the earlier version was asked, so that the answers can be compared.
"""

import base64
import gzip
import json
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from chalicelib import services as wiring
from chalicelib.engine.aws.engine import aws_engine
from chalicelib.engine.embedded.database import FORMAT_VERSION
from chalicelib.services import Services, build_services, machine
from chalicelib.tiles.compact import compact
from chalicelib.tiles.verify import check_tiles
from strandline.cli.progress import Progress
from strandline.home.doctor import Level, examine, worst
from strandline.home.opening import open_home
from tests.api.conftest import ApiClient
from tests.infra.rights.stage import SETTINGS, create_resources, forget_clients
from tests.upgrade.written import Written, answers_of, differences, files_of, require_use, signed_in, written
from tools.project import ROOT
from tools.release.changelog import versions_of
from tools.version_data.__main__ import FILES, write_data

LATER_MS = 1000
FIRST_HOME, FIRST_TABLES = "2026-11-28-first-home-server", "2026-11-21-tables"


@dataclass
class Upgraded:
    """This version on data of an earlier one."""

    data: Written
    api: ApiClient
    services: Services
    folder: Path | None


@contextmanager
def _serving(services: Services) -> Iterator[ApiClient]:
    wiring.override(services)
    try:
        yield ApiClient()
    finally:
        wiring.override(None)


@contextmanager
def home(file: Path, folder: Path) -> Iterator[Upgraded]:
    """This version on a data folder."""
    data = written(file)
    with tarfile.open(file) as archive:
        archive.extractall(folder, filter="data")
    around = replace(machine(), now_ms=lambda: data.read_time_ms + LATER_MS)
    with open_home(folder, surroundings=around) as opened, _serving(opened.services) as api:
        yield Upgraded(data, api, opened.services, folder)


@contextmanager
def stage(file: Path) -> Iterator[Upgraded]:
    """This version on tables and a bucket."""
    data = written(file)
    stored = json.loads(gzip.decompress(file.read_bytes()))
    with mock_aws() as mock:
        mock.reset()
        forget_clients()
        create_resources()
        _store(stored)
        around = replace(machine(), now_ms=lambda: data.read_time_ms + LATER_MS)
        services = build_services(SETTINGS, aws_engine(SETTINGS), around)
        try:
            with _serving(services) as api:
                yield Upgraded(data, api, services, None)
        finally:
            forget_clients()


def _store(stored: dict[str, Any]) -> None:
    region = SETTINGS.region
    tables, bucket = boto3.client("dynamodb", region_name=region), boto3.client("s3", region_name=region)
    for name, items in stored["tables"].items():
        for item in items:
            tables.put_item(TableName=f"strandline-{SETTINGS.stage}-{name}", Item=_binary(item))
    for found in stored["objects"]:
        body, tags = base64.b64decode(found["body"]), "&".join(f"{tag['Key']}={tag['Value']}" for tag in found["tags"])
        key = {"Bucket": SETTINGS.bucket, "Key": found["key"]}
        bucket.put_object(**key, Body=body, ContentType=found["type"], Tagging=tags)


def _binary(value: Any) -> Any:
    """A value of DynamoDB's JSON with binary values decoded."""
    if isinstance(value, dict) and value.keys() == {"B"}:
        return {"B": base64.b64decode(value["B"])}
    if isinstance(value, dict):
        return {name: _binary(member) for name, member in value.items()}
    return [_binary(member) for member in value] if isinstance(value, list) else value


HOMES, STAGES = files_of("home"), files_of("tables")


@pytest.fixture(params=[*HOMES, *STAGES], ids=lambda file: f"{file.parent.name} {file.name.partition('.')[0]}")
def upgraded(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Upgraded]:
    """This version on what each kept version wrote."""
    file: Path = request.param
    with home(file, tmp_path / "data") if file in HOMES else stage(file) as opened:
        yield opened


def test_data_of_the_first_versions_and_of_each_release_are_kept() -> None:
    releases = set(versions_of((ROOT / "CHANGELOG.md").read_text()))
    assert {FIRST_HOME} | releases <= {file.parent.name for file in HOMES}
    assert {FIRST_TABLES} | releases <= {file.parent.name for file in STAGES}
    assert all(file.stat().st_size < 200_000 for file in (*HOMES, *STAGES))


def test_all_that_was_answered_is_answered_still(upgraded: Upgraded) -> None:
    assert len(upgraded.data.answers) >= 15
    assert differences(upgraded.data, upgraded.api) == []


def test_the_data_can_be_used(upgraded: Upgraded) -> None:
    require_use(upgraded.data, upgraded.api)


def test_tiles_are_right_and_compaction_changes_no_answer(upgraded: Upgraded) -> None:
    user_id, tiles = upgraded.data.user_id, upgraded.services.tiles
    check = check_tiles(user_id, tiles)
    assert (check.wrong, check.tiles > 0) == ((), True)
    token = signed_in(upgraded.api)
    before = answers_of(upgraded.data, upgraded.api, token)
    compact(user_id, tiles, lambda: None)
    assert answers_of(upgraded.data, upgraded.api, token) == before
    assert check_tiles(user_id, tiles).wrong == ()


@pytest.mark.parametrize("file", HOMES, ids=lambda file: file.parent.name)
def test_the_doctor_finds_nothing_wrong(file: Path, tmp_path: Path) -> None:
    with home(file, tmp_path / "data") as opened:
        assert opened.folder is not None
        findings = list(examine(opened.folder, Progress, lambda: opened.data.read_time_ms + LATER_MS))
        assert [finding for finding in findings if finding.level is Level.ERROR] == []
        assert worst(findings) in (Level.OK, Level.WARNING)


@pytest.mark.parametrize("file", HOMES, ids=lambda file: file.parent.name)
def test_a_folder_of_a_higher_format_is_refused_with_one_sentence(file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with tarfile.open(file) as archive:
        archive.extractall(folder, filter="data")
    with sqlite3.connect(folder / "strandline.db") as connection:
        connection.execute(f"PRAGMA user_version = {FORMAT_VERSION + 1}")
    connection.close()
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    command = [sys.executable, "-m", "strandline.cli", "serve", "--data-dir", str(folder), "--port", "0"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert ended.stderr.strip() == (
        f"error: the database {folder}/strandline.db was written by a newer version of Strandline."
    )
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != "lock"} == before


@pytest.mark.parametrize("kind", FILES)
def test_this_version_writes_what_it_reads(kind: str, tmp_path: Path) -> None:
    """`make version-data` works with the sources of today, so the next release can keep its data."""
    write_data(kind, ROOT, tmp_path)
    file = tmp_path / FILES[kind]
    with home(file, tmp_path / "data") if kind == "home" else stage(file) as opened:
        assert {"device /api/v1/entries.json?count=1000", f"anna /message/all/{opened.data.user_id}"} <= set(
            opened.data.answers
        )
        assert differences(opened.data, opened.api) == []
