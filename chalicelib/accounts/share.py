"""Sharing: who may see and set what a sharer grants. Source: access-api A1 and A3."""

from collections.abc import Mapping
from typing import Any

from chalicelib.access.call import Caller, require
from chalicelib.access.policy import ROOT, Policy
from chalicelib.accounts.grant import Grant
from chalicelib.accounts.ports import Grants
from chalicelib.errors import GrantNotFoundError

OWN: dict[str, Any] = {ROOT: {}}
"""What everyone may do with what is their own: computed, never stored."""


def grant_of(caller: Caller, sharer_id: str, grantee_id: str, policy: Policy, grants: Grants) -> Mapping[str, Any]:
    """The permissions that a grantee has.

    Raises:
        UnauthorizedError: the caller is neither of the two, nor a custodian, nor a server.
        GrantNotFoundError: none.

    Source: access-api A1.
    """
    if not (policy.grantee and caller.user_id is not None and caller.user_id == grantee_id):
        require(caller, sharer_id, policy, grants)
    if sharer_id == grantee_id:
        return OWN
    grant = grants.find(sharer_id, grantee_id)
    if grant is None:
        raise GrantNotFoundError
    return grant.permissions


def set_grant(caller: Caller, grant: Grant, policy: Policy, grants: Grants, now_ms: int) -> Mapping[str, Any] | None:
    """The permissions that a grantee has from now on; None when they have none any more.

    What is sent takes the place of what was granted. The grantee may give up what they hold, and nobody else's: the
    reference lets any grantee remove any other by an empty body.

    Raises:
        UnauthorizedError: the caller may not set this.

    Source: access-api A3.
    """
    gives_up = policy.grantee and not grant.permissions and caller.user_id == grant.grantee_id
    if not gives_up:
        require(caller, grant.sharer_id, policy, grants)
    if grant.sharer_id == grant.grantee_id:
        return OWN
    grants.put(grant)
    held = grant.at(now_ms)
    return None if held is None else held.permissions


def grants_given_by(caller: Caller, sharer_id: str, policy: Policy, grants: Grants) -> dict[str, Mapping[str, Any]]:
    """The permissions of all grantees of a sharer by grantee, the sharer's own among them.

    Raises:
        UnauthorizedError: the caller may not see them.

    Source: access-api A1.
    """
    require(caller, sharer_id, policy, grants)
    return {grant.grantee_id: grant.permissions for grant in grants.given_by(sharer_id)} | {sharer_id: OWN}


def grants_given_to(caller: Caller, grantee_id: str, policy: Policy, grants: Grants) -> dict[str, Mapping[str, Any]]:
    """The permissions that a user has with others by sharer, those with themself among them.

    Raises:
        UnauthorizedError: the caller may not see them.

    Source: access-api A1.
    """
    require(caller, grantee_id, policy, grants)
    return {grant.sharer_id: grant.permissions for grant in grants.given_to(grantee_id)} | {grantee_id: OWN}
