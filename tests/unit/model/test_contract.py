"""Test that the tables agree with the contract's machine-readable model, field by field.

Source: tests/data/model/data-model.json.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chalicelib.model import fields
from chalicelib.model.fields import Kind, Object, Range
from chalicelib.model.tables import data_sets, registry

_MODEL = json.loads((Path(__file__).parents[2] / "data" / "model" / "data-model.json").read_text(encoding="utf-8"))
_DEFINITIONS = _MODEL["definitions"]

# Limits that the contract's file states in its notes only.
_IN_NOTES = {
    "cgmSettings/rateOfChangeAlerts/fallRate/rate",
    "cgmSettings/rateOfChangeAlerts/riseRate/rate",
    "controllerStatus/battery/remaining",
    "pumpStatus/battery/remaining",
    "deviceEvent/prime/volume",
}


def _variants() -> Iterator[tuple[str, dict[str, Any], Object]]:
    common = _of_client(_MODEL["common"])
    del common["type"]
    for type_name in registry.TYPES:
        spec = _MODEL["types"][type_name]
        for variant, model in registry.variants(type_name).items():
            own = spec["variants"][variant]["fields"] if variant else {}
            path = f"{type_name}/{variant}" if variant else type_name
            yield path, {"type": "object", "fields": common | spec.get("fields", {}) | own}, model
    yield "upload", {"type": "object", "fields": _MODEL["types"]["upload"]["fields"]}, data_sets.CREATION


def _of_client(specs: dict[str, Any]) -> dict[str, Any]:
    return {name: spec for name, spec in specs.items() if "setBy" not in spec}


@pytest.mark.parametrize(("path", "spec", "model"), [pytest.param(*case, id=case[0]) for case in _variants()])
def test_a_table_agrees_with_the_contract(path: str, spec: dict[str, Any], model: Object) -> None:
    assert list(_differences(path, spec, model)) == []


def test_types_and_variants_are_those_of_the_contract() -> None:
    postable = {name: spec for name, spec in _MODEL["types"].items() if spec.get("postable", True)}
    assert set(registry.TYPES) == set(postable)
    for name, spec in postable.items():
        assert set(registry.variants(name)) == set(spec.get("variants", {"": {}}))


def _resolved(spec: dict[str, Any]) -> dict[str, Any]:
    if "ref" in spec:
        spec = {**_DEFINITIONS[spec["ref"]], **{name: value for name, value in spec.items() if name != "ref"}}
    items = spec.get("items", {})
    if "extends" in items:
        inherited = _DEFINITIONS[items["extends"]]["fields"]
        spec = spec | {"items": items | {"fields": inherited | items["fields"]}}
    return spec


def _differences(path: str, spec: dict[str, Any], kind: Kind, depth: int = 0) -> Iterator[tuple[str, object, object]]:
    """The differences between a table and the contract: path, value in the table, value in the contract."""
    spec = _resolved(spec)
    if path in _IN_NOTES or depth > 10:
        return
    match kind:
        case fields.Object():
            yield from _object_differences(path, spec, kind, depth)
        case fields.Recursive():
            yield from _object_differences(path, spec, kind.object(), depth)
        case fields.ObjectList(item) | fields.TextList(item):
            yield from _array_differences(path, spec, kind)
            yield from _differences(f"{path}[]", spec["items"], item, depth + 1)
        case fields.ObjectMap(item):
            yield from _differences(f"{path}{{}}", spec["values"], item, depth + 1)
        case fields.Variant():
            models = {_DEFINITIONS[name]["fields"][kind.discriminator]["enum"][0]: name for name in spec["oneOf"]}
            yield from _unequal(path, set(kind.variants), set(models))
            for variant, model in kind.variants.items():
                own = dict(_DEFINITIONS[models[variant]]["fields"])
                own = {name: value for name, value in own.items() if name not in ("type", kind.discriminator)}
                yield from _differences(f"{path}<{variant}>", {"type": "object", "fields": own}, model, depth + 1)
        case fields.Embedded():
            yield from _unequal(path, True, "embeds" in spec)
        case _:
            yield from _scalar_differences(path, spec, kind)


def _object_differences(
    path: str, spec: dict[str, Any], model: Object, depth: int
) -> Iterator[tuple[str, object, object]]:
    specs = _of_client(spec["fields"])
    table_fields = {field.name: field for field in model.fields}
    yield from _unequal(path, set(table_fields), set(specs))
    for name in table_fields.keys() & specs.keys():
        yield from _unequal(f"{path}/{name}", table_fields[name].required is True, bool(specs[name].get("required")))
        yield from _differences(f"{path}/{name}", specs[name], table_fields[name].kind, depth + 1)


def _array_differences(
    path: str, spec: dict[str, Any], kind: fields.ObjectList | fields.TextList
) -> Iterator[tuple[str, object, object]]:
    is_unique = isinstance(kind, fields.TextList) and kind.is_unique
    may_be_dropped = isinstance(kind, fields.TextList) and kind.empty_is_absent
    yield from _unequal(path, kind.max_items, spec.get("maxItems"))
    yield from _unequal(path, not (kind.may_be_empty or may_be_dropped), bool(spec.get("minItems")))
    yield from _unequal(path, is_unique, bool(spec.get("uniqueItems")))


def _scalar_differences(path: str, spec: dict[str, Any], kind: Kind) -> Iterator[tuple[str, object, object]]:
    match kind:
        case fields.Text():
            yield from _unequal(path, kind.max_length or kind.max_bytes, spec.get("maxLength"))
            yield from _unequal(path, kind.min_length or 1, spec.get("minLength") or 1)
            yield from _unequal(path, None, spec.get("enum"))
        case fields.Choice(values):
            yield from _unequal(path, sorted(values), sorted(spec["enum"]))
        case fields.Constant(value):
            yield from _unequal(path, [value], spec["enum"])
        case fields.Boolean():
            yield from _unequal(path, "boolean", spec["type"])
        case fields.Integer(limits, allowed):
            yield from _unequal(path, "integer", spec["type"])
            yield from _unequal(path, sorted(allowed), sorted(spec.get("enum", ())))
            yield from _unequal(path, (limits.low, limits.high), (spec.get("min"), spec.get("max")))
        case fields.Start(latest_ms):
            yield from _unequal(path, (0, latest_ms), (spec.get("min"), spec.get("max")))
        case fields.Number(Range() as limits):
            yield from _unequal(path, (limits.low, limits.high), (spec.get("min"), spec.get("max")))
        case fields.Number(fields.ByUnits(ranges=ranges)):
            by_units = {units: [limits.low, limits.high] for units, limits in ranges.items()}
            yield from _unequal(path, by_units, spec.get("rangeByUnits"))
        case fields.Time(is_local):
            yield from _unequal(path, "local-datetime" if is_local else "rfc3339", spec.get("format"))
        case fields.FreeForm(max_bytes):
            yield from _unequal(path, (max_bytes, 1), (spec["maxBytes"], spec["minProperties"]))
        case _:
            yield path, kind, "a kind that this test does not know"


def _unequal(path: str, in_table: object, in_contract: object) -> Iterator[tuple[str, object, object]]:
    if in_table != in_contract:
        yield path, in_table, in_contract
