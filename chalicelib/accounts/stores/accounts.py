"""Accounts in the accounts table: the account, its e-mail address, and its place in the lists of its roles.

They agree at all times, since each change is one transaction over all of them.
"""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from chalicelib.access.user_ids import fits_key
from chalicelib.accounts.account import FIRST_PASSWORD_VERSION, Account
from chalicelib.accounts.grant import Grant
from chalicelib.accounts.ports import Deletion
from chalicelib.accounts.stores.grants import grant_items
from chalicelib.accounts.stores.keys import (
    DELETED_PK,
    account_key,
    deletion_key,
    email_key,
    role_key,
    role_pk,
    role_sk_from,
)
from chalicelib.accounts.stores.transactions import transact
from chalicelib.config import Settings
from chalicelib.engine import dynamodb
from chalicelib.errors import UserExistsError

if TYPE_CHECKING:
    from chalicelib.accounts.stores.keys import Item

NO_ACCOUNT = "no account"
"""Read in place of an account when an e-mail address is unknown, so that both take two reads."""


def account_item(account: Account) -> "Item":
    """The item of an account; what is None is left out."""
    item: Item = account_key(account.user_id) | {
        "user_id": {"S": account.user_id},
        "created_time_ms": {"N": str(account.created_time_ms)},
        "roles": {"L": [{"S": role} for role in account.roles]},
        "email_verified": {"BOOL": account.email_verified},
        "version": {"N": str(account.version)},
        "password_version": {"N": str(account.password_version)},
    }
    if account.email is not None:
        item["email"] = {"S": account.email}
    if account.password_hash is not None:
        item["password_hash"] = {"S": account.password_hash}
    if account.terms_accepted_s is not None:
        item["terms_accepted_s"] = {"N": str(account.terms_accepted_s)}
    return item


def account_from_item(item: "Item") -> Account:
    """The account of an item."""
    return Account(
        user_id=item["user_id"]["S"],
        created_time_ms=int(item["created_time_ms"]["N"]),
        email=item["email"]["S"] if "email" in item else None,
        password_hash=item["password_hash"]["S"] if "password_hash" in item else None,
        roles=tuple(role["S"] for role in item["roles"]["L"]),
        terms_accepted_s=int(item["terms_accepted_s"]["N"]) if "terms_accepted_s" in item else None,
        email_verified=item["email_verified"]["BOOL"],
        version=int(item["version"]["N"]),
        # Accounts that were stored by an earlier version have none until they are stored again.
        password_version=int(item["password_version"]["N"]) if "password_version" in item else FIRST_PASSWORD_VERSION,
    )


class DynamoAccounts:
    """The port `Accounts` on DynamoDB."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._table = settings.accounts_table

    def find(self, user_id: str) -> Account | None:
        """One read."""
        item = self._get(account_key(user_id)) if fits_key(user_id) else None
        return None if item is None else account_from_item(item)

    def find_by_email(self, email: str) -> Account | None:
        """Two reads: address, account."""
        held = self._get(email_key(email)) if fits_key(email) else None
        return self.find(NO_ACCOUNT if held is None else held["user_id"]["S"])

    def find_many(self, user_ids: Collection[str]) -> list[Account]:
        """One batch for each hundred accounts."""
        wanted = [user_id for user_id in dict.fromkeys(user_ids) if fits_key(user_id)]
        keys = [account_key(user_id) for user_id in wanted]
        items = dynamodb.batch_get(dynamodb.client(self._settings), self._table, keys)
        found = {account.user_id: account for account in map(account_from_item, items)}
        return [found[user_id] for user_id in wanted if user_id in found]

    def with_role(self, role: str, from_ms: int | None = None, before_ms: int | None = None) -> list[Account]:
        """One query, and one batch for each hundred accounts."""
        first = max(0, from_ms or 0)
        if before_ms is not None and before_ms <= first:
            return []
        items = dynamodb.query_pages(
            dynamodb.client(self._settings),
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk AND sk BETWEEN :from AND :before",
            ExpressionAttributeValues={
                ":pk": {"S": role_pk(role)},
                ":from": {"S": role_sk_from(first)},
                # "~" sorts after every digit; a bound without "#" sorts before all accounts of its millisecond.
                ":before": {"S": "~" if before_ms is None else role_sk_from(before_ms)},
            },
        )
        return self.find_many([item["user_id"]["S"] for item in items])

    def create(self, account: Account, grant: Grant | None = None) -> None:
        """One transaction."""
        writes = [self._put_new(account_item(account)), *self._put_role_items(account, set(account.roles))]
        if grant is not None:
            writes += [{"Put": {"TableName": self._table, "Item": item}} for item in grant_items(grant)]
        if not self._write(writes, email=account.email, user_id=account.user_id):
            raise UserExistsError(account.user_id)

    def replace(self, old: Account, new: Account) -> bool:
        """One transaction, on the condition that the version is still the old one."""
        put = {"Put": {"TableName": self._table, "Item": account_item(new)} | _if_version(old)}
        writes = [put, *self._put_role_items(new, set(new.roles) - set(old.roles))]
        writes += self._delete_role_items(old, set(old.roles) - set(new.roles))
        taken = new.email if new.email != old.email else None
        if old.email is not None and old.email != new.email:
            writes.append({"Delete": {"TableName": self._table, "Key": email_key(old.email)}})
        return self._write(writes, email=taken, user_id=new.user_id)

    def delete(self, account: Account, now_ms: int) -> bool:
        """One transaction, on the condition that the version is still this one."""
        delete = {"Delete": {"TableName": self._table, "Key": account_key(account.user_id)} | _if_version(account)}
        receipt: Item = deletion_key(account.user_id) | {"deleted_time_ms": {"N": str(now_ms)}}
        writes = [delete, {"Put": {"TableName": self._table, "Item": receipt}}]
        writes += self._delete_role_items(account, set(account.roles))
        if account.email is not None:
            writes.append({"Delete": {"TableName": self._table, "Key": email_key(account.email)}})
        return self._write(writes, email=None, user_id=account.user_id)

    def deletions(self) -> list[Deletion]:
        """One query."""
        items = dynamodb.query_pages(
            dynamodb.client(self._settings),
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": DELETED_PK}},
        )
        return [Deletion(item["sk"]["S"], int(item["deleted_time_ms"]["N"])) for item in items]

    def finish_deletion(self, user_id: str) -> None:
        """One write."""
        with dynamodb.refusals():
            dynamodb.client(self._settings).delete_item(TableName=self._table, Key=deletion_key(user_id))

    def _get(self, key: "Item") -> "Item | None":
        with dynamodb.refusals():
            found = dynamodb.client(self._settings).get_item(TableName=self._table, Key=key, ConsistentRead=True)
        return found.get("Item")

    def _write(self, writes: list[Any], *, email: str | None, user_id: str) -> bool:
        """Whether the condition of the first write held; with `email`, the address is taken in the same step."""
        if email is not None:
            writes = [*writes, self._put_new(email_key(email) | {"user_id": {"S": user_id}})]
        try:
            transact(self._settings, writes)
        except dynamodb.TransactionRefusedError as refused:
            if email is not None and refused.failed(len(writes) - 1):
                raise UserExistsError from refused
            return False
        return True

    def _put_new(self, item: "Item") -> Any:
        return {"Put": {"TableName": self._table, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}}

    def _put_role_items(self, account: Account, roles: Collection[str]) -> list[Any]:
        listed: Item = {"user_id": {"S": account.user_id}}
        items = [role_key(role, account.created_time_ms, account.user_id) | listed for role in roles]
        return [{"Put": {"TableName": self._table, "Item": item}} for item in items]

    def _delete_role_items(self, account: Account, roles: Collection[str]) -> list[Any]:
        keys = [role_key(role, account.created_time_ms, account.user_id) for role in roles]
        return [{"Delete": {"TableName": self._table, "Key": key}} for key in keys]


def _if_version(account: Account) -> dict[str, Any]:
    return {
        "ConditionExpression": "version = :version",
        "ExpressionAttributeValues": {":version": {"N": str(account.version)}},
    }
