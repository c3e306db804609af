"""Restricted tokens: creating, reading, changing and removing them. Source: auth-api 7."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from chalicelib.access.call import Call, RestrictedToken
from chalicelib.access.user_ids import require_user_id
from chalicelib.accounts.ports import AccountPorts
from chalicelib.accounts.session import end_restricted_tokens
from chalicelib.errors import FieldError, InvalidFieldsError, MalformedJsonError, NotFoundError, UnauthenticatedError
from chalicelib.model.checks.parse import parse
from chalicelib.model.checks.report import Report
from chalicelib.model.errors import NOT_PARSED, Fault, between, length_out_of_range
from chalicelib.model.fields import Kind, Text, TextList, Time
from chalicelib.model.json_values import member
from chalicelib.model.query import PAGING, check_query
from chalicelib.model.rendering import render
from chalicelib.model.times import Moment, format_time

DEFAULT_LIFETIME_MS = 3_600_000
MAX_LIFETIME_MS = 90 * 24 * 3_600_000
TOLERANCE_MS = 1000
MIN_PATHS, MAX_PATHS = 1, 10
MAX_PATH_LENGTH = 2048
"""The longest path that is stored; the reference has no limit."""
PATH_EXPRESSION = "^/.*$"

_FIELDS: Mapping[str, Kind] = {"paths": TextList(Text()), "expirationTime": Time()}


@dataclass(frozen=True, slots=True)
class Restrictions:
    """The members of a body; None for those that are absent."""

    paths: tuple[str, ...] | None
    expiration_time_ms: int | None


def read_restrictions(body: Any, now_ms: int) -> Restrictions:
    """The restrictions in a body.

    Raises:
        MalformedJsonError: the body is not an object.
        InvalidFieldsError: fields break rules; the error names all of them.
    """
    if body is None:
        raise InvalidFieldsError((FieldError("", "", "object is missing"),))
    if not isinstance(body, dict):
        raise MalformedJsonError
    report = Report()
    values = {
        name: parse(kind, body[name], f"/{name}", report)
        for name, kind in _FIELDS.items()
        if body.get(name) is not None
    }
    for name in sorted(body.keys() - _FIELDS.keys()):
        report.add(NOT_PARSED, member("", name))
    _refuse(report)
    paths: list[str] | None = values.get("paths")
    expiration: Moment | None = values.get("expirationTime")
    if paths is not None:
        _check_paths(paths, report)
    if expiration is not None and expiration.epoch_ms > now_ms + MAX_LIFETIME_MS + TOLERANCE_MS:
        _report_too_late(expiration, now_ms + MAX_LIFETIME_MS, report)
    _refuse(report)
    return Restrictions(
        paths=None if paths is None else tuple(paths),
        expiration_time_ms=None if expiration is None else expiration.epoch_ms,
    )


def _check_paths(paths: Sequence[str], report: Report) -> None:
    if not MIN_PATHS <= len(paths) <= MAX_PATHS:
        report.add(length_out_of_range(len(paths), between(MIN_PATHS, MAX_PATHS)), "/paths")
    for index, path in enumerate(paths):
        if not path.startswith("/") or "\n" in path:
            detail = f"value {render(path)} does not match expression {render(PATH_EXPRESSION)}"
            report.add(Fault("value-not-matches", "value does not match expression", detail), f"/paths/{index}")
        elif len(path) > MAX_PATH_LENGTH:
            report.add(length_out_of_range(len(path), between(None, MAX_PATH_LENGTH)), f"/paths/{index}")


def _report_too_late(expiration: Moment, limit_ms: int, report: Report) -> None:
    detail = f"value {render(expiration.sent)} is not before {render(format_time(limit_ms))}"
    report.add(Fault("value-not-before", "value is not before the specified time", detail), "/expirationTime")


def _refuse(report: Report) -> None:
    if report.errors:
        raise InvalidFieldsError(report.errors)


def restricted_token_object(token: RestrictedToken) -> dict[str, Any]:
    """A restricted token as clients read it."""
    shown: dict[str, Any] = {
        "id": token.id,
        "userId": token.user_id,
        "expirationTime": format_time(token.expiration_time_ms),
        "createdTime": format_time(token.created_time_ms),
    }
    if token.paths is not None:
        shown["paths"] = list(token.paths)
    if token.modified_time_ms is not None:
        shown["modifiedTime"] = format_time(token.modified_time_ms)
    return shown


def create_restricted_token(
    call: Call, user_id: str, read_body: Callable[[], Any], ports: AccountPorts
) -> RestrictedToken:
    """Create a token of the user, for an hour unless the body says otherwise.

    Raises:
        UnauthorizedError: the caller is another user.
        UnauthenticatedError: the caller's credential ended in the meantime, for example by a change of the password.
        InvalidPathError: the user id is of the wrong form.
        MalformedJsonError, InvalidFieldsError: the body is of the wrong form.
    """
    call.require(user_id)
    require_user_id(user_id)
    restrictions = read_restrictions(read_body(), call.now_ms)
    expiration_time_ms = restrictions.expiration_time_ms
    if expiration_time_ms is None:
        expiration_time_ms = call.now_ms + DEFAULT_LIFETIME_MS
    token = RestrictedToken(call.new_id(), user_id, restrictions.paths, expiration_time_ms, call.now_ms)
    if not ports.restricted_tokens.add(token, made_with=call.caller.credential):
        raise UnauthenticatedError
    return token


def list_restricted_tokens(
    call: Call, user_id: str, query: Mapping[str, Sequence[str]], ports: AccountPorts
) -> list[RestrictedToken]:
    """A page of the tokens of a user, newest first.

    Raises:
        UnauthorizedError: the caller is not a server.
        InvalidPathError, InvalidFieldsError: the user id or the query is of the wrong form.
    """
    call.require(user_id)
    require_user_id(user_id)
    page = check_query(query, PAGING)
    first: int = page["page"] * page["size"]
    return ports.restricted_tokens.of_user(user_id)[first : first + page["size"]]


def get_restricted_token(call: Call, token_id: str, ports: AccountPorts) -> RestrictedToken:
    """The token with this id.

    Raises:
        UnauthorizedError: the caller is not a server.
        NotFoundError: there is none.
    """
    call.require()
    token = ports.restricted_tokens.find(token_id)
    if token is None:
        raise NotFoundError(token_id)
    return token


def change_restricted_token(
    call: Call, token_id: str, read_body: Callable[[], Any], ports: AccountPorts
) -> RestrictedToken:
    """Change when a token expires, and return the token. Paths are checked and not changed, as in the reference.

    Raises:
        UnauthorizedError: the caller is not a server.
        MalformedJsonError, InvalidFieldsError: the body is of the wrong form.
        NotFoundError: there is no such token.
    """
    call.require()
    restrictions = read_restrictions(read_body(), call.now_ms)
    token = get_restricted_token(call, token_id, ports)
    if restrictions.expiration_time_ms is not None:
        token = replace(token, expiration_time_ms=restrictions.expiration_time_ms)
    token = replace(token, modified_time_ms=call.now_ms)
    if not ports.restricted_tokens.replace(token):
        raise NotFoundError(token_id)
    return token


def delete_restricted_token(call: Call, token_id: str, ports: AccountPorts) -> None:
    """Remove a token; an unknown one is no error.

    Raises:
        UnauthorizedError: it belongs to another user.
    """
    token = ports.restricted_tokens.find(token_id)
    if token is not None:
        call.require(token.user_id)
        ports.restricted_tokens.delete(token)


def delete_restricted_tokens(call: Call, user_id: str, ports: AccountPorts) -> None:
    """Remove all tokens of a user.

    Raises:
        UnauthorizedError: the caller is not a server.
        InvalidPathError: the user id is of the wrong form.
    """
    call.require(user_id)
    require_user_id(user_id)
    end_restricted_tokens(user_id, ports.restricted_tokens)
