"""Changes of documents that meet other changes of the same user."""

from collections.abc import Callable

import pytest

from chalicelib.conflicts import WriteConflictError
from chalicelib.errors import UnavailableError
from chalicelib.nightscout.change import MAX_ATTEMPTS, retried
from chalicelib.tiles.ports import TileMissingError


def after(conflicts: int, error: type[Exception]) -> Callable[[], str]:
    """An attempt that meets some conflicts before it succeeds."""
    left = iter(range(conflicts))

    def attempt() -> str:
        if next(left, None) is not None:
            raise error
        return "stored"

    return attempt


@pytest.mark.parametrize("error", [WriteConflictError, TileMissingError])
def test_a_phone_that_sends_a_backlog_at_once_meets_many_changes_of_its_own(error: type[Exception]) -> None:
    assert MAX_ATTEMPTS > 30
    assert retried(after(MAX_ATTEMPTS - 1, error)) == "stored"
    with pytest.raises(UnavailableError):
        retried(after(MAX_ATTEMPTS, error))
