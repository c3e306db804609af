"""Makes the description smaller: what several schemas repeat becomes one schema, to which they refer."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

Json = dict[str, Any]

MIN_BYTES = 200
"""A shorter schema is repeated: a reference to it would save little and be harder to read."""
PREFIX = "common."


def shared(schemas: Mapping[str, Any]) -> Json:
    """The schemas, each member of which that occurs more than once is a schema of its own.

    Its name is `common.` and that of the member, with a number if members of this name differ.
    """
    counts = Counter(text for schema in schemas.values() for _, text in _members(schema))
    repeated = {text for text, count in counts.items() if count > 1}
    names: dict[bytes, str] = {}
    hoisted: Json = {}

    def rewritten(value: Any) -> Any:
        if isinstance(value, list):
            return [rewritten(item) for item in value]
        if not isinstance(value, dict):
            return value
        result = {key: rewritten(member) for key, member in value.items() if key != "properties"}
        if "properties" in value:
            result["properties"] = {name: member_of(name, member) for name, member in value["properties"].items()}
        return {key: result[key] for key in value}

    def member_of(name: str, schema: Any) -> Any:
        text = _text(schema)
        if text not in repeated:
            return rewritten(schema)
        if text not in names:
            names[text] = _free_name(name, hoisted)
            hoisted[names[text]] = {}  # holds the name while the schema's own members take theirs
            hoisted[names[text]] = rewritten(schema)
        return {"$ref": f"#/components/schemas/{names[text]}"}

    return {name: rewritten(schema) for name, schema in schemas.items()} | dict(sorted(hoisted.items()))


def _free_name(member: str, taken: Json) -> str:
    name, number = PREFIX + member, 1
    while name in taken:
        number += 1
        name = f"{PREFIX}{member}.{number}"
    return name


def _members(value: Any) -> Iterator[tuple[str, bytes]]:
    """The members of a schema and of the schemas in it that are long enough to be shared, with their text."""
    match value:
        case list():
            for item in value:
                yield from _members(item)
        case dict():
            properties = value.get("properties")
            if isinstance(properties, dict):
                for name, schema in properties.items():
                    if len(text := _text(schema)) >= MIN_BYTES:
                        yield name, text
            for member in value.values():
                yield from _members(member)


def _text(schema: Any) -> bytes:
    return orjson.dumps(schema, option=orjson.OPT_SORT_KEYS)
