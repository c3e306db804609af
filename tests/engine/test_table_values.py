"""Values that queries and conditions are made of."""

import pytest

from chalicelib.engine.conditions import AnyOf, all_of, any_of, equals, exists
from chalicelib.engine.table import Range


@pytest.mark.parametrize(
    "bounds", [{}, {"at_least": 1, "below": 2}, {"above": 1, "at_most": 2}, {"at_least": 1, "above": 1}]
)
def test_a_range_that_dynamodb_cannot_query_is_refused(bounds: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="a range needs"):
        Range(**bounds)


def test_a_range_may_begin_at_zero() -> None:
    assert Range(at_least=0, at_most=1) != Range(at_least=0, at_most=0)


def test_conditions_are_values() -> None:
    assert any_of(exists(), equals("a", 1)) == any_of(exists(), equals("a", 1)) != all_of(exists(), equals("a", 1))
    assert all_of(exists("a")) == any_of(exists("a")) == exists("a")
    assert isinstance(equals("a", 1, or_absent=True), AnyOf)
