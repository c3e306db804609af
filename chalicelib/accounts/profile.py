"""Metadata: collections of free JSON about a user, such as `profile`. Source: access-api B."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from chalicelib.access.call import Call
from chalicelib.accounts.account import private_pair
from chalicelib.accounts.ports import AccountPorts, MetadataCollection, Profiles
from chalicelib.conflicts import retry_on_conflict
from chalicelib.errors import (
    InvalidFieldsError,
    MalformedJsonError,
    NotFoundError,
    TooLargeError,
    UnauthorizedError,
)
from chalicelib.model.errors import NESTED_TOO_DEEPLY, Fault
from chalicelib.model.free_form import is_too_deep
from chalicelib.model.json_values import member

PROFILE = "profile"
SETTINGS = "settings"
PREFERENCES = "preferences"
PRIVATE = "private"
COLLECTIONS = (PROFILE, "groups", PRIVATE)
"""The names that `GET /metadata/collections` lists; any other name works as well (access-api B3)."""

_USUAL = frozenset({*COLLECTIONS, SETTINGS, PREFERENCES})
"""The collections that clients write, which are never one too many."""
FULL_NAME = "fullName"
LIMIT_BYTES = 256 * 1024
"""The size of the largest collection, which is stored as one item."""
MAX_COLLECTIONS = 32
"""Collections of a user: each may have any name, so their number is limited, as well as their size."""
MAX_DEPTH = 64
MAX_ATTEMPTS = 5
"""The number of attempts of a change that conflicts with other changes."""

Values = dict[str, Any]


def read_collection(call: Call, user_id: str, name: str, ports: AccountPorts) -> Mapping[str, Any]:
    """A collection of a user, or the part of it that the caller may see.

    A caller who granted something to the user, but has no grant from the user, sees only the name in the profile.

    Raises:
        UnauthorizedError: there is no grant between the two, or the caller may not see this collection.
        NotFoundError: there is no such collection.

    Source: access-api B2.
    """
    sees_all = _sees_all(call, user_id, ports)
    if not sees_all and name != PROFILE:
        raise UnauthorizedError
    collection = ports.profiles.find(user_id, name)
    if collection is None:
        raise NotFoundError
    if sees_all:
        return collection.values
    return {key: value for key, value in collection.values.items() if key == FULL_NAME}


def _sees_all(call: Call, user_id: str, ports: AccountPorts) -> bool:
    caller = call.caller
    if caller.is_server or caller.user_id == user_id or not call.policy.related or caller.user_id is None:
        call.require(user_id)
        return True
    if ports.grants.find(user_id, caller.user_id) is not None:
        return True
    if ports.grants.find(caller.user_id, user_id) is not None:
        return False
    raise UnauthorizedError


def write_collection(call: Call, user_id: str, name: str, updates: Any, ports: AccountPorts) -> Mapping[str, Any]:
    """Write the top-level keys of `updates` into a collection, and return the whole collection.

    Raises:
        UnauthorizedError: the caller may not write metadata of this user.
        MalformedJsonError: the updates are not an object.
        InvalidFieldsError: a path is invalid.
        TooLargeError: the collection would be larger than `LIMIT_BYTES`, or one more than `MAX_COLLECTIONS`.
        UnavailableError: each attempt met another change.

    Source: access-api B3.
    """
    call.require(user_id)
    if not isinstance(updates, dict):
        raise MalformedJsonError("the body is not an object")
    return _change_collection(user_id, name, lambda values: apply_updates(values, updates), ports.profiles)


def read_private_pair(call: Call, user_id: str, name: str, ports: AccountPorts) -> Mapping[str, str]:
    """The user's private pair of this name, which the first request creates.

    Raises:
        UnauthorizedError: the caller is not a server.

    Source: access-api B1.
    """
    call.require(user_id)

    def with_pair(values: Values) -> Values:
        return values if name in values else {**values, name: private_pair(call.new_id)}

    pair: dict[str, str] = _change_collection(user_id, PRIVATE, with_pair, ports.profiles)[name]
    return pair


def _change_collection(user_id: str, name: str, change: Callable[[Values], Values], profiles: Profiles) -> Values:
    def attempt() -> Values:
        old = profiles.find(user_id, name)
        values = change({} if old is None else dict(old.values))
        if old is not None and old.values == values:
            return values
        if len(orjson.dumps(values)) > LIMIT_BYTES:
            raise TooLargeError(LIMIT_BYTES, f"a collection may have at most {LIMIT_BYTES} bytes")
        if old is None and name not in _USUAL and profiles.count(user_id) >= MAX_COLLECTIONS:
            raise TooLargeError(MAX_COLLECTIONS, f"a user may have at most {MAX_COLLECTIONS} collections")
        profiles.replace(user_id, name, old, MetadataCollection(values, 1 if old is None else old.version + 1))
        return values

    return retry_on_conflict(attempt, MAX_ATTEMPTS)


def apply_updates(values: Mapping[str, Any], updates: Mapping[str, Any]) -> Values:
    """The values after the updates, each of which replaces one top-level key.

    A key with dots is a path to one leaf. `null` is ignored, so a key can be emptied but not removed.

    Raises:
        InvalidFieldsError: a path has an empty step, is too long, leads through a value that is not an object, or
            lies below another key of the same updates; or a value is nested too deeply.

    Source: access-api B3.
    """
    given = {key: value for key, value in updates.items() if value is not None}
    faults = [_path_error(key) for key in given if not _is_path(key, given)]
    result = dict(values)
    for key, value in given.items():
        *steps, leaf = key.split(".")
        if is_too_deep(value, max(MAX_DEPTH - 1 - len(steps), 0)):
            faults.append(NESTED_TOO_DEEPLY.at(member("", key)))
            continue
        place: Any = result
        for step in steps:
            place = _own_object(place, step) if isinstance(place, dict) else None
        if isinstance(place, dict):
            place[leaf] = value
        else:
            faults.append(_path_error(key))
    if faults:
        raise InvalidFieldsError(tuple(dict.fromkeys(faults)))
    return result


def _own_object(values: Values, name: str) -> Values | None:
    """A copy of the object under a name, put in its place, so that the stored values do not change; None if there is
    another value."""
    inner = values.get(name, {})
    if not isinstance(inner, dict):
        return None
    copy = dict(inner)
    values[name] = copy
    return copy


def _is_path(key: str, given: Mapping[str, Any]) -> bool:
    steps = key.split(".")
    if len(steps) == 1:
        return True
    above = (".".join(steps[:length]) for length in range(1, len(steps)))
    return all(steps) and len(steps) <= MAX_DEPTH and not any(path in given for path in above)


def _path_error(key: str) -> Any:
    fault = Fault("value-not-valid", "value is not valid", "the path leads to no place in the collection")
    return fault.at(member("", key))
