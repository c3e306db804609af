"""A disk that is full: requests that store something get 507, nothing is lost, and all goes on when there is space."""

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chalicelib.engine.embedded import folder
from strandline.cli.main import main
from tests.home.conftest import Person, person_of, readings

DISK_BYTES = 8 * 1024 * 1024
CONTENT = b"x" * 100_000


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a few megabytes."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root may mount a file system")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", disk], check=False)
    if mounted.returncode != 0:
        pytest.skip("this machine mounts nothing")
    yield disk
    subprocess.check_call(["umount", disk])


def fill(disk: Path) -> Path:
    """Fill a disk to the last byte; removing the file makes space again."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size_bytes in (65536, 4096, 1):
            try:
                while file.write(bytes(size_bytes)) == size_bytes:
                    pass
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
    return filler


def test_a_full_disk_loses_nothing_and_works_again_when_there_is_space(small_disk: Path, tmp_path: Path) -> None:
    data_folder = small_disk / "data"
    with person_of(data_folder) as person:
        data_set_id = person.open_data_set()
        assert person.add(data_set_id, readings(0, 100)).status == 200
        blob_id = person.store_blob(CONTENT).json()["id"]
        stored = person.read()

        filler = fill(small_disk)
        added = 100
        while (reply := person.add(data_set_id, readings(added, 1000))).status == 200:
            added += 1000  # into the file of the log, which has room for a while
        assert (reply.status, reply.headers["retry-after"]) == (507, "60")
        assert reply.json()["errors"][0]["code"] == "insufficient-storage"
        assert person.store_blob(CONTENT).status == 507
        assert len(person.read()) == added
        assert person.read()[:100] == stored
        assert person.request("GET", f"/v1/blobs/{blob_id}").status == 200

        assert main(["backup", str(tmp_path / "elsewhere.tar"), "--data-dir", str(data_folder)]) == 0
        assert main(["restore", str(tmp_path / "elsewhere.tar"), "--data-dir", str(tmp_path / "restored")]) == 0

        filler.unlink()
        assert person.add(data_set_id, readings(added, 1000)).status == 200
        assert person.store_blob(CONTENT).status == 201
        assert len(person.read()) == added + 1000

    with person_of(tmp_path / "restored") as person:
        assert len(person.read()) == added
    with person_of(data_folder) as person:
        assert len(person.read()) == added + 1000
        assert len(person.request("GET", f"/v1/users/{person.user_id}/blobs").json()) == 2
        with person.home.engine.database.reading() as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_database_without_room_refuses_records_and_keeps_what_it_has(person: Person) -> None:
    data_set_id = person.open_data_set()
    assert person.add(data_set_id, readings(0, 10)).status == 200
    with person.home.engine.database.writing() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
    note = "".join(chr(33 + number % 90) for number in range(3000))
    reply = person.add(data_set_id, readings(10, 1000, payload={"note": note}))
    assert (reply.status, reply.json()["errors"][0]["code"]) == (507, "insufficient-storage")
    assert len(person.read()) == 10
    with person.home.engine.database.writing() as connection:
        connection.execute("PRAGMA max_page_count = 1000000")
    assert person.add(data_set_id, readings(10, 1000, payload={"note": note})).status == 200
    assert len(person.read()) == 1010


def test_a_blob_without_room_leaves_nothing_behind(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(folder, "sync_file", fail)
        reply = person.store_blob(CONTENT)
    assert (reply.status, reply.json()["code"]) == (507, "insufficient-storage")
    assert person.request("GET", f"/v1/users/{person.user_id}/blobs").json() == []
    assert list((person.home.data_dir / "objects").iterdir()) == []
    assert person.store_blob(CONTENT).status == 201
