"""Transactions of the accounts' stores."""

from typing import Any

from chalicelib.adapters import dynamodb
from chalicelib.adapters.contention import TRIES, pause_after
from chalicelib.config import Settings


def transact(settings: Settings, writes: list[Any]) -> None:
    """Carry out all writes or none.

    Two transactions that meet at an item conflict even where they only check it: two devices of one user that sign in
    at once do. The one that loses comes again after a pause.

    Raises:
        TransactionRefusedError: a condition does not hold.
        UnavailableError: it met others each time, or DynamoDB does not answer.
    """
    for attempt in range(TRIES):
        try:
            with dynamodb.refusals():
                dynamodb.client(settings).transact_write_items(TransactItems=writes)
        except dynamodb.TransactionConflictError:
            if attempt == TRIES - 1:
                raise
            pause_after(attempt)
        else:
            return
