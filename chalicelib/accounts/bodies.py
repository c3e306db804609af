"""Bodies of the user routes, checked. Unknown fields are ignored. Source: auth-api 4 and 5."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from chalicelib.accounts.roles import PATIENT, ROLES
from chalicelib.errors import InvalidUserDetailsError
from chalicelib.frozen import frozen

# The longest address that mail can be sent to (RFC 5321, 4.5.3.1.3); the reference has no limit.
MAX_EMAIL_LENGTH = 254

_EMAIL = re.compile(r"[^@\s]+@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}")
_PASSWORD = re.compile(r"[^\t\n\f\r ]{8,72}")
"""Other white space is allowed, as in the reference: a keyboard may type a no-break space."""
_TERMS_ACCEPTED = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?([+-]\d\d:\d\d|Z)", re.ASCII)


@frozen
class NewUser:
    """The details of an account to create. `email` is in lower case."""

    email: str
    password: str
    roles: tuple[str, ...]
    terms_accepted_s: int | None = None


@frozen
class UserUpdates:
    """Changes of an account; None leaves a member as it is. `email` is in lower case."""

    email: str | None = None
    removes_email: bool = False
    password: str | None = None
    roles: tuple[str, ...] | None = None
    terms_accepted_s: int | None = None
    email_verified: bool | None = None


def new_user(body: Any) -> NewUser:
    """The new user in the body of a sign-up.

    `username` has to be an address, and the first of `emails` becomes the account's. The two may differ.

    Raises:
        InvalidUserDetailsError: the body breaks a rule; all rules have one answer.

    Source: auth-api 5, route 8.
    """
    details = _object(body)
    email_address(details.get("username"))
    emails = _emails(details.get("emails"))
    if not emails:
        raise InvalidUserDetailsError
    return NewUser(
        email=emails[0],
        password=_password(details.get("password")),
        roles=_roles(details["roles"]) if "roles" in details else (PATIENT,),
        terms_accepted_s=_terms_accepted_s(details["termsAccepted"]) if "termsAccepted" in details else None,
    )


def custodial_email(body: Any) -> str | None:
    """The e-mail address, in lower case, that a new custodial account gets: the first of `emails`, else `username`.

    Raises:
        InvalidUserDetailsError: the body is not an object, or an address is malformed.

    Source: auth-api 5, route 13.
    """
    details = _object(body)
    username = email_address(details["username"]) if "username" in details else None
    emails = _emails(details["emails"]) if "emails" in details else ()
    return emails[0] if emails else username


def user_updates(body: Any) -> UserUpdates:
    """The updates in the body `{"updates": {...}}`.

    Raises:
        InvalidUserDetailsError: the body breaks a rule.

    Source: auth-api 5, route 10.
    """
    updates = _object(_object(body).get("updates"))
    username = email_address(updates["username"]) if "username" in updates else None
    emails = _emails(updates["emails"]) if "emails" in updates else None
    if username is not None and emails is not None and emails[:1] != (username,):
        raise InvalidUserDetailsError
    email_verified = updates.get("emailVerified")
    if "emailVerified" in updates and not isinstance(email_verified, bool):
        raise InvalidUserDetailsError
    return UserUpdates(
        email=username,
        removes_email=emails == (),
        password=_password(updates["password"]) if "password" in updates else None,
        roles=_roles(updates["roles"]) if "roles" in updates else None,
        terms_accepted_s=_terms_accepted_s(updates["termsAccepted"]) if "termsAccepted" in updates else None,
        email_verified=email_verified,
    )


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise InvalidUserDetailsError
    return value


def email_address(value: Any) -> str:
    """The e-mail address in lower case.

    Raises:
        InvalidUserDetailsError: it is not an address.
    """
    if not isinstance(value, str) or len(value) > MAX_EMAIL_LENGTH or _EMAIL.fullmatch(value) is None:
        raise InvalidUserDetailsError
    return value.lower()


def _emails(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise InvalidUserDetailsError
    return tuple(email_address(email) for email in value)


def is_password(value: Any) -> bool:
    """Whether a value can be a password. Source: auth-api 5."""
    return isinstance(value, str) and _PASSWORD.fullmatch(value) is not None


def _password(value: Any) -> str:
    if not isinstance(value, str) or not is_password(value):
        raise InvalidUserDetailsError
    return value


def _roles(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(role, str) and role in ROLES for role in value):
        raise InvalidUserDetailsError
    return tuple(dict.fromkeys(value))


def _terms_accepted_s(value: Any) -> int:
    """Seconds since the epoch, without the fraction."""
    match = _TERMS_ACCEPTED.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise InvalidUserDetailsError
    try:
        # In UTC the time may lie in a year that cannot be written.
        return int(datetime.fromisoformat(match[1] + match[2]).astimezone(UTC).timestamp())
    except (ValueError, OverflowError) as error:
        raise InvalidUserDetailsError from error
