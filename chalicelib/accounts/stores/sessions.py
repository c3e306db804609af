"""Sessions in the accounts table: one item by token hash, one in the list of the user."""

from chalicelib.access.call import LoginReference, Session
from chalicelib.access.user_ids import fits_key
from chalicelib.accounts.stores.accounts import account_check
from chalicelib.accounts.stores.keys import (
    SESSIONS_PREFIX,
    credential_keys,
    is_session,
    session_key,
    session_list_key,
    user_pk,
)
from chalicelib.engine.conditions import exists
from chalicelib.engine.definitions import expires_at_s
from chalicelib.engine.errors import TransactionRefusedError
from chalicelib.engine.table import MAX_TRANSACTION_WRITES, Check, Delete, Item, Prefix, Put, Query, Table, Write


def session_item(session: Session) -> Item:
    """The item of a session. The table removes it some time after it has expired."""
    return session_key(session.token_hash) | {
        "token_hash": session.token_hash,
        "user_id": session.user_id,
        "is_server": session.is_server,
        "created_time_ms": session.created_time_ms,
        "expires_time_ms": session.expires_time_ms,
        "login_id": session.login_id,
        "expires_at_s": expires_at_s(session.expires_time_ms),
    }


def session_items(session: Session) -> tuple[Item, Item]:
    """The item of a session, and its entry in the list of the user."""
    item = session_item(session)
    key = session_list_key(session.user_id, session.login.login_id, session.token_hash)
    return item, key | {"expires_at_s": item["expires_at_s"]}


def session_from_item(item: Item) -> Session:
    """The session of an item."""
    return Session(
        token_hash=item["token_hash"],
        user_id=item["user_id"],
        is_server=item["is_server"],
        created_time_ms=item["created_time_ms"],
        expires_time_ms=item["expires_time_ms"],
        login_id=item["login_id"],
    )


class StoredSessions:
    """The port `Sessions` on the accounts table."""

    def __init__(self, accounts: Table) -> None:
        self._accounts = accounts

    def find(self, token_hash: str) -> Session | None:
        """One read."""
        item = self._accounts.get(session_key(token_hash))
        return None if item is None else session_from_item(item)

    def add(self, session: Session, *, parent_hash: str | None = None, password_version: int | None = None) -> bool:
        """One transaction, which also checks the account, its password and the parent session."""
        writes: list[Write] = [*map(Put, session_items(session))]
        if not session.is_server:
            writes.append(account_check(session.user_id, password_version))
        if parent_hash is not None:
            writes.append(Check(session_key(parent_hash), exists()))
        try:
            self._accounts.transact(writes)
        except TransactionRefusedError:
            return False
        return True

    def of_user(self, user_id: str) -> list[Session]:
        """One query, and one batch for each hundred sessions."""
        if not fits_key(user_id):
            return []
        listed = self._accounts.query(Query(user_pk(user_id), Prefix(SESSIONS_PREFIX), attributes=("sk",)))
        hashes = [item["sk"].rpartition("#")[2] for item in listed if is_session(item["sk"])]
        items = self._accounts.batch_get([session_key(token_hash) for token_hash in hashes])
        return [session_from_item(item) for item in items if item is not None]

    def end_login(self, session: Session) -> None:
        """One query and one transaction for each fifty sessions (33 restricted tokens), until a query finds none."""
        self._end(session.user_id, f"{SESSIONS_PREFIX}{session.login.login_id}#")

    def end_all(self, user_id: str, keep: Session | None = None) -> None:
        """As `end_login`, for all logins of the user."""
        if fits_key(user_id):
            self._end(user_id, SESSIONS_PREFIX, keep)

    def _end(self, user_id: str, prefix: str, keep: Session | None = None) -> None:
        # Repeated until nothing is found: a refresh may have added a session, and cannot once its parent is gone.
        while deletes := self._deletes(user_id, prefix, None if keep is None else keep.login):
            for start in range(0, len(deletes), MAX_TRANSACTION_WRITES):
                self._accounts.transact(deletes[start : start + MAX_TRANSACTION_WRITES])

    def _deletes(self, user_id: str, prefix: str, kept: LoginReference | None) -> list[Delete]:
        """The deletes of all credentials in the list of the user, but those of the login `kept`."""
        items = self._accounts.query(Query(user_pk(user_id), Prefix(prefix), attributes=("sk",)))
        deletes: list[Delete] = []
        for item in items:
            login_id, _, listed = item["sk"].removeprefix(SESSIONS_PREFIX).partition("#")
            if kept is None or login_id != kept.login_id:
                deletes += map(Delete, credential_keys(LoginReference(user_id, login_id), listed))
        return deletes
