"""Faults that DynamoDB may show at any time and SQLite never shows by itself: a switch for tests."""

from collections import Counter
from typing import TYPE_CHECKING

from chalicelib.engine.errors import TransactionConflictError
from chalicelib.errors import UnavailableError

if TYPE_CHECKING:
    import sqlite3


class Faults:
    """The faults that the next calls meet. A call is what would be a request to DynamoDB, such as a page of a query."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        """How many calls were made, by DynamoDB's name of the operation."""
        self.throttles = 0
        """How many of the next calls are refused."""
        self.conflicts = 0
        """How many of the next transactions meet another one. Each attempt of a transaction counts."""
        self.unprocessed = 0
        """How many of the next calls of batches carry out all but their last key or write. A batch of one does
        nothing then."""
        self.stale: sqlite3.Connection | None = None
        """What index reads see while indexes lag."""

    def before(self, operation: str) -> None:
        """Count a call, and refuse it if it was to be refused.

        Raises:
            UnavailableError: it is throttled.
            TransactionConflictError: it is a transaction that meets another one.
        """
        self.calls[operation] += 1
        if self.throttles:
            self.throttles -= 1
            raise UnavailableError
        if self.conflicts and operation == "TransactWriteItems":
            self.conflicts -= 1
            raise TransactionConflictError

    def held_back(self, operation: str) -> int:
        """The number of its keys or writes that a call of a batch does not process."""
        self.before(operation)
        if self.unprocessed:
            self.unprocessed -= 1
            return 1
        return 0
