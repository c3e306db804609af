"""The arithmetic of ratios to the floor; times themselves are not tested."""

import pytest

from bench.floors import WARM_UP_ROUNDS, Pair, in_turns, times_floor, times_other

# The machine is twice as slow in the second round, and something disturbed the case in the third.
PAIRS = [Pair(0.001, 0.004), Pair(0.002, 0.008), Pair(0.001, 0.040)]


def test_the_ratio_is_the_median_of_the_rounds() -> None:
    figure = times_floor("add", PAIRS, target=6)
    assert figure.value == pytest.approx(4)
    assert figure.floor_ms == pytest.approx(1)
    assert (figure.unit, figure.target) == ("F", 6)


def test_two_cases_are_compared_round_by_round() -> None:
    others = [Pair(0.001, 0.002), Pair(0.001, 0.002), Pair(0.002, 0.004)]
    assert times_other("again", PAIRS, others).value == pytest.approx(2)


def test_cases_alternate_and_warm_up_rounds_do_not_count() -> None:
    done: list[str] = []
    pairs = in_turns(b"[1]", [lambda: done.append("a"), lambda: done.append("b")], rounds=3)
    assert done == ["a", "b"] * (WARM_UP_ROUNDS + 3)
    assert [len(of_case) for of_case in pairs] == [3, 3]
