"""Calls: what a policy lets a caller do."""

import pytest

from chalicelib.access.call import NOBODY, SERVICE, Call, Caller, platform_call
from chalicelib.access.nightscout_credential import NightscoutCredential, Scope
from chalicelib.access.policy import (
    ANYONE,
    CUSTODIAN,
    CUSTODIANS,
    DATA_SET_LISTERS,
    NIGHTSCOUT_READERS,
    NIGHTSCOUT_UPLOADERS,
    NOTE,
    OWNER_AND_SERVERS,
    READERS,
    ROOT,
    SERVERS,
    UPLOAD,
    UPLOADERS,
    USERS_WHO_UPLOAD,
    VIEW,
    Policy,
)
from chalicelib.errors import UnauthenticatedError, UnauthorizedError

OWNER, OTHER = "aaaaaaaaaa", "bbbbbbbbbb"
NOW_MS, FROM_MS = 1_767_225_600_000, 1_767_200_000_000


class OneGrant:
    """The permissions that the owner granted to the other user."""

    def __init__(self, *permissions: str, view_from_ms: int | None = None) -> None:
        self._permissions = frozenset(permissions)
        self._view_from_ms = view_from_ms
        self.reads = 0

    def permissions(self, sharer_id: str, grantee_id: str) -> frozenset[str]:
        """Those of this one pair."""
        self.reads += 1
        return self._permissions if (sharer_id, grantee_id) == (OWNER, OTHER) else frozenset()

    def view_from_ms(self, sharer_id: str, grantee_id: str) -> int | None:
        """That of this one pair."""
        return self._view_from_ms if (sharer_id, grantee_id) == (OWNER, OTHER) else None


def call(caller: Caller, policy: Policy, grants: OneGrant | None = None) -> Call:
    """A call of this caller."""
    return Call(caller, policy, grants or OneGrant(), NOW_MS, lambda: "an id")


@pytest.mark.parametrize("caller", [NOBODY, SERVICE, Caller(OWNER), Caller(OTHER)])
def test_a_policy_for_anyone_admits_all_callers(caller: Caller) -> None:
    call(caller, ANYONE).require(OWNER)


@pytest.mark.parametrize("policy", [SERVERS, OWNER_AND_SERVERS, READERS, Policy()])
def test_nobody_is_unauthenticated_under_all_other_policies(policy: Policy) -> None:
    with pytest.raises(UnauthenticatedError):
        call(NOBODY, policy).require(OWNER)


@pytest.mark.parametrize("caller", [SERVICE, Caller(OWNER), Caller(OTHER)])
def test_a_policy_without_anyone_refuses_all_callers(caller: Caller) -> None:
    grants = OneGrant(ROOT, CUSTODIAN, UPLOAD, VIEW, NOTE)
    for owner_id in (OWNER, None):
        with pytest.raises(UnauthorizedError):
            call(caller, Policy(), grants).require(owner_id)


def test_servers_need_a_policy_that_names_them() -> None:
    call(SERVICE, SERVERS).require(OWNER)
    call(SERVICE, SERVERS).require()
    call(Caller("a-server", is_server=True), SERVERS).require(OWNER)
    with pytest.raises(UnauthorizedError):
        call(SERVICE, USERS_WHO_UPLOAD).require(OWNER)


def test_a_server_is_not_the_owner_even_if_its_name_is_the_owners_id() -> None:
    with pytest.raises(UnauthorizedError):
        call(Caller(OWNER, is_server=True), USERS_WHO_UPLOAD).require(OWNER)


def test_the_owner_needs_a_policy_that_names_the_owner() -> None:
    call(Caller(OWNER), OWNER_AND_SERVERS).require(OWNER)
    with pytest.raises(UnauthorizedError):
        call(Caller(OWNER), SERVERS).require(OWNER)


def device(user_id: str, scope: Scope) -> Caller:
    """A device with a credential of this user."""
    credential = NightscoutCredential("id", user_id, "phone", scope, "hash", NOW_MS, user_id)
    return Caller(user_id, nightscout_credential=credential)


@pytest.mark.parametrize(
    ("scope", "policy", "is_allowed"),
    [
        (Scope.READ, NIGHTSCOUT_READERS, True),
        (Scope.UPLOAD, NIGHTSCOUT_READERS, True),
        (Scope.READ, NIGHTSCOUT_UPLOADERS, False),
        (Scope.UPLOAD, NIGHTSCOUT_UPLOADERS, True),
        (Scope.UPLOAD, OWNER_AND_SERVERS, False),
    ],
)
def test_a_device_needs_a_policy_that_names_its_scope(scope: Scope, policy: Policy, is_allowed: bool) -> None:
    asked = call(device(OWNER, scope), policy)
    if is_allowed:
        asked.require(OWNER)
    else:
        with pytest.raises(UnauthorizedError):
            asked.require(OWNER)


@pytest.mark.parametrize("other_id", [OWNER, "cccccccccc", None])
def test_a_device_acts_on_the_data_of_its_user_only(other_id: str | None) -> None:
    """Grants of others to its user are not for devices."""
    policy = Policy(permissions=frozenset({VIEW, UPLOAD}), nightscout=frozenset(Scope))
    call(device(OTHER, Scope.UPLOAD), policy, OneGrant(VIEW, UPLOAD)).require(OTHER)
    with pytest.raises(UnauthorizedError):
        call(device(OTHER, Scope.UPLOAD), policy, OneGrant(VIEW, UPLOAD)).require(other_id)


def test_a_user_may_not_act_on_what_belongs_to_no_user() -> None:
    with pytest.raises(UnauthorizedError):
        call(Caller(OTHER), READERS, OneGrant(VIEW)).require()


@pytest.mark.parametrize(
    ("granted", "policy", "is_allowed"),
    [
        ((), READERS, False),
        ((VIEW,), READERS, True),
        ((UPLOAD,), READERS, False),
        ((CUSTODIAN,), READERS, False),
        ((NOTE, VIEW), READERS, True),
        ((UPLOAD,), UPLOADERS, True),
        ((VIEW,), UPLOADERS, False),
        ((CUSTODIAN,), DATA_SET_LISTERS, True),
        ((ROOT,), READERS, True),
        ((ROOT,), UPLOADERS, True),
        ((ROOT,), CUSTODIANS, False),
        ((VIEW, UPLOAD, CUSTODIAN), OWNER_AND_SERVERS, False),
    ],
)
def test_another_user_needs_one_of_the_policys_permissions(
    granted: tuple[str, ...], policy: Policy, is_allowed: bool
) -> None:
    asked = call(Caller(OTHER), policy, OneGrant(*granted))
    if is_allowed:
        asked.require(OWNER)
    else:
        with pytest.raises(UnauthorizedError):
            asked.require(OWNER)


def test_a_grant_holds_for_one_owner_and_in_one_direction() -> None:
    with pytest.raises(UnauthorizedError):
        call(Caller(OTHER), READERS, OneGrant(VIEW)).require("cccccccccc")
    with pytest.raises(UnauthorizedError):
        call(Caller(OWNER), READERS, OneGrant(VIEW)).require(OTHER)


@pytest.mark.parametrize("caller", [SERVICE, Caller(OWNER)])
def test_grants_are_not_read_for_owners_and_servers(caller: Caller) -> None:
    grants = OneGrant()
    call(caller, READERS, grants).require(OWNER)
    assert grants.reads == 0


@pytest.mark.parametrize("caller", [SERVICE, Caller(OWNER)])
def test_owners_and_servers_see_all_data(caller: Caller) -> None:
    assert call(caller, READERS, OneGrant(view_from_ms=FROM_MS)).require_view(OWNER) is None


def test_a_view_of_all_data_has_no_start() -> None:
    assert call(Caller(OTHER), READERS, OneGrant(VIEW, view_from_ms=FROM_MS)).require_view(OWNER) is None


def test_a_view_of_the_last_hours_starts_where_they_start() -> None:
    assert call(Caller(OTHER), READERS, OneGrant(view_from_ms=FROM_MS)).require_view(OWNER) == FROM_MS


@pytest.mark.parametrize("policy", [UPLOADERS, CUSTODIANS, OWNER_AND_SERVERS])
def test_a_view_of_the_last_hours_counts_only_where_view_is_enough(policy: Policy) -> None:
    with pytest.raises(UnauthorizedError):
        call(Caller(OTHER), policy, OneGrant(view_from_ms=FROM_MS)).require_view(OWNER)


def test_without_a_view_no_data_is_seen() -> None:
    with pytest.raises(UnauthorizedError):
        call(Caller(OTHER), READERS, OneGrant(UPLOAD)).require_view(OWNER)
    with pytest.raises(UnauthenticatedError):
        call(NOBODY, READERS, OneGrant(view_from_ms=FROM_MS)).require_view(OWNER)


def test_the_platform_calls_as_a_server() -> None:
    platform = platform_call(NOW_MS, lambda: "an id")
    platform.require(OWNER)
    platform.require()
    assert platform.require_view(OWNER) is None
    assert (platform.now_ms, platform.new_id()) == (NOW_MS, "an id")


def test_a_policy_without_a_permission_keeps_everything_else() -> None:
    assert UPLOADERS.without(UPLOAD) == OWNER_AND_SERVERS
    assert DATA_SET_LISTERS.without(VIEW).permissions == {CUSTODIAN, UPLOAD}
