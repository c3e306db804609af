"""Changes that meet a conflict are decided again, as often as they may be and no oftener."""

import pytest

from chalicelib.conflicts import MAX_ATTEMPTS, WriteConflictError, retry_on_conflict
from chalicelib.errors import UnavailableError


class Attempts:
    """Meets a conflict a number of times before it succeeds."""

    def __init__(self, conflicts: int, conflict: type[Exception] = WriteConflictError) -> None:
        self.conflicts, self.conflict, self.calls = conflicts, conflict, 0

    def __call__(self) -> str:
        self.calls += 1
        if self.calls <= self.conflicts:
            raise self.conflict
        return "done"


def test_a_change_without_conflict_is_made_once() -> None:
    attempt = Attempts(0)
    assert (retry_on_conflict(attempt), attempt.calls) == ("done", 1)


def test_a_change_that_met_conflicts_is_decided_again() -> None:
    attempt = Attempts(MAX_ATTEMPTS - 1)
    assert (retry_on_conflict(attempt), attempt.calls) == ("done", MAX_ATTEMPTS)


@pytest.mark.parametrize("max_attempts", [1, 3, MAX_ATTEMPTS])
def test_a_change_is_tried_as_often_as_it_may_be(max_attempts: int) -> None:
    attempt = Attempts(max_attempts)
    with pytest.raises(UnavailableError):
        retry_on_conflict(attempt, max_attempts)
    assert attempt.calls == max_attempts


def test_without_a_limit_a_change_is_tried_until_it_succeeds() -> None:
    attempt = Attempts(100)
    assert (retry_on_conflict(attempt, max_attempts=None), attempt.calls) == ("done", 101)


def test_any_other_error_ends_the_attempts() -> None:
    attempt = Attempts(1, ValueError)
    with pytest.raises(ValueError):  # noqa: PT011  the class is all that there is to it
        retry_on_conflict(attempt)
    assert attempt.calls == 1


def test_a_rule_may_name_what_counts_as_a_conflict() -> None:
    attempt = Attempts(2, KeyError)
    assert (retry_on_conflict(attempt, 3, KeyError), attempt.calls) == ("done", 3)
