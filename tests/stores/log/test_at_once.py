"""Threads that add to one data set at once, on DynamoDB, where each call is one step."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from chalicelib.config import Settings
from chalicelib.engine.aws import dynamodb
from chalicelib.engine.aws.engine import aws_engine
from chalicelib.errors import DataSetClosedError, UnavailableError
from chalicelib.log.data_set import OwnerState
from chalicelib.log.entry import EntryKind, NewEntry
from chalicelib.log.stores.data_sets import StoredDataSets
from chalicelib.log.stores.record_log import INLINE_BYTES, StoredRecordLog
from tests.engine.stage import one_at_a_time
from tests.stores.log.test_calls import close
from tests.stores.log.test_data_stores import ANNA, NOW_MS, data_set

THREADS = 8
ADDS_OF_EACH = 8


@pytest.fixture
def settings(stage: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A stage with one data set; moto, which knows no threads, does one call after the other."""
    alone = one_at_a_time(dynamodb.sender(stage))
    monkeypatch.setattr(dynamodb, "sender", lambda _: alone)
    StoredDataSets(aws_engine(stage).data).create(data_set())
    return stage


def add(settings: Settings, body: bytes) -> int:
    """The number of a new entry, however often it takes: a client comes again when the service is busy."""
    while True:
        head = StoredDataSets(aws_engine(settings).data).head("a" * 32)
        assert head is not None
        try:
            return StoredRecordLog(aws_engine(settings).data).append(head, NewEntry(EntryKind.ADD, NOW_MS, body))
        except UnavailableError:
            continue


def body(thread: int, place: int) -> bytes:
    """A distinct body, in parts for every other number."""
    return f"{thread}/{place}".encode() + b"." * (INLINE_BYTES if place % 2 else 0)


def kept(settings: Settings) -> dict[int, bytes]:
    """The bodies that are kept, by their numbers."""
    entries = StoredRecordLog(aws_engine(settings).data).entries(OwnerState(ANNA), [])
    found = {entry.number: entry.body for entry in entries}
    assert len(found) == len(entries)
    return found


def test_each_entry_is_stored_once_and_numbers_have_no_holes(settings: Settings) -> None:
    def add_several(thread: int) -> dict[int, bytes]:
        return {add(settings, body(thread, place)): body(thread, place) for place in range(ADDS_OF_EACH)}

    with ThreadPoolExecutor(THREADS) as threads:
        answered: dict[int, bytes] = {}
        for numbers in threads.map(add_several, range(THREADS)):
            assert not answered.keys() & numbers.keys()
            answered |= numbers
    assert sorted(answered) == list(range(1, THREADS * ADDS_OF_EACH + 1))
    assert kept(settings) == answered


def test_entries_before_a_close_are_kept_and_none_comes_after(settings: Settings) -> None:
    def add_until_closed(thread: int) -> dict[int, bytes]:
        answered: dict[int, bytes] = {}
        for place in range(10_000):
            try:
                answered[add(settings, body(thread, place))] = body(thread, place)
            except DataSetClosedError:
                return answered
            if sum(map(len, so_far)) > THREADS:
                enough.set()
            so_far[thread].append(place)
        raise AssertionError("never closed")

    enough, so_far = threading.Event(), [list[int]() for _ in range(THREADS)]
    with ThreadPoolExecutor(THREADS) as threads:
        adding = [threads.submit(add_until_closed, thread) for thread in range(THREADS)]
        assert enough.wait(timeout=60)
        close(settings)
        answered = {number: body for upload in adding for number, body in upload.result().items()}
    assert kept(settings) == answered
    assert sorted(answered) == list(range(1, len(answered) + 1))
