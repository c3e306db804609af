"""Converts a valid datum to its stored form, which GET answers. Source: data-model 2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.frozen import frozen
from chalicelib.model import fields
from chalicelib.model.checks.parse import TypedObject
from chalicelib.model.checks.validate import units_at
from chalicelib.model.datum import Datum, NewId
from chalicelib.model.fields import Kind, Object, resolved
from chalicelib.model.glucose import CONVERTED_UNITS, to_mmol_l


@frozen
class _Target:
    """The datum that is being converted, and the list that takes the data embedded in it."""

    datum: Mapping[str, Any]
    new_id: NewId
    embedded: list[Datum]


def normalize_datum(typed: TypedObject, new_id: NewId, embedded: list[Datum]) -> Datum:
    """The datum as stored; data embedded in it are appended to `embedded`."""
    body = _normalize_typed_object(typed, _Target(typed.values, new_id, embedded))
    if "id" not in body:
        body["id"] = new_id()
    time = typed.values["time"]
    return Datum(body, time.epoch_ms, time.sent)


def normalize_object(model: Object, values: Mapping[str, Any]) -> dict[str, Any]:
    """A body other than a datum, as stored."""
    return _normalize_object(model, values, _Target(values, str, []))


def _normalize_typed_object(typed: TypedObject, target: _Target) -> dict[str, Any]:
    return typed.discriminators | _normalize_object(typed.model, typed.values, target)


def _normalize_object(model: Object, values: Mapping[str, Any], target: _Target) -> dict[str, Any]:
    stored = {}
    for field in model.fields:
        value = values.get(field.name)
        if value is not None:
            normalized = _normalize(field.kind, value, values, target)
            if normalized is not None:
                stored[field.stored_as or field.name] = normalized
    return stored


def _normalize(kind: Kind, value: Any, values: Mapping[str, Any], target: _Target) -> Any:
    match kind:
        case fields.Choice(stored=stored):
            return stored.get(value, value)
        case fields.Number(converted_by=path):
            is_mg_dl = path and units_at(path, values, target.datum) in CONVERTED_UNITS
            return to_mmol_l(value) if is_mg_dl else value
        case fields.Time():
            return None if value.is_zero else value.stored
        case fields.TextList():
            if not value and kind.empty_is_absent:
                return None
            return sorted(value) if kind.is_sorted else value
        case fields.ObjectList(item):
            if isinstance(item, fields.FreeForm):
                return value
            model = resolved(item)
            return [_normalize_object(model, element, target) for element in value]
        case fields.ObjectMap(item):
            return {name: _normalize(item, entry, values, target) for name, entry in value.items()}
        case fields.Object() | fields.Recursive():
            return _normalize_object(resolved(kind), value, target)
        case fields.Variant():
            return _normalize_typed_object(value, target)
        case fields.Embedded():
            return _store_embedded(kind, value, target)
        case _:
            return value


def _store_embedded(kind: fields.Embedded, typed: TypedObject, target: _Target) -> str | None:
    datum = normalize_datum(typed, target.new_id, target.embedded)
    target.embedded.append(datum)
    return None if datum.body.get("subType") in kind.unlinked else str(datum.body["id"])
