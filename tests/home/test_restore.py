"""`strandline restore`: what comes back, and files and folders that are refused."""

import io
import os
import random
import sqlite3
import stat
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from strandline.cli.errors import CommandError
from strandline.cli.main import main
from strandline.cli.progress import Progress
from strandline.home.archive import ArchiveWriter, Manifest, read_archive
from strandline.home.backup import back_up
from strandline.home.lock import folder_lock
from strandline.home.opening import open_home
from tests.home.conftest import person_of, readings
from tests.home.test_full_disk import small_disk  # noqa: F401  a fixture
from tools.project import ROOT

Member = tuple[str, bytes]
FILE_NAME = "0" * 32


@pytest.fixture
def file(data_folder: Path, tmp_path: Path) -> Path:
    """A backup of a folder with readings and three blobs."""
    file = tmp_path / "a.tar"
    with person_of(data_folder) as person:
        assert person.add(person.open_data_set(), readings(0, 100)).status == 200
        for number in range(3):
            assert person.store_blob(b"content %d" % number).status == 201
        back_up(person.home, file, Progress)
    return file


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """The folder to restore into, which is not there yet."""
    return tmp_path / "restored"


def refusal(capsys: pytest.CaptureFixture[str], file: Path, target: Path) -> str:
    """The one line of a restore that is refused, and leaves nothing but the lock."""
    before = {path.name for path in target.iterdir()} if target.is_dir() else set()
    capsys.readouterr()
    assert main(["restore", str(file), "--data-dir", str(target)]) == 1
    assert ({path.name for path in target.iterdir()} if target.is_dir() else set()) <= before | {"lock"}
    return next(line for line in capsys.readouterr().err.splitlines() if line.startswith("error: "))


def members_of(file: Path) -> list[Member]:
    """The names and the contents of the members of a backup."""
    with tarfile.open(file) as archive:
        return [(member.name, archive.extractfile(member).read()) for member in archive]  # type: ignore[union-attr]


def write_archive(file: Path, members: list[Member], **changes: object) -> None:
    """Write a backup of these members, whose description fits them but for the changes."""
    with file.open("wb") as target:
        writer = ArchiveWriter(target)
        for name, content in members:
            writer.add(name, len(content), iter([content]))
        names = [name.partition("/")[0] for name, _ in members]
        fields = {
            "created_ms": 0,
            "database_bytes": len(dict(members).get("strandline.db", b"")),
            "secrets": names.count("secrets"),
            "objects": names.count("objects"),
            "missing": (),
            "damaged": (),
            "sha256": writer.sha256,
        }
        writer.finish(Manifest(**(fields | changes)))  # type: ignore[arg-type]


def test_a_restored_folder_has_everything_and_is_private(file: Path, target: Path, data_folder: Path) -> None:
    assert main(["restore", str(file), "--data-dir", str(target)]) == 0
    with person_of(data_folder) as before, person_of(target) as after:
        assert after.user_id == before.user_id
        blobs = after.request("GET", f"/v1/users/{after.user_id}/blobs").json()
        assert len(blobs) == 3
        assert len(after.read()) == 100
    for folder in ("secrets", "objects"):
        names = {path.name for path in (data_folder / folder).iterdir()}
        assert {path.name: path.read_bytes() for path in (target / folder).iterdir()} == {
            name: (data_folder / folder / name).read_bytes() for name in names
        }
    modes = {stat.S_IMODE(path.stat().st_mode) for path in target.rglob("*") if path.is_file()}
    assert modes == {0o600}
    assert {stat.S_IMODE(path.stat().st_mode) for path in (target, *target.rglob("*")) if path.is_dir()} == {0o700}


def test_the_restored_data_is_that_of_the_backup(
    file: Path, target: Path, data_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with person_of(data_folder) as person:
        assert person.add(person.open_data_set(), readings(100, 50)).status == 200
        before = person.read()
    capsys.readouterr()
    assert main(["restore", str(file), "--data-dir", str(target)]) == 0
    assert "with 3 objects" in capsys.readouterr().out
    with person_of(target) as person:
        assert person.read() == before[:100]
        assert person.add(person.open_data_set(), readings(100, 50)).status == 200


def test_a_folder_that_is_not_empty_is_refused_and_left_alone(
    file: Path, data_folder: Path, target: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target.mkdir()
    (target / "letter.txt").write_text("precious")
    assert "not empty: name another one" in refusal(capsys, file, target)
    assert [path.name for path in target.iterdir()] == ["letter.txt"]
    assert "not empty: name another one" in refusal(capsys, file, data_folder)
    with person_of(data_folder) as person:
        assert len(person.read()) == 100


def test_a_folder_that_another_process_uses_is_refused(
    file: Path, target: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with folder_lock(target):
        assert "in use by another process" in refusal(capsys, file, target)
    assert main(["restore", str(file), "--data-dir", str(target)]) == 0


def test_a_file_that_is_no_backup_is_refused_before_a_folder_is_made(
    tmp_path: Path, target: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "there is no file" in refusal(capsys, tmp_path / "nothing.tar", target)
    assert not target.exists()
    for content in (b"", b"a letter", bytes(10_240), os.urandom(5_000)):
        (tmp_path / "letter").write_bytes(content)
        assert "not a backup" in refusal(capsys, tmp_path / "letter", target)


def test_a_backup_that_is_cut_off_or_changed_anywhere_is_refused(
    file: Path, target: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = file.read_bytes()
    end = content.rindex(b"}") + 1
    chance = random.Random(1)  # noqa: S311  where to damage it
    broken = tmp_path / "broken.tar"
    for _ in range(15):
        broken.write_bytes(content[: chance.randrange(end)])
        refusal(capsys, broken, target)
        at = chance.randrange(end)
        broken.write_bytes(content[:at] + bytes([content[at] ^ 1 << chance.randrange(8)]) + content[at + 1 :])
        refusal(capsys, broken, target)
    assert main(["restore", str(file), "--data-dir", str(target)]) == 0


def linked(name: str, kind: bytes) -> bytes:
    """A header of a member that is not a plain file."""
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, "/etc/passwd"
    return member.tobuf(tarfile.GNU_FORMAT)


@pytest.mark.parametrize(
    "header",
    [
        linked(f"objects/{FILE_NAME}", tarfile.SYMTYPE),
        linked(f"objects/{FILE_NAME}", tarfile.LNKTYPE),
        linked("secrets/a.json", tarfile.FIFOTYPE),
        linked("objects", tarfile.DIRTYPE),
        linked("../../etc/cron.d/evil", tarfile.REGTYPE),
        linked("/etc/cron.d/evil", tarfile.REGTYPE),
        linked("objects/../../evil", tarfile.REGTYPE),
        linked("secrets/.json", tarfile.REGTYPE),
        linked("secrets/a/b.json", tarfile.REGTYPE),
        linked("lock", tarfile.REGTYPE),
        linked(f"objects/{FILE_NAME}", tarfile.GNUTYPE_SPARSE),
        linked("long", tarfile.GNUTYPE_LONGNAME),
        linked("more", tarfile.XHDTYPE),
    ],
)
def test_a_member_that_could_reach_elsewhere_is_refused(header: bytes, tmp_path: Path) -> None:
    plain = io.BytesIO()
    ArchiveWriter(plain).add("strandline.db", 3, iter([b"abc"]))
    received: list[str] = []
    with pytest.raises(CommandError, match="does not belong there"):
        read_archive(io.BytesIO(plain.getvalue() + header), lambda name, *_: received.append(name))
    assert received == ["strandline.db"]


@pytest.mark.parametrize(
    "names",
    [
        ["secrets/a.json", "strandline.db"],
        ["strandline.db", "strandline.db"],
        ["strandline.db", "secrets/a.json", "secrets/a.json"],
        ["strandline.db", f"objects/{FILE_NAME}", "secrets/a.json"],
        ["strandline.db", f"objects/{'1' * 32}", f"objects/{FILE_NAME}"],
    ],
)
def test_members_out_of_place_are_refused(tmp_path: Path, names: list[str]) -> None:
    write_archive(tmp_path / "a.tar", [(name, b"x") for name in names])
    with (tmp_path / "a.tar").open("rb") as archive, pytest.raises(CommandError, match=r"out of place|not a backup"):
        read_archive(archive, lambda *_: None)


def without_last_object(members: list[Member]) -> list[Member]:
    """The backup lacks an object."""
    return members[:-1]


def with_another_content(members: list[Member]) -> list[Member]:
    """The backup has another object under the name of one."""
    return [*members[:-1], (members[-1][0], b"other content")]


def with_a_stray_file(members: list[Member]) -> list[Member]:
    """The backup has a file that belongs to no object."""
    return [*members, (f"objects/{'f' * 32}", b"stray")]


def changed_database(statement: str) -> Callable[[list[Member]], list[Member]]:
    """The backup has a database in which a statement was run."""

    def change(members: list[Member]) -> list[Member]:
        connection = sqlite3.connect(":memory:", isolation_level=None)
        content = bytearray(members[0][1])
        content[18:20] = b"\x01\x01"  # a database in memory has no log
        connection.deserialize(bytes(content))
        connection.execute(statement)
        changed = connection.serialize()
        connection.close()
        return [(members[0][0], changed), *members[1:]]

    return change


def without_a_page(members: list[Member]) -> list[Member]:
    """The backup has a database with a page of zeros."""
    content = members[0][1]
    return [(members[0][0], content[:-4096] + bytes(4096)), *members[1:]]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (without_last_object, "lacks the object blobs/"),
        (with_another_content, "is not what was stored"),
        (with_a_stray_file, "1 of its files belong to no object"),
        (changed_database("PRAGMA user_version = 99"), "newer version"),
        (changed_database("PRAGMA application_id = 1"), "another program"),
        (changed_database("CREATE TRIGGER t AFTER INSERT ON items BEGIN DELETE FROM items; END"), "not one of a home"),
        (changed_database("DROP TABLE objects"), "not one of a home"),
        (without_a_page, "damaged"),
    ],
)
def test_parts_that_do_not_fit_together_are_refused(
    file: Path,
    target: Path,
    capsys: pytest.CaptureFixture[str],
    change: Callable[[list[Member]], list[Member]],
    sentence: str,
) -> None:
    write_archive(file, change(members_of(file)[:-1]))
    assert sentence in refusal(capsys, file, target)


@pytest.mark.parametrize("changes", [{"objects": 2}, {"secrets": 9}, {"database_bytes": 1}, {"sha256": "0" * 64}])
def test_a_description_that_does_not_fit_is_refused(
    file: Path, target: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, object]
) -> None:
    write_archive(file, members_of(file)[:-1], **changes)
    assert "not what was written" in refusal(capsys, file, target)


def test_a_backup_of_a_newer_version_is_refused(file: Path, target: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = file.read_bytes()
    assert content.count(b'"version": 1') == 1
    file.write_bytes(content.replace(b'"version": 1', b'"version": 2'))
    assert "newer version" in refusal(capsys, file, target)


CRASHING = """
import os, pathlib, sys
from strandline.cli.progress import Progress
from strandline.home import restoring
place = sys.argv[3]
if place == "extracting":
    restoring.read_archive = lambda *_: os._exit(9)
elif place == "verifying":
    restoring._verify = lambda *_: os._exit(9)
else:
    pathlib.Path.replace = lambda *_: os._exit(9)
restoring.restore(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), Progress)
"""


@pytest.mark.parametrize("place", ["extracting", "verifying", "naming"])
def test_the_folder_of_a_restore_that_crashed_is_not_taken_for_whole(
    file: Path, target: Path, capsys: pytest.CaptureFixture[str], place: str
) -> None:
    crashed = subprocess.run([sys.executable, "-c", CRASHING, file, target, place], cwd=ROOT, check=False)
    assert crashed.returncode == 9
    with pytest.raises(CommandError, match=r"no strandline\.db"), open_home(target):
        pass
    assert "not empty: name another one" in refusal(capsys, file, target)


def test_a_restore_without_room_leaves_nothing(
    data_folder: Path,
    tmp_path: Path,
    small_disk: Path,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "large.tar"
    with person_of(data_folder) as person:
        for number in range(12):
            assert person.store_blob(os.urandom(1_000_000 + number)).status == 201
        back_up(person.home, file, Progress)
    assert "is full; nothing was restored" in refusal(capsys, file, small_disk / "restored")


def test_the_description_is_readable(file: Path) -> None:
    name, content = members_of(file)[-1]
    manifest = orjson.loads(content)
    assert (name, manifest["format"], manifest["version"]) == ("backup.json", "strandline-backup", 1)
    assert (manifest["objects"], manifest["secrets"], manifest["missing"]) == (3, 5, [])
