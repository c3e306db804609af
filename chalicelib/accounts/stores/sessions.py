"""Sessions in the accounts table: one item by token hash, one in the list of the user."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from chalicelib.access.call import Session
from chalicelib.access.user_ids import fits_key
from chalicelib.accounts.stores.keys import (
    OIDC_SK,
    SESSIONS_PREFIX,
    oidc_login_key,
    session_key,
    session_list_key,
    user_pk,
)
from chalicelib.accounts.stores.transactions import account_check, existence_check, transact, transacted
from chalicelib.config import Settings
from chalicelib.engine import dynamodb

if TYPE_CHECKING:
    from chalicelib.accounts.stores.keys import Item

SESSIONS_PER_TRANSACTION = dynamodb.TRANSACT_WRITES // 2


def session_item(session: Session) -> "Item":
    """The item of a session; DynamoDB removes it some time after it has expired."""
    return session_key(session.token_hash) | {
        "token_hash": {"S": session.token_hash},
        "user_id": {"S": session.user_id},
        "is_server": {"BOOL": session.is_server},
        "created_time_ms": {"N": str(session.created_time_ms)},
        "expires_time_ms": {"N": str(session.expires_time_ms)},
        "login_id": {"S": session.login_id},
        "expires_at_s": {"N": str(-(-session.expires_time_ms // 1000))},
    }


def session_items(session: Session) -> tuple["Item", "Item"]:
    """What is written for a session: its item, and its place in the list of the user."""
    item = session_item(session)
    listed = session_list_key(session.user_id, session.login_id or session.token_hash, session.token_hash)
    return item, listed | {"expires_at_s": item["expires_at_s"]}


def session_from_item(item: "Item") -> Session:
    """The session of an item."""
    return Session(
        token_hash=item["token_hash"]["S"],
        user_id=item["user_id"]["S"],
        is_server=item["is_server"]["BOOL"],
        created_time_ms=int(item["created_time_ms"]["N"]),
        expires_time_ms=int(item["expires_time_ms"]["N"]),
        login_id=item["login_id"]["S"],
    )


class DynamoSessions:
    """The port `Sessions` on DynamoDB."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._table = settings.accounts_table

    def find(self, token_hash: str) -> Session | None:
        """One read."""
        with dynamodb.refusals():
            found = dynamodb.client(self._settings).get_item(
                TableName=self._table, Key=session_key(token_hash), ConsistentRead=True
            )
        return session_from_item(found["Item"]) if "Item" in found else None

    def add(self, session: Session, *, parent_hash: str | None = None, password_version: int | None = None) -> bool:
        """One transaction: a deletion, another password, or the end of the login comes before it or after it."""
        writes: list[Any] = [{"Put": {"TableName": self._table, "Item": item}} for item in session_items(session)]
        if not session.is_server:
            writes.append(account_check(self._table, session.user_id, password_version))
        if parent_hash is not None:
            writes.append(existence_check(self._table, session_key(parent_hash)))
        return transacted(self._settings, writes)

    def end_login(self, session: Session) -> None:
        """One query and one transaction for each fifty sessions, until a query finds none."""
        self._end(session.user_id, f"{SESSIONS_PREFIX}{session.login_id or session.token_hash}#")

    def end_all(self, user_id: str, but: Session | None = None) -> None:
        """As `end_login`, for all logins of the user."""
        if fits_key(user_id):
            self._end(user_id, SESSIONS_PREFIX, but)

    def _end(self, user_id: str, prefix: str, but: Session | None = None) -> None:
        kept = None if but is None else f"{but.login_id or but.token_hash}#"
        # Again until nothing is found: a refresh may have come in between; its parent is gone after the first round.
        while listed := [one for one in self._listed(user_id, prefix) if kept is None or not one.startswith(kept)]:
            for start in range(0, len(listed), SESSIONS_PER_TRANSACTION):
                self._delete(user_id, listed[start : start + SESSIONS_PER_TRANSACTION])

    def _listed(self, user_id: str, prefix: str) -> list[str]:
        items = dynamodb.query_all(
            dynamodb.client(self._settings), self._table, user_pk(user_id), prefix, ProjectionExpression="sk"
        )
        return [item["sk"]["S"].removeprefix(SESSIONS_PREFIX) for item in items]

    def _delete(self, user_id: str, listed: Iterable[str]) -> None:
        keys: list[Item] = []
        for login_and_hash in listed:
            login_id, _, token_hash = login_and_hash.partition("#")
            listed_one = oidc_login_key(login_id) if token_hash == OIDC_SK else session_key(token_hash)
            keys += [listed_one, session_list_key(user_id, login_id, token_hash)]
        deletes: list[Any] = [{"Delete": {"TableName": self._table, "Key": key}} for key in keys]
        transact(self._settings, deletes)
