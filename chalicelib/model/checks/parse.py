"""Parses a body: checks JSON types, reads times, and picks the model that an object follows.

The result holds the known fields that are not null: integers as int, times as `Moment`, free-form objects without their
null members. Source: data-model 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from chalicelib.model import fields, times
from chalicelib.model.checks.report import Report
from chalicelib.model.errors import NESTED_TOO_DEEPLY, VALUE_NOT_EXISTS, type_not, value_not_allowed, value_not_parsable
from chalicelib.model.fields import Kind, Object
from chalicelib.model.free_form import is_too_deep
from chalicelib.model.json_values import is_number, member, whole_number, without_nulls
from chalicelib.model.tables import registry


class TypedObject(NamedTuple):
    """An object whose discriminators picked its model, for example `{"type": "basal", "deliveryType": "temp"}`.
    `values` are its other fields."""

    model: Object
    discriminators: dict[str, str]
    values: dict[str, Any]


def parse(kind: Kind, value: object, pointer: str, report: Report) -> Any:
    """The parsed value; None if it has another JSON type, which is added to the report."""
    match kind:
        case fields.Text() | fields.Choice() | fields.Constant():
            return _of_type(str, "string", value, pointer, report)
        case fields.Boolean():
            return _of_type(bool, "bool", value, pointer, report)
        case fields.Number():
            if is_number(value):
                return value
            report.add(type_not("float64", value), pointer)
        case fields.Integer() | fields.Start():
            if (whole := whole_number(value)) is not None:
                return whole
            report.add(type_not("int", value), pointer)
        case fields.Time():
            return _parse_time(kind, value, pointer, report)
        case fields.TextList():
            return _parse_texts(value, pointer, report)
        case fields.ObjectList(item):
            return _parse_elements(item, value, pointer, report)
        case _:
            body = _of_type(dict, "object", value, pointer, report)
            return body if body is None else _parse_object(kind, body, pointer, report)
    return None


def _parse_object(kind: Kind, body: Mapping[str, Any], pointer: str, report: Report) -> Any:
    match kind:
        case fields.Object():
            return parse_fields(kind, body, pointer, report)
        case fields.Recursive() | fields.FreeForm() if is_too_deep(body):
            report.add(NESTED_TOO_DEEPLY, pointer)
            return None
        case fields.Recursive():
            return parse_fields(kind.object(), body, pointer, report)
        case fields.FreeForm():
            return dict(body) if kind.keeps_nulls else without_nulls(body)
        case fields.ObjectMap(item):
            return {
                name: body[name] if body[name] is None else parse(item, body[name], member(pointer, name), report)
                for name in sorted(body)
            }
        case fields.Variant():
            return _parse_variant(kind, body, pointer, report)
        case fields.Embedded():
            return parse_datum(body, pointer, report, (kind.type,), kind.sub_types)


def parse_datum(
    body: Mapping[str, object],
    pointer: str,
    report: Report,
    types: Sequence[str] = registry.TYPES,
    variants: Sequence[str] | None = None,
) -> TypedObject | None:
    """Parse a whole datum. Its type picks the model, with a second discriminator if the type has variants."""
    type_name = _discriminator(body, "type", types, pointer, report)
    if type_name is None:
        return None
    models = registry.variants(type_name)
    discriminators = {"type": type_name}
    model = models.get("")
    if field := registry.DISCRIMINATORS.get(type_name):
        variant = _discriminator(body, field, variants or tuple(models), pointer, report)
        if variant is not None:
            discriminators[field] = variant
            model = models[variant]
    if model is None:
        return None
    if report.meta is None:
        report.meta = discriminators
    return TypedObject(model, discriminators, parse_fields(model, body, pointer, report))


def _discriminator(
    body: Mapping[str, object], name: str, allowed: Sequence[str], pointer: str, report: Report
) -> str | None:
    """The value of a discriminator; None if it is missing or unknown, which is added to the report."""
    value = body.get(name)
    at = member(pointer, name)
    if isinstance(value, str):
        if value in allowed:
            return value
        report.add(value_not_allowed(value, allowed), at)
    else:
        if value is not None:
            report.add(type_not("string", value), at)
        report.add(VALUE_NOT_EXISTS, at)
    return None


def parse_fields(model: Object, body: Mapping[str, object], pointer: str, report: Report) -> dict[str, Any]:
    """The known fields of an object that are present and have the right JSON type."""
    values = {}
    for field in model.fields:
        value = body.get(field.name)
        if value is not None:
            parsed = parse(field.kind, value, member(pointer, field.name), report)
            if parsed is not None:
                values[field.name] = parsed
    return values


def _of_type(json_type: type, expected: str, value: object, pointer: str, report: Report) -> Any:
    if isinstance(value, json_type):
        return value
    report.add(type_not(expected, value), pointer)
    return None


def _parse_time(kind: fields.Time, value: object, pointer: str, report: Report) -> times.Moment | None:
    if not isinstance(value, str):
        report.add(type_not("time", value), pointer)
        return None
    moment = times.parse_local_time(value) if kind.is_local else times.parse_time(value)
    if moment is None:
        layout = times.LOCAL_LAYOUT if kind.is_local else times.RFC3339_LAYOUT
        report.add(value_not_parsable(value, layout), pointer)
    return moment


def _parse_texts(value: object, pointer: str, report: Report) -> list[str] | None:
    elements = _of_type(list, "array", value, pointer, report)
    if elements is None:
        return None
    return [
        "" if element is None else _of_type(str, "string", element, member(pointer, index), report)
        for index, element in enumerate(elements)
    ]


def _parse_elements(item: Kind, value: object, pointer: str, report: Report) -> list[Any] | None:
    elements = _of_type(list, "array", value, pointer, report)
    if elements is None:
        return None
    return [
        None if element is None else parse(item, element, member(pointer, index), report)
        for index, element in enumerate(elements)
    ]


def _parse_variant(
    kind: fields.Variant, body: Mapping[str, object], pointer: str, report: Report
) -> TypedObject | None:
    type_name = _discriminator(body, "type", (kind.type,), pointer, report)
    if type_name is None:
        return None
    variant = _discriminator(body, kind.discriminator, tuple(kind.variants), pointer, report)
    if variant is None:
        return None
    model = kind.variants[variant]
    discriminators = {"type": type_name, kind.discriminator: variant}
    return TypedObject(model, discriminators, parse_fields(model, body, pointer, report))
