"""Stores of accounts when DynamoDB refuses transactions, which moto never does by itself."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.access.call import RestrictedToken, Session
from chalicelib.accounts.grant import Grant
from chalicelib.config import Settings
from chalicelib.engine.aws.engine import aws_engine
from chalicelib.engine.backoff import MAX_ATTEMPTS
from chalicelib.errors import UnavailableError
from tests.engine.sent import hooked, refusal
from tests.stores.accounts.account_stores import ANNA, NOW_MS, Stores, stores_on

CONFLICT = refusal("TransactionCanceledException", "None", "TransactionConflict")


@pytest.fixture
def stores(stage: Settings, monkeypatch: pytest.MonkeyPatch) -> Stores:
    """Stores with Anna's account, and no pauses."""
    monkeypatch.setattr("time.sleep", lambda _s: None)
    stores = stores_on(aws_engine(stage))
    stores.accounts.create(ANNA)
    return stores


@pytest.fixture
def busy(stage: Settings, stores: Stores) -> Iterator[list[ClientError]]:
    """Answers that DynamoDB gives instead of carrying out the next transactions."""
    instead: list[ClientError] = []

    def refuse(operation: str, _request: Any) -> None:
        if instead and operation == "TransactWriteItems":
            raise instead.pop(0)

    with hooked(refuse):
        yield instead


SESSION = Session("hash", ANNA.user_id, False, NOW_MS, NOW_MS + 1)
TOKEN = RestrictedToken("id", ANNA.user_id, None, NOW_MS + 1, NOW_MS)
WRITES = pytest.mark.parametrize(
    "write",
    [
        lambda stores: stores.sessions.add(SESSION),
        lambda stores: stores.grants.put(Grant(ANNA.user_id, "b", {"view": {}})),
        lambda stores: stores.restricted_tokens.add(TOKEN),
        lambda stores: stores.accounts.delete(ANNA, NOW_MS),
    ],
)


def is_stored(stores: Stores) -> bool:
    """Whether any of the writes was carried out."""
    return (
        stores.sessions.find("hash") is not None
        or stores.grants.find(ANNA.user_id, "b") is not None
        or stores.restricted_tokens.find("id") is not None
        or stores.accounts.find(ANNA.user_id) is None
    )


@WRITES
def test_a_write_that_conflicts_is_tried_again(
    stores: Stores, busy: list[ClientError], write: Callable[[Stores], Any]
) -> None:
    busy += [CONFLICT] * (MAX_ATTEMPTS - 1)
    write(stores)
    assert is_stored(stores)
    assert busy == []


@WRITES
def test_a_write_that_always_conflicts_is_unavailable(
    stores: Stores, busy: list[ClientError], write: Callable[[Stores], Any]
) -> None:
    busy += [CONFLICT] * MAX_ATTEMPTS
    with pytest.raises(UnavailableError):
        write(stores)
    assert busy == []
    assert not is_stored(stores)


@WRITES
def test_throttling_is_unavailable(stores: Stores, busy: list[ClientError], write: Callable[[Stores], Any]) -> None:
    busy.append(refusal("ThrottlingException"))
    with pytest.raises(UnavailableError):
        write(stores)
    assert not is_stored(stores)


@WRITES
def test_a_defect_is_no_refusal(stores: Stores, busy: list[ClientError], write: Callable[[Stores], Any]) -> None:
    busy.append(refusal("ValidationException"))
    with pytest.raises(RuntimeError, match="ValidationException"):
        write(stores)
