"""Forms whose names have brackets."""

from typing import Any

import pytest

from chalicelib.encoding.form import MAX_FIELDS, FormError, form_members


@pytest.mark.parametrize(
    ("form", "members"),
    [
        (b"", {}),
        (b"a=1&b=", {"a": "1", "b": ""}),
        (b"a", {"a": ""}),
        (b"a=x%20y+z%C3%A9", {"a": "x y z\u00e9"}),
        (b"a=%E9\xe9%zz", {"a": "\ufffd\ufffd%zz"}),
        (b"&&=none&a=1", {"a": "1"}),
        (b"a=1;b=2", {"a": "1;b=2"}),
        (b"a=1&a=2&a=3", {"a": ["1", "2", "3"]}),
        (b"a[]=1", {"a": ["1"]}),
        (b"a[]=1&a[]=2&a=3", {"a": ["1", "2", "3"]}),
        (b"a[1]=x&a[0]=y", {"a": ["y", "x"]}),
        (b"a[7]=x&a[3]=y", {"a": ["y", "x"]}),
        (b"a[100]=x", {"a": ["x"]}),
        (b"a[101]=x", {"a": {"101": "x"}}),
        (b"a[01]=x", {"a": {"01": "x"}}),
        (b"a[0]=x&a[b]=y", {"a": {"0": "x", "b": "y"}}),
        (b"a[0][b]=x&a[0][c]=y&a[1][b]=z", {"a": [{"b": "x", "c": "y"}, {"b": "z"}]}),
        (b"a[][b]=x&a[][c]=y", {"a": [{"b": "x", "c": "y"}]}),
        (b"a[b][c][d]=x", {"a": {"b": {"c": {"d": "x"}}}}),
        (b"0=x", {"0": "x"}),
        (b"[a]=1&b[c=2&d]=3", {"[a]": "1", "b[c": "2", "d]": "3"}),
    ],
)
def test_names_are_paths(form: bytes, members: dict[str, Any]) -> None:
    assert form_members(form) == members


@pytest.mark.parametrize("form", [b"a=1&a[]=2", b"a=1&a[b]=2", b"a[b]=1&a=2", b"a[][b]=1&a[]=2", b"a[b][c][d][e][f]=1"])
def test_a_field_with_two_meanings_or_too_many_steps_is_refused(form: bytes) -> None:
    with pytest.raises(FormError, match="the field a"):
        form_members(form)


def test_the_number_of_fields_is_limited() -> None:
    fields = [b"a%d=1" % number for number in range(MAX_FIELDS + 1)]
    assert len(form_members(b"&".join(fields[:-1]))) == MAX_FIELDS
    with pytest.raises(FormError, match="at most 1000 fields"):
        form_members(b"&".join(fields))
