"""Members of data that the data model does not know, which are dropped. Their sender should be told.

Source: data-model 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from chalicelib.model import fields
from chalicelib.model.fields import Kind, Object, resolved
from chalicelib.model.tables import registry

MAX_NAMES = 1_000
"""Different names that are collected; others are only counted."""
MAX_NAME_LENGTH = 200
_OF_THE_PLATFORM = frozenset({"type", "uploadId"})
"""Members that are no field of a table, and come back from the platform."""


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
        if item is not None:
            for name in _of_datum(item, ""):
                if name in names or len(names) < MAX_NAMES:
                    names[name] = None
                else:
                    more += 1
    return DroppedMembers(tuple(names), more)


def _of_datum(body: Mapping[str, Any], path: str) -> Iterable[str]:
    variants = registry.variants(body["type"])
    discriminator = registry.DISCRIMINATORS.get(body["type"], "")
    model = variants.get(body.get(discriminator, "") if discriminator else "")
    if model is not None:
        yield from _of_object(model, body, path, _OF_THE_PLATFORM | {discriminator})


def _of_object(model: Object, body: Mapping[str, Any], path: str, known: frozenset[str] = frozenset()) -> Iterable[str]:
    kinds = _kinds(model)
    for name, value in body.items():
        if value is None:
            continue
        kind = kinds.get(name, _UNKNOWN)
        if kind is _UNKNOWN:
            if name not in known:
                yield f"{path}{name}"[:MAX_NAME_LENGTH]
        elif kind is not None:
            yield from _within(kind, value, f"{path}{name}.")


_UNKNOWN: Any = object()


_WITH_MEMBERS = (
    fields.Object,
    fields.Recursive,
    fields.ObjectList,
    fields.ObjectMap,
    fields.Variant,
    fields.Embedded,
)
_kinds_of_models: dict[int, Mapping[str, Kind | None]] = {}


def _kinds(model: Object) -> Mapping[str, Kind | None]:
    """The kind of each field that may have members of its own; None for all other fields."""
    kinds = _kinds_of_models.get(id(model))
    if kinds is None:
        kinds = {field.name: field.kind if isinstance(field.kind, _WITH_MEMBERS) else None for field in model.fields}
        _kinds_of_models[id(model)] = kinds
    return kinds


def _within(kind: Any, value: Any, path: str) -> Iterable[str]:
    match kind:
        case fields.ObjectList(item):
            for element in value or ():
                if isinstance(element, dict) and not isinstance(item, fields.FreeForm):
                    yield from _of_object(resolved(item), element, path)
        case fields.ObjectMap(item):
            for entry in value.values():
                yield from _within(item, entry, path)
        case fields.Variant():
            known = frozenset({"type", kind.discriminator})
            yield from _of_object(kind.variants[value[kind.discriminator]], value, path, known)
        case fields.Embedded():
            yield from _of_datum(value, path)
        case fields.Object() | fields.Recursive():
            yield from _of_object(resolved(kind), value, path)
