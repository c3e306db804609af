"""Errors of all engines. None of these leaves the stores, except `UnavailableError` and what derives from it."""

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.errors import UnavailableError


class ConditionFailedError(Exception):
    """The condition of a single write does not hold; nothing was written."""

    def __init__(self, stored: dict[str, Any] | None = None) -> None:
        super().__init__()
        self.stored = stored
        """The item that is stored, if the write asked for it and there is one."""


class TransactionRefusedError(Exception):
    """Conditions of a transaction do not hold; nothing was written."""

    def __init__(self, stored: Mapping[int, dict[str, Any] | None]) -> None:
        super().__init__(f"conditions of writes {sorted(stored)}")
        self._stored = stored

    @property
    def indexes(self) -> Sequence[int]:
        """The writes that failed, by their place in the transaction. A write that is not among them may fail, too, once
        these do not: an engine may stop at the first one."""
        return sorted(self._stored)

    def failed(self, index: int) -> bool:
        """Whether the condition of the write in this place is one that does not hold."""
        return index in self._stored

    def stored(self, index: int) -> dict[str, Any] | None:
        """The item that is stored where this write failed, if the write asked for it and there is one."""
        return self._stored.get(index)


class TransactionConflictError(UnavailableError):
    """Other transactions were writing to the same items; nothing was written, and a later attempt may succeed."""


class NoSuchObjectError(Exception):
    """There is no object with this key. It does not leave the engine."""
