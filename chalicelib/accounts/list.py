"""The list of users that a server asks for. Source: auth-api 5, route 15."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from chalicelib.accounts.account import Account
from chalicelib.accounts.ports import Accounts
from chalicelib.accounts.roles import ROLES
from chalicelib.errors import InvalidRequestError


@dataclass(frozen=True, slots=True)
class UsersQuery:
    """Users with these ids, or with this role and created in `[from_ms, before_ms)`."""

    user_ids: tuple[str, ...] | None = None
    role: str | None = None
    from_ms: int | None = None
    before_ms: int | None = None


def users_query(query: Mapping[str, tuple[str, ...]]) -> UsersQuery:
    """What the query parameters ask for: exactly one of `id` (a comma-separated list) and `role`.

    `createdFrom` and `createdTo`, whole days of UTC, refine `role`.

    Raises:
        InvalidRequestError: they make no query; its text is the reason.
    """
    if not query:
        raise InvalidRequestError("A query must be specified")
    user_ids, role = _last(query, "id"), _last(query, "role")
    if role is not None and role not in ROLES:
        raise InvalidRequestError("The role specified is invalid")
    if role is not None and user_ids is not None:
        raise InvalidRequestError("Only one query parameter is allowed")
    created_from, created_to = _day(query, "createdFrom"), _day(query, "createdTo")
    if user_ids is not None:
        return UsersQuery(user_ids=tuple(part for part in (one.strip() for one in user_ids.split(",")) if part))
    if role is not None:
        after = None if created_to is None else created_to + timedelta(days=1)
        return UsersQuery(role=role, from_ms=_ms(created_from), before_ms=_ms(after))
    raise InvalidRequestError("Unknown query parameter")


def list_users(query: UsersQuery, accounts: Accounts) -> list[Account]:
    """The accounts that a query asks for; ids without an account are left out."""
    if query.user_ids is not None:
        return accounts.find_many(query.user_ids)
    return accounts.with_role(query.role or "", query.from_ms, query.before_ms)


def _last(query: Mapping[str, tuple[str, ...]], name: str) -> str | None:
    values = query.get(name, ())
    return values[-1] if values and values[-1] else None


def _day(query: Mapping[str, tuple[str, ...]], name: str) -> datetime | None:
    text = _last(query, name)
    if text is None:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise InvalidRequestError(f"Invalid query parameter: {name}") from error


def _ms(day: datetime | None) -> int | None:
    return None if day is None else int(day.timestamp() * 1000)
