"""Counters of sign-in attempts in the accounts table, which expire after their window, and of failed sign-ins."""

from collections.abc import Sequence

from chalicelib.accounts.ports import AttemptCounter
from chalicelib.accounts.stores.keys import attempts_key, failures_key
from chalicelib.engine.conditions import Condition, absent, any_of, less_than
from chalicelib.engine.errors import ConditionFailedError
from chalicelib.engine.table import Table, Update


class StoredSignInAttempts:
    """The port `SignInAttempts` on the accounts table."""

    def __init__(self, accounts: Table) -> None:
        self._accounts = accounts

    def count(self, counters: Sequence[AttemptCounter]) -> AttemptCounter | None:
        """One conditional write for each counter, so that no two attempts take the same place."""
        for counter in counters:
            try:
                self._add(counter, 1, any_of(absent("attempts"), less_than("attempts", counter.max_attempts)))
            except ConditionFailedError:
                return counter
        return None

    def uncount(self, counters: Sequence[AttemptCounter]) -> None:
        """One write for each counter."""
        for counter in counters:
            self._add(counter, -1)

    def add_failure(self, names: Sequence[str], expires_at_s: int) -> None:
        """One write for each name."""
        for name in names:
            self._accounts.update(Update(failures_key(name), set={"expires_at_s": expires_at_s}, add={"failures": 1}))

    def take_failures(self, names: Sequence[str]) -> list[int]:
        """One batch, and one write for each item that there is."""
        keys = [failures_key(name) for name in names]
        items = self._accounts.batch_get(keys)
        for key, item in zip(keys, items, strict=True):
            if item is not None:
                self._accounts.delete(key)
        return [0 if item is None else item["failures"] for item in items]

    def _add(self, counter: AttemptCounter, attempts: int, condition: Condition | None = None) -> None:
        key = attempts_key(counter.key, counter.starts_s)
        expiration = {"expires_at_s": counter.ends_s}
        self._accounts.update(Update(key, set=expiration, add={"attempts": attempts}, condition=condition))
