"""Forms (`application/x-www-form-urlencoded`) whose names have brackets: `a[b]` for a member of an object, `a[]` and
`a[0]` for elements of an array.
"""

import re
from typing import Any
from urllib.parse import parse_qsl

MEDIA_TYPE = "application/x-www-form-urlencoded"
MAX_FIELDS = 1_000
MAX_DEPTH = 5
MAX_INDEX = 100
"""The largest number that is the place of an element; larger ones are names of members."""
_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_PART = re.compile(r"\[([^\[\]]*)\]")
_INDEX = re.compile(r"0|[1-9][0-9]{0,2}")
_SHOWN_LENGTH = 50


class FormError(ValueError):
    """The form has too many fields, or a field has two meanings."""


def form_members(form: bytes) -> dict[str, Any]:
    """The values of a form, which are texts, by name; a name that repeats has an array of them.

    Raises:
        FormError: see there.
    """
    try:
        fields = parse_qsl(form.decode(errors="replace"), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError as error:
        raise FormError(f"a form may have at most {MAX_FIELDS} fields") from error
    members: dict[str, Any] = {}
    for name, value in fields:
        match = _NAME.fullmatch(name)
        path = [name] if match is None else [match[1], *_PART.findall(match[2])]
        if len(path) > MAX_DEPTH:
            raise FormError(f"the field {name[:_SHOWN_LENGTH]} is nested too deeply")
        if name:
            _put(members, path, value)
    return {name: _with_arrays(value) for name, value in members.items()}


def _put(members: dict[str, Any], path: list[str], value: str) -> None:
    first, *rest = path
    if not rest or rest == [""]:
        present = members.setdefault(first, [] if rest else value)
        if present is value:
            return
        if isinstance(present, dict) or (rest and not isinstance(present, list)):
            raise _two_meanings(first)
        members[first] = [*present, value] if isinstance(present, list) else [present, value]
        return
    inner = members.setdefault(first, {})
    if not isinstance(inner, dict):
        raise _two_meanings(first)
    _put(inner, rest, value)


def _two_meanings(name: str) -> FormError:
    return FormError(f"the field {name[:_SHOWN_LENGTH]} has two meanings")


def _with_arrays(value: Any) -> Any:
    """A value with an array for each object whose members are numbered, or whose only member has no name."""
    if not isinstance(value, dict):
        return value
    members = {name: _with_arrays(inner) for name, inner in value.items()}
    if members.keys() == {""}:
        return [members[""]]
    if all(_INDEX.fullmatch(name) and int(name) <= MAX_INDEX for name in members):
        return [members[name] for name in sorted(members, key=int)]
    return members
