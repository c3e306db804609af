"""Metadata: collections of free JSON about a user, `profile` the best known of them. Source: access-api B."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

import orjson

from chalicelib.access.call import Caller, require
from chalicelib.access.policy import Policy
from chalicelib.accounts.account import private_pair
from chalicelib.accounts.ports import Grants, MetadataCollection, Profiles
from chalicelib.conflicts import retry_on_conflict
from chalicelib.errors import (
    InvalidFieldsError,
    MalformedJsonError,
    NotFoundError,
    TooLargeError,
    UnauthorizedError,
)
from chalicelib.model.errors import Fault
from chalicelib.model.json_values import member

PROFILE = "profile"
SETTINGS = "settings"
PREFERENCES = "preferences"
PRIVATE = "private"
COLLECTIONS = (PROFILE, "groups", PRIVATE)
"""What `GET /metadata/collections` tells; any other name works as well (access-api B3)."""

FULL_NAME = "fullName"
LIMIT_BYTES = 256 * 1024
"""Largest collection: it is kept as one item of the store."""
MAX_DEPTH = 64
MAX_ATTEMPTS = 5
"""How often a change is worked out again when another one came in between."""

Values = dict[str, Any]


def read_collection(
    caller: Caller, user_id: str, name: str, policy: Policy, *, grants: Grants, profiles: Profiles
) -> Mapping[str, Any]:
    """A collection of a user, or as much of it as the caller may see.

    Someone who granted something to the user, and was granted nothing, sees the name in the profile only.

    Raises:
        UnauthorizedError: the two have nothing to do with each other, or the collection is not for this caller.
        NotFoundError: there is no such collection.

    Source: access-api B2.
    """
    sees_all = _sees_all(caller, user_id, policy, grants)
    if not sees_all and name != PROFILE:
        raise UnauthorizedError
    collection = profiles.find(user_id, name)
    if collection is None:
        raise NotFoundError
    if sees_all:
        return collection.values
    return {key: value for key, value in collection.values.items() if key == FULL_NAME}


def _sees_all(caller: Caller, user_id: str, policy: Policy, grants: Grants) -> bool:
    if caller.is_server or caller.user_id == user_id or not policy.related or caller.user_id is None:
        require(caller, user_id, policy, grants)
        return True
    if grants.find(user_id, caller.user_id) is not None:
        return True
    if grants.find(caller.user_id, user_id) is not None:
        return False
    raise UnauthorizedError


def write_collection(
    caller: Caller, user_id: str, name: str, updates: Any, policy: Policy, *, grants: Grants, profiles: Profiles
) -> Mapping[str, Any]:
    """The whole collection after the top-level keys of `updates` were written into it.

    Raises:
        UnauthorizedError: the caller may not.
        MalformedJsonError: the updates are no object.
        InvalidFieldsError: a path leads nowhere.
        TooLargeError: the collection would be larger than what is stored of one.
        UnavailableError: other changes kept coming in between.

    Source: access-api B3.
    """
    require(caller, user_id, policy, grants)
    if not isinstance(updates, dict):
        raise MalformedJsonError("the body is not an object")
    return _change(user_id, name, lambda values: updated(values, updates), profiles)


def read_private_pair(
    caller: Caller,
    user_id: str,
    name: str,
    policy: Policy,
    *,
    grants: Grants,
    profiles: Profiles,
    new_id: Callable[[], str],
) -> Mapping[str, str]:
    """The user's pair of this name, made when it is first asked for.

    Raises:
        UnauthorizedError: the caller is no server.

    Source: access-api B1.
    """
    require(caller, user_id, policy, grants)
    pair: dict[str, str] = _change(
        user_id, PRIVATE, lambda values: values if name in values else {**values, name: private_pair(new_id)}, profiles
    )[name]
    return pair


def _change(user_id: str, name: str, change: Callable[[Values], Values], profiles: Profiles) -> Values:
    def attempt() -> Values:
        old = profiles.find(user_id, name)
        values = change({} if old is None else dict(old.values))
        if old is not None and old.values == values:
            return values
        if len(orjson.dumps(values)) > LIMIT_BYTES:
            raise TooLargeError(LIMIT_BYTES, f"a collection may have at most {LIMIT_BYTES} bytes")
        profiles.replace(user_id, name, old, MetadataCollection(values, 1 if old is None else old.version + 1))
        return values

    return retry_on_conflict(attempt, MAX_ATTEMPTS)


def updated(values: Mapping[str, Any], updates: Mapping[str, Any]) -> Values:
    """The values with each top-level key of the updates in place of what was there.

    A key with dots is a path to one leaf; `null` is ignored: a key can be emptied, and not removed.

    Raises:
        InvalidFieldsError: a path has an empty step, is too long, leads through something that is no object, or
            lies on another key of the same updates.

    Source: access-api B3.
    """
    given = {key: value for key, value in updates.items() if value is not None}
    faults = [_not_a_path(key) for key in given if not _is_path(key, given)]
    result = deepcopy(dict(values))
    for key, value in given.items():
        *steps, leaf = key.split(".")
        place: Any = result
        for step in steps:
            place = place.setdefault(step, {}) if isinstance(place, dict) else None
        if isinstance(place, dict):
            place[leaf] = value
        else:
            faults.append(_not_a_path(key))
    if faults:
        raise InvalidFieldsError(tuple(dict.fromkeys(faults)))
    return result


def _is_path(key: str, given: Mapping[str, Any]) -> bool:
    steps = key.split(".")
    if len(steps) == 1:
        return True
    above = (".".join(steps[:length]) for length in range(1, len(steps)))
    return all(steps) and len(steps) <= MAX_DEPTH and not any(path in given for path in above)


def _not_a_path(key: str) -> Any:
    fault = Fault("value-not-valid", "value is not valid", "the path leads to no place in the collection")
    return fault.at(member("", key))
