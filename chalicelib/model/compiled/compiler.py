"""Compiled checks: what vouches for a valid datum and stores it in one pass.

A table's compiled function takes an object as it was sent and returns it as it is stored. It raises `FastPathMiss` for
whatever it cannot vouch for, and then the readings of the table itself decide (`parsing`, `validation`,
`normalizing`): they are the definition, and they alone find errors. So what is compiled knows only what is right.
Each object is compiled when the first one comes. Source of the code: `codegen`.
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
from chalicelib.model.tables import registry as tables

ObjectReader = Callable[[Any, str | None], dict[str, Any]]
"""Takes an object as sent, and the units that its datum declares; returns it as stored."""

DatumReader = Callable[[dict[str, Any], NewId, list[Datum]], Datum]
"""Takes a datum as sent, a maker of ids, and the list to which data embedded in it are appended."""

_datum_readers: dict[str, DatumReader] = {}
_object_readers: dict[int, ObjectReader] = {}


def read_datum(body: object, new_id: NewId, split: list[Datum]) -> Datum:
    """A posted datum as stored; data embedded in it are appended to `split`.

    Raises: FastPathMiss when it cannot be vouched for; `split` is then unchanged.
    """
    if type(body) is not dict or type(type_name := body.get("type")) is not str:
        raise FastPathMiss
    reader = _datum_readers.get(type_name) or datum_reader(type_name)
    return reader(body, new_id, split)


def datum_reader(type_name: str) -> DatumReader:
    """The compiled function for a type of data.

    Raises: FastPathMiss when there is no such type.
    """
    if type_name not in tables.TYPES:
        raise FastPathMiss
    discriminator = tables.DISCRIMINATORS.get(type_name)
    if discriminator is None:
        reader = variant_reader(type_name, "")
    else:
        reader = _by_variant(type_name, discriminator)
    _datum_readers[type_name] = reader
    return reader


def _by_variant(type_name: str, discriminator: str) -> DatumReader:
    readers: dict[object, DatumReader] = {}

    def read(body: dict[str, Any], new_id: NewId, split: list[Datum]) -> Datum:
        variant = body.get(discriminator)
        if type(variant) is not str:
            raise FastPathMiss
        reader = readers.get(variant)
        if reader is None:
            reader = readers[variant] = variant_reader(type_name, variant)
        return reader(body, new_id, split)

    return read


def variant_reader(type_name: str, variant: str) -> DatumReader:
    """The compiled function for a variant of a type; the empty string is the one of a type without variants.

    Raises: FastPathMiss when there is no such variant.
    """
    model = tables.variants(type_name).get(variant)
    if model is None:
        raise FastPathMiss
    discriminators = {"type": type_name}
    if type_name in tables.DISCRIMINATORS:
        discriminators[tables.DISCRIMINATORS[type_name]] = variant
    writer = CodeGenerator(_NAMES, _nested_reader)
    writer.datum(model, discriminators)
    reader: DatumReader = writer.compiled()
    return reader


def object_reader(model: Object) -> ObjectReader:
    """The compiled function for an object inside a datum."""
    reader = _object_readers.get(id(model))
    if reader is None:
        writer = CodeGenerator(_NAMES, _nested_reader)
        writer.nested_object(model)
        reader = _object_readers[id(model)] = writer.compiled()
    return reader


def _nested_reader(model: Object | Recursive, replace: Callable[[ObjectReader], None]) -> ObjectReader:
    """A reader that compiles the real one when it is first called, and has itself replaced by it."""

    def first(value: Any, units: str | None) -> dict[str, Any]:
        reader = object_reader(resolved(model))
        replace(reader)
        return reader(value, units)

    return first


def _read_variant(kind: Variant, value: object, units: str | None) -> dict[str, Any]:
    if type(value) is not dict or value.get("type") != kind.type:
        raise FastPathMiss
    name = value.get(kind.discriminator)
    if type(name) is not str or name not in kind.variants:
        raise FastPathMiss
    return {"type": kind.type, kind.discriminator: name, **object_reader(kind.variants[name])(value, units)}


def _split_off(kind: Embedded, value: object, new_id: NewId, split: list[Datum]) -> str | None:
    if type(value) is not dict or value.get("type") != kind.type or value.get("subType") not in kind.sub_types:
        raise FastPathMiss
    datum = read_datum(value, new_id, split)
    split.append(datum)
    return None if datum.body["subType"] in kind.unlinked else str(datum.body["id"])


_NAMES: dict[str, Any] = {
    "CONVERTED_UNITS": CONVERTED_UNITS,
    "Datum": Datum,
    "FastPathMiss": FastPathMiss,
    "free_form": fast_checks.free_form,
    "read_time": times.read_time,
    "read_variant": _read_variant,
    "require_not_before": fast_checks.require_not_before,
    "require_schedule": fast_checks.require_schedule,
    "require_shallow": fast_checks.require_shallow,
    "require_target": fast_checks.require_target,
    "split_off": _split_off,
    "stored_local_time": fast_checks.stored_local_time,
    "stored_time": times.stored_time,
    "to_mmol_l": to_mmol_l,
    "units_in": fast_checks.units_in,
    "whole": fast_checks.whole,
}
