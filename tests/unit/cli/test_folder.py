"""The folder of an export and its manifest, and the journal of its imports."""

from pathlib import Path

import pytest

from strandline.cli.errors import CommandError
from strandline.cli.folder import (
    Manifest,
    fingerprints,
    read_manifest,
    time_of,
    verified,
    write_json,
    write_manifest,
)
from strandline.cli.journal import Journal


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """A minimal export."""
    write_json(tmp_path / "metadata" / "profile.json", {"fullName": "Ada"})
    manifest = Manifest(
        1, "2026-01-01T00:00:00Z", "http://127.0.0.1", "ada", {"profile": 1}, fingerprints(tmp_path), []
    )
    write_manifest(tmp_path, manifest)
    return tmp_path


def test_an_unchanged_export_is_verified(export: Path) -> None:
    assert set(verified(export).files) == {"metadata/profile.json"}


@pytest.mark.parametrize("change", ["changed", "missing", "outside"])
def test_a_damaged_export_is_refused(export: Path, change: str) -> None:
    profile = export / "metadata" / "profile.json"
    if change == "changed":
        profile.write_text(profile.read_text().replace("Ada", "Eve"))
    elif change == "missing":
        profile.unlink()
    else:
        manifest = read_manifest(export)
        manifest.files["../elsewhere"] = {"bytes": 0, "sha256": ""}
        write_manifest(export, manifest)
    with pytest.raises(CommandError, match=r"profile\.json|outside"):
        verified(export)


def test_a_folder_that_is_not_an_export_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"has no manifest\.json"):
        read_manifest(tmp_path)
    (tmp_path / "manifest.json").write_text('{"format": "another"}')
    with pytest.raises(CommandError, match="not an export of Strandline"):
        read_manifest(tmp_path)
    (tmp_path / "manifest.json").write_text('{"format": "strandline-export", "version": 2}')
    with pytest.raises(CommandError, match="install a newer one"):
        read_manifest(tmp_path)


def test_a_journal_has_the_last_state_of_each_item(tmp_path: Path) -> None:
    with Journal(tmp_path, "http://127.0.0.1", "ada") as journal:
        journal.record("blobs", "one", step="begun")
        journal.record("blobs", "one", step="done", newId="two")
    with Journal(tmp_path, "http://127.0.0.1", "ada") as journal:
        assert journal.state("blobs", "one") == {"kind": "blobs", "id": "one", "step": "done", "newId": "two"}
        assert journal.state("blobs", "two") is None
        assert len(journal.states("blobs")) == 1


def test_a_torn_line_of_a_journal_is_ignored(tmp_path: Path) -> None:
    with Journal(tmp_path, "http://127.0.0.1", "ada") as journal:
        journal.record("blobs", "one", step="begun")
    journal.path.write_bytes(journal.path.read_bytes() + b'{"kind":"blobs","id":"one","st')
    for _ in range(2):
        with Journal(tmp_path, "http://127.0.0.1", "ada") as journal:
            assert journal.state("blobs", "one") == {"kind": "blobs", "id": "one", "step": "begun"}
            journal.record("blobs", "two", step="begun")


def test_each_account_has_a_journal_of_its_own(tmp_path: Path) -> None:
    with Journal(tmp_path, "http://127.0.0.1", "ada") as journal:
        journal.record("blobs", "one", step="done")
    with Journal(tmp_path, "http://127.0.0.1", "eve") as journal:
        assert journal.state("blobs", "one") is None


def test_times_are_in_order_whatever_their_fraction_and_zone() -> None:
    ordered = [
        "none",
        "2026-01-01T10:00:00",
        "2026-01-01T10:00:00.1Z",
        "2026-01-01T10:00:00.12Z",
        "2026-01-01T12:00:00.2+02:00",
        "2026-01-01T10:00:01Z",
    ]
    assert sorted(set(ordered), key=lambda text: time_of({"modifiedTime": text}, "modifiedTime")) == ordered
    assert time_of({}, "modifiedTime") == time_of({"modifiedTime": None}, "modifiedTime")
