"""The published description of the API in OpenAPI 3.1, made from the operation table, the data model, and the
descriptions of operations in the other files of this package.

The application does not import them at its start: the description is built at the first request.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import orjson

from chalicelib.access.policy import Policy
from chalicelib.api.openapi.account_pages import ACCOUNT_PAGES
from chalicelib.api.openapi.accounts import ACCESS_API, ACCOUNT_API, LOGIN_API, METADATA_API, RESTRICTED_TOKEN_API
from chalicelib.api.openapi.confirm import CONFIRM_API
from chalicelib.api.openapi.data import DATA_API, DATA_SOURCE_API
from chalicelib.api.openapi.failures import (
    FAILURE_SCHEMAS,
    MEANING,
    REFUSALS_BY_FORMAT,
    RETRYABLE,
    SCHEMA_BY_FORMAT,
    WITHOUT_BODY,
)
from chalicelib.api.openapi.nightscout import NIGHTSCOUT_API, NIGHTSCOUT_CREDENTIALS
from chalicelib.api.openapi.nightscout_v3 import NIGHTSCOUT_V3_API
from chalicelib.api.openapi.notes import NOTE_API
from chalicelib.api.openapi.oidc import OIDC_API
from chalicelib.api.openapi.other_services import OTHER_SERVICES_API
from chalicelib.api.openapi.services import BLOB_API, METRICS_API, PLATFORM_API, TASK_API
from chalicelib.api.openapi.sharing import shared
from chalicelib.api.openapi.summaries import SUMMARY_API
from chalicelib.api.openapi.terms import JSON, Api, Details, Parameter, Reply, array, reference
from chalicelib.api.operations.operation import DATA_SERVICE_PREFIX, ErrorFormat, Operation
from chalicelib.model import json_schema
from chalicelib.model.tables.registry import TYPES

Json = dict[str, Any]

APIS: tuple[Api, ...] = (
    PLATFORM_API,
    OIDC_API,
    ACCOUNT_PAGES,
    ACCOUNT_API,
    LOGIN_API,
    RESTRICTED_TOKEN_API,
    CONFIRM_API,
    DATA_API,
    DATA_SOURCE_API,
    SUMMARY_API,
    BLOB_API,
    ACCESS_API,
    METADATA_API,
    NOTE_API,
    METRICS_API,
    TASK_API,
    OTHER_SERVICES_API,
    NIGHTSCOUT_API,
    NIGHTSCOUT_V3_API,
)
_PATH_PARAMETER = re.compile(r"\{(\w+)\}")
_BODY_FAILURES = (400, 413)
_ALWAYS = (500, 503, 507)

_SECURITY_SCHEMES: Json = {
    "sessionToken": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Tidepool-Session-Token",
        "description": "Of a user or a server, from a login; an access token will do, too.",
    },
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An access token or a session token. It stands for users only.",
    },
    "serviceSecret": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Tidepool-Service-Secret",
        "description": "The secret of the stage. It stands for a server.",
    },
    "restrictedToken": {
        "type": "apiKey",
        "in": "query",
        "name": "restricted_token",
        "description": "Stands for its user, in the paths that it names.",
    },
    "apiSecret": {
        "type": "apiKey",
        "in": "header",
        "name": "api-secret",
        "description": "The token of a Nightscout credential, or its SHA-1.",
    },
    "nightscoutToken": {
        "type": "apiKey",
        "in": "query",
        "name": "token",
        "description": "The token of a Nightscout credential, its SHA-1, or a JWT; `secret` is another name.",
    },
    "nightscoutJwt": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "A JWT of `/api/v2/authorization/request/{token}`.",
    },
    "basic": {"type": "http", "scheme": "basic", "description": "E-mail address and password."},
}

_ABOUT = """\
Strandline keeps diabetes data and speaks the Tidepool API.

A client signs in, sends the token with each request, opens a data set and adds data to it. Data that was answered with
success is stored; a repetition of the same request is safe. Every answer carries `X-Tidepool-Trace-Request`, by which
the request is found again. Bad input is refused as a whole, with a pointer to each fault.
"""


@cache
def document() -> Json:
    """The description, which is the same on all stages."""
    paths: dict[str, Json] = {}
    failures: set[tuple[ErrorFormat, int]] = set()
    for api in APIS:
        for operation, details in api.operations.items():
            failures |= {(operation.error_format, status) for status in _failures(operation, details)}
            for index, path in enumerate(_paths(operation)):
                entry = paths.setdefault(path, {})
                entry[operation.method.lower()] = _operation(api, operation, details, path, index)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Strandline",
            "version": "1",
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": api.title, "description": api.about} for api in APIS],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": shared(_schemas()),
            "responses": dict(sorted(_failure_reply(error_format, status) for error_format, status in failures)),
            "securitySchemes": _SECURITY_SCHEMES,
        },
    }


@cache
def document_bytes() -> bytes:
    """The description as JSON."""
    return orjson.dumps(document())


def _paths(operation: Operation) -> Iterator[str]:
    """The paths of an operation, without those that the description covers by a second server."""
    return (path for path in operation.paths if not path.startswith(f"{DATA_SERVICE_PREFIX}/"))


def _operation(api: Api, operation: Operation, details: Details, path: str, index: int) -> Json:
    described: Json = {
        "tags": [api.title],
        "operationId": operation.name if index == 0 else f"{operation.name}.{index + 1}",
        "summary": operation.summary,
    }
    about = [details.about] if details.about else []
    if not operation.policy.anyone:
        about.append(f"For {callers(operation.policy)}.")
    if about:
        described["description"] = " ".join(about)
    if any(path.startswith(f"{DATA_SERVICE_PREFIX}/") for path in operation.paths):
        described["servers"] = [{"url": "/"}, {"url": DATA_SERVICE_PREFIX}]
    if parameters := [*_path_parameters(path), *_parameters("query", details), *_parameters("header", details)]:
        described["parameters"] = parameters
    if details.body is not None:
        described["requestBody"] = {
            **({"description": details.body.about} if details.body.about else {}),
            "required": details.body.is_required,
            "content": {details.body.media_type: {"schema": details.body.schema}},
        }
    described["responses"] = _replies(operation, details)
    described["security"] = [{name: []} if name else {} for name in _credentials(operation, details)]
    return described


def callers(policy: Policy) -> str:
    """The callers that a policy admits, in words."""
    kinds = []
    if policy.owner:
        kinds.append("the user")
    if policy.permissions:
        kinds.append(f"those whom the user granted {' or '.join(sorted(policy.permissions))}")
    if policy.nightscout:
        scopes = " or ".join(sorted(policy.nightscout))
        kinds.append(f"devices with a Nightscout credential of scope {scopes}")
    if policy.grantee:
        kinds.append("the grantee")
    if policy.related:
        kinds.append("those with whom something is shared")
    if policy.server:
        kinds.append("servers")
    if len(kinds) <= 2:
        return " and ".join(kinds)
    return f"{', '.join(kinds[:-1])}, and {kinds[-1]}"


def _path_parameters(path: str) -> Iterator[Json]:
    for name in _PATH_PARAMETER.findall(path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _parameters(place: str, details: Details) -> Iterator[Json]:
    parameters: tuple[Parameter, ...] = details.query if place == "query" else details.headers
    for parameter in parameters:
        described: Json = {"name": parameter.name, "in": place}
        if parameter.about:
            described["description"] = parameter.about
        if parameter.is_required:
            described["required"] = True
        yield described | {"schema": parameter.schema}


def _replies(operation: Operation, details: Details) -> Json:
    replies = {operation.success_status: details.reply, **details.other_replies}
    described: Json = {str(status): _reply(reply) for status, reply in replies.items()}
    without_body = {
        status
        for status, reason in ((401, operation.unauthorized_reason), (500, operation.defect_reason))
        if reason is None
    }
    for status in _failures(operation, details):
        if status in without_body:
            described.setdefault(str(status), {"description": f"{MEANING[status]} The body is empty."})
            continue
        described.setdefault(str(status), {"$ref": f"#/components/responses/{_failure_name(operation, status)}"})
    return dict(sorted(described.items()))


def _reply(reply: Reply) -> Json:
    described: Json = {"description": reply.about}
    if reply.headers:
        described["headers"] = {
            name: {"description": about, "schema": {"type": "string"}} for name, about in reply.headers.items()
        }
    if reply.schema is not None:
        described["content"] = {reply.media_type: {"schema": reply.schema}}
    return described


def _failures(operation: Operation, details: Details) -> tuple[int, ...]:
    statuses = {*_ALWAYS, *details.failures}
    if not operation.policy.anyone:
        statuses |= {*REFUSALS_BY_FORMAT[operation.error_format], 429}
    if details.body is not None:
        statuses |= {*_BODY_FAILURES}
    if details.query:
        statuses.add(400)
    return tuple(sorted(statuses))


def _failure_name(operation: Operation, status: int) -> str:
    return _name_of_failure(operation.error_format, status)


def _name_of_failure(error_format: ErrorFormat, status: int) -> str:
    return f"{SCHEMA_BY_FORMAT[error_format].removesuffix('Failure')}.{status}"


def _failure_reply(error_format: ErrorFormat, status: int) -> tuple[str, Json]:
    reply: Json = {"description": MEANING[status]}
    if status in RETRYABLE:
        reply["headers"] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
    if (error_format, status) not in WITHOUT_BODY:
        reply["content"] = {JSON: {"schema": reference(SCHEMA_BY_FORMAT[error_format])}}
    return _name_of_failure(error_format, status), reply


def _credentials(operation: Operation, details: Details) -> tuple[str, ...]:
    """The names of alternative security schemes; the empty name stands for none. Source: errors 5 and 8, data-api 2."""
    if details.credentials is not None:
        return details.credentials
    policy, error_format = operation.policy, operation.error_format
    if policy.anyone:
        return ()
    if error_format is ErrorFormat.NIGHTSCOUT:
        return NIGHTSCOUT_CREDENTIALS
    if error_format is ErrorFormat.NIGHTSCOUT_V3:
        return ("nightscoutJwt",)
    is_for_users = policy.owner or bool(policy.permissions)
    takes_restricted = is_for_users and (not details.query or details.ignores_unknown_query)
    names = ["sessionToken"]
    if error_format in (ErrorFormat.PLATFORM, ErrorFormat.PLATFORM_ENVELOPE):
        if is_for_users:
            names.append("bearer")
        if policy.server:
            names.append("serviceSecret")
    if takes_restricted and error_format in (ErrorFormat.PLATFORM, ErrorFormat.PLATFORM_ENVELOPE, ErrorFormat.READ):
        names.append("restrictedToken")
    return tuple(names)


def _schemas() -> Json:
    schemas: Json = {}
    for type_name in TYPES:
        schemas |= _hoist(type_name, json_schema.schema_for(type_name))
    datum: Json = {
        "oneOf": [reference(type_name) for type_name in TYPES],
        "discriminator": {
            "propertyName": "type",
            "mapping": {type_name: reference(type_name)["$ref"] for type_name in TYPES},
        },
    }
    schemas |= {"Datum": datum, "DatumArray": array({"anyOf": [reference("Datum"), {"type": "null"}]})}
    # The body that opens a data set is the type `upload` of the data model.
    schemas |= _hoist("upload", json_schema.schema_for("upload"))
    schemas["DataSetCreation"] = {"anyOf": [reference("upload"), {"type": "null"}]}
    for name, schema in (
        ("DataSetUpdate", json_schema.schema_for_data_set_update()),
        ("DataSourceCreation", json_schema.schema_for_data_source()),
        ("DataSourceUpdate", json_schema.schema_for_data_source_update()),
    ):
        schemas |= _hoist(name, schema)
    for api in APIS:
        schemas.update(api.schemas)
    schemas.update(FAILURE_SCHEMAS)
    return schemas


def _hoist(name: str, schema: Json) -> Json:
    """The schema by its name, and the schemas that it defines by their own names, since references in the description
    start at its root."""
    definitions = schema.get("$defs", {})
    own = {key: value for key, value in schema.items() if key != "$defs"}
    hoisted = {name: own} | {f"{name}.{inner}": value for inner, value in definitions.items()}
    return {key: _rewrite_references(value, name) for key, value in hoisted.items()}


def _rewrite_references(value: Any, name: str) -> Any:
    match value:
        case {"$ref": str(target)}:
            return {"$ref": target.replace("#/$defs/", f"#/components/schemas/{name}.")}
        case Mapping():
            return {key: _rewrite_references(member, name) for key, member in value.items()}
        case list():
            return [_rewrite_references(item, name) for item in value]
    return value
