"""The store of blobs, on each engine."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.blobs.blob import Blob, BlobKind, TimeSpan
from chalicelib.blobs.ports import BlobStore
from chalicelib.blobs.stores.blobs import StoredBlobs
from chalicelib.config import Settings
from chalicelib.engine.aws.engine import aws_engine
from chalicelib.engine.engine import Engine
from tests.engine.sent import hooked

NOW_MS = 1_767_225_600_000
ANNA = "a1b2c3d4e5"
BEN = "0123456789"


@pytest.fixture
def store(engine: Engine) -> BlobStore:
    """An empty store."""
    return StoredBlobs(engine.blobs)


def blob(number: int, *, user_id: str = ANNA, created_ms: int = NOW_MS) -> Blob:
    """A blob that waits for its content."""
    return Blob(BlobKind.BLOBS, f"{number:032x}", user_id, "text/plain; charset=UTF-8", created_ms + number, "md5=", 7)


def log(number: int, start_ms: int, *, user_id: str = ANNA) -> Blob:
    """A device log that waits for its content."""
    waiting = blob(number, user_id=user_id)
    return replace(waiting, kind=BlobKind.DEVICE_LOGS, span=TimeSpan(start_ms, start_ms + 1000))


@pytest.mark.parametrize(
    "kept",
    [
        blob(1),
        log(1, NOW_MS),
        log(1, -62_000_000_000_000),
        replace(blob(1), digest_md5=None, size_bytes=None),
        replace(blob(1), size_bytes=0).with_content(NOW_MS + 5),
    ],
)
def test_a_blob_comes_back_as_it_was_kept(store: BlobStore, kept: Blob) -> None:
    store.add(kept)
    assert store.find(kept.kind, kept.id) == kept
    assert list(store.of_user(kept.kind, ANNA)) == [kept]


def test_blobs_and_device_logs_are_separate(store: BlobStore) -> None:
    store.add(blob(1))
    assert store.find(BlobKind.DEVICE_LOGS, blob(1).id) is None
    assert list(store.of_user(BlobKind.DEVICE_LOGS, ANNA)) == []


def test_blobs_of_a_user_come_newest_first(store: BlobStore) -> None:
    of_anna = [blob(number) for number in (3, 1, 2)]
    for stored in (*of_anna, blob(4, user_id=BEN)):
        store.add(stored)
    assert [found.id for found in store.of_user(BlobKind.BLOBS, ANNA)] == [blob(number).id for number in (3, 2, 1)]


def test_device_logs_are_sorted_by_the_start_of_their_span(store: BlobStore) -> None:
    before_1970, early, late = log(3, -5000), log(2, NOW_MS), log(1, NOW_MS + 1)
    for stored in (early, late, before_1970, log(4, NOW_MS, user_id=BEN)):
        store.add(stored)
    assert list(store.of_user(BlobKind.DEVICE_LOGS, ANNA)) == [late, early, before_1970]
    assert list(store.of_user(BlobKind.DEVICE_LOGS, ANNA, start_from_ms=NOW_MS)) == [late, early]
    assert list(store.of_user(BlobKind.DEVICE_LOGS, ANNA, start_from_ms=-5000)) == [late, early, before_1970]


def test_a_blob_becomes_available_once(store: BlobStore) -> None:
    store.add(blob(1))
    assert store.make_available(blob(1).with_content(NOW_MS + 10))
    assert not store.make_available(blob(1).with_content(NOW_MS + 20))
    found = store.find(BlobKind.BLOBS, blob(1).id)
    assert found == blob(1).with_content(NOW_MS + 10)
    assert (found.status, found.revision) == ("available", 1)


def test_a_removed_blob_does_not_become_available(store: BlobStore) -> None:
    assert not store.make_available(blob(1).with_content(NOW_MS))
    assert store.find(BlobKind.BLOBS, blob(1).id) is None


@pytest.mark.parametrize("count", [1, 51])
def test_removed_blobs_are_gone(store: BlobStore, count: int) -> None:
    for number in range(count + 1):
        store.add(blob(number))
    removed = [blob(number) for number in range(count)]
    store.remove(removed)
    store.remove(removed)
    assert list(store.of_user(BlobKind.BLOBS, ANNA)) == [blob(count)]
    assert [store.find(BlobKind.BLOBS, expired.id) for expired in removed] == [None] * count


def test_blobs_that_await_their_content_are_found_by_creation_time(store: BlobStore) -> None:
    for stored in (blob(1), blob(2), log(3, 0), blob(5)):
        store.add(stored)
    store.make_available(blob(2).with_content(NOW_MS))
    store.remove([blob(1)])
    assert list(store.created_before(NOW_MS + 5)) == [log(3, 0)]


def test_a_list_is_read_no_further_than_it_is_asked_for(stage: Settings) -> None:
    store = StoredBlobs(aws_engine(stage).blobs)
    store.add(blob(1))
    store.add(blob(2))
    pages: list[int] = []

    def one_at_a_time(_operation: str, request: dict[str, Any]) -> None:
        pages.append(1)
        request["Limit"] = 1

    with hooked(one_at_a_time):
        found: Iterator[Blob] = store.of_user(BlobKind.BLOBS, ANNA)
        assert next(found) == blob(2)
    assert len(pages) == 1
