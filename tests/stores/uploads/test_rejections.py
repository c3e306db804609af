"""What every store of refusals does, in memory and on DynamoDB."""

from dataclasses import replace

import pytest

from chalicelib.uploads.ports import Refusal, Refusals, RefusedError
from chalicelib.uploads.stores.rejections import DynamoRefusals
from tests.fakes.refusals import FakeRefusals

NOW_MS = 1_767_225_600_000
REFUSAL = Refusal(
    id="a" * 32,
    owner_id="aaaaaaaaaa",
    time_ms=NOW_MS,
    data_set_id="d" * 32,
    client_name="org.example.app",
    client_version=None,
    action="add",
    error_count=40,
    errors=(RefusedError("value-out-of-range", "/12/value"), RefusedError("json-malformed")),
)


@pytest.fixture(params=["memory", "dynamodb"])
def store(request: pytest.FixtureRequest) -> Refusals:
    """An empty store."""
    return FakeRefusals() if request.param == "memory" else DynamoRefusals(request.getfixturevalue("stage"))


def test_a_refusal_comes_back_as_it_was(store: Refusals) -> None:
    store.add(REFUSAL)
    assert store.of_owner(REFUSAL.owner_id, NOW_MS, 10) == [REFUSAL]


def test_refusals_come_newest_first_and_only_so_many_and_so_new(store: Refusals) -> None:
    refusals = [replace(REFUSAL, id=f"{number:032x}", time_ms=NOW_MS + number) for number in range(5)]
    for refusal in (refusals[2], refusals[4], refusals[0], refusals[3], refusals[1]):
        store.add(refusal)
    assert store.of_owner(REFUSAL.owner_id, NOW_MS, 3) == [refusals[4], refusals[3], refusals[2]]
    assert store.of_owner(REFUSAL.owner_id, NOW_MS + 4, 3) == [refusals[4]]


def test_refusals_are_those_of_one_owner(store: Refusals) -> None:
    store.add(REFUSAL)
    assert store.of_owner("bbbbbbbbbb", 0, 10) == []


def test_all_of_one_owner_are_removed(store: Refusals) -> None:
    for number in range(30):
        store.add(replace(REFUSAL, id=f"{number:032x}"))
    other = replace(REFUSAL, owner_id="bbbbbbbbbb")
    store.add(other)
    for _ in range(2):
        store.remove_all(REFUSAL.owner_id)
    assert store.of_owner(REFUSAL.owner_id, 0, 100) == []
    assert store.of_owner(other.owner_id, 0, 100) == [other]
