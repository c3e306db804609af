"""Tests that lost data can be restored: from an export, from the items of tables, and from old versions of objects."""

import json
import os
import re
import shutil
import subprocess
import textwrap
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from strandline.cli.main import main
from tests.e2e.client import PASSWORD, SAMPLES, Client, User, sample
from tests.e2e.conftest import Platform, aws_client
from tests.e2e.test_blobs import MIB, content, md5, open_upload, put, read, store, when_available
from tools.project import ROOT

PAGE = ROOT / "docs" / "backup.md"
PROFILE = {"fullName": "Ada Lovelace", "patient": {"birthday": "1915-12-10"}}
SETTINGS = {"units": {"bg": "mg/dL"}}
LOG = b'[{"type":"send","timestamp":"2026-01-01T00:10:00Z","message":"1f01482a"}]'
READING = {"type": "cbg", "time": "2026-03-01T07:00:00Z", "value": 110, "units": "mg/dL"}


@pytest.fixture(scope="module")
def lost_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A local cloud that nobody else uses, since all that it keeps will be lost."""
    from tools.local_cloud.launcher import local_cloud

    with local_cloud(tmp_path_factory.mktemp("lost-cloud"), port=0) as running:
        yield Platform(running.base_url, running.server_secret, running.data_dir, running.gateway_url)


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRANDLINE_PASSWORD", PASSWORD)


def test_an_account_comes_back_from_its_export(
    lost_cloud: Platform, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ada, ben = _ada(lost_cloud.base_url), User(lost_cloud.base_url)
    assert ada.request("POST", f"/access/{ada.id}/{ben.id}", {"view": {}}).status == 200
    before = _kinds(ben, ada.id)
    assert sum(before.values()) > 1000
    saved, restored = tmp_path / "saved", tmp_path / "restored"
    assert _run("export", ada, saved) == 0

    assert _lose_everything(lost_cloud) > {"strandline-local-accounts", "strandline-local-data"}
    _works_and_is_empty(lost_cloud.base_url, ada)

    new_ada, new_ben = User(ada.base_url, ada.email), User(ada.base_url, ben.email)
    assert _run("import", new_ada, saved) == 0
    assert _kinds(new_ada, new_ada.id) == before
    for blob in new_ada.request("GET", f"/v1/users/{new_ada.id}/blobs?status=available,created").json():
        when_available(new_ada, blob["id"])
    assert _run("export", new_ada, restored) == 0
    capsys.readouterr()
    assert main(["compare", str(saved), str(restored)]) == 0, capsys.readouterr().out

    # Grants name accounts that are no more: what was granted is in the export, to whom has to be said again.
    given = json.loads((saved / "grants.json").read_text())["given"]
    assert new_ben.request("GET", f"/data/{new_ada.id}").status == 403
    assert new_ada.request("POST", f"/access/{new_ada.id}/{new_ben.id}", given[ben.id]).status == 200
    assert _kinds(new_ben, new_ada.id) == before


def test_an_account_is_complete_once_its_tables_are_restored(
    lost_cloud: Platform, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The restored tables hold all of an account: no cache or counter elsewhere has to match them."""
    ada, dynamodb = _ada(lost_cloud.base_url), aws_client(lost_cloud, "dynamodb")
    saved, restored = tmp_path / "saved", tmp_path / "restored"
    assert _run("export", ada, saved) == 0
    copies = {table: _items(dynamodb, table) for table in dynamodb.list_tables()["TableNames"]}
    for table in copies:
        _lose_items(dynamodb, table)
    _works_and_is_empty(lost_cloud.base_url, ada)

    for table, items in copies.items():
        _lose_items(dynamodb, table)
        for item in items:
            dynamodb.put_item(TableName=table, Item=item)
    assert _run("export", ada, restored) == 0
    capsys.readouterr()
    assert main(["compare", str(saved), str(restored)]) == 0, capsys.readouterr().out

    before = _kinds(ada, ada.id)
    ada.add(f"/v1/data_sets/{_open_data_set(ada)}/data", [READING | {"origin": {"id": "replaced"}, "value": 112}])
    assert _kinds(ada, ada.id) == before
    replaced = [record for record in ada.records("?type=cbg") if record.get("origin", {}).get("id") == "replaced"]
    assert [reading["value"] for reading in replaced] == [pytest.approx(112 / 18.01559)]


@pytest.mark.skipif(shutil.which("aws") is None, reason="needs the AWS CLI, for which the page is written")
def test_the_commands_of_the_backup_page_restore_tables(lost_cloud: Platform) -> None:
    """Names, order and settings. The local cloud knows no past: what is restored is what there is at the moment of the
    second step, so what has to be undone comes after it."""
    ada, ben = User(lost_cloud.base_url), User(lost_cloud.base_url)
    data_set_id = ada.open_data_set(sample("loop/01_create_data_set.json"))
    path = f"/v1/data_sets/{data_set_id}/data"
    ada.add(path, sample("loop/03_glucose.json"))
    before = _kinds(ada, ada.id)
    stop, restore, rename, set_aside, go_on = _commands("### In the same stage")
    # Before the stop: then nobody could send what is to be undone.
    _shell(lost_cloud, restore)
    ada.add(path, [READING])
    assert ada.request("POST", f"/access/{ada.id}/{ben.id}", {"view": {}}).status == 200
    for commands in (stop, rename, set_aside, go_on):
        _shell(lost_cloud, commands)

    assert _kinds(ada, ada.id) == before
    assert ben.request("GET", f"/data/{ada.id}").status == 403
    ada.add(path, [READING])
    dynamodb = aws_client(lost_cloud, "dynamodb")
    for name, has_ttl in (("data", True), ("accounts", True), ("blobs", False)):
        table = f"strandline-local-{name}"
        assert dynamodb.describe_table(TableName=table)["Table"]["DeletionProtectionEnabled"]
        recovery = dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
        assert recovery["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
        ttl = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]["TimeToLiveStatus"]
        assert (ttl == "ENABLED") == has_ttl


@pytest.mark.skipif(shutil.which("aws") is None, reason="needs the AWS CLI, for which the page is written")
def test_the_commands_of_the_backup_page_restore_objects(lost_cloud: Platform) -> None:
    s3 = aws_client(lost_cloud, "s3")
    (bucket,) = (bucket["Name"] for bucket in s3.list_buckets()["Buckets"] if bucket["Name"].startswith("strandline-"))
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    ada, kept = User(lost_cloud.base_url), content(300_000)
    path = f"/v1/blobs/{store(ada, kept).json()['id']}/content"
    (found,) = s3.list_objects_v2(Bucket=bucket, Prefix=f"blobs/{ada.id}/")["Contents"]
    undelete, put_back = _commands("## The bucket")

    for _ in range(2):  # what is deleted twice has two markers
        s3.delete_object(Bucket=bucket, Key=found["Key"])
    assert read(ada, path).status != 200
    _shell(lost_cloud, undelete)
    assert read(ada, path).body == kept

    version_id = s3.head_object(Bucket=bucket, Key=found["Key"])["VersionId"]
    s3.put_object(Bucket=bucket, Key=found["Key"], Body=b"overwritten")
    chosen = put_back.replace("KEY=log/...", f"KEY={found['Key']}").replace("VERSION=...", f"VERSION={version_id}")
    _shell(lost_cloud, chosen)
    assert read(ada, path).body == kept
    assert s3.head_object(Bucket=bucket, Key=found["Key"])["ETag"] == found["ETag"]


def _commands(heading: str) -> list[str]:
    """The shell commands under a heading of the page, in their order."""
    section = re.split(r"^##+ ", PAGE.read_text().partition(f"{heading}\n")[2], flags=re.MULTILINE)[0]
    return [
        textwrap.dedent(block) for block in re.findall(r"^ *```sh\n(.*?)^ *```$", section, re.MULTILINE | re.DOTALL)
    ]


def _shell(cloud: Platform, commands: str) -> None:
    """Run commands as the page says them, after its definitions, for the local stage and this moment."""
    (definitions,) = _commands("## Restoring tables")
    definitions = definitions.replace("AWS_REGION=eu-central-1 STAGE=prod", "STAGE=local")
    credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
    credentials |= {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ENDPOINT_URL": str(cloud.gateway_url), "AWS_PAGER": ""}
    script = f"set -e\n{definitions}\n{commands}"
    done = subprocess.run(
        ["sh", "-c", script], env=os.environ | credentials, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr


def _open_data_set(user: User) -> str:
    (data_set,) = user.request("GET", f"/v1/users/{user.id}/data_sets?client.name=org.tidepool.Loop").json()
    return str(data_set["uploadId"])


def _ada(base_url: str) -> User:
    """An account with all kinds of things: an upload that was closed, one that stays open, blobs, a log, a profile."""
    user = User(base_url)
    for name, values in (("profile", PROFILE), ("settings", SETTINGS)):
        assert user.request("PUT", f"/metadata/{user.id}/{name}", values).status == 200
    blob_id = store(user, content(300_000)).json()["id"]
    large = content(5 * MIB)
    opened = open_upload(user, large).json()
    assert put(opened["upload"], large).status == 200
    when_available(user, opened["id"])
    headers = {"Content-Type": "application/json; charset=utf-8", "X-Logs-Start-At-Time": "2026-01-01T00:00:00Z"}
    headers |= {"X-Logs-End-At-Time": "2026-01-01T01:00:00Z", "Digest": f"MD5={md5(LOG)}"}
    assert user.request("POST", f"/v1/users/{user.id}/device_logs", LOG, headers).status == 201
    _closed_upload(user, blob_id)
    _loop(user)
    return user


def _closed_upload(user: User, blob_id: str) -> None:
    description = sample("uploader/01_create_data_set.json")
    description["client"]["private"] |= {"blobId": blob_id}
    upload_id = user.open_data_set(description)
    user.add(f"/v1/datasets/{upload_id}/data", sample("uploader/02_data_all_types.json"))
    assert user.request("PUT", f"/v1/datasets/{upload_id}", {"dataState": "closed"}).status == 200


def _loop(user: User) -> None:
    """Send a day of Loop's data, then replace a record and delete one."""
    data_set_id = user.open_data_set(sample("loop/01_create_data_set.json"))
    path = f"/v1/data_sets/{data_set_id}/data"
    for entry in json.loads((SAMPLES / "manifest.json").read_text()):
        if entry["client"] == "loop" and entry["method"] == "POST" and entry["path"].endswith("/data"):
            user.add(path, sample(entry["file"]))
    for reading in (READING, READING | {"value": 111}):
        user.add(path, [reading | {"origin": {"id": "replaced"}}, reading | {"origin": {"id": f"{reading['value']}"}}])
    assert user.request("DELETE", path, [{"origin": {"id": "110"}}]).status == 200


def _run(command: str, user: User, folder: Path) -> int:
    return main([command, "--url", user.base_url, "--user", user.email, str(folder)])


def _kinds(reader: User, owner_id: str) -> Counter[str]:
    """The number of an account's records that a reader sees, by type."""
    reply = reader.request("GET", f"/data/{owner_id}", headers={"Accept-Encoding": "gzip"})
    assert reply.status == 200, reply.body
    return Counter(record["type"] for record in reply.json())


def _works_and_is_empty(base_url: str, lost: User) -> None:
    """Fail unless the stage answers as one that has never seen this account."""
    assert Client(base_url).request("GET", "/v1/time").status == 200
    assert lost.request("GET", f"/data/{lost.id}").status == 401
    sign_in = {"Authorization": _basic(lost.email)}
    assert Client(base_url).request("POST", "/auth/login", headers=sign_in).status == 401
    stranger = User(base_url)
    assert stranger.records() == []
    assert stranger.request("GET", f"/data/{lost.id}").status == 403


def _basic(email: str) -> str:
    return f"Basic {b64encode(f'{email}:{PASSWORD}'.encode()).decode()}"


def _lose_everything(cloud: Platform) -> set[str]:
    """Delete every item of the stage's tables and every object of its bucket; the names of what was emptied."""
    dynamodb, s3 = aws_client(cloud, "dynamodb"), aws_client(cloud, "s3")
    emptied = set()
    for table in dynamodb.list_tables()["TableNames"]:
        if _lose_items(dynamodb, table):
            emptied.add(table)
    for bucket in (
        bucket["Name"] for bucket in s3.list_buckets()["Buckets"] if bucket["Name"].startswith("strandline-")
    ):
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for found in page.get("Contents", []):
                s3.delete_object(Bucket=bucket, Key=found["Key"])
                emptied.add(bucket)
    return emptied


def _lose_items(dynamodb: Any, table: str) -> int:
    names = [key["AttributeName"] for key in dynamodb.describe_table(TableName=table)["Table"]["KeySchema"]]
    items = _items(dynamodb, table)
    for item in items:
        dynamodb.delete_item(TableName=table, Key={name: item[name] for name in names})
    return len(items)


def _items(dynamodb: Any, table: str) -> list[dict[str, Any]]:
    pages = dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    return [item for page in pages for item in page["Items"]]
