"""Transactions of the accounts' stores."""

from typing import TYPE_CHECKING, Any

from chalicelib.accounts.account import FIRST_PASSWORD_VERSION
from chalicelib.accounts.stores.keys import account_key
from chalicelib.config import Settings
from chalicelib.engine import dynamodb
from chalicelib.engine.backoff import TRIES, pause_after

if TYPE_CHECKING:
    from chalicelib.accounts.stores.keys import Item


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


def transacted(settings: Settings, writes: list[Any]) -> bool:
    """Whether the conditions of all writes held, so that they were carried out; otherwise as `transact`."""
    try:
        transact(settings, writes)
    except dynamodb.TransactionRefusedError:
        return False
    return True


def existence_check(table: str, key: "Item") -> Any:
    """The part of a transaction by which it rests on an item."""
    return {"ConditionCheck": {"TableName": table, "Key": key, "ConditionExpression": "attribute_exists(pk)"}}


def account_check(table: str, user_id: str, password_version: int | None = None) -> Any:
    """The part of a transaction by which it rests on an account, and with a version on its password."""
    check = existence_check(table, account_key(user_id))
    if password_version is not None:
        or_none = " OR attribute_not_exists(password_version)" if password_version == FIRST_PASSWORD_VERSION else ""
        exists = "attribute_exists(pk)"
        check["ConditionCheck"] |= {
            "ConditionExpression": f"{exists} AND (password_version = :password_version{or_none})",
            "ExpressionAttributeValues": {":password_version": {"N": str(password_version)}},
        }
    return check
