"""`strandline doctor`: what it finds in a data folder, and that it changes nothing."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from chalicelib.blobs.blob import BlobKind
from chalicelib.log.documents_owner import documents_owner_id
from chalicelib.services import machine
from chalicelib.tiles.compact import compact
from strandline.cli.main import main
from strandline.cli.progress import Progress
from strandline.home.doctor import Finding, Level, examine, worst
from strandline.home.opening import Home, open_home
from strandline.home.users import list_users
from tests.engine.embedded.test_folder import contents_of
from tests.home.conftest import person_of, readings
from tools.project import ROOT

CHECKS = ["versions", "database", "objects", "blobs", "tiles", "queues", "secrets", "modes", "space", "clock"]
DAY_S = 24 * 3600


@pytest.fixture
def data_folder(data_folder: Path) -> Path:
    """A folder with readings in tiles, a tail, and two blobs."""
    with person_of(data_folder) as person:
        data_set_id = person.open_data_set()
        assert person.add(data_set_id, readings(0, 600)).status == 200
        compact(person.user_id, person.home.services.tiles, lambda: None)
        assert person.add(data_set_id, readings(600, 10)).status == 200
        for number in range(2):
            assert person.store_blob(b"content %d" % number).status == 201
    return data_folder


def examined(folder: Path, ahead_ms: int = 0) -> list[Finding]:
    """The findings in a folder, which is the same afterwards."""
    before = contents_of(folder)
    findings = list(examine(folder, Progress, lambda: machine().now_ms() + ahead_ms))
    assert contents_of(folder) == before
    return findings


def faults(folder: Path) -> list[Finding]:
    """The findings in a folder that are not in order."""
    return [finding for finding in examined(folder) if finding.level is not Level.OK]


def test_a_folder_in_order_has_one_finding_for_each_check(
    data_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    findings = {finding.check: finding for finding in examined(data_folder)}
    assert list(findings) == CHECKS
    assert worst(findings.values()) is Level.OK
    assert findings["objects"].detail.startswith("3 with ")  # two blobs, and a part of the archive
    assert findings["blobs"].detail.startswith("2 blobs")
    assert findings["tiles"].detail.startswith("3 of 1 users")
    assert findings["secrets"].detail == "5, each readable"

    capsys.readouterr()
    assert main(["doctor", "--data-dir", str(data_folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [["ok", check] for check in CHECKS]
    assert main(["doctor", "--json", "--data-dir", str(data_folder)]) == 0
    assert [finding["check"] for finding in json.loads(capsys.readouterr().out)] == CHECKS


def test_a_folder_in_use_is_examined_beside_the_server(data_folder: Path) -> None:
    with person_of(data_folder) as person:
        assert person.add(person.open_data_set(), readings(1000, 10)).status == 200
        assert worst(examine(data_folder, Progress)) is Level.OK
        assert person.store_blob(b"more").status == 201


def test_files_that_a_server_removes_meanwhile_are_no_fault(data_folder: Path) -> None:
    """Such a file is listed, and is gone when it is looked at, as a link that leads nowhere is."""
    for name in ("objects/0123.part", "secrets/server-secret.json.part"):
        (data_folder / name).symlink_to("gone")
    assert worst(examine(data_folder, Progress)) is Level.OK


def test_the_folder_of_a_server_that_was_killed_is_examined_as_it_is(data_folder: Path) -> None:
    code = (
        "import os, pathlib, sys\n"
        "from strandline.home.opening import open_home\n"
        "with open_home(pathlib.Path(sys.argv[1])) as home:\n"
        "    home.engine.objects.put('a', b'body', 'text/plain')\n"
        "    os._exit(9)\n"
    )
    assert subprocess.run([sys.executable, "-c", code, data_folder], cwd=ROOT, check=False).returncode == 9
    assert (data_folder / "strandline.db-wal").stat().st_size > 0
    findings = examined(data_folder)
    assert worst(findings) is Level.OK
    assert findings[2].detail.startswith("4 with ")


def remove_object(folder: Path) -> None:
    """Remove the file of a blob."""
    next(path for path in (folder / "objects").iterdir() if path.read_bytes() == b"content 0").unlink()


def damage_object(folder: Path) -> None:
    """Change a byte of the file of a blob."""
    next(path for path in (folder / "objects").iterdir() if path.read_bytes() == b"content 0").write_bytes(b"content X")


def cut_object(folder: Path) -> None:
    """Cut off the file of a blob."""
    next(path for path in (folder / "objects").iterdir() if path.read_bytes() == b"content 0").write_bytes(b"c")


def add_stray_file(folder: Path) -> None:
    """Add a file that is a day old and belongs to nothing, and one that is being written."""
    for name, age_s in (("stray", DAY_S + 60), ("new.part", 5)):
        (folder / "objects" / name).touch()
        os.utime(folder / "objects" / name, (time.time() - age_s,) * 2)


def open_secret(folder: Path) -> None:
    """Let the group read a secret."""
    next((folder / "secrets").iterdir()).chmod(0o640)


def open_folder(folder: Path) -> None:
    """Let others list the folder."""
    folder.chmod(0o755)


def damage_secret(folder: Path) -> None:
    """Empty the file of a secret that is not needed to open the folder."""
    next((folder / "secrets").glob("*metrics-salt*")).write_bytes(b"")


def damage_database(folder: Path) -> None:
    """Empty the last page of the database."""
    database = folder / "strandline.db"
    content = database.read_bytes()
    database.write_bytes(content[:-4096] + bytes(4096))


@pytest.mark.parametrize(
    ("change", "level", "check", "detail"),
    [
        (remove_object, Level.ERROR, "objects", "is missing"),
        (damage_object, Level.ERROR, "objects", "is not what was stored"),
        (cut_object, Level.ERROR, "objects", "has 1 bytes instead of 9"),
        (add_stray_file, Level.WARNING, "objects", "the file stray has no object"),
        (open_secret, Level.WARNING, "modes", "chmod 600"),
        (open_folder, Level.WARNING, "modes", "chmod 700"),
        (damage_secret, Level.ERROR, "secrets", "metrics-salt.json is damaged"),
    ],
)
def test_a_fault_of_the_files_is_found(
    data_folder: Path,
    capsys: pytest.CaptureFixture[str],
    change: Callable[[Path], None],
    level: Level,
    check: str,
    detail: str,
) -> None:
    change(data_folder)
    (found,) = faults(data_folder)
    assert (found.level, found.check) == (level, check)
    assert detail in found.detail
    capsys.readouterr()
    assert main(["doctor", "--data-dir", str(data_folder)]) == {Level.WARNING: 3, Level.ERROR: 1}[level]
    assert found.detail in capsys.readouterr().out


def test_a_damaged_database_is_found_and_the_other_checks_are_made(data_folder: Path) -> None:
    damage_database(data_folder)
    found = faults(data_folder)
    assert {finding.level for finding in found} == {Level.ERROR}
    assert "database" in {finding.check for finding in found}
    assert any("restore the last backup" in finding.detail for finding in found)


@pytest.fixture
def home(data_folder: Path) -> Iterator[Home]:
    """The folder, opened to change what no user can change."""
    with open_home(data_folder) as home:
        yield home


def user_id_of(home: Home) -> str:
    """The id of the one account."""
    (user,) = list_users(home)
    return user.account.user_id


def test_a_blob_without_a_content_and_a_content_without_a_blob_are_found(home: Home) -> None:
    ports = home.services.blobs
    first, second = ports.blobs.of_user(BlobKind.BLOBS, user_id_of(home))
    home.engine.objects.delete([first.content_key])
    ports.blobs.remove([second])
    found = [finding for finding in examine(home.data_dir, Progress) if finding.level is not Level.OK]
    assert [(finding.level, finding.check) for finding in found] == [(Level.ERROR, "blobs"), (Level.WARNING, "blobs")]
    assert f"{first.content_key} has no content" in found[0].detail
    assert f"{second.content_key} belongs to no blob" in found[1].detail


def test_a_blob_that_waits_for_its_content_is_in_order(home: Home) -> None:
    (blob, _) = home.services.blobs.blobs.of_user(BlobKind.BLOBS, user_id_of(home))
    home.services.blobs.blobs.add(replace(blob, id="0" * 32, status="created"))
    assert worst(examine(home.data_dir, Progress)) is Level.OK


def test_a_tile_that_differs_from_the_log_is_found(home: Home) -> None:
    with home.engine.database.writing() as connection:
        changed = connection.execute(
            "DELETE FROM items WHERE rowid = (SELECT rowid FROM items WHERE pk LIKE 'TILE%' LIMIT 1)"
        ).rowcount
    assert changed == 1
    (found,) = [finding for finding in examine(home.data_dir, Progress) if finding.level is not Level.OK]
    assert (found.level, found.check) == (Level.ERROR, "tiles")
    assert "strandline.data.rebuild makes it again" in found.detail


@pytest.mark.parametrize("is_log_lost", [False, True])
def test_a_fault_in_the_documents_of_a_user_is_found(data_folder: Path, is_log_lost: bool) -> None:
    with person_of(data_folder) as person:
        documents = [{"_id": f"{number:024x}", "created_at": "2026-01-01", "carbs": 5} for number in range(1, 4)]
        path = f"/v1/users/{person.user_id}/nightscout_documents/food"
        assert person.request("POST", path, documents).json()["stored"] == 3
        owner_id, ports = documents_owner_id(person.user_id), person.home.services.tiles
        objects = person.home.engine.objects
        before = set(objects.keys("log/"))
        compact(owner_id, ports, lambda: None)
        assert worst(examine(data_folder, Progress)) is Level.OK
        if is_log_lost:
            for request in list(ports.sweep_requests.older_than(2**52)):
                ports.sweep_requests.sweep(request)
            objects.delete([key for key in objects.keys("log/") if key not in before])
        else:
            with person.home.engine.database.writing() as connection:
                query = "DELETE FROM items WHERE pk LIKE 'TILE%' AND pk LIKE '%nightscout%'"
                assert connection.execute(query).rowcount >= 1
        (found, *_) = [finding for finding in examine(data_folder, Progress) if finding.level is not Level.OK]
        assert (found.level, found.check) == (Level.ERROR, "tiles")
        assert owner_id in found.detail


def test_a_log_that_lacks_entries_is_found(home: Home) -> None:
    ports = home.services.tiles
    for request in list(ports.sweep_requests.older_than(2**52)):
        ports.sweep_requests.sweep(request)  # removes what is in the archive from the log
    home.engine.objects.delete(home.engine.objects.keys("log/"))
    found = [finding for finding in examine(home.data_dir, Progress) if finding.level is not Level.OK]
    assert [(finding.level, finding.check) for finding in found] == [(Level.ERROR, "tiles")]
    assert "lacks entries" in found[0].detail


def test_failed_messages_are_found(home: Home) -> None:
    home.engine.task_failures.send("run")
    (found,) = [finding for finding in examine(home.data_dir, Progress) if finding.level is not Level.OK]
    assert (found.level, found.check) == (Level.WARNING, "queues")
    assert "1 messages in tasks-failures" in found.detail


@pytest.mark.parametrize(
    ("ahead_ms", "level", "detail"),
    [
        (-3_600_000, Level.WARNING, "the clock was set back"),
        (-20 * 365 * DAY_S * 1000, Level.ERROR, "is in the past"),
        (-30_000, Level.OK, "Z"),
    ],
)
def test_a_clock_that_is_behind_is_found(data_folder: Path, ahead_ms: int, level: Level, detail: str) -> None:
    (found,) = [finding for finding in examined(data_folder, ahead_ms) if finding.check == "clock"]
    assert found.level is level
    assert detail in found.detail


@pytest.mark.parametrize(
    ("free_bytes", "level"), [(10_000_000, Level.ERROR), (500_000_000, Level.WARNING), (2_000_000_000, Level.OK)]
)
def test_little_space_is_found(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch, free_bytes: int, level: Level
) -> None:
    usage = shutil.disk_usage(data_folder)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=free_bytes))
    (found,) = [finding for finding in examined(data_folder) if finding.check == "space"]
    assert found.level is level


def test_a_folder_that_cannot_be_opened_is_one_error(
    data_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--data-dir", str(tmp_path / "nothing")]) == 1
    assert "has no data of a home server" in capsys.readouterr().out
    assert not (tmp_path / "nothing").exists()
    (data_folder / "strandline.db").write_bytes(b"no database at all" * 1000)
    (found,) = faults(data_folder)
    assert (found.level, found.check) == (Level.ERROR, "folder")


def test_many_faults_are_cut_short(home: Home) -> None:
    for number in range(30):
        home.engine.objects.put(f"many/{number}", b"%d" % number, "text/plain")
    for path in sorted((home.data_dir / "objects").iterdir())[1:]:
        path.unlink()
    found = [finding for finding in examine(home.data_dir, Progress) if finding.check == "objects"]
    assert len(found) == 21
    assert found[-1].detail == "and 12 more"
