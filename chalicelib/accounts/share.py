"""Shares data: reads and sets the grants of sharers. Source: access-api A1 and A3."""

from collections.abc import Mapping
from typing import Any

from chalicelib.access.call import Call
from chalicelib.access.policy import ROOT, VIEW
from chalicelib.accounts.grant import Grant
from chalicelib.accounts.ports import AccountPorts, NightscoutCredentials
from chalicelib.errors import GrantNotFoundError, TooManySharersError, UnauthorizedError

MAX_UNASKED_SHARERS = 100
"""Users who share with one who shares nothing with them."""

OWN: dict[str, Any] = {ROOT: {}}
"""The permissions of all users on their own accounts: computed, never stored."""


def grant_of(call: Call, sharer_id: str, grantee_id: str, ports: AccountPorts) -> Mapping[str, Any]:
    """The permissions that a sharer grants to a grantee.

    Raises:
        UnauthorizedError: the caller is neither of the two, nor a custodian, nor a server.
        GrantNotFoundError: there are none.

    Source: access-api A1.
    """
    if not _is_grantee(call, grantee_id):
        call.require(sharer_id)
    if sharer_id == grantee_id:
        return OWN
    grant = ports.grants.find(sharer_id, grantee_id)
    if grant is None:
        raise GrantNotFoundError
    return grant.permissions


def set_grant(call: Call, grant: Grant, ports: AccountPorts) -> Mapping[str, Any] | None:
    """Replace the permissions that a sharer grants to a grantee, and return them as they are now; None for none.

    Grantees may give up only their own permissions. On the reference platform, an empty body from any grantee removes
    any other grantee. A custodian whose own permission ends grants nothing that ends later. The Nightscout credentials
    that the grantee made end with the permission to view all data.

    Raises:
        UnauthorizedError: the caller may not set this grant.
        TooManySharersError: as many as may have shared with the grantee unasked. Servers have no such limit.

    Source: access-api A3.
    """
    is_given_up = not grant.permissions and _is_grantee(call, grant.grantee_id)
    if not is_given_up:
        call.require(grant.sharer_id)
    if grant.sharer_id == grant.grantee_id:
        return OWN
    grant = _within_own_time(call, grant, ports)
    if grant.permissions and not call.caller.is_server and call.caller.user_id != grant.grantee_id:
        _require_room(grant, ports)
    ports.grants.put(grant)
    if VIEW not in grant.names:
        _end_credentials_made_by(grant.grantee_id, grant.sharer_id, ports.nightscout_credentials)
    held = grant.at(call.now_ms)
    return None if held is None else held.permissions


def _within_own_time(call: Call, grant: Grant, ports: AccountPorts) -> Grant:
    """The grant, ending no later than the permission by which the caller manages the sharer's grants."""
    manager_id = call.caller.user_id
    if call.caller.is_server or manager_id in (None, grant.sharer_id) or not grant.permissions:
        return grant
    own = ports.grants.find(grant.sharer_id, manager_id or "")
    if own is None:  # it ended since the policy was checked
        raise UnauthorizedError
    end_ms = own.expires_time_ms_of(call.policy.permissions)
    return grant if end_ms is None else grant.until(end_ms, ports.grants.find(grant.sharer_id, grant.grantee_id))


def grants_given_by(call: Call, sharer_id: str, ports: AccountPorts) -> dict[str, Mapping[str, Any]]:
    """The permissions of all grantees of a sharer by grantee, those of the sharer included.

    Raises:
        UnauthorizedError: the caller may not see them.

    Source: access-api A1.
    """
    call.require(sharer_id)
    return {grant.grantee_id: grant.permissions for grant in ports.grants.given_by(sharer_id)} | {sharer_id: OWN}


def grants_given_to(call: Call, grantee_id: str, ports: AccountPorts) -> dict[str, Mapping[str, Any]]:
    """The permissions that a user has on the accounts of others by sharer, those on their own included.

    Raises:
        UnauthorizedError: the caller may not see them.

    Source: access-api A1.
    """
    call.require(grantee_id)
    return {grant.sharer_id: grant.permissions for grant in ports.grants.given_to(grantee_id)} | {grantee_id: OWN}


def _end_credentials_made_by(grantee_id: str, sharer_id: str, credentials: NightscoutCredentials) -> None:
    for credential in credentials.of_user(sharer_id):
        if credential.made_by == grantee_id:
            credentials.delete(credential)


def _require_room(grant: Grant, ports: AccountPorts) -> None:
    """Raise if a new grant is one too many of those that its grantee did not ask for: their lists show the sharers."""
    sharers = {other.sharer_id for other in ports.grants.given_to(grant.grantee_id)}
    if grant.sharer_id in sharers or len(sharers) < MAX_UNASKED_SHARERS:
        return
    known = {other.grantee_id for other in ports.grants.given_by(grant.grantee_id)}
    if grant.sharer_id not in known and len(sharers - known) >= MAX_UNASKED_SHARERS:
        raise TooManySharersError


def _is_grantee(call: Call, grantee_id: str) -> bool:
    """Whether the policy admits the grantee, and the caller is that user."""
    return call.policy.grantee and call.caller.user_id is not None and call.caller.user_id == grantee_id
