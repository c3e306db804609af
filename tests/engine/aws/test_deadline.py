"""A hard end to waiting."""

from threading import Event

import pytest

from chalicelib.engine.aws.deadline import within
from chalicelib.errors import UnavailableError

LONG_S = 60


def test_what_is_done_in_time_is_handed_on() -> None:
    assert within(LONG_S, lambda: "done") == "done"


def test_what_is_raised_in_time_is_raised() -> None:
    def work() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        within(LONG_S, work)


def test_what_takes_longer_is_left_alone() -> None:
    released, ended = Event(), Event()

    def work() -> None:
        released.wait(LONG_S)
        ended.set()

    with pytest.raises(UnavailableError) as error:
        within(0.01, work)
    assert isinstance(error.value.__cause__, TimeoutError)
    assert not ended.is_set()
    released.set()
    assert ended.wait(LONG_S)
