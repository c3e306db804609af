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
    plain, kinds = _fields(model)
    for name in [name for name in body if name not in plain]:
        value = body[name]
        if value is None:
            continue
        if name in kinds:
            yield from _within(kinds[name], value, f"{path}{name}.")
        elif name not in known:
            yield f"{path}{name}"[:MAX_NAME_LENGTH]


_WITH_MEMBERS = (
    fields.Object,
    fields.Recursive,
    fields.ObjectList,
    fields.ObjectMap,
    fields.Variant,
    fields.Embedded,
)
_Fields = tuple[frozenset[str], Mapping[str, Kind]]
_fields_of_models: dict[int, _Fields] = {}


def _fields(model: Object) -> _Fields:
    """The names of the fields that have no members of their own, and the kinds of those that may have some."""
    found = _fields_of_models.get(id(model))
    if found is None:
        kinds = {field.name: field.kind for field in model.fields if isinstance(field.kind, _WITH_MEMBERS)}
        found = frozenset(field.name for field in model.fields if field.name not in kinds), kinds
        _fields_of_models[id(model)] = found
    return found


def _within(kind: Any, value: Any, path: str) -> Iterable[str]:
    match kind:
        case fields.ObjectList(item):
            if isinstance(item, fields.FreeForm):
                return
            model = resolved(item)
            plain, _ = _fields(model)
            for element in value or ():
                # Most have plain members only, and there are many: a forecast has hundreds.
                if isinstance(element, dict) and not element.keys() <= plain:
                    yield from _of_object(model, element, path)
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
