"""Copying a Nightscout site into a folder: whole, in bounded steps, and going on where it was interrupted."""

from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from strandline.cli.errors import CommandError, RefusedError
from strandline.cli.folder import Json, Manifest, read_lines, verified
from strandline.cli.nightscout.copying import DAY_MS, as_document, copy_site
from strandline.cli.nightscout.documents import documents_file
from strandline.cli.nightscout.site import LAST_MS, Listing, TooManyError
from tests.unit.cli.nightscout_site import DATES

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)


def entry(number: int, date: int) -> Json:
    """An entry."""
    return {"_id": f"{number:024x}", "type": "sgv", "sgv": 100, "date": date}


def dated(number: int, member: str, text: str) -> Json:
    """A document whose time is a text."""
    return {"_id": f"{number:024x}", member: text}


class MemorySite:
    """A site in memory that fails after some requests."""

    base_url = "https://site.example.org"

    def __init__(self, fails_after: int = 10**9, **documents: list[Json]) -> None:
        self.documents: dict[str, list[Json]] = {name: [] for name in DATES}
        self.documents |= documents
        self.fails_after = fails_after
        self.windows: list[tuple[str, int, int]] = []
        self.absent: set[str] = set()

    def foods(self) -> list[Json]:
        """The foods."""
        if "food" not in self.documents:
            raise RefusedError("GET /food", 404, b"")
        return self.documents["food"]

    def window(self, listing: Listing, from_ms: int, to_ms: int) -> list[Json]:
        """The documents of a window."""
        self.windows.append((listing.path, from_ms, to_ms))
        if listing.path in self.absent:
            raise RefusedError("GET", 404, b"")
        if len(self.windows) > self.fails_after:
            raise CommandError("the site is gone")
        found = [
            document for document in self.documents[listing.path] if from_ms <= _ms(listing.path, document) < to_ms
        ]
        if len(found) >= listing.most:
            raise TooManyError
        return sorted(found, key=lambda document: _ms(listing.path, document))


def _ms(path: str, document: Json) -> int:
    value = document[DATES[path]]
    return value if isinstance(value, int) else int(datetime.fromisoformat(value).timestamp() * 1000)


def copied(site: MemorySite, target: Path, days: int = 60) -> tuple[Manifest, dict[str, list[Json]]]:
    """The manifest of a copy, and its documents by collection."""
    manifest = copy_site(site, target, NOW, days)
    names = ("entries", "treatments", "profile", "food", "activity", "devicestatus")
    return manifest, {name: list(read_lines(documents_file(target, name))) for name in names}


def full_site(**more: Any) -> MemorySite:
    """A site with ten years of something, a gap, a wrong clock, and a crowd in one day."""
    dates = [NOW_MS - days * DAY_MS for days in range(0, 3650, 7)] + [5, NOW_MS + 9000 * DAY_MS, LAST_MS - 1]
    crowd = [NOW_MS - 100 * DAY_MS + number * 1000 for number in range(5000)]
    documents: dict[str, Any] = {
        "entries": [entry(number, date) for number, date in enumerate([*dates, *crowd], 1)],
        "treatments": [
            dated(1, "created_at", "2017-05-05T10:00:00.000Z"),
            dated(2, "created_at", "2025-12-31T00:00:00.000Z"),
        ],
        "profiles": [dated(3, "startDate", "2016-01-01T00:00:00.000Z")],
        "activity": [dated(4, "created_at", "2025-01-01T00:00:00.000Z")],
        "devicestatus": [
            dated(5, "created_at", "2025-12-30T00:00:00.000Z"),
            dated(6, "created_at", "2025-06-01T00:00:00.000Z"),
        ],
        "food": [{"_id": f"{7:024x}", "name": "Apple"}],
    }
    return MemorySite(**documents, **more)


class TestCopying:
    def test_a_copy_has_every_document_oldest_first(self, tmp_path: Path) -> None:
        site = full_site()
        manifest, found = copied(site, tmp_path / "copy")
        assert found["entries"] == sorted(site.documents["entries"], key=lambda entry: entry["date"])
        assert found["treatments"] == site.documents["treatments"]
        assert [len(found[name]) for name in ("profile", "food", "activity", "devicestatus")] == [1, 1, 1, 1]
        assert manifest.counts["nightscout/entries"] == len(found["entries"])
        assert (manifest.server, manifest.left_out) == (site.base_url, [])
        assert verified(tmp_path / "copy") == manifest
        assert (tmp_path / "copy").stat().st_mode & 0o077 == 0
        assert len(site.windows) < 150

    def test_windows_cover_all_time_without_gap_or_overlap(self, tmp_path: Path) -> None:
        site = MemorySite()
        copied(site, tmp_path / "copy")
        for path in ("entries", "treatments"):
            windows = [(start, end) for name, start, end in site.windows if name == path]
            assert (windows[0][0], windows[-1][1]) == (0, LAST_MS)
            assert all(end == start for (_, end), (start, _) in pairwise(windows))
            assert len(windows) < 20

    def test_a_copy_that_is_there_is_not_made_again(self, tmp_path: Path) -> None:
        first = full_site()
        manifest, _ = copied(first, tmp_path / "copy")
        again = MemorySite()
        assert copy_site(again, tmp_path / "copy", NOW, 60) == manifest
        assert again.windows == []

    @pytest.mark.parametrize("requests", [0, 1, 5, 20, 40, 60])
    def test_an_interrupted_copy_goes_on_where_it_stopped(self, tmp_path: Path, requests: int) -> None:
        whole_site = full_site()
        whole, expected = copied(whole_site, tmp_path / "whole")
        with pytest.raises(CommandError, match="gone"):
            copy_site(full_site(fails_after=requests), tmp_path / "copy", NOW, 60)
        file = documents_file(tmp_path / "copy.part", "entries")
        if file.exists():
            with file.open("ab") as torn:  # the machine stopped during a write
                torn.write(b'{"_id": "half')
        site = full_site()
        manifest, found = copied(site, tmp_path / "copy")
        assert (found, manifest.counts) == (expected, whole.counts)
        assert len(site.windows) <= len(whole_site.windows) - max(0, requests - 20)
        assert not (tmp_path / "copy.part").exists()

    def test_what_a_site_does_not_have_is_named(self, tmp_path: Path) -> None:
        site = MemorySite(entries=[entry(1, 5)])
        site.absent = {"activity"}
        manifest, _ = copied(site, tmp_path / "copy")
        assert manifest.left_out == ["activity", "food"]
        assert manifest.counts == {"nightscout/entries": 1}
        assert [path.name for path in (tmp_path / "copy" / "nightscout").iterdir()] == ["entries.jsonl"]

    @pytest.mark.parametrize("path", ["entries", "treatments"])
    def test_a_site_without_readings_or_treatments_is_none(self, tmp_path: Path, path: str) -> None:
        site = full_site()
        site.absent = {path}
        with pytest.raises(RefusedError):
            copy_site(site, tmp_path / "copy", NOW, 60)

    def test_too_many_in_one_second_are_told(self, tmp_path: Path) -> None:
        site = MemorySite(entries=[entry(number, NOW_MS) for number in range(2000)])
        with pytest.raises(CommandError, match="too many documents of entries in one second"):
            copy_site(site, tmp_path / "copy", NOW, 60)
        assert len(site.windows) < 100

    def test_without_device_statuses_none_are_asked_for(self, tmp_path: Path) -> None:
        site = full_site()
        _, found = copied(site, tmp_path / "copy", days=0)
        assert found["devicestatus"] == []
        assert not [path for path, *_ in site.windows if path == "devicestatus"]


class TestFolders:
    def test_a_folder_of_another_site_is_not_touched(self, tmp_path: Path) -> None:
        copied(MemorySite(), tmp_path / "copy")
        other = MemorySite()
        other.base_url = "https://other.example.org"
        with pytest.raises(CommandError, match=r"a copy of https://site\.example\.org"):
            copy_site(other, tmp_path / "copy", NOW, 60)

    def test_a_part_of_another_site_or_of_something_else_is_not_touched(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="gone"):
            copy_site(MemorySite(fails_after=3), tmp_path / "copy", NOW, 60)
        other = MemorySite()
        other.base_url = "https://other.example.org"
        with pytest.raises(CommandError, match="another site"):
            copy_site(other, tmp_path / "copy", NOW, 60)
        (tmp_path / "else.part").mkdir()
        with pytest.raises(CommandError, match="in the way"):
            copy_site(other, tmp_path / "else", NOW, 60)

    def test_a_damaged_copy_is_told(self, tmp_path: Path) -> None:
        copied(full_site(), tmp_path / "copy")
        documents_file(tmp_path / "copy", "entries").write_bytes(b"")
        with pytest.raises(CommandError, match="has changed"):
            copy_site(full_site(), tmp_path / "copy", NOW, 60)


class TestDocuments:
    def test_a_document_is_as_the_site_stored_it(self) -> None:
        document = entry(1, 5) | {"carbs": None, "x": {"y": [None]}}
        assert as_document("entries", document) == document

    def test_what_v1_adds_to_treatments_is_left_out(self) -> None:
        sent = dated(1, "created_at", "2026") | {"carbs": None, "insulin": 2, "notes": None}
        assert as_document("treatments", sent) == dated(1, "created_at", "2026") | {"insulin": 2, "notes": None}

    def test_a_deleted_document_is_none(self) -> None:
        assert as_document("treatments", entry(1, 5) | {"isValid": False}) is None
        assert as_document("treatments", entry(1, 5) | {"isValid": True}) is not None

    @pytest.mark.parametrize("id_", ["0123abcd-0000-4000-8000-000000000000", "x", f"{1:024X}A"])
    def test_an_id_of_another_form_becomes_the_identifier(self, id_: str) -> None:
        first, again = (as_document("food", {"_id": id_, "name": "Apple"}) for _ in range(2))
        assert first == again
        assert first is not None
        assert (first["identifier"], len(first["_id"])) == (id_, 24)
        other = as_document("entries", {"_id": id_})
        assert other is not None
        assert other["_id"] != first["_id"]

    @pytest.mark.parametrize("sent", [{}, {"_id": None}, {"_id": 5}, {"_id": {"$oid": "x"}}, {"_id": ""}])
    def test_without_an_id_one_follows_from_the_document(self, sent: Json) -> None:
        found = as_document("food", sent | {"name": "Apple"})
        assert found is not None
        assert (len(found["_id"]), "identifier" in found) == (24, False)
        assert found != as_document("food", sent | {"name": "Pear"})
