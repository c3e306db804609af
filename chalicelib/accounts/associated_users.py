"""The users with whom a user shares data, in either direction. Source: access-api B5."""

from collections.abc import Callable, Mapping
from typing import Any

from chalicelib import json_text
from chalicelib.access.call import Call
from chalicelib.access.policy import CUSTODIAN, UPLOAD, VIEW
from chalicelib.accounts.account import Account, user_object
from chalicelib.accounts.grant import Grant
from chalicelib.accounts.ports import AccountPorts
from chalicelib.accounts.profile import FULL_NAME, PREFERENCES, PROFILE, SETTINGS
from chalicelib.errors import InvalidRequestError
from chalicelib.frozen import frozen

PATIENT = "patient"
MAX_UNASKED_BYTES = 16 * 1024
"""The size of a collection of a user with whom this one shares nothing; larger ones are left out of the list."""
ANY = "any"
NONE = "none"
TRUE_WORDS = frozenset({"true", "yes", "y", "1"})

Query = Mapping[str, tuple[str, ...]]


@frozen
class AssociatedUser:
    """A user with whom something is shared: the grant they gave (`trustor`), and the grant they got (`trustee`).

    `collections` holds their whole profile, settings and preferences, as far as they exist.
    """

    account: Account
    trustor: Grant | None
    trustee: Grant | None
    collections: Mapping[str, Mapping[str, Any]]


Filter = Callable[[AssociatedUser], bool]


def associated_users(call: Call, user_id: str, query: Query, ports: AccountPorts) -> list[dict[str, Any]]:
    """The users who gave a grant to this user or got one, by id, with the fields that this user may see.

    Raises:
        UnauthorizedError: the caller may not list users with whom this user shares.
        InvalidRequestError: the query is invalid.
    """
    call.require(user_id)
    filters = _parse_filters(query)
    trustors = {grant.sharer_id: grant for grant in ports.grants.given_to(user_id)}
    trustees = {grant.grantee_id: grant for grant in ports.grants.given_by(user_id)}
    found = ports.accounts.find_many(sorted((trustors.keys() | trustees.keys()) - {user_id}))
    collections = ports.profiles.find_many([account.user_id for account in found], (PROFILE, SETTINGS, PREFERENCES))
    associated = [
        AssociatedUser(
            account,
            trustors.get(account.user_id),
            trustees.get(account.user_id),
            _without_large(collections.get(account.user_id, {}))
            if account.user_id not in trustees
            else collections.get(account.user_id, {}),
        )
        for account in found
    ]
    matching = [user for user in associated if all(matches(user) for matches in filters)]
    return [_user_object(user, to_server=call.caller.is_server) for user in matching]


def _without_large(collections: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Mapping[str, Any]]:
    """The collections of a user with whom this one shares nothing, as far as they may take room in this one's list."""
    return {name: values for name, values in collections.items() if len(json_text.encode(values)) <= MAX_UNASKED_BYTES}


def _user_object(user: AssociatedUser, *, to_server: bool) -> dict[str, Any]:
    shown = user_object(user.account, to_server=to_server)
    permissions = frozenset() if user.trustor is None else user.trustor.names
    if user.trustor is not None:
        shown["trustorPermissions"] = user.trustor.permissions
    if user.trustee is not None:
        shown["trusteePermissions"] = user.trustee.permissions
    profile = user.collections.get(PROFILE)
    if profile is not None:
        shown[PROFILE] = {key: value for key, value in profile.items() if key != PATIENT or user.trustor is not None}
    if user.collections.get(SETTINGS) and permissions & {CUSTODIAN, VIEW, UPLOAD}:
        shown[SETTINGS] = user.collections[SETTINGS]
    if user.collections.get(PREFERENCES) and CUSTODIAN in permissions:
        shown[PREFERENCES] = user.collections[PREFERENCES]
    return shown


def _parse_filters(query: Query) -> list[Filter]:
    """The filters of a query. Blank and unknown parameters are ignored."""
    filters = []
    for name, make in _PARAMETERS.items():
        values = query.get(name, ())
        text = values[-1].strip() if values else ""
        if text:
            filters.append(make(text))
    return filters


def _permissions_filter(grant_of: Callable[[AssociatedUser], Grant | None], text: str) -> Filter:
    listed = [name for part in text.split(",") if (name := part.strip())]
    names = set(listed)
    if names & {ANY, NONE} and len(listed) > 1:
        raise InvalidRequestError("Query is invalid")
    if names == {ANY}:
        return lambda user: grant_of(user) is not None
    if names == {NONE}:
        return lambda user: grant_of(user) is None

    def holds(user: AssociatedUser) -> bool:
        grant = grant_of(user)
        return names <= (frozenset() if grant is None else grant.permissions.keys())

    return holds


def _text_filter(text_of: Callable[[AssociatedUser], Any], text: str) -> Filter:
    wanted = text.casefold()

    def contains(user: AssociatedUser) -> bool:
        found = text_of(user)
        return isinstance(found, str) and wanted in found.casefold()

    return contains


def _patient_field(user: AssociatedUser, key: str) -> Any:
    """A field of the profile's patient; None for a user who granted nothing, so that a search does not reveal it."""
    patient = user.collections.get(PROFILE, {}).get(PATIENT)
    return patient.get(key) if isinstance(patient, dict) and user.trustor is not None else None


_PARAMETERS: Mapping[str, Callable[[str], Filter]] = {
    "trustorPermissions": lambda text: _permissions_filter(lambda user: user.trustor, text),
    "trusteePermissions": lambda text: _permissions_filter(lambda user: user.trustee, text),
    "email": lambda text: _text_filter(lambda user: user.account.email, text),
    "emailVerified": lambda text: lambda user: user.account.email_verified == (text.lower() in TRUE_WORDS),
    "termsAccepted": lambda text: _text_filter(lambda user: user.account.terms_accepted, text),
    "name": lambda text: _text_filter(lambda user: user.collections.get(PROFILE, {}).get(FULL_NAME), text),
    "birthday": lambda text: _text_filter(lambda user: _patient_field(user, "birthday"), text),
    "diagnosisDate": lambda text: _text_filter(lambda user: _patient_field(user, "diagnosisDate"), text),
}
