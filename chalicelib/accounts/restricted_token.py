"""Restricted tokens: creating, reading, changing and removing them. Source: auth-api 7."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from chalicelib.access.call import Call, Caller, RestrictedToken, Session
from chalicelib.access.user_ids import require_user_id
from chalicelib.accounts.ports import AccountPorts, RestrictedTokens
from chalicelib.accounts.session import end_restricted_tokens
from chalicelib.durations import DAY_MS, HOUR_MS, MINUTE_MS
from chalicelib.errors import (
    ConflictError,
    InvalidFieldsError,
    MalformedJsonError,
    NotFoundError,
    UnauthenticatedError,
    UnauthorizedError,
)
from chalicelib.frozen import frozen
from chalicelib.model.checks.bodies import OBJECT_MISSING
from chalicelib.model.checks.parse import parse
from chalicelib.model.checks.report import Report
from chalicelib.model.errors import NOT_PARSED, Fault, between, length_out_of_range
from chalicelib.model.fields import Kind, Text, TextList, Time
from chalicelib.model.json_values import member
from chalicelib.model.query import PAGING, check_query
from chalicelib.model.rendering import render
from chalicelib.model.times import Moment, format_time

DEFAULT_LIFETIME_MS = HOUR_MS
MAX_LIFETIME_MS = 90 * DAY_MS
TOLERANCE_MS = 1000
USED_FOR_MS = 5 * MINUTE_MS
"""Lifetime of a token that is valid for all paths, once it is used where its address is left behind."""
MIN_PATHS, MAX_PATHS = 1, 10
MAX_PATH_LENGTH = 2048
"""The longest path that is stored; the reference has no limit."""
PATH_EXPRESSION = "^/.*$"

_FIELDS: Mapping[str, Kind] = {"paths": TextList(Text()), "expirationTime": Time()}


@frozen
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
        raise InvalidFieldsError((OBJECT_MISSING,))
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
    call: Call, user_id: str, read_body: Callable[[], Any], ports: AccountPorts, idempotency_key: str | None = None
) -> RestrictedToken:
    """Create a token of the user, for an hour unless the body says otherwise.

    The token opens nothing that the caller's credential does not open, ends no later, and ends when that credential is
    revoked or its login signs out.

    Args:
        idempotency_key: marks repetitions of a request, which return the token that the first one made. Its id is
            random nevertheless, since the id is a secret.

    Raises:
        UnauthorizedError: the caller is another user, or a path is outside those of the caller's restricted token.
        UnauthenticatedError: the caller's credential ended in the meantime, for example by a change of the password.
        InvalidPathError: the user id is of the wrong form.
        MalformedJsonError, InvalidFieldsError: the body is of the wrong form.
        ConflictError: an earlier request with this key made another token, or one that was removed since.
    """
    call.require(user_id)
    require_user_id(user_id)
    restrictions = read_restrictions(read_body(), call.now_ms)
    asked_ms = restrictions.expiration_time_ms
    if asked_ms is None:
        asked_ms = call.now_ms + DEFAULT_LIFETIME_MS
    made_with = call.caller.credential
    token = RestrictedToken(
        id=call.new_id(),
        user_id=user_id,
        paths=_paths_within(restrictions.paths, made_with),
        expiration_time_ms=_end_within(asked_ms, call.caller),
        created_time_ms=call.now_ms,
        login=None if made_with is None else made_with.login,
        parent_id=made_with.id if isinstance(made_with, RestrictedToken) else "",
    )
    if ports.restricted_tokens.add(token, made_with, idempotency_key):
        return token
    earlier_id = None if idempotency_key is None else ports.restricted_tokens.id_for(user_id, idempotency_key)
    if earlier_id is None:
        raise UnauthenticatedError
    earlier = ports.restricted_tokens.find(earlier_id)
    if earlier is None or not _repeats(token, earlier, has_end=restrictions.expiration_time_ms is not None):
        raise ConflictError
    return earlier


def _repeats(token: RestrictedToken, earlier: RestrictedToken, *, has_end: bool) -> bool:
    """Whether an earlier token is what the caller asks for. It never opens more, or ends later, than a new one would.

    Args:
        has_end: whether the request says when the token ends; otherwise the end depends on the time of the request.
    """
    ends_alike = token.expiration_time_ms == earlier.expiration_time_ms
    if not has_end:
        ends_alike = token.expiration_time_ms >= earlier.expiration_time_ms
    return ends_alike and (token.paths, token.login, token.parent_id) == (
        earlier.paths,
        earlier.login,
        earlier.parent_id,
    )


def _paths_within(paths: tuple[str, ...] | None, made_with: Session | RestrictedToken | None) -> tuple[str, ...] | None:
    """The paths of a token that is made with a credential: without paths of its own, those of the credential.

    Raises:
        UnauthorizedError: the credential does not open one of the paths.
    """
    if not isinstance(made_with, RestrictedToken):
        return paths
    if paths is None:
        return made_with.paths
    if not all(made_with.covers(path) for path in paths):
        raise UnauthorizedError
    return paths


def _end_within(asked_ms: int, caller: Caller) -> int:
    """The end of a token that the caller makes: the asked one, or that of the caller's credential if it comes first."""
    match caller.credential:
        case Session(expires_time_ms=end_ms) | RestrictedToken(expiration_time_ms=end_ms):
            return min(asked_ms, end_ms)
    return asked_ms


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

    A server's session makes a token last no longer than itself, unless the token already does.

    Raises:
        UnauthorizedError: the caller is not a server.
        MalformedJsonError, InvalidFieldsError: the body is of the wrong form.
        NotFoundError: there is no such token.
    """
    call.require()
    restrictions = read_restrictions(read_body(), call.now_ms)
    token = get_restricted_token(call, token_id, ports)
    if restrictions.expiration_time_ms is not None:
        latest_ms = max(token.expiration_time_ms, _end_within(restrictions.expiration_time_ms, call.caller))
        token = replace(token, expiration_time_ms=min(restrictions.expiration_time_ms, latest_ms))
    token = replace(token, modified_time_ms=call.now_ms)
    if not ports.restricted_tokens.replace(token):
        raise NotFoundError(token_id)
    return token


def end_soon(call: Call, ports: AccountPorts) -> None:
    """Let the restricted token of the call end within `USED_FOR_MS`, if it is valid for all paths.

    Its address is left behind in the history of a browser, and such a token opens whatever its user may see.
    """
    token, end_ms = call.caller.credential, call.now_ms + USED_FOR_MS
    if isinstance(token, RestrictedToken) and token.paths is None and token.expiration_time_ms > end_ms:
        ports.restricted_tokens.replace(replace(token, expiration_time_ms=end_ms, modified_time_ms=call.now_ms))


def delete_restricted_token(call: Call, token_id: str, ports: AccountPorts) -> None:
    """Remove a token, with all tokens that were made with it; an unknown one is not an error.

    Raises:
        UnauthorizedError: it belongs to another user.
    """
    tokens = ports.restricted_tokens
    token = tokens.find(token_id)
    if token is None:
        return
    call.require(token.user_id)
    # Before the token, so that a repetition completes a removal that stopped half-way, and again after it, since one
    # may have been made at the same time.
    _end_made_with(token, tokens)
    tokens.delete(token)
    _end_made_with(token, tokens)


def _end_made_with(token: RestrictedToken, tokens: RestrictedTokens) -> None:
    """Remove the tokens that were made with a token, with those that were made with them, and so on."""
    ended = {token.id}
    while made := [other for other in tokens.of_user(token.user_id) if other.parent_id in ended - {other.id}]:
        for other in made:
            tokens.delete(other)
            ended.add(other.id)


def delete_restricted_tokens(call: Call, user_id: str, ports: AccountPorts) -> None:
    """Remove all tokens of a user.

    Raises:
        UnauthorizedError: the caller is not a server.
        InvalidPathError: the user id is of the wrong form.
    """
    call.require(user_id)
    require_user_id(user_id)
    end_restricted_tokens(user_id, ports.restricted_tokens)
