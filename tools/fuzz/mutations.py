"""Mutations of JSON values and of texts, from a seeded source of choices."""

import copy
import json
from collections.abc import Iterator
from random import Random
from typing import Any

DEEP = 200
LONG = 20_000
NAMES = (
    "__proto__",
    "$where",
    "",
    "type",
    "time",
    "id",
    "uploadId",
    "origin",
    "\u0000",
    "a.b",
    "_id",
    "payload",
    "ä" * 300,
)
TEXTS = (
    *("", " ", "\u0000", "\ud800", "\udfff\ud800", "\u202e", "\ufeff", "\ufffd", "💉" * 50, "a" * LONG, "null", "NaN"),
    *(
        "0000-00-00T00:00:00Z",
        "9999-12-31T23:59:60Z",
        "2026-02-30T00:00:00Z",
        "2026-01-01T24:00:00+99:99",
        "1900-01-01",
    ),
    *("../../etc/passwd", "%00", "%2F", "<script>", "' OR 1=1 --", "{{7*7}}", "\r\nX: y", "1e999", "-0", "٣", "²"),
)
NUMBERS = (
    0,
    -1,
    1,
    2**31,
    2**53 + 1,
    2**63,
    -(2**63) - 1,
    10**400,
    1e308,
    -1e308,
    5e-324,
    -0.0,
    1.0,
    0.1,
    99999999999999,
)
OTHERS = (None, True, False)
ESCAPED = ('"\\ud800"', '"\\u0000"', "NaN", "Infinity", "-Infinity", "1e999", "-0", "1" * 400, '"\\q"', "01", "tru")
"""Texts that are put in the place of a value in written JSON. Half of them are not JSON values."""


def hostile_value(random: Random) -> Any:
    """Any value that nobody expects."""
    kind = random.randrange(6)
    if kind == 0:
        return random.choice(OTHERS)
    if kind == 1:
        return random.choice(NUMBERS)
    if kind == 2:
        return [hostile_value(random) for _ in range(random.randrange(4))]
    if kind == 3:
        return {random.choice(NAMES): hostile_value(random) for _ in range(random.randrange(4))}
    if kind == 4 and random.random() < 0.2:
        return _nested(random)
    return random.choice(TEXTS)


def mutated(value: Any, random: Random) -> Any:
    """The value with one to three changes anywhere in it."""
    changed = copy.deepcopy(value)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        changed = _changed(changed, random)
    return changed


def mutated_text(text: bytes, random: Random) -> bytes:
    """Written JSON, or any other text, with bytes that are cut, flipped, doubled, or put in."""
    if not text:
        return random.choice((b"\xff", b"\x00", b"{", b"[" * DEEP * 100, b"\xef\xbb\xbf{}"))
    first = random.randrange(len(text))
    last = min(len(text), first + random.choice((1, 1, 5, 50)))
    kind = random.randrange(7)
    if kind == 0:
        return text[:first]
    if kind == 1:
        return text[:first] + bytes([random.randrange(256)]) + text[first + 1 :]
    if kind == 2:
        return text[:first] + text[first:last] * random.choice((2, 100)) + text[last:]
    if kind == 3:
        return text[:first] + text[last:]
    if kind == 4:
        return b"\xef\xbb\xbf" + text
    if kind == 5:
        return text + random.choice((b"\x00", b"{}", b"]", b"\xff\xfe"))
    return _with_escape(text, random)


def _changed(value: Any, random: Random) -> Any:
    places = list(_places(value))
    if not places or random.random() < 0.03:
        return hostile_value(random)
    container, key = random.choice(places)
    kind = random.randrange(5)
    if kind == 0:
        del container[key]
    elif kind == 1 and isinstance(container, dict):
        container[random.choice(NAMES)] = hostile_value(random)
    elif kind == 1:
        container.insert(key, copy.deepcopy(container[key]))
    elif kind == 2:
        other, other_key = random.choice(places)
        container[key] = copy.deepcopy(other[other_key])
    else:
        container[key] = hostile_value(random)
    return value


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Each container with each key in it, at any depth."""
    keys: Any = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in list(keys):
        yield value, key
        yield from _places(value[key])


def _nested(random: Random) -> Any:
    value: Any = 0
    for _ in range(random.choice((50, DEEP))):
        value = [value] if random.random() < 0.5 else {"a": value}
    return value


def _with_escape(text: bytes, random: Random) -> bytes:
    """JSON with a strange text in the place of one of its values."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text[::-1]
    places = list(_places(value))
    if not places:
        return random.choice(ESCAPED).encode()
    container, key = random.choice(places)
    container[key] = "<here>"
    return json.dumps(value).replace('"<here>"', random.choice(ESCAPED)).encode()
