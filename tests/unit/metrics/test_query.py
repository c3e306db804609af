"""Query parameters as one JSON object. Source: metrics-api 2."""

from typing import Any
from urllib.parse import parse_qs

import pytest

from chalicelib.metrics.query import nested


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {}),
        ("a=1", {"a": "1"}),
        ("a=1&a=2", {"a": ["1", "2"]}),
        ("e=", {"e": ""}),
        ("c[d]=4", {"c": {"d": "4"}}),
        ("c[d]=4&c[e]=5&c[d]=6", {"c": {"d": ["4", "6"], "e": "5"}}),
        ("a[]=1", {"a": ["1"]}),
        ("a[]=1&a[]=2", {"a": ["1", "2"]}),
        ("a[1]=y&a[0]=x", {"a": ["x", "y"]}),
        ("a[0][k]=1&a[1][k]=2", {"a": [{"k": "1"}, {"k": "2"}]}),
        ("a[21]=x", {"a": {"21": "x"}}),
        ("a[01]=x", {"a": {"01": "x"}}),
        ("a[0]=x&a[b]=y", {"a": {"0": "x", "b": "y"}}),
        ("a=1&a[b]=2", {"a": ["1", {"b": "2"}]}),
        ("a[b]=2&a=1", {"a": ["1", {"b": "2"}]}),
        ("a=1&a[]=2", {"a": ["1", "2"]}),
        ("[a]=1", {"a": "1"}),
        ("a[b=1", {"a[b": "1"}),
        ("a]b=1", {"a]b": "1"}),
        ("a[b][c][d][e][f]=1", {"a": {"b": {"c": {"d": {"e": {"f": "1"}}}}}}),
        ("a[b][c][d][e][f][g][h]=1", {"a": {"b": {"c": {"d": {"e": {"f": {"[g][h]": "1"}}}}}}}),
        ("__proto__=1&constructor[x]=2", {"__proto__": "1", "constructor": {"x": "2"}}),
        ("n%C3%A9=%F0%9F%92%89", {"né": "💉"}),
    ],
)
def test_parameters_become_one_object(query: str, expected: dict[str, Any]) -> None:
    assert nested(parse_qs(query, keep_blank_values=True)) == expected


def test_digits_in_brackets_do_not_make_long_arrays() -> None:
    assert nested({"a[" + "9" * 5000 + "]": ["x"]}) == {"a": {"9" * 5000: "x"}}
