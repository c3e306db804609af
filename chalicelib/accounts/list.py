"""Lists users for servers. Source: auth-api 5, route 15."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from chalicelib.access.call import Call
from chalicelib.accounts.account import Account
from chalicelib.accounts.ports import AccountPorts
from chalicelib.accounts.roles import ROLES
from chalicelib.durations import DAY_MS
from chalicelib.errors import InvalidRequestError
from chalicelib.frozen import frozen

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@frozen
class UsersQuery:
    """Selects users with these ids, or users with this role that were created in `[from_ms, before_ms)`."""

    user_ids: tuple[str, ...] | None = None
    role: str | None = None
    from_ms: int | None = None
    before_ms: int | None = None


def parse_users_query(query: Mapping[str, tuple[str, ...]]) -> UsersQuery:
    """Parse the query parameters: exactly one of `id` (a comma-separated list) and `role`.

    `createdFrom` and `createdTo`, whole days of UTC, narrow `role`.

    Raises:
        InvalidRequestError: the parameters are invalid; the message gives the reason.
    """
    if not query:
        raise InvalidRequestError("A query must be specified")
    user_ids, role = _last_value(query, "id"), _last_value(query, "role")
    if role is not None and role not in ROLES:
        raise InvalidRequestError("The role specified is invalid")
    if role is not None and user_ids is not None:
        raise InvalidRequestError("Only one query parameter is allowed")
    created_from, created_to = _parse_day(query, "createdFrom"), _parse_day(query, "createdTo")
    if user_ids is not None:
        return UsersQuery(user_ids=tuple(part.strip() for part in user_ids.split(",") if part.strip()))
    if role is not None:
        last_ms = _time_ms(created_to)
        before_ms = None if last_ms is None else last_ms + DAY_MS
        return UsersQuery(role=role, from_ms=_time_ms(created_from), before_ms=before_ms)
    raise InvalidRequestError("Unknown query parameter")


def list_users(call: Call, parameters: Mapping[str, tuple[str, ...]], ports: AccountPorts) -> list[Account]:
    """The accounts that the query parameters select; ids without an account are left out.

    Raises:
        UnauthorizedError: the caller is not a server.
        InvalidRequestError: the parameters are invalid.
    """
    call.require()
    query = parse_users_query(parameters)
    if query.user_ids is not None:
        return ports.accounts.find_many(query.user_ids)
    return ports.accounts.with_role(query.role or "", query.from_ms, query.before_ms)


def _last_value(query: Mapping[str, tuple[str, ...]], name: str) -> str | None:
    values = query.get(name, ())
    return values[-1] if values and values[-1] else None


def _parse_day(query: Mapping[str, tuple[str, ...]], name: str) -> datetime | None:
    text = _last_value(query, name)
    if text is None:
        return None
    try:
        # `strptime` alone takes a month or a day of one digit.
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC) if _DAY.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None:
        raise InvalidRequestError(f"Invalid query parameter: {name}")
    return day


def _time_ms(day: datetime | None) -> int | None:
    return None if day is None else int(day.timestamp() * 1000)
