"""The selectors by which clients delete data. Source: data-api 8, dedup 5."""

from collections.abc import Callable, Mapping
from typing import Any

from chalicelib.errors import InvalidSelectorsError
from chalicelib.log.entry import SelectorKind, Selectors
from chalicelib.model.text_formats import DATA_ID
from chalicelib.model.times import parse_time

_MAX_ORIGIN_ID_LENGTH = 100
_MAX_HASH_LENGTH = 1000


def parse_selectors(value: Any) -> Selectors:
    """The selectors of a body: a non-empty array of `{"id"}`, `{"origin": {"id"}}` or `{"deduplicator": {"hash"}}`.

    An id may be accompanied by the `time` of the datum or its origin: only its format is checked.

    Raises:
        InvalidSelectorsError: the body is anything else, or has selectors of more than one kind.
    """
    if not isinstance(value, list) or not value:
        raise InvalidSelectorsError
    parsed = [_selector(selector) for selector in value]
    kinds = {kind for kind, _ in parsed}
    if len(kinds) > 1:
        raise InvalidSelectorsError
    return Selectors(kinds.pop(), frozenset(value for _, value in parsed))


def _selector(selector: Any) -> tuple[SelectorKind, str]:
    if not isinstance(selector, dict):
        raise InvalidSelectorsError
    given = [name for name in ("id", "origin", "deduplicator") if selector.get(name) is not None]
    if len(given) != 1 or (selector.get("time") is not None and given != ["id"]):
        raise InvalidSelectorsError
    if given == ["id"]:
        _require_time(selector)
        return SelectorKind.ID, _text(selector["id"], DATA_ID.accepts)
    if given == ["origin"]:
        origin = _object(selector["origin"])
        _require_time(origin)
        return SelectorKind.ORIGIN, _text(origin.get("id"), lambda text: 1 <= len(text) <= _MAX_ORIGIN_ID_LENGTH)
    deduplicator = _object(selector["deduplicator"])
    return SelectorKind.HASH, _text(deduplicator.get("hash"), lambda text: 1 <= len(text) <= _MAX_HASH_LENGTH)


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise InvalidSelectorsError
    return value


def _text(value: Any, is_valid: Callable[[str], object]) -> str:
    if not isinstance(value, str) or not is_valid(value):
        raise InvalidSelectorsError
    return value


def _require_time(value: Mapping[str, Any]) -> None:
    if value.get("time") is not None:
        _text(value["time"], lambda text: parse_time(text) is not None)
