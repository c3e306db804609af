"""Tests of the archive of the log, on each engine."""

from typing import Any

import pytest

from chalicelib.config import Settings
from chalicelib.engine.aws import s3
from chalicelib.engine.aws.engine import aws_engine
from chalicelib.engine.engine import Engine
from chalicelib.log.data_set import OwnerState
from chalicelib.log.entry import Entry, EntryKind
from chalicelib.log.ports import Archive
from chalicelib.log.stores.archive import PREFIX, StoredArchive, decode_entries, encode_entries
from tests.stores.log.test_data_stores import ANNA, NOW_MS

OWNER = OwnerState(ANNA, epoch=3)
A, B = "a" * 32, "b" * 32


@pytest.fixture
def archive(engine: Engine) -> Archive:
    """An empty archive."""
    return StoredArchive(engine.objects)


def entries(first: int, last: int, data_set_id: str = A) -> list[Entry]:
    """Entries by number, each of its own body; every third one deletes data."""
    return [
        Entry(
            data_set_id,
            number,
            EntryKind.ADD if number % 3 else EntryKind.DELETE,
            NOW_MS + number,
            bytes([number]) * number,
        )
        for number in range(first, last + 1)
    ]


def kept(archive: Archive, data_set_id: str = A, owner: OwnerState = OWNER) -> list[Entry]:
    """All that is kept of a data set."""
    return list(archive.entries(owner, data_set_id))


def test_an_empty_archive_has_no_entries(archive: Archive) -> None:
    assert kept(archive) == []
    archive.remove_entries(OWNER, A, [1])
    archive.remove(OWNER, A)
    archive.remove(OWNER)


def test_entries_come_back_as_they_were_and_by_number(archive: Archive) -> None:
    archive.put(OWNER, entries(10, 120))
    archive.put(OWNER, entries(1, 9))
    archive.put(OWNER, entries(121, 121))
    assert kept(archive) == entries(1, 121)


def test_an_empty_body_is_a_body(archive: Archive) -> None:
    entry = Entry(A, 1, EntryKind.ADD, 0, b"")
    archive.put(OWNER, [entry])
    assert kept(archive) == [entry]


@pytest.mark.parametrize(
    "again",
    [(1, 9), (1, 5), (5, 9), (3, 4), (1, 12), (4, 12), (9, 12), (10, 12)],
)
def test_an_entry_that_is_put_again_is_returned_once(archive: Archive, again: tuple[int, int]) -> None:
    archive.put(OWNER, entries(1, 9))
    archive.put(OWNER, entries(*again))
    archive.put(OWNER, entries(*again))
    assert kept(archive) == entries(1, max(9, again[1]))


def test_numbers_that_were_removed_from_the_log_may_be_missing(archive: Archive) -> None:
    left = [entry for entry in entries(1, 9) if entry.number not in (2, 3)]
    archive.put(OWNER, left)
    assert kept(archive) == left


def test_archives_of_users_epochs_and_data_sets_are_separate(archive: Archive) -> None:
    others = [(OwnerState(ANNA, 30), A), (OwnerState(f"{ANNA}/3", 3), A), (OWNER, B), (OWNER, "a"), (OWNER, "a" * 33)]
    archive.put(OWNER, entries(1, 1))
    for number, (owner, data_set_id) in enumerate(others, 2):
        archive.put(owner, entries(number, number, data_set_id))
    archive.remove(OWNER, A)
    assert kept(archive) == []
    for number, (owner, data_set_id) in enumerate(others, 2):
        assert kept(archive, data_set_id, owner) == entries(number, number, data_set_id)
    archive.remove(OWNER)
    assert [len(kept(archive, data_set_id, owner)) for owner, data_set_id in others] == [1, 1, 0, 0, 0]


@pytest.mark.parametrize("odd_id", ["../a", "a/b", "a#b%c", "ä" * 900, ".", "..", " ", "sha256=a", "?x=1&y"])
def test_any_text_may_be_an_id(archive: Archive, odd_id: str) -> None:
    owner = OwnerState(odd_id)
    archive.put(owner, entries(1, 2, odd_id))
    assert kept(archive, odd_id, owner) == entries(1, 2, odd_id)
    archive.remove_entries(owner, odd_id, [1])
    assert kept(archive, odd_id, owner) == entries(2, 2, odd_id)
    archive.remove(owner, odd_id)
    assert kept(archive, odd_id, owner) == []


def test_entries_are_removed_from_all_objects(archive: Archive) -> None:
    archive.put(OWNER, entries(1, 5))
    archive.put(OWNER, entries(4, 9))
    archive.put(OWNER, entries(10, 10))
    for _ in range(2):
        archive.remove_entries(OWNER, A, [1, 4, 5, 10, 99])
        assert [entry.number for entry in kept(archive)] == [2, 3, 6, 7, 8, 9]
    archive.remove_entries(OWNER, A, range(1, 10))
    assert kept(archive) == []


def keys(settings: Settings) -> list[str]:
    listed: Any = s3.client(settings).list_objects_v2(Bucket=settings.bucket, Prefix=PREFIX)
    return [content["Key"] for content in listed.get("Contents", ())]


def test_objects_are_named_after_what_they_hold(stage: Settings) -> None:
    archive = StoredArchive(aws_engine(stage).objects)
    archive.put(OWNER, entries(1, 5))
    archive.put(OWNER, entries(1, 5))
    archive.put(OWNER, entries(6, 9))
    folder = f"log/{ANNA}/3/{A}/"
    assert keys(stage) == [f"{folder}000000000001-000000000005", f"{folder}000000000006-000000000009"]


def test_an_object_without_entries_is_deleted(stage: Settings) -> None:
    archive = StoredArchive(aws_engine(stage).objects)
    archive.put(OWNER, entries(1, 2))
    archive.put(OWNER, entries(3, 4))
    archive.remove_entries(OWNER, A, [1, 2, 3])
    assert len(keys(stage)) == 1


def test_objects_are_read_one_at_a_time_and_only_where_they_hold_more(stage: Settings) -> None:
    archive = StoredArchive(aws_engine(stage).objects)
    for first, last in ((1, 9), (2, 4), (5, 20), (21, 30)):
        archive.put(OWNER, entries(first, last))
    calls: list[str] = []
    events = s3.client(stage).meta.events

    def called(model: Any, **_: Any) -> None:
        calls.append(model.name)

    events.register("before-call.s3", called)
    found = archive.entries(OWNER, A)
    assert next(found).number == 1
    assert calls == ["ListObjectsV2", "GetObject"]
    assert [entry.number for entry in found] == list(range(2, 31))
    events.unregister("before-call.s3", called)
    assert calls == ["ListObjectsV2", "GetObject", "GetObject", "GetObject"]


def test_damaged_objects_are_refused() -> None:
    data = encode_entries(entries(1, 3))
    with pytest.raises(ValueError, match="unknown format 9"):
        list(decode_entries(b"\x09" + data[1:], A))
    with pytest.raises(ValueError, match="ends within an entry"):
        list(decode_entries(data[:-1], A))
