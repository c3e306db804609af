"""The store of rejected uploads, on each engine."""

from dataclasses import replace

import pytest

from chalicelib.engine.engine import Engine
from chalicelib.uploads.ports import Rejection, RejectionReason, Rejections
from chalicelib.uploads.stores.rejections import StoredRejections

NOW_MS = 1_767_225_600_000
REJECTION = Rejection(
    id="a" * 32,
    owner_id="aaaaaaaaaa",
    time_ms=NOW_MS,
    data_set_id="d" * 32,
    client_name="org.example.app",
    client_version=None,
    action="add",
    error_count=40,
    errors=(RejectionReason("value-out-of-range", "/12/value"), RejectionReason("json-malformed")),
)


@pytest.fixture
def store(engine: Engine) -> Rejections:
    """An empty store."""
    return StoredRejections(engine.data)


def test_a_rejection_comes_back_as_it_was(store: Rejections) -> None:
    store.add(REJECTION)
    assert store.of_owner(REJECTION.owner_id, NOW_MS, 10) == [REJECTION]


def test_rejections_come_newest_first_within_limit_and_time(store: Rejections) -> None:
    rejections = [replace(REJECTION, id=f"{number:032x}", time_ms=NOW_MS + number) for number in range(5)]
    for rejection in (rejections[2], rejections[4], rejections[0], rejections[3], rejections[1]):
        store.add(rejection)
    assert store.of_owner(REJECTION.owner_id, NOW_MS, 3) == [rejections[4], rejections[3], rejections[2]]
    assert store.of_owner(REJECTION.owner_id, NOW_MS + 4, 3) == [rejections[4]]


def test_rejections_are_those_of_one_owner(store: Rejections) -> None:
    store.add(REJECTION)
    assert store.of_owner("bbbbbbbbbb", 0, 10) == []


def test_all_rejections_of_an_owner_are_removed(store: Rejections) -> None:
    for number in range(30):
        store.add(replace(REJECTION, id=f"{number:032x}"))
    other = replace(REJECTION, owner_id="bbbbbbbbbb")
    store.add(other)
    for _ in range(2):
        store.remove_all(REJECTION.owner_id)
    assert store.of_owner(REJECTION.owner_id, 0, 100) == []
    assert store.of_owner(other.owner_id, 0, 100) == [other]
