"""Schemas that the description repeats are shared, and mean the same as before."""

from typing import Any

import orjson

from chalicelib.api.openapi import document as description
from chalicelib.api.openapi.document import document, document_bytes
from chalicelib.api.openapi.sharing import MIN_BYTES, shared

LONG = {"type": "string", "description": "x" * MIN_BYTES}
OTHER = {"type": "integer", "description": "x" * MIN_BYTES}


def holder(**members: Any) -> dict[str, Any]:
    return {"type": "object", "properties": members}


def resolved(value: Any, schemas: dict[str, Any]) -> Any:
    """A schema with the shared ones in the place of the references to them."""
    if isinstance(value, list):
        return [resolved(item, schemas) for item in value]
    if not isinstance(value, dict):
        return value
    name = str(value.get("$ref", "")).rpartition("/")[2]
    if name.startswith("common."):
        return resolved(schemas[name], schemas)
    return {key: resolved(member, schemas) for key, member in value.items()}


def test_what_is_repeated_is_there_once() -> None:
    found = shared({"a": holder(place=LONG, own=OTHER), "b": holder(inner=holder(place=LONG))})
    reference = {"$ref": "#/components/schemas/common.place"}
    assert found == {
        "a": holder(place=reference, own=OTHER),
        "b": holder(inner=holder(place=reference)),
        "common.place": LONG,
    }


def test_members_of_one_name_that_differ_get_numbers() -> None:
    found = shared({name: holder(place=LONG, inner=holder(place=OTHER)) for name in "ab"})
    assert {name: found[name] for name in found if name.startswith("common.place")} == {
        "common.place": LONG,
        "common.place.2": OTHER,
    }


def test_short_members_and_members_named_properties_stay() -> None:
    schemas = {name: holder(properties={"type": "string"}, place={"type": "integer"}) for name in "ab"}
    assert shared(schemas) == schemas


def test_the_shared_description_means_what_it_did() -> None:
    schemas = document()["components"]["schemas"]
    own = {name: schema for name, schema in schemas.items() if not name.startswith("common.")}
    assert resolved(own, schemas) == description._schemas()


def test_the_description_is_of_bounded_size_for_clients_that_refuse_gzip() -> None:
    assert len(document_bytes()) < 520_000
    assert len(orjson.dumps(description._schemas())) > 1.9 * len(orjson.dumps(document()["components"]["schemas"]))
