"""What engines refuse. None of these leaves the stores, except `UnavailableError` and what derives from it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
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
        """Which writes failed, by their place in the transaction. A write that is not among them may fail, too, once
        these do not: an engine may stop at the first one."""
        return sorted(self._stored)

    def failed(self, index: int) -> bool:
        """Whether the condition of the write in this place is one that does not hold."""
        return index in self._stored

    def stored(self, index: int) -> dict[str, Any] | None:
        """The item that is stored where this write failed, if the write asked for it and there is one."""
        return self._stored.get(index)


class TransactionConflictError(UnavailableError):
    """Other transactions were writing to the same items; nothing was written, and a later try may succeed."""


PASSING = frozenset({"OperationAborted", "RequestTimeout", "SlowDown"})
"""Codes of S3 that a later try may not meet, beside throttling and what goes wrong inside AWS."""


@contextmanager
def refusals() -> Iterator[None]:
    """Turns what botocore raises into what the callers know; no botocore error leaves.

    Raises:
        UnavailableError: throttled, timed out, not reached, or failed inside AWS.
        RuntimeError: anything else is a defect of ours or of the deployment.
    """
    from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        if status >= 500 or status == 429 or code in PASSING or "Thrott" in code or "Exceeded" in code:
            raise UnavailableError from error
        raise RuntimeError(f"{error.operation_name} is refused: {code}") from error
    except HTTPClientError as error:
        raise UnavailableError from error
    except BotoCoreError as error:
        raise RuntimeError(f"no request: {type(error).__name__}") from error
