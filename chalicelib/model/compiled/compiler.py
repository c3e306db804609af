"""The fast path: checks a valid datum and converts it to its stored form in one pass.

A table's compiled function takes an object as sent and returns it as stored. It raises `FastPathMiss` for anything that
it cannot accept; then the interpreter (`checks.interpreter`) reads the datum by its table. The interpreter is the
definition and alone finds errors, so compiled code only recognizes what is valid. Each table is compiled when its first
object arrives; `codegen` writes the source.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chalicelib.model import times
from chalicelib.model.compiled import fast_checks
from chalicelib.model.compiled.codegen import CodeGenerator
from chalicelib.model.datum import Datum, FastPathMiss, NewId
from chalicelib.model.fields import Embedded, Object, Recursive, Variant, resolved
from chalicelib.model.glucose import CONVERTED_UNITS, to_mmol_l
from chalicelib.model.tables import registry

ObjectReader = Callable[[Any, str | None], dict[str, Any]]
"""Takes an object as sent, and the units that its datum declares; returns it as stored."""

DatumReader = Callable[[dict[str, Any], NewId, list[Datum]], Datum]
"""Takes a datum as sent, a function that makes ids, and the list to which embedded data are appended."""

_datum_readers: dict[str, DatumReader] = {}
_object_readers: dict[int, ObjectReader] = {}


def read_datum(body: object, new_id: NewId, embedded: list[Datum]) -> Datum:
    """A posted datum as stored; data embedded in it are appended to `embedded`.

    Raises:
        FastPathMiss: the interpreter has to read it; `embedded` is then unchanged.
    """
    if type(body) is not dict or type(type_name := body.get("type")) is not str:
        raise FastPathMiss
    reader = _datum_readers.get(type_name) or _datum_reader(type_name)
    try:
        return reader(body, new_id, embedded)
    except KeyError:  # a required member is missing
        raise FastPathMiss from None


def _datum_reader(type_name: str) -> DatumReader:
    if type_name not in registry.TYPES:
        raise FastPathMiss
    discriminator = registry.DISCRIMINATORS.get(type_name)
    if discriminator is None:
        reader = _variant_reader(type_name, "")
    else:
        reader = _by_variant(type_name, discriminator)
    _datum_readers[type_name] = reader
    return reader


def _by_variant(type_name: str, discriminator: str) -> DatumReader:
    readers: dict[object, DatumReader] = {}

    def read(body: dict[str, Any], new_id: NewId, embedded: list[Datum]) -> Datum:
        variant = body.get(discriminator)
        if type(variant) is not str:
            raise FastPathMiss
        reader = readers.get(variant)
        if reader is None:
            reader = readers[variant] = _variant_reader(type_name, variant)
        return reader(body, new_id, embedded)

    return read


def _variant_reader(type_name: str, variant: str) -> DatumReader:
    """The compiled function of a type's variant; the variant of a type without variants is the empty string."""
    model = registry.variants(type_name).get(variant)
    if model is None:
        raise FastPathMiss
    discriminators = {"type": type_name}
    if type_name in registry.DISCRIMINATORS:
        discriminators[registry.DISCRIMINATORS[type_name]] = variant
    generator = CodeGenerator(_NAMES, _nested_reader)
    generator.write_datum(model, discriminators)
    reader: DatumReader = generator.compile()
    return reader


def _object_reader(model: Object) -> ObjectReader:
    """The compiled function of an object inside a datum."""
    reader = _object_readers.get(id(model))
    if reader is None:
        generator = CodeGenerator(_NAMES, _nested_reader)
        generator.write_nested_object(model)
        reader = _object_readers[id(model)] = generator.compile()
    return reader


def _nested_reader(model: Object | Recursive, replace: Callable[[ObjectReader], None]) -> ObjectReader:
    """A reader that compiles the real one on its first call and puts it in its own place."""

    def compile_and_read(value: Any, units: str | None) -> dict[str, Any]:
        reader = _object_reader(resolved(model))
        replace(reader)
        return reader(value, units)

    return compile_and_read


def _read_variant(kind: Variant, value: object, units: str | None) -> dict[str, Any]:
    if type(value) is not dict or value.get("type") != kind.type:
        raise FastPathMiss
    name = value.get(kind.discriminator)
    if type(name) is not str or name not in kind.variants:
        raise FastPathMiss
    return {"type": kind.type, kind.discriminator: name, **_object_reader(kind.variants[name])(value, units)}


def _read_embedded(kind: Embedded, value: object, new_id: NewId, embedded: list[Datum]) -> str | None:
    if type(value) is not dict or value.get("type") != kind.type or value.get("subType") not in kind.sub_types:
        raise FastPathMiss
    datum = read_datum(value, new_id, embedded)
    embedded.append(datum)
    return None if datum.body["subType"] in kind.unlinked else str(datum.body["id"])


_NAMES: dict[str, Any] = {
    "CONVERTED_UNITS": CONVERTED_UNITS,
    "Datum": Datum,
    "FastPathMiss": FastPathMiss,
    "free_form": fast_checks.free_form,
    "read_embedded": _read_embedded,
    "read_time": times.read_time,
    "read_variant": _read_variant,
    "require_not_before": fast_checks.require_not_before,
    "require_schedule": fast_checks.require_schedule,
    "require_shallow": fast_checks.require_shallow,
    "require_target": fast_checks.require_target,
    "stored_local_time": fast_checks.stored_local_time,
    "stored_time": times.stored_time,
    "to_mmol_l": to_mmol_l,
    "units_in": fast_checks.units_in,
    "whole": fast_checks.whole,
}
