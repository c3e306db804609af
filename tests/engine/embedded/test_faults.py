"""Tests the faults that DynamoDB may show at any time, switched on in the embedded engine."""

import pytest

from chalicelib.engine.backoff import MAX_ATTEMPTS
from chalicelib.engine.embedded.engine import EmbeddedEngine
from chalicelib.engine.embedded.faults import Faults
from chalicelib.engine.errors import TransactionConflictError
from chalicelib.engine.table import Put, Query, Update
from chalicelib.errors import UnavailableError

KEY = {"pk": "p", "sk": "s"}

pytestmark = pytest.mark.usefixtures("pauses")


def test_a_throttled_call_does_nothing(embedded: EmbeddedEngine, faults: Faults) -> None:
    faults.throttles = 7
    for call in (
        lambda: embedded.data.put(KEY),
        lambda: embedded.data.update(Update(KEY, set={"a": 1})),
        lambda: embedded.data.delete(KEY),
        lambda: embedded.data.transact([Put(KEY)]),
        lambda: embedded.data.batch_write([Put(KEY)]),
        lambda: embedded.data.get(KEY),
        lambda: list(embedded.data.query(Query("p"))),
    ):
        with pytest.raises(UnavailableError):
            call()
    assert embedded.data.get(KEY) is None


def test_a_transaction_that_meets_others_is_tried_again(
    embedded: EmbeddedEngine, faults: Faults, pauses: list[float]
) -> None:
    faults.conflicts = MAX_ATTEMPTS - 1
    embedded.data.transact([Update(KEY, add={"count": 1})])
    assert embedded.data.get(KEY) == KEY | {"count": 1}
    assert len(pauses) == MAX_ATTEMPTS - 1
    faults.conflicts = MAX_ATTEMPTS
    with pytest.raises(TransactionConflictError):
        embedded.data.transact([Update(KEY, add={"count": 1})])
    assert embedded.data.get(KEY) == KEY | {"count": 1}


def test_what_a_batch_holds_back_is_asked_for_again(embedded: EmbeddedEngine, faults: Faults) -> None:
    keys = [{"pk": "p", "sk": str(number)} for number in range(3)]
    faults.unprocessed = 1
    embedded.data.batch_write([Put(key) for key in keys])
    assert faults.calls["BatchWriteItem"] == 2
    faults.unprocessed = 1
    assert embedded.data.batch_get(keys) == keys
    assert faults.calls["BatchGetItem"] == 2


def test_a_batch_that_is_held_back_for_ever_is_unavailable(embedded: EmbeddedEngine, faults: Faults) -> None:
    faults.unprocessed = 2 * MAX_ATTEMPTS
    with pytest.raises(UnavailableError):
        embedded.data.batch_write([Put(KEY)])
    with pytest.raises(UnavailableError):
        embedded.data.batch_get([KEY])
    assert embedded.data.get(KEY) is None


def test_indexes_lag_behind_the_table_until_they_catch_up(embedded: EmbeddedEngine, faults: Faults) -> None:
    first, second = ({"pk": name, "due_pk": "due", "due_sk": name} for name in "ab")
    query = Query("due", index="due", attributes=("pk",))
    embedded.tasks.put(first)
    stale = faults.stale = embedded.database.copy()
    embedded.tasks.put(second)
    embedded.tasks.delete({"pk": "a"})
    assert embedded.tasks.get({"pk": "b"}) == second
    assert list(embedded.tasks.query(query)) == [{"pk": "a"}]
    faults.stale = None
    stale.close()
    assert list(embedded.tasks.query(query)) == [{"pk": "b"}]
