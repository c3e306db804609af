"""Nightscout credentials: making, listing and revoking them. Source: nightscout-api 15 and 17."""

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any

from chalicelib.access.call import Call, Session
from chalicelib.access.idempotency import once
from chalicelib.access.nightscout_credential import NightscoutCredential, Scope, credential_hash
from chalicelib.access.user_ids import require_user_id
from chalicelib.accounts.ports import AccountPorts
from chalicelib.conflicts import retry_on_conflict
from chalicelib.errors import ConflictError, InvalidFieldsError, MalformedJsonError, NotFoundError, UnauthorizedError
from chalicelib.frozen import frozen
from chalicelib.model.checks.parse import parse
from chalicelib.model.checks.report import Report
from chalicelib.model.errors import (
    NOT_PARSED,
    VALUE_NOT_EXISTS,
    between,
    length_out_of_range,
    value_not_allowed,
)
from chalicelib.model.fields import Text
from chalicelib.model.json_values import member
from chalicelib.model.times import format_time

MAX_CREDENTIALS = 50
MAX_NAME_LENGTH = 64
MAX_PREFIX_LENGTH = 10
"""Nightscout's own tokens begin with as much of the name, and apps expect that form."""
FIELDS = ("name", "scope")


@frozen
class IssuedCredential:
    """A new credential with its token, which only its maker ever sees."""

    credential: NightscoutCredential
    token: str


def create_credential(
    call: Call, user_id: str, read_body: Callable[[], Any], ports: AccountPorts, idempotency_key: str | None = None
) -> IssuedCredential:
    """Make a credential of the user's data. A grantee with the permission to view all of it makes credentials of scope
    `read`, which end with the grant.

    Args:
        idempotency_key: marks repetitions of a request. Since the token is stored nowhere, a repetition gets a new
            token, which replaces the one that nobody received.

    Raises:
        UnauthorizedError: the caller may not, is not a person who signed in, or is a grantee and asks for `upload`.
        InvalidPathError: the user id is of the wrong form.
        MalformedJsonError, InvalidFieldsError: the body is of the wrong form.
        ConflictError: the user has `MAX_CREDENTIALS`, or the first request with this key made another credential or
            one that was used since.
        UnavailableError: each attempt met a repetition that was made at the same time.
    """
    maker_id = _require_person(call, user_id)
    name, scope = _name_and_scope(read_body())
    if maker_id != user_id and scope is not Scope.READ:
        raise UnauthorizedError
    credential_id = once(call, f"credential by {maker_id}", user_id, idempotency_key).new_id()
    token = _token(name, call.new_id())
    digest = hashlib.sha1(token.encode(), usedforsecurity=False).hexdigest()
    credential = NightscoutCredential(
        credential_id, user_id, name, scope, credential_hash(digest), call.now_ms, maker_id
    )

    def attempt() -> bool:
        if idempotency_key is not None:
            _remove_unreceived(credential, ports)
        return ports.nightscout_credentials.add(credential, MAX_CREDENTIALS)

    if not retry_on_conflict(attempt):
        raise UnauthorizedError
    return IssuedCredential(credential, token)


def _remove_unreceived(repeated: NightscoutCredential, ports: AccountPorts) -> None:
    """Remove the credential that an earlier request with the same key made.

    Raises:
        ConflictError: it is another one, or it was used, so its token arrived.
    """
    earlier = ports.nightscout_credentials.find_of_user(repeated.user_id, repeated.id)
    if earlier is None:
        return
    if (earlier.name, earlier.scope, earlier.last_used_time_ms) != (repeated.name, repeated.scope, None):
        raise ConflictError
    ports.nightscout_credentials.delete(earlier)


def list_credentials(call: Call, user_id: str, ports: AccountPorts) -> list[NightscoutCredential]:
    """The credentials of a user's data, newest first. A grantee sees those that they made.

    Raises:
        UnauthorizedError: the caller may not, or is not a person who signed in.
        InvalidPathError: the user id is of the wrong form.
    """
    caller_id = _require_person(call, user_id)
    credentials = ports.nightscout_credentials.of_user(user_id)
    return [credential for credential in credentials if caller_id in (user_id, credential.made_by)]


def revoke_credential(call: Call, user_id: str, credential_id: str, ports: AccountPorts) -> None:
    """Remove a credential. From then on it opens nothing, and neither do its JWTs.

    Raises:
        UnauthorizedError: the caller may not, or is not a person who signed in.
        InvalidPathError: the user id is of the wrong form.
        NotFoundError: there is none with this id, or the caller is a grantee and did not make it.
    """
    caller_id = _require_person(call, user_id)
    credential = ports.nightscout_credentials.find_of_user(user_id, credential_id)
    if credential is None or caller_id not in (user_id, credential.made_by):
        raise NotFoundError(credential_id)
    ports.nightscout_credentials.delete(credential)


def credential_object(credential: NightscoutCredential) -> dict[str, Any]:
    """A credential as clients read it, without its token."""
    used = credential.last_used_time_ms
    return {
        "id": credential.id,
        "name": credential.name,
        "scope": str(credential.scope),
        "createdTime": format_time(credential.created_time_ms),
        **({} if used is None else {"lastUsedTime": format_time(used)}),
    }


def issued_credential_object(issued: IssuedCredential) -> dict[str, Any]:
    """A new credential, with its token."""
    return credential_object(issued.credential) | {"token": issued.token}


def _require_person(call: Call, user_id: str) -> str:
    """The id of the caller, who signed in: a link or a device makes no credentials that outlast it.

    Raises:
        UnauthorizedError: the caller may not act on this user's credentials, or is not a person who signed in.
        InvalidPathError: the user id is of the wrong form.
    """
    call.require(user_id)
    require_user_id(user_id)
    caller = call.caller
    if caller.user_id is None or not isinstance(caller.credential, Session):
        raise UnauthorizedError
    return caller.user_id


def _name_and_scope(body: Any) -> tuple[str, Scope]:
    if not isinstance(body, dict):
        raise MalformedJsonError
    report = Report()
    values = {name: _text(body, name, report) for name in FIELDS}
    for name in sorted(body.keys() - set(FIELDS)):
        report.add(NOT_PARSED, member("", name))
    name, scope = values["name"], values["scope"]
    if name is not None and not 1 <= len(name) <= MAX_NAME_LENGTH:
        report.add(length_out_of_range(len(name), between(1, MAX_NAME_LENGTH)), "/name")
    if scope is not None and scope not in tuple(Scope):
        report.add(value_not_allowed(scope, tuple(Scope)), "/scope")
    if report.errors or name is None or scope is None:
        raise InvalidFieldsError(report.errors)
    return name, Scope(scope)


def _text(body: Mapping[str, Any], name: str, report: Report) -> str | None:
    if body.get(name) is None:
        report.add(VALUE_NOT_EXISTS, f"/{name}")
        return None
    text: str | None = parse(Text(), body[name], f"/{name}", report)
    return text


def _token(name: str, chance: str) -> str:
    """A token of the form that Nightscout gives, from 32 random hexadecimal digits. It stands in addresses and headers
    as it is, so it has letters, digits and one dash only."""
    prefix = re.sub("[^a-z0-9]", "", name.lower())[:MAX_PREFIX_LENGTH] or "strandline"
    return f"{prefix}-{chance}"
