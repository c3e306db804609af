"""Conditions of queries, and what they cost for each document."""

from typing import Any

import pytest

from chalicelib.nightscout import find
from chalicelib.nightscout.find import Comparison, Fields, Find, literal, one_of, parse_find
from chalicelib.nightscout.v3.query import parse_search

FIELDS = Fields(date="dateString", expressions=frozenset({"notes"}))


@pytest.mark.parametrize(
    ("stored", "is_in"),
    [
        ("a", True),
        ("xbx", True),
        ("c", False),
        (1, True),
        (1.0, True),
        ("1", False),
        (True, False),
        (None, False),
        ([], False),
    ],
)
def test_a_list_has_texts_numbers_and_parts_of_texts(stored: Any, is_in: bool) -> None:
    values = one_of(["a", literal("b"), 1])
    for operator, expected in (("$in", is_in), ("$nin", not is_in)):
        assert Find((Comparison("m", operator, values),)).matches({"m": stored}) is expected


def test_the_texts_of_a_list_are_looked_up_and_not_compared_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search may compare ten thousand documents with as many texts as an address has room for."""
    compared: list[Any] = []
    monkeypatch.setattr(find, "_is_equal", lambda stored, value: compared.append(value))
    many = [f"value{number}" for number in range(2_000)]
    of_v1 = parse_find({f"find[device][$nin][{number}]": (text,) for number, text in enumerate(many[:100])}, FIELDS)
    of_v3 = parse_search({"device$nin": ("|".join(many[:200]),)}).find
    for query in (of_v1, of_v3):
        assert query.matches({"device": "other"})
        assert not query.matches({"device": "value7"})
    assert compared == []


def test_a_field_of_many_steps_leads_no_deeper_than_the_document() -> None:
    class Noting(dict[str, Any]):
        asked = 0

        def get(self, name: str, default: Any = None) -> Any:
            Noting.asked += 1
            return super().get(name, default)

    query = parse_find({f"find[{'.'.join(['a'] * 4_000)}][$ne]": ("1",)}, FIELDS)
    assert query.matches(Noting(a=Noting(a=1)))
    assert Noting.asked == 2
