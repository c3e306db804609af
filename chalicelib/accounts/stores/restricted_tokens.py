"""Restricted tokens in the accounts table: one item by id, a mirror of it in the list of the user."""

from typing import TYPE_CHECKING, Any

from chalicelib.access.call import RestrictedToken, Session
from chalicelib.access.user_ids import fits_key
from chalicelib.accounts.stores.keys import (
    RESTRICTED_PREFIX,
    restricted_token_key,
    restricted_token_list_key,
    session_key,
    user_pk,
)
from chalicelib.accounts.stores.transactions import existence_check, transact, transacted
from chalicelib.config import Settings
from chalicelib.engine import dynamodb

if TYPE_CHECKING:
    from chalicelib.accounts.stores.keys import Item

KEPT_AFTER_EXPIRATION_S = 24 * 3600
"""For how long servers still find a token that opens nothing any more."""


def restricted_token_items(token: RestrictedToken) -> tuple["Item", "Item"]:
    """The item and its mirror."""
    last_s = max(token.expiration_time_ms, token.created_time_ms, token.modified_time_ms or 0) // 1000
    content: Item = {
        "token_id": {"S": token.id},
        "user_id": {"S": token.user_id},
        "expiration_time_ms": {"N": str(token.expiration_time_ms)},
        "created_time_ms": {"N": str(token.created_time_ms)},
        "expires_at_s": {"N": str(last_s + KEPT_AFTER_EXPIRATION_S)},
    }
    if token.paths is not None:
        content["paths"] = {"L": [{"S": path} for path in token.paths]}
    if token.modified_time_ms is not None:
        content["modified_time_ms"] = {"N": str(token.modified_time_ms)}
    by_id, by_user = _keys(token)
    return by_id | content, by_user | content


def restricted_token_from_item(item: "Item") -> RestrictedToken:
    """The token of an item or of its mirror."""
    return RestrictedToken(
        id=item["token_id"]["S"],
        user_id=item["user_id"]["S"],
        paths=tuple(path["S"] for path in item["paths"]["L"]) if "paths" in item else None,
        expiration_time_ms=int(item["expiration_time_ms"]["N"]),
        created_time_ms=int(item["created_time_ms"]["N"]),
        modified_time_ms=int(item["modified_time_ms"]["N"]) if "modified_time_ms" in item else None,
    )


class DynamoRestrictedTokens:
    """The port `RestrictedTokens` on DynamoDB."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._table = settings.accounts_table

    def find(self, token_id: str) -> RestrictedToken | None:
        """One read."""
        if not fits_key(token_id):
            return None
        with dynamodb.refusals():
            found = dynamodb.client(self._settings).get_item(
                TableName=self._table, Key=restricted_token_key(token_id), ConsistentRead=True
            )
        return restricted_token_from_item(found["Item"]) if "Item" in found else None

    def of_user(self, user_id: str) -> list[RestrictedToken]:
        """One query, backwards."""
        if not fits_key(user_id):
            return []
        client = dynamodb.client(self._settings)
        items = dynamodb.query_all(client, self._table, user_pk(user_id), RESTRICTED_PREFIX, ScanIndexForward=False)
        return [restricted_token_from_item(item) for item in items]

    def add(self, token: RestrictedToken, made_with: Session | RestrictedToken | None = None) -> bool:
        """One transaction over both items: the end of what the token is made with comes before it or after it."""
        writes = self._puts(token)
        if made_with is not None:
            writes.append(existence_check(self._table, _credential_key(made_with)))
        return transacted(self._settings, writes)

    def replace(self, token: RestrictedToken) -> bool:
        """One transaction over both items: a token that was removed meanwhile does not come back."""
        by_id, listed = self._puts(token)
        by_id["Put"]["ConditionExpression"] = "attribute_exists(pk)"
        return transacted(self._settings, [by_id, listed])

    def delete(self, token: RestrictedToken) -> None:
        """One transaction over both items."""
        transact(self._settings, [{"Delete": {"TableName": self._table, "Key": key}} for key in _keys(token)])

    def _puts(self, token: RestrictedToken) -> list[Any]:
        return [{"Put": {"TableName": self._table, "Item": item}} for item in restricted_token_items(token)]


def _keys(token: RestrictedToken) -> tuple["Item", "Item"]:
    listed = restricted_token_list_key(token.user_id, token.created_time_ms, token.id)
    return restricted_token_key(token.id), listed


def _credential_key(credential: Session | RestrictedToken) -> "Item":
    if isinstance(credential, RestrictedToken):
        return restricted_token_key(credential.id)
    return session_key(credential.token_hash)
