"""Errors on the wire: one table from exceptions to statuses, and the bodies of each error format.

Source: errors 1 to 2.4, data-api 5 and 9, auth-api, access-api.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any

from chalicelib import errors
from chalicelib.api.errors.auth import auth_failure
from chalicelib.api.errors.confirm import confirm_failure
from chalicelib.api.errors.nightscout import nightscout_failure
from chalicelib.api.errors.nightscout_v3 import nightscout_v3_failure
from chalicelib.api.errors.node import node_failure
from chalicelib.api.errors.oauth import oauth_failure
from chalicelib.api.operations.operation import ErrorFormat, Operation
from chalicelib.errors import FieldError
from chalicelib.frozen import frozen


@frozen
class Failure:
    """The status, body (a JSON value, or None for an empty one) and headers of an error response."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)


STATUS: dict[type[Exception], int] = {
    errors.UnauthenticatedError: 401,
    errors.MalformedCredentialError: 403,
    errors.UnauthorizedError: 403,
    errors.NotFoundError: 404,
    errors.ConflictError: 409,
    errors.InvalidRequestError: 400,
    errors.TooLargeError: 413,
    errors.TooManyAttemptsError: 429,
    errors.UnavailableError: 503,
    errors.NoSpaceError: 507,
}


def status_of(error: Exception) -> int:
    """The status of an error; 500 for an error that is not a refusal."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


def failure(operation: Operation, error: Exception, trace_meta: Mapping[str, Any]) -> Failure:
    """The response to an error, in the error format of the operation. `trace_meta` is the `meta` of an envelope."""
    headers = {}
    if isinstance(error, errors.UnavailableError | errors.TooManyAttemptsError):
        headers["Retry-After"] = str(error.retry_after_s)
    match operation.error_format:
        case ErrorFormat.AUTH:
            status, body = auth_failure(operation, error)
        case ErrorFormat.CONFIRM:
            status, body = confirm_failure(error)
        case ErrorFormat.NODE:
            status, body = node_failure(error)
        case ErrorFormat.NIGHTSCOUT:
            status, body = nightscout_failure(error)
        case ErrorFormat.NIGHTSCOUT_V3:
            status, body = nightscout_v3_failure(error)
        case ErrorFormat.OAUTH:
            status, body, challenge = oauth_failure(error)
            headers |= challenge
        case error_format:
            status, body = _BODIES[error_format](error, trace_meta)
    return Failure(status, body, headers)


def field_error_body(error: FieldError) -> dict[str, Any]:
    """The JSON object of an invalid field or parameter. Source: errors 2."""
    body: dict[str, Any] = {"code": error.code, "title": error.title, "detail": error.detail}
    if error.pointer is not None:
        body["source"] = {"pointer": error.pointer}
    elif error.parameter is not None:
        body["source"] = {"parameter": error.parameter}
    if error.meta:
        body["meta"] = dict(error.meta)
    return {name: value for name, value in body.items() if value != ""}


def _fault(code: str, title: str, detail: str = "") -> dict[str, Any]:
    return {"code": code, "title": title, "detail": detail or title}


def _platform_failure(error: Exception, _meta: Mapping[str, Any]) -> tuple[int, Any]:
    status = status_of(error)
    match error:
        case errors.InvalidFieldsError():
            bodies = [field_error_body(fault) for fault in error.errors]
            return status, bodies[0] if len(bodies) == 1 else {"errors": bodies}
        case errors.UnauthenticatedError():
            return status, _fault("unauthenticated", "authentication token is invalid")
        case errors.InsufficientGrantError():
            return status, None  # blob-api 2: no body if there is a grant that does not suffice
        case errors.MalformedCredentialError() | errors.UnauthorizedError():
            return status, _fault("unauthorized", "authentication token is not authorized for requested action")
        case errors.BlobNotFoundError() if error.revision is not None:
            detail = f'revision {error.revision} of resource with id "{error.resource_id}" not found'
            return status, _fault("resource-not-found", "resource not found", detail)
        case errors.NotFoundError():
            detail = f'resource with id "{error.resource_id}" not found' if error.resource_id else ""
            return status, _fault("resource-not-found", "resource not found", detail)
        case errors.ConflictError():
            return status, _fault("resource-conflict", "resource conflicts with an existing one")
        case errors.MissingJsonError():
            return status, _fault("json-not-found", "json not found")
        case errors.MalformedJsonError():
            return status, _fault("json-malformed", "json is malformed")
        case errors.InvalidPathError():
            detail = f'parameter "{error.parameter}" is invalid'
            return status, _fault("parameter-invalid", "parameter is invalid", detail)
        case errors.MissingHeaderError():
            return status, _fault("header-missing", "header is missing", f'header "{error.name}" is missing')
        case errors.InvalidHeaderError():
            return status, _fault("header-invalid", "header is invalid", f'header "{error.name}" is invalid')
        case errors.UnequalDigestsError():
            detail = f'digest "{error.announced}" does not equal calculated digest "{error.calculated}"'
            source = {"pointer": "/digestMD5"}
            return status, _fault("digests-not-equal", "digests not equal", detail) | {"source": source}
        case errors.TooLargeError():
            return status, _fault("resource-too-large", "resource too large", error.detail)
        case errors.TooManyAttemptsError():
            return status, _fault("too-many-requests", "too many requests")
        case errors.NoSpaceError():
            return status, _fault("insufficient-storage", "the disk of the server is full; nothing was stored")
        case errors.UnavailableError():
            return status, _fault("service-unavailable", "service is unavailable for the moment")
        case errors.InvalidRequestError():
            return status, _fault("bad-request", "bad request", str(error))
    return 500, _fault("internal-server-error", "internal server error")


def _envelope_failure(error: Exception, meta: Mapping[str, Any]) -> tuple[int, Any]:
    status = status_of(error)
    match error:
        case errors.InvalidFieldsError() | errors.UnauthenticatedError() | errors.MalformedCredentialError():
            return _platform_failure(error, meta)
        case errors.UnauthorizedError():
            fault = _fault("unauthorized", "auth token is not authorized for requested action")
        case errors.DataSetNotFoundError():
            fault = _fault(
                "data-set-id-not-found",
                "data set with specified id not found",
                f"Data set with id {error.resource_id} not found",
            )
        case errors.TidepoolLinkNotFoundError():
            fault = _fault("tidepool-link-id-not-found", "tidepool link id not found")
        case errors.DataSetClosedError():
            fault = _fault(
                "data-set-closed",
                "data set with specified id is closed for new data",
                f"Data set with id {error.resource_id} is closed for new data",
            )
        case errors.DataSetExistsError():
            fault = _fault(
                "data-set-exists",
                "data set with specified id already exists",
                f"Data set with id {error.resource_id} already exists",
            )
        case errors.MalformedJsonError():
            fault = _fault("json-malformed", "json is malformed", "JSON is malformed")
        case _ if status == 500:
            fault = _fault("internal-server-failure", "internal server failure")
        case _:
            _, fault = _platform_failure(error, meta)
    fault["detail"] = fault["detail"][:1].upper() + fault["detail"][1:]
    return status, {"errors": [fault | {"status": str(status)}], "meta": dict(meta)}


def _read_failure(error: Exception, _meta: Mapping[str, Any]) -> tuple[int, Any]:
    status = status_of(error)
    code, message = {
        400: ("invalid_parameters", "one or more parameters are invalid"),
        401: ("data_unauthenticated", "authentication token is invalid"),
        403: ("data_cant_view", "user is not authorized to view data"),
        413: ("data_too_large", getattr(error, "detail", "") or "the request is too large"),
        429: ("too_many_requests", "too many requests"),
        503: ("data_unavailable", "data is unavailable for the moment"),
        507: ("data_unavailable", "the disk of the server is full"),
    }.get(status, ("data_store_error", "internal server error"))
    body: dict[str, Any] = {"status": status, "id": str(uuid.uuid4()), "code": code, "message": message}
    if isinstance(error, errors.InvalidFieldsError):
        body["errors"] = [field_error_body(fault) for fault in error.errors]
    return status, body


_BODIES: dict[ErrorFormat, Callable[[Exception, Mapping[str, Any]], tuple[int, Any]]] = {
    ErrorFormat.PLATFORM: _platform_failure,
    ErrorFormat.PLATFORM_ENVELOPE: _envelope_failure,
    ErrorFormat.READ: _read_failure,
}
