"""The users that someone shares with, or who share with them. Source: access-api B5."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.access.call import Caller, require
from chalicelib.access.policy import CUSTODIAN, UPLOAD, VIEW, Policy
from chalicelib.accounts.account import Account, user_object
from chalicelib.accounts.grant import Grant
from chalicelib.accounts.ports import Accounts, Grants, Profiles
from chalicelib.accounts.profile import FULL_NAME, PREFERENCES, PROFILE, SETTINGS
from chalicelib.errors import InvalidRequestError

PATIENT = "patient"
ANY = "any"
NONE = "none"
TRUE_WORDS = frozenset({"true", "yes", "y", "1"})

Query = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Associated:
    """A user with whom something is shared: what they granted (`trustor`), and what was granted to them (`trustee`).

    `collections` has their profile, settings and preferences, those that exist, in full.
    """

    account: Account
    trustor: Grant | None
    trustee: Grant | None
    collections: Mapping[str, Mapping[str, Any]]


Test = Callable[[Associated], bool]


def associated_users(
    caller: Caller,
    user_id: str,
    query: Query,
    policy: Policy,
    *,
    accounts: Accounts,
    grants: Grants,
    profiles: Profiles,
) -> list[dict[str, Any]]:
    """Everyone the user shares with or is shared with, by id, with as much of each as the user may see.

    Raises:
        UnauthorizedError: the caller may not.
        InvalidRequestError: the query cannot be read.
    """
    require(caller, user_id, policy, grants)
    tests = _tests(query)
    trustors = {grant.sharer_id: grant for grant in grants.given_to(user_id)}
    trustees = {grant.grantee_id: grant for grant in grants.given_by(user_id)}
    found = accounts.find_many(sorted((trustors.keys() | trustees.keys()) - {user_id}))
    collections = profiles.find_many([account.user_id for account in found], (PROFILE, SETTINGS, PREFERENCES))
    associated = [
        Associated(
            account,
            trustors.get(account.user_id),
            trustees.get(account.user_id),
            collections.get(account.user_id, {}),
        )
        for account in found
    ]
    return [_shown(one, to_server=caller.is_server) for one in associated if all(test(one) for test in tests)]


def _shown(user: Associated, *, to_server: bool) -> dict[str, Any]:
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


def _tests(query: Query) -> list[Test]:
    """What each parameter asks for; blank and unknown ones ask for nothing."""
    tests = []
    for name, make in _PARAMETERS.items():
        values = query.get(name, ())
        text = values[-1].strip() if values else ""
        if text:
            tests.append(make(text))
    return tests


def _permissions_test(grant_of: Callable[[Associated], Grant | None], text: str) -> Test:
    names = {part.strip() for part in text.split(",")} - {""}
    if names & {ANY, NONE} and len(names) > 1:
        raise InvalidRequestError("Query is invalid")
    if names == {ANY}:
        return lambda user: grant_of(user) is not None
    if names == {NONE}:
        return lambda user: grant_of(user) is None

    def holds(user: Associated) -> bool:
        grant = grant_of(user)
        return names <= (frozenset() if grant is None else grant.permissions.keys())

    return holds


def _text_test(text_of: Callable[[Associated], Any], text: str) -> Test:
    wanted = text.casefold()

    def contains(user: Associated) -> bool:
        found = text_of(user)
        return isinstance(found, str) and wanted in found.casefold()

    return contains


def _patient(user: Associated, key: str) -> Any:
    """A field of the profile's patient; of those who granted nothing, it is not told by a search either."""
    patient = user.collections.get(PROFILE, {}).get(PATIENT)
    return patient.get(key) if isinstance(patient, dict) and user.trustor is not None else None


_PARAMETERS: Mapping[str, Callable[[str], Test]] = {
    "trustorPermissions": lambda text: _permissions_test(lambda user: user.trustor, text),
    "trusteePermissions": lambda text: _permissions_test(lambda user: user.trustee, text),
    "email": lambda text: _text_test(lambda user: user.account.email, text),
    "emailVerified": lambda text: lambda user: user.account.email_verified == (text.lower() in TRUE_WORDS),
    "termsAccepted": lambda text: _text_test(lambda user: user.account.terms_accepted, text),
    "name": lambda text: _text_test(lambda user: user.collections.get(PROFILE, {}).get(FULL_NAME), text),
    "birthday": lambda text: _text_test(lambda user: _patient(user, "birthday"), text),
    "diagnosisDate": lambda text: _text_test(lambda user: _patient(user, "diagnosisDate"), text),
}
