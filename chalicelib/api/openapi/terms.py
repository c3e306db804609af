"""The words in which the published API description says what the operation table does not: parameters, bodies, answers.

They are data and no code reads them to answer a request; `api/openapi/document.py` makes the description of them.
Schemas are JSON Schema (draft 2020-12, as in OpenAPI 3.1).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chalicelib.api.operations.operation import Operation

Schema = Mapping[str, Any]

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
HTML = "text/html"
PLAIN = "text/plain"
ANY_MEDIA_TYPE = "*/*"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query parameter or a header."""

    name: str
    schema: Schema
    about: str = ""
    is_required: bool = False


@dataclass(frozen=True, slots=True)
class Body:
    """What a request carries."""

    schema: Schema
    about: str = ""
    media_type: str = JSON
    is_required: bool = True


@dataclass(frozen=True, slots=True)
class Reply:
    """What a success answers; without a schema the body is empty. `headers` says what each header tells."""

    schema: Schema | None = None
    about: str = ""
    media_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Details:
    """What is to know of an operation beside its line in the operation table.

    `failures` are the statuses that do not follow from who may call it and what it takes. `credentials` names security
    schemes where they do not follow from the table; None lets them follow.
    """

    reply: Reply
    query: tuple[Parameter, ...] = ()
    headers: tuple[Parameter, ...] = ()
    body: Body | None = None
    failures: tuple[int, ...] = ()
    other_replies: Mapping[int, Reply] = field(default_factory=dict)
    credentials: tuple[str, ...] | None = None
    ignores_unknown_query: bool = False
    """Whether parameters that are not described are left aside; otherwise they are refused."""
    about: str = ""


@dataclass(frozen=True, slots=True)
class Api:
    """A group of operations, in the order in which they are described, and the schemas that they share."""

    title: str
    about: str
    operations: Mapping[Operation, Details]
    schemas: Mapping[str, Schema] = field(default_factory=dict)


def described(schema: Schema, about: str) -> Schema:
    """The schema with a description."""
    return {**schema, "description": about}


def reference(name: str) -> Schema:
    """The schema of this name, among those that the description shares."""
    return {"$ref": f"#/components/schemas/{name}"}


def text(about: str = "", **rules: Any) -> Schema:
    """A string; `rules` are JSON Schema's own words."""
    return {"type": "string", **rules, **({"description": about} if about else {})}


def integer(about: str = "", **rules: Any) -> Schema:
    """A whole number."""
    return {"type": "integer", **rules, **({"description": about} if about else {})}


def choice(*words: str, about: str = "") -> Schema:
    """One of a few words."""
    return text(about, enum=list(words))


def array(items: Schema, about: str = "", **rules: Any) -> Schema:
    """An array, all of whose items are alike."""
    return {"type": "array", "items": items, **rules, **({"description": about} if about else {})}


def record(
    members: Mapping[str, Schema], required: tuple[str, ...] = (), about: str = "", *, is_open: bool = False
) -> Schema:
    """An object; other members than those named are there only when it `is_open`."""
    schema: dict[str, Any] = {"type": "object", "properties": dict(members)}
    if required:
        schema["required"] = list(required)
    if not is_open:
        schema["additionalProperties"] = False
    if about:
        schema["description"] = about
    return schema


def all_of(members: Mapping[str, Schema], about: str = "") -> Schema:
    """An object all of whose members are always there, and no others."""
    return record(members, tuple(members), about)


BOOLEAN: Schema = {"type": "boolean"}
ANYTHING: Schema = {}
FREE_FORM: Schema = {"type": "object"}
TIME = text("With a zone (RFC 3339); answers are in UTC, with at most three digits of a second.", format="date-time")
DATE = text("A day of UTC.", format="date")
HEX_ID = text("32 lower-case hexadecimal digits.")
USER_ID = text("10 lower-case hexadecimal digits, or a UUID.")
EMPTY = Reply(about="Nothing.")
PAGING = (
    Parameter("page", integer(minimum=0, default=0), "Which page; the first is 0."),
    Parameter("size", integer(minimum=1, maximum=1000, default=100), "How many a page has."),
)
REVISION = Parameter("revision", integer(minimum=0), "Only when the resource is still at this revision.")


def enveloped(data: Schema) -> Schema:
    """`data` beside the trace ids of the request."""
    return record({"data": data, "meta": reference("Meta")}, ("data", "meta"))
