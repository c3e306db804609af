"""Sign-ups whose address has to be verified, in the accounts table, by the time at which they expire.

`StoredAccounts.create` stores them, in the transaction that makes the account.
"""

from chalicelib.accounts.ports import UnansweredSignUp
from chalicelib.accounts.stores.keys import SIGN_UPS_PK, unanswered_sign_up_key
from chalicelib.engine.table import Delete, Put, Query, Range, Table


class StoredUnansweredSignUps:
    """The port `UnansweredSignUps` on the accounts table."""

    def __init__(self, accounts: Table) -> None:
        self._accounts = accounts

    def due(self, now_ms: int, limit: int) -> list[UnansweredSignUp]:
        """One query."""
        until_now = Range(at_most=f"{now_ms:015d}~")  # "~" sorts after every id
        items = self._accounts.query(Query(SIGN_UPS_PK, until_now, limit=limit))
        return [_sign_up(item["sk"]) for item in items]

    def postpone(self, sign_up: UnansweredSignUp, expires_time_ms: int) -> None:
        """One transaction."""
        before = unanswered_sign_up_key(sign_up.expires_time_ms, sign_up.user_id)
        after = unanswered_sign_up_key(expires_time_ms, sign_up.user_id)
        self._accounts.transact([Delete(before), Put(after)])

    def remove(self, sign_up: UnansweredSignUp) -> None:
        """One write."""
        self._accounts.delete(unanswered_sign_up_key(sign_up.expires_time_ms, sign_up.user_id))


def _sign_up(sk: str) -> UnansweredSignUp:
    time_ms, _, user_id = sk.partition("#")
    return UnansweredSignUp(user_id, int(time_ms))
