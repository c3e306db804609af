"""JSON Schemas (draft 2020-12, as in OpenAPI 3.1) of what may be posted, derived from the tables.

A schema accepts everything that the checks accept: null stands for an absent field, and unknown members are allowed
(and dropped). It also accepts what JSON Schema cannot express: limits by units that an outer object declares, limits
that one field sets for another, invalid calendar dates, unknown time zones, oversized free-form objects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from chalicelib.model import fields, text_formats
from chalicelib.model.fields import ByUnits, Condition, Field, Kind, Object, OneOfByUnits, Range
from chalicelib.model.tables import data_sets, data_sources, registry

Schema = dict[str, Any]

# Keywords that a null would have to satisfy too if `type` allowed it beside them.
_BINDING_NULL = ("allOf", "not", "oneOf", "$ref")


def schema_for(type_name: str) -> Schema:
    """The schema of a datum of a type (see `registry.TYPES`); `upload` is the body that creates a data set."""
    if type_name == "upload":
        return _closed(data_sets.CREATION, data_sets.SERVICE_FIELDS)
    writer = _SchemaWriter()
    return writer.with_definitions(writer.datum(type_name))


def schema_for_data_set_update() -> Schema:
    """The schema of the body that changes a continuous data set."""
    return _closed(data_sets.UPDATE, frozenset())


def schema_for_data_source() -> Schema:
    """The schema of the body that creates a data source."""
    return _closed(data_sources.CREATION, frozenset())


def schema_for_data_source_update() -> Schema:
    """The schema of the body that changes a data source."""
    return _closed(data_sources.UPDATE, frozenset())


def _closed(model: Object, ignored: frozenset[str]) -> Schema:
    writer = _SchemaWriter()
    schema = writer.object(model)
    schema["properties"] |= {name: {} for name in sorted(ignored)}
    return writer.with_definitions(schema | {"additionalProperties": False})


class _SchemaWriter:
    """Writes schemas, and collects those that are referenced by name."""

    def __init__(self) -> None:
        self._definitions: dict[str, Schema] = {}

    def with_definitions(self, schema: Schema) -> Schema:
        return schema | {"$defs": self._definitions} if self._definitions else schema

    def datum(self, type_name: str, sub_types: tuple[str, ...] = ()) -> Schema:
        """The schema of a type, limited to the variants in `sub_types` if there are any."""
        models = registry.variants(type_name)
        discriminator = registry.DISCRIMINATORS.get(type_name)
        schemas = []
        for variant, model in models.items():
            if sub_types and variant not in sub_types:
                continue
            discriminators = {"type": type_name} | ({discriminator: variant} if discriminator else {})
            schemas.append(self._typed_object(model, discriminators))
        return schemas[0] if len(schemas) == 1 else {"oneOf": schemas}

    def object(self, model: Object) -> Schema:
        schema: Schema = {
            "type": "object",
            "properties": {field.name: self._property(field) for field in model.fields},
        }
        if required := [field.name for field in model.fields if field.required is True]:
            schema["required"] = required
        if rules := list(self._rules(model)):
            schema["allOf"] = rules
        return schema

    def _typed_object(self, model: Object, discriminators: dict[str, str]) -> Schema:
        schema = self.object(model)
        constants = {name: {"const": value} for name, value in discriminators.items()}
        schema["properties"] = constants | schema["properties"]
        schema["required"] = [*discriminators, *schema.get("required", ())]
        return schema

    def _reference(self, name: str, schema: Callable[[], Schema]) -> Schema:
        if name not in self._definitions:
            self._definitions[name] = {}
            self._definitions[name].update(schema())
        return {"$ref": f"#/$defs/{name}"}

    def _property(self, field: Field) -> Schema:
        schema = self._kind(field.kind)
        return schema if field.required is True else _or_null(schema)

    def _kind(self, kind: Kind) -> Schema:
        match kind:
            case fields.Text():
                return _text(kind)
            case fields.Choice(values):
                return {"type": "string", "enum": list(values)}
            case fields.Constant(value):
                return {"const": value}
            case fields.Boolean():
                return {"type": "boolean"}
            case fields.Integer(limits, allowed):
                return {"type": "integer", **_limits(limits), **({"enum": list(allowed)} if allowed else {})}
            case fields.Start(latest_ms):
                return {"type": "integer", **_limits(Range(0, latest_ms))}
            case fields.Number(limits):
                return {"type": "number", **(_limits(limits) if isinstance(limits, Range) else {})}
            case fields.Time(is_local):
                return {
                    "type": "string",
                    **(text_formats.LOCAL_TIME if is_local else text_formats.ZONED_TIME).json_schema,
                }
            case _:
                return self._structure(kind)

    def _structure(self, kind: Kind) -> Schema:
        match kind:
            case fields.FreeForm():
                return _free_form(kind)
            case fields.TextList(item) | fields.ObjectList(item):
                return {"type": "array", "items": self._kind(item), **_count(kind)}
            case fields.ObjectMap(item):
                return {"type": "object", "additionalProperties": self._kind(item)}
            case fields.Object():
                return self.object(kind)
            case fields.Recursive(name, model):
                return self._reference(name, lambda: self.object(model()))
            case fields.Variant(type_name, discriminator, variants):
                schemas = [
                    self._typed_object(model, {"type": type_name, discriminator: name})
                    for name, model in variants.items()
                ]
                return schemas[0] if len(schemas) == 1 else {"oneOf": schemas}
            case fields.Embedded(type_name, sub_types):
                return self._reference(type_name, lambda: self.datum(type_name, sub_types))
            case _:
                raise TypeError(f"no schema for {kind}")

    def _rules(self, model: Object) -> Iterator[Schema]:
        for field in model.fields:
            yield from _presence(field)
            yield from _limits_by_units(field)
        for rule in (*model.first, *model.last):
            match rule:
                case fields.AnyOf(names):
                    yield _holds(fields.Has(names))
                case fields.OneOf(names, unless):
                    yield _holds(fields.Has((*names, *unless)))
                case fields.GlucoseTarget():
                    yield _target()


def _text(kind: fields.Text) -> Schema:
    schema: Schema = {"type": "string", **(kind.format.json_schema if kind.format else {})}
    minimum = kind.min_length or (0 if kind.may_be_empty or (kind.format and kind.format.is_empty is None) else 1)
    if minimum:
        schema["minLength"] = minimum
    if kind.max_length is not None:
        schema["maxLength"] = kind.max_length
    if kind.max_bytes is not None:
        # JSON Schema counts code points, of which there are no more than bytes.
        schema["maxLength"] = kind.max_bytes
    if kind.known:
        schema["enum"] = list(kind.known)
    return schema


def _limits(limits: Range) -> Schema:
    ends = {"minimum": limits.low, "maximum": limits.high}
    return {name: end for name, end in ends.items() if end is not None}


def _free_form(kind: fields.FreeForm) -> Schema:
    if kind.may_be_empty:
        return {"type": "object"}
    if kind.keeps_nulls:
        return {"type": "object", "minProperties": 1}
    return {"type": "object", "not": {"additionalProperties": {"type": "null"}}}


def _count(kind: fields.TextList | fields.ObjectList) -> Schema:
    schema: Schema = {}
    if not kind.may_be_empty and not (isinstance(kind, fields.TextList) and kind.empty_is_absent):
        schema["minItems"] = 1
    if kind.max_items is not None:
        schema["maxItems"] = kind.max_items
    if isinstance(kind, fields.TextList) and kind.is_unique:
        schema["uniqueItems"] = True
    return schema


def _or_null(schema: Schema) -> Schema:
    if "const" in schema:
        return {"enum": [schema["const"], None]}
    if not any(keyword in schema for keyword in _BINDING_NULL):
        allowed = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
        return schema | {"type": [schema["type"], "null"]} | allowed
    return {"anyOf": [schema, {"type": "null"}]}


def _presence(field: Field) -> Iterator[Schema]:
    is_present = _holds(fields.Has((field.name,)))
    if field.forbidden is not None:
        yield {"if": _holds(field.forbidden), "then": {"not": is_present}}
    if not isinstance(field.required, bool):
        condition = _holds(field.required)
        if field.forbidden is not None:
            condition = {"allOf": [condition, {"not": _holds(field.forbidden)}]}
        yield {"if": condition, "then": is_present}


def _limits_by_units(field: Field) -> Iterator[Schema]:
    limits = field.kind.limits if isinstance(field.kind, fields.Number) else None
    if not isinstance(limits, ByUnits | OneOfByUnits) or limits.units.startswith("/"):
        return
    by_units: dict[str, Schema]
    if isinstance(limits, ByUnits):
        by_units = {units: _limits(range_) for units, range_ in limits.ranges.items()}
    else:
        by_units = {units: {"enum": [*allowed, None]} for units, allowed in limits.allowed.items()}
    for units, schema in by_units.items():
        condition = _holds(fields.Is(limits.units, (units,)))
        yield {"if": condition, "then": {"properties": {field.name: schema}}}


def _target() -> Schema:
    shapes = (("target", "range"), ("target", "high"), ("target",), ("low", "high"))
    parts = ("target", "range", "low", "high")
    return {
        "oneOf": [
            {
                "allOf": [
                    _holds(fields.Has((part,)) if part in shape else fields.Not(fields.Has((part,)))) for part in parts
                ]
            }
            for shape in shapes
        ]
    }


def _holds(condition: Condition) -> Schema:
    match condition:
        case fields.Has(names):
            present = [{"required": [name], "properties": {name: {"not": {"type": "null"}}}} for name in names]
            return present[0] if len(present) == 1 else {"anyOf": present}
        case fields.Is(name, values):
            return {"required": [name], "properties": {name: {"enum": list(values)}}}
        case fields.IsZero(name):
            return {"required": [name], "properties": {name: {"const": 0}}}
        case fields.Not(inner):
            return {"not": _holds(inner)}
        case fields.Either(conditions):
            return {"anyOf": [_holds(inner) for inner in conditions]}
