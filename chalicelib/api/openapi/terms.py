"""The terms of the published API description, for what the operation table does not say: parameters, bodies, replies.

They are data, which `api/openapi/document.py` makes the description from; no request is handled by them. Schemas are
JSON Schema (draft 2020-12, as in OpenAPI 3.1).
"""

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from chalicelib.api.operations.operation import Operation
from chalicelib.frozen import frozen

Schema = Mapping[str, Any]

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
HTML = "text/html"
PLAIN = "text/plain"
ANY_MEDIA_TYPE = "*/*"


@frozen
class Parameter:
    """A query parameter or a header."""

    name: str
    schema: Schema
    about: str = ""
    is_required: bool = False


@frozen
class Body:
    """The body of a request."""

    schema: Schema
    about: str = ""
    media_type: str = JSON
    is_required: bool = True


@frozen
class Reply:
    """A successful response; without a schema its body is empty. `headers` describes headers by name."""

    schema: Schema | None = None
    about: str = ""
    media_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


@frozen
class Details:
    """The description of an operation, beside its row in the operation table.

    `failures` are the error statuses that do not follow from the policy, the body and the query. `credentials` names
    the security schemes; None derives them from the table.
    """

    reply: Reply
    query: tuple[Parameter, ...] = ()
    headers: tuple[Parameter, ...] = ()
    body: Body | None = None
    failures: tuple[int, ...] = ()
    other_replies: Mapping[int, Reply] = field(default_factory=dict)
    credentials: tuple[str, ...] | None = None
    ignores_unknown_query: bool = False
    """True if parameters that are not described are ignored rather than refused."""
    about: str = ""


@frozen
class Api:
    """A group of operations, in the order of the description, and the schemas that they share."""

    title: str
    about: str
    operations: Mapping[Operation, Details]
    schemas: Mapping[str, Schema] = field(default_factory=dict)


def described(schema: Schema, about: str) -> Schema:
    """The schema with a description."""
    return {**schema, "description": about}


def reference(name: str) -> Schema:
    """A reference to the shared schema of this name."""
    return {"$ref": f"#/components/schemas/{name}"}


def text(about: str = "", **rules: Any) -> Schema:
    """A string; `rules` are keywords of JSON Schema."""
    return {"type": "string", **rules, **({"description": about} if about else {})}


def integer(about: str = "", **rules: Any) -> Schema:
    """An integer."""
    return {"type": "integer", **rules, **({"description": about} if about else {})}


def choice(*words: str, about: str = "") -> Schema:
    """One of these strings."""
    return text(about, enum=list(words))


def array(items: Schema, about: str = "", **rules: Any) -> Schema:
    """An array of items of one schema."""
    return {"type": "array", "items": items, **rules, **({"description": about} if about else {})}


def record(
    members: Mapping[str, Schema], required: tuple[str, ...] = (), about: str = "", *, is_open: bool = False
) -> Schema:
    """An object; it may have other members only if it `is_open`."""
    schema: dict[str, Any] = {"type": "object", "properties": dict(members)}
    if required:
        schema["required"] = list(required)
    if not is_open:
        schema["additionalProperties"] = False
    if about:
        schema["description"] = about
    return schema


def all_of(members: Mapping[str, Schema], about: str = "") -> Schema:
    """An object that always has all of these members, and no others."""
    return record(members, tuple(members), about)


BOOLEAN: Schema = {"type": "boolean"}
ANYTHING: Schema = {}
FREE_FORM: Schema = {"type": "object"}
TIME = text("With a zone (RFC 3339); answers are in UTC, with at most three digits of a second.", format="date-time")
DATE = text("A day of UTC.", format="date")
HEX_ID = text("32 lower-case hexadecimal digits.")
USER_ID = text("10 lower-case hexadecimal digits, or a UUID.")
EMAIL = text(format="email", maxLength=254)
PASSWORD = text("8 to 72 characters, none of them white space.", pattern=r"^\S{8,72}$")
EMPTY = Reply(about="Nothing.")
PAGING = (
    Parameter("page", integer(minimum=0, default=0), "Which page; the first is 0."),
    Parameter("size", integer(minimum=1, maximum=1000, default=100), "How many a page has."),
)
REVISION = Parameter("revision", integer(minimum=0), "Only when the resource is still at this revision.")


def enveloped(data: Schema) -> Schema:
    """An envelope with `data` and the trace ids of the request."""
    return record({"data": data, "meta": reference("Meta")}, ("data", "meta"))


IDEMPOTENCY_KEY = Parameter(
    "Idempotency-Key",
    text(minLength=1, maxLength=255),
    "The same for a request and its repetitions: they get the answer of the first.",
)
