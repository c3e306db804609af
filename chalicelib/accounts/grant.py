"""Grants: the permissions that a sharer gives to a grantee. Source: access-api A2.

A permission is a name with an object, whose members may limit it: `expiresTime` ends the permission, and `windowHours`
(of `view`) shows only the last hours of data. The reference platform has no such limits.
"""

from collections.abc import Collection, Mapping
from typing import Any

from chalicelib import json_text
from chalicelib.access.policy import ROOT, VIEW
from chalicelib.access.user_ids import fits_key
from chalicelib.durations import HOUR_MS
from chalicelib.errors import FieldError, InvalidFieldsError, InvalidRequestError, MalformedJsonError, TooLargeError
from chalicelib.frozen import frozen
from chalicelib.model.errors import NESTED_TOO_DEEPLY, Fault, between, type_not, value_not_parsable, value_out_of_range
from chalicelib.model.free_form import is_too_deep
from chalicelib.model.json_values import member
from chalicelib.model.times import RFC3339_LAYOUT, format_time, parse_time

EXPIRES_TIME = "expiresTime"
WINDOW_HOURS = "windowHours"
MAX_WINDOW_HOURS = 24 * 366
MAX_PERMISSIONS = 100
MAX_DEPTH = 64
"""The deepest nesting of a permission's value."""
MAX_BYTES = 16 * 1024
"""The size of the permissions of one user, as JSON."""


@frozen
class Grant:
    """The permissions that one user grants to another, by name, with the values that were sent.

    Raises:
        InvalidRequestError: an id is empty or too long.
    """

    sharer_id: str
    grantee_id: str
    permissions: Mapping[str, Any]

    def __post_init__(self) -> None:
        if not all(fits_key(user_id) for user_id in (self.sharer_id, self.grantee_id)):
            raise InvalidRequestError("a user id is empty or too long")

    def until(self, end_ms: int, kept: "Grant | None") -> "Grant":
        """The grant with all permissions ending at `end_ms` at the latest, except those that `kept` already holds
        longer."""
        held = {} if kept is None else kept.permissions
        permissions = {
            name: value if _ends_by(value, end_ms) or (name in held and held[name] == value) else _ending(value, end_ms)
            for name, value in self.permissions.items()
        }
        return Grant(self.sharer_id, self.grantee_id, permissions)

    def at(self, now_ms: int) -> "Grant | None":
        """The grant without its expired permissions; None if all have expired."""
        held = {name: value for name, value in self.permissions.items() if not _ends_by(value, now_ms)}
        return Grant(self.sharer_id, self.grantee_id, held) if held else None

    @property
    def names(self) -> frozenset[str]:
        """The names of the permissions that hold for all data. A `view` with a window is not among them, so that a
        route that does not support windows shows nothing."""
        return frozenset(name for name, value in self.permissions.items() if window_hours(value) is None)

    def view_from_ms(self, now_ms: int) -> int | None:
        """The start of the window of `view`, in milliseconds since the epoch; None without a window."""
        hours = window_hours(self.permissions.get(VIEW))
        return None if hours is None else now_ms - hours * HOUR_MS

    @property
    def expires_time_ms(self) -> int | None:
        """The time when the last permission expires; None if any does not expire."""
        return self.expires_time_ms_of(self.permissions.keys())

    def expires_time_ms_of(self, names: Collection[str]) -> int | None:
        """The time when the last of the permissions with these names expires; None if any does not expire."""
        ends = [_expires_time_ms(value) for name, value in self.permissions.items() if name in names]
        return None if None in ends else max((end for end in ends if end is not None), default=None)


def window_hours(value: Any) -> int | None:
    """The window of a permission's value, in hours; None without a window."""
    hours = value.get(WINDOW_HOURS) if isinstance(value, dict) else None
    return hours if isinstance(hours, int) else None


def _expires_time_ms(value: Any) -> int | None:
    text = value.get(EXPIRES_TIME) if isinstance(value, dict) else None
    moment = parse_time(text) if isinstance(text, str) else None
    return None if moment is None else moment.epoch_ms


def _ends_by(value: Any, end_ms: int) -> bool:
    expires_time_ms = _expires_time_ms(value)
    return expires_time_ms is not None and expires_time_ms <= end_ms


def _ending(value: Any, end_ms: int) -> dict[str, Any]:
    return {**(value if isinstance(value, dict) else {}), EXPIRES_TIME: format_time(end_ms)}


def parse_permissions(body: Any) -> dict[str, Any]:
    """The permissions of a body, without `root`, which cannot be granted.

    Raises:
        MalformedJsonError: the body is not an object.
        InvalidFieldsError: a limit of a permission is invalid, or there are too many permissions, or a value is
            nested too deeply.
        TooLargeError: the permissions are larger than `MAX_BYTES`: others' lists show them.

    Source: access-api A2 and A3.
    """
    if not isinstance(body, dict):
        raise MalformedJsonError("the body is not an object")
    if len(body) > MAX_PERMISSIONS:
        fault = Fault("size-out-of-range", "size is out of range", f"size {len(body)} is not {between(0, 100)}")
        raise InvalidFieldsError((fault.at(""),))
    errors = [NESTED_TOO_DEEPLY.at(member("", name)) for name, value in body.items() if is_too_deep(value, MAX_DEPTH)]
    errors += [error for name, value in body.items() for error in _limit_errors(name, value)]
    if errors:
        raise InvalidFieldsError(errors)
    if len(json_text.encode(body)) > MAX_BYTES:
        raise TooLargeError(MAX_BYTES, f"the permissions of a user may have at most {MAX_BYTES} bytes")
    return {name: value for name, value in body.items() if name != ROOT}


def _limit_errors(name: str, value: Any) -> list[FieldError]:
    if not isinstance(value, dict):
        return []
    errors = []
    pointer = "/" + name.replace("~", "~0").replace("/", "~1") + "/"
    if EXPIRES_TIME in value:
        text = value[EXPIRES_TIME]
        if not isinstance(text, str):
            errors.append(type_not("time", text).at(pointer + EXPIRES_TIME))
        elif parse_time(text) is None:
            errors.append(value_not_parsable(text, RFC3339_LAYOUT).at(pointer + EXPIRES_TIME))
    if WINDOW_HOURS in value:
        hours = value[WINDOW_HOURS]
        if not isinstance(hours, int) or isinstance(hours, bool):
            errors.append(type_not("int", hours).at(pointer + WINDOW_HOURS))
        elif not 1 <= hours <= MAX_WINDOW_HOURS:
            fault = value_out_of_range(hours, between(1, MAX_WINDOW_HOURS))
            errors.append(fault.at(pointer + WINDOW_HOURS))
        elif name != VIEW:
            fault = Fault("value-exists", "value exists", "value exists")
            errors.append(fault.at(pointer + WINDOW_HOURS))
    return errors
