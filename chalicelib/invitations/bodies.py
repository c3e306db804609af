"""Bodies of invitations: what senders send, and what both sides read. Source: confirm 2 and 3."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from chalicelib import json_text
from chalicelib.accounts.bodies import email_address
from chalicelib.accounts.grant import parse_permissions
from chalicelib.errors import FieldError, InvalidFieldsError, InvalidUserDetailsError, MalformedJsonError
from chalicelib.frozen import frozen
from chalicelib.invitations.invitation import PERMISSIONS, Invitation
from chalicelib.model.errors import (
    NESTED_TOO_DEEPLY,
    VALUE_EMPTY,
    VALUE_EXISTS,
    VALUE_NOT_EXISTS,
    between,
    length_out_of_range,
    size_out_of_range,
    type_not,
    value_not_valid,
)
from chalicelib.model.free_form import is_too_deep
from chalicelib.model.times import format_time

FOLLOW = "follow"
ALERTS_CONFIG = "alertsConfig"
NICKNAME = "nickname"
MAX_NICKNAME_LENGTH = 256
MAX_ALERTS_BYTES = 16 * 1024
MAX_DEPTH = 64


@frozen
class InvitationDetails:
    """The body of an invitation. `email` is in lower case."""

    email: str
    context: Mapping[str, Any]

    @property
    def permissions(self) -> Mapping[str, Any]:
        """The permissions that are offered, at least one."""
        permissions: Mapping[str, Any] = self.context[PERMISSIONS]
        return permissions


def invitation_details(body: Any) -> InvitationDetails:
    """The details in the body of an invitation. Unknown members are ignored.

    Raises:
        MalformedJsonError: the body is not an object.
        InvalidFieldsError: a member is missing or breaks a rule.

    Source: confirm 3.
    """
    if not isinstance(body, dict):
        raise MalformedJsonError("the body is not an object")
    context: dict[str, Any] = {PERMISSIONS: _permissions(body)}
    if body.get(NICKNAME) not in (None, ""):
        context[NICKNAME] = _nickname(body[NICKNAME])
    if body.get(ALERTS_CONFIG) is not None:
        context[ALERTS_CONFIG] = _alerts_config(body[ALERTS_CONFIG], context[PERMISSIONS])
    return InvitationDetails(_email(body), context)


def invitation_object(invitation: Invitation, key: str, profile: Mapping[str, Any] | None) -> dict[str, Any]:
    """An invitation as both sides read it; `profile` is that of the sender. Source: confirm 2."""
    modified_ms = invitation.modified_time_ms or invitation.created_time_ms
    return {
        "key": key,
        "type": "careteam_invitation",
        "status": invitation.status.value,
        "email": invitation.email,
        "creatorId": invitation.creator_id,
        "creator": {"userid": invitation.creator_id, "profile": _shown_profile(profile or {})},
        "context": dict(invitation.context),
        "created": format_time(invitation.created_time_ms),
        "modified": format_time(modified_ms),
        "expiresAt": format_time(invitation.expires_time_ms),
        "restrictions": None,
    }


def sharer_name(profile: Mapping[str, Any] | None) -> str:
    """The name of the person whose data is shared; empty if the profile has none. Source: confirm 3."""
    shown = _shown_profile(profile or {})
    if shown["patient"]["isOtherPerson"]:
        return str(shown["patient"]["fullName"])
    return str(shown["fullName"])


def _shown_profile(profile: Mapping[str, Any]) -> dict[str, Any]:
    """The names in a profile. Birthday and date of diagnosis are for those who accepted."""
    patient = profile.get("patient")
    patient = patient if isinstance(patient, dict) else {}
    return {
        "fullName": _text(profile.get("fullName")),
        "patient": {"isOtherPerson": patient.get("isOtherPerson") is True, "fullName": _text(patient.get("fullName"))},
    }


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _email(body: Mapping[str, Any]) -> str:
    if "email" not in body:
        raise InvalidFieldsError((VALUE_NOT_EXISTS.at("/email"),))
    value = body["email"]
    if not isinstance(value, str):
        raise InvalidFieldsError((type_not("string", value).at("/email"),))
    try:
        return email_address(value)
    except InvalidUserDetailsError as error:
        raise InvalidFieldsError((value_not_valid(value, "as e-mail address").at("/email"),)) from error


def _permissions(body: Mapping[str, Any]) -> Mapping[str, Any]:
    if PERMISSIONS not in body:
        raise InvalidFieldsError((VALUE_NOT_EXISTS.at("/permissions"),))
    sent = body[PERMISSIONS]
    if not isinstance(sent, dict):
        raise InvalidFieldsError((type_not("object", sent).at("/permissions"),))
    try:
        permissions = parse_permissions(sent)
    except InvalidFieldsError as error:
        raise InvalidFieldsError([_below_permissions(fault) for fault in error.errors]) from error
    if not permissions:
        raise InvalidFieldsError((VALUE_EMPTY.at("/permissions"),))
    return permissions


def _below_permissions(fault: FieldError) -> FieldError:
    return replace(fault, pointer=f"/permissions{fault.pointer or ''}")


def _nickname(value: Any) -> str:
    if not isinstance(value, str):
        raise InvalidFieldsError((type_not("string", value).at("/nickname"),))
    if len(value) > MAX_NICKNAME_LENGTH:
        fault = length_out_of_range(len(value), between(None, MAX_NICKNAME_LENGTH))
        raise InvalidFieldsError((fault.at("/nickname"),))
    return value


def _alerts_config(value: Any, permissions: Mapping[str, Any]) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise InvalidFieldsError((type_not("object", value).at("/alertsConfig"),))
    if FOLLOW not in permissions:
        raise InvalidFieldsError((VALUE_EXISTS.at("/alertsConfig"),))
    if is_too_deep(value, MAX_DEPTH):
        raise InvalidFieldsError((NESTED_TOO_DEEPLY.at("/alertsConfig"),))
    size_bytes = len(json_text.encode(value))
    if size_bytes > MAX_ALERTS_BYTES:
        fault = size_out_of_range(size_bytes, between(None, MAX_ALERTS_BYTES))
        raise InvalidFieldsError((fault.at("/alertsConfig"),))
    return value
