"""Members of data that the data model does not know, which are dropped. Their sender should be told.

Source: data-model 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from itertools import chain
from typing import Any, NamedTuple

from chalicelib.model import fields
from chalicelib.model.fields import Object, resolved
from chalicelib.model.tables import data_sets, registry

MAX_NAMES = 1_000
"""Different names that are collected; others are only counted."""
MAX_NAME_LENGTH = 200
_OF_THE_PLATFORM = frozenset({"type", "uploadId"})
"""Members that are not fields of a table, and come back from the platform."""


class DroppedMembers(NamedTuple):
    """The names of dropped members, in the order in which they were met, with those of the members around them, as in
    `nutrition.name`; and the number of further members."""

    names: tuple[str, ...] = ()
    more: int = 0


def dropped_members(items: Iterable[Any], more_names: Iterable[str] = ()) -> DroppedMembers:
    """The dropped members of valid data; null elements and members count as absent.

    Args:
        more_names: names of other members that were dropped.
    """
    names = dict.fromkeys(name[:MAX_NAME_LENGTH] for name in more_names)
    more = 0
    for item in items:
        found: list[str] = []
        if item is not None:
            _find_in_datum(item, "", found)
        for name in found:
            if name in names or len(names) < MAX_NAMES:
                names[name] = None
            else:
                more += 1
    return DroppedMembers(tuple(names), more)


def dropped_from_data_set(body: Any) -> DroppedMembers:
    """The members of a valid body of a new data set that are not stored: those inside known members that the data
    model does not know, and those that the service sets itself."""
    found: list[str] = []
    if isinstance(body, dict):
        _find_in_creation()(body, "", found)
    return DroppedMembers(tuple(dict.fromkeys(found)))


@cache
def _find_in_creation() -> _Find:
    return _find_in_object(data_sets.CREATION)


_Find = Callable[[Any, str, list[str]], None]
"""Appends the names of the dropped members in a value to a list. The text is the path of the value with its last dot.

A function of a table is made once: all requests with data need it, and a walk through the table takes three times as
long.
"""


def _find_in_datum(body: Any, path: str, found: list[str]) -> None:
    discriminator = registry.DISCRIMINATORS.get(body["type"])
    find = _finds_by_variant(body["type"]).get(body.get(discriminator) if discriminator else "")
    if find is not None:
        find(body, path, found)


@cache
def _finds_by_variant(type_name: str) -> dict[Any, _Find]:
    known = _OF_THE_PLATFORM | {registry.DISCRIMINATORS.get(type_name, "")}
    return {variant: _find_in_object(table, known) for variant, table in registry.variants(type_name).items()}


def _find_in_object(model: Object, known: frozenset[str] = frozenset()) -> _Find:
    """`known` are names of members that are not fields, and are not dropped."""
    finds = {field.name: find for field in model.fields if (find := _find_within(field.kind)) is not None}
    plain = known.union(field.name for field in model.fields).difference(finds)

    def find_in_object(body: Any, path: str, found: list[str]) -> None:
        if plain.issuperset(body):
            return
        for name in [name for name in body if name not in plain]:
            value = body[name]
            if value is None:
                continue
            if name in finds:
                finds[name](value, f"{path}{name}.", found)
            else:
                found.append(f"{path}{name}"[:MAX_NAME_LENGTH])

    return find_in_object


def _find_within(kind: Any) -> _Find | None:
    """None for a kind of value that has no members, or free ones."""
    match kind:
        case fields.Object():
            return _find_in_object(kind)
        case fields.Recursive():
            return lambda body, path, found: _find_in_recursive(kind)(body, path, found)
        case fields.ObjectList(fields.Object() | fields.Recursive() as item):
            return _find_in_list(item)
        case fields.ObjectMap(item):
            return _find_in_map(item)
        case fields.Variant():
            return _find_in_variant(kind)
        case fields.Embedded():
            return _find_in_datum
    return None


@cache
def _find_in_recursive(kind: fields.Recursive) -> _Find:
    return _find_in_object(resolved(kind))


def _find_in_list(item: Object | fields.Recursive) -> _Find:
    find = _find_within(item)
    plain = frozenset() if isinstance(item, fields.Recursive) else _plain(item)

    def find_in_list(elements: Any, path: str, found: list[str]) -> None:
        # Most elements have plain members only, and there are many: a forecast has hundreds.
        if find is not None and not plain.issuperset(chain.from_iterable(elements)):
            for element in elements:
                find(element, path, found)

    return find_in_list


def _plain(model: Object) -> frozenset[str]:
    return frozenset(field.name for field in model.fields if _find_within(field.kind) is None)


def _find_in_map(item: Object | fields.ObjectList) -> _Find | None:
    find = _find_within(item)
    if find is None:
        return None

    def find_in_map(entries: Any, path: str, found: list[str]) -> None:
        for entry in entries.values():
            find(entry, path, found)

    return find_in_map


def _find_in_variant(kind: fields.Variant) -> _Find:
    known = frozenset({"type", kind.discriminator})
    finds = {name: _find_in_object(model, known) for name, model in kind.variants.items()}

    def find_in_variant(body: Any, path: str, found: list[str]) -> None:
        finds[body[kind.discriminator]](body, path, found)

    return find_in_variant
