"""Checks replies against the published description of the API."""

import gzip
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from typing import Any

import orjson
from jsonschema import Draft202012Validator, FormatChecker  # type: ignore[import-untyped]  # it ships no types

from chalicelib.api.openapi.document import document
from chalicelib.api.operations.operation import DATA_SERVICE_PREFIX
from chalicelib.api.router import split_extension

JSON = "application/json"
ALWAYS_WITH_BODY = [
    {"$ref": f"#/components/schemas/{name}Failure"} for name in ("Auth", "OAuth", "Read", "Envelope", "Node")
]
"""A failure of the platform has none for a grant that does not suffice (blob-api 2)."""
PATHS: Mapping[str, Any] = document()["paths"]


def faults_of_answer(method: str, path: str, status: int, headers: Mapping[str, str], body: bytes) -> list[str]:
    """The differences between a reply and its description; empty if no operation made the reply."""
    if headers.get("content-encoding") == "gzip" and headers.get("content-type", "").startswith(JSON):
        body = gzip.decompress(body)
    path = path.partition("?")[0].removeprefix(DATA_SERVICE_PREFIX)
    if path.split("/")[1] == "api":  # the router takes an extension off
        path = split_extension(path)[0]
    operation = _operation(method.lower(), path)
    if operation is None:
        return []
    answer = operation["responses"].get(str(status))
    if answer is None:
        return [f"the status {status} is not described"]
    if "$ref" in answer:
        answer = document()["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    if not body:
        is_content = "*/*" in answer.get("content", {})  # it may be empty, and has a type all the same
        has_type = "content-type" in headers and not is_content
        return [
            *(["a body is described and there is none"] if _needs_body(answer, status) else []),
            *(["there is a type and no body"] if has_type else []),
        ]
    return list(_faults_of_body(answer, headers, body))


@lru_cache(maxsize=10_000)
def _operation(method: str, path: str) -> Mapping[str, Any] | None:
    """The operation whose path has the most that is spelled out, as the gateway chooses."""
    parts = path.split("/")
    found = [path for path, template in _templates().get((len(parts), parts[1]), ()) if _matches(template, parts)]
    if parts[1:2] == ["api"]:  # these have no resources, and the router looks at the method as well
        found = [template for template in found if method in PATHS[template]]
    best = min(found, key=lambda template: [part.startswith("{") for part in template.split("/")], default="")
    operation: Mapping[str, Any] | None = PATHS.get(best, {}).get(method)
    return operation


@cache
def _templates() -> Mapping[tuple[int, str], list[tuple[str, list[str]]]]:
    """The described paths, each with its parts: by the number of parts and the first of them."""
    templates: dict[tuple[int, str], list[tuple[str, list[str]]]] = {}
    for path in PATHS:
        template = path.split("/")
        templates.setdefault((len(template), template[1]), []).append((path, template))
    return templates


def _matches(template: list[str], parts: list[str]) -> bool:
    return all(
        part != "" if wanted.startswith("{") else part == wanted for wanted, part in zip(template, parts, strict=True)
    )


def _needs_body(answer: Mapping[str, Any], status: int) -> bool:
    content = answer.get("content", {})
    always_has_one = status < 300 or content.get(JSON, {}).get("schema") in ALWAYS_WITH_BODY
    return always_has_one and any(name == JSON for name in content)


def _faults_of_body(answer: Mapping[str, Any], headers: Mapping[str, str], body: bytes) -> Iterator[str]:
    sent = headers.get("content-type", "").partition(";")[0]
    content = answer.get("content", {})
    described = content.get(sent) or content.get("*/*")
    if described is None:
        yield f"a body of type {sent or 'none'} is not described"
    elif sent == JSON and "*/*" not in content:
        for error in _validator(orjson.dumps(described["schema"])).iter_errors(orjson.loads(body)):
            yield f"{error.json_path}: {error.message}"


@cache
def _validator(schema: bytes) -> Draft202012Validator:
    root = {"components": {"schemas": document()["components"]["schemas"]}, **_inlined(orjson.loads(schema), ())}
    return Draft202012Validator(root, format_checker=FormatChecker())


def _inlined(schema: Any, inside: tuple[str, ...]) -> Any:
    """A schema with what its references name in their place, since jsonschema looks each one up for each value.

    Args:
        schema: the schema, or a part of it.
        inside: the references that led here. One that leads back to itself stays.
    """
    if isinstance(schema, list):
        return [_inlined(part, inside) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.keys() == {"$ref"} and schema["$ref"] not in inside:
        named = document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return _inlined(named, (*inside, schema["$ref"]))
    return {name: _inlined(part, inside) for name, part in schema.items()}
