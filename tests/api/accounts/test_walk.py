"""Every operation on accounts, grants and metadata, called by every kind of caller: the operation table decides."""

from dataclasses import dataclass, replace

import pytest

from chalicelib.access.call import RestrictedToken
from chalicelib.access.policy import ROOT, UPLOAD, VIEW
from chalicelib.accounts.ports import MetadataCollection
from chalicelib.api.operations.accounts import ACCOUNT_OPERATIONS
from chalicelib.api.operations.metadata import METADATA_OPERATIONS
from chalicelib.api.operations.operation import ErrorFormat, Operation
from chalicelib.api.operations.restricted_tokens import RESTRICTED_TOKEN_OPERATIONS
from tests.api.conftest import ApiClient
from tests.fakes.prepared import prepared
from tests.fakes.services import START_MS, FakeServices

OWNER = "aaaaaaaaaa"
OTHER = "bbbbbbbbbb"
GRANTEE = "cccccccccc"
BODY = {"password": "password", "updates": {}}
"""Confirms a deletion and updates nothing."""

BODIES: dict[str, dict[str, str]] = {"grants.set": {}, "restricted_tokens.create": {}, "restricted_tokens.update": {}}
OPERATIONS = (*ACCOUNT_OPERATIONS, *METADATA_OPERATIONS, *RESTRICTED_TOKEN_OPERATIONS)
ROUTES = tuple((operation, path) for operation in OPERATIONS for path in operation.paths)
PERMISSIONS = ("root", "custodian", "admin", "view", "upload", "note", "follow", "bogus")
OWNED = ("{userId}", "{sharerId}", "{id}", "/groups")
"""Parts of a path that name an owner; where none does, a user acts on what is their own."""


@dataclass(frozen=True, slots=True)
class Someone:
    """A caller; without a user id, `token` is absent or unknown."""

    name: str
    user_id: str | None = None
    token: str | None = None
    is_server: bool = False
    granted: str | None = None
    """A permission of the owner's."""
    grants_to_owner: bool = False

    def __str__(self) -> str:
        return self.name


NOBODIES = (Someone("nobody"), Someone("a wrong token", token="wrong"), Someone("an empty token", token=""))
USERS = (
    Someone("the owner", OWNER),
    Someone("a stranger", OTHER),
    Someone("a sharer with the owner", OTHER, grants_to_owner=True),
    Someone("the grantee of the path", GRANTEE),
    *(Someone(f"a grantee who may {name}", OTHER, granted=name) for name in PERMISSIONS),
)
SERVER = Someone("a server", "server", is_server=True)


def may(operation: Operation, path: str, someone: Someone) -> bool:
    """The status that the table demands."""
    policy = operation.policy
    if policy.anyone:
        return True
    if (operation.name, path, someone.is_server) == ("users.update", "/auth/user", True):
        return False  # a server has no account of its own, and a missing account is not told apart (auth-api 5)
    if someone.is_server or someone.user_id is None:
        return policy.server and someone.is_server
    if path == "/access/groups":
        return False  # the sharer is then called "groups" (access-api A1)
    if someone.grants_to_owner and path.endswith("/private"):
        return False  # who shares with the owner sees the name in the profile only (access-api B2)
    if someone.user_id == OWNER or not any(part in path for part in OWNED):
        return policy.owner
    if policy.grantee and "{granteeId}" in path and someone.user_id == GRANTEE:
        return True
    if policy.related and (someone.granted is not None or someone.grants_to_owner):
        return True
    named = {someone.granted} & policy.permissions
    return bool(named) or (someone.granted == ROOT and bool(policy.permissions & {VIEW, UPLOAD}))


def set_scene(_api: ApiClient, fakes: FakeServices) -> None:
    """Give the owner a session, a password, a restricted token and two collections of metadata."""
    fakes.sign_in(OWNER)
    account = fakes.accounts.find(OWNER)
    assert account is not None
    fakes.accounts.replace(account, replace(account, password_hash="now:password", version=account.version + 1))
    fakes.restricted_tokens.add(RestrictedToken("restricted", OWNER, None, START_MS + 1, START_MS))
    fakes.profiles.replace(OWNER, "profile", None, MetadataCollection({"fullName": "A"}, 1))
    fakes.profiles.replace(OWNER, "private", None, MetadataCollection({}, 1))


def attempt(api: ApiClient, fakes: FakeServices, operation: Operation, path: str, someone: Someone) -> int:
    """The status that someone gets."""
    prepared(set_scene, fakes)
    fakes.grant(OWNER, GRANTEE, ["bogus"] if operation.name.startswith("grants") else [])
    if someone.granted is not None:
        fakes.grant(OWNER, OTHER, [someone.granted])
    if someone.grants_to_owner:
        fakes.grant(OTHER, OWNER, ["note"])
    token = someone.token
    if someone.user_id is not None:
        token = fakes.sign_in(someone.user_id, is_server=someone.is_server)
    values = {
        "userId": OWNER,
        "sharerId": OWNER,
        "granteeId": GRANTEE,
        "id": "restricted",
        "token": f"token-of-{OWNER}",
        "collection": "profile",
        "name": "name",
        "clinicId": "clinic",
        "longtermkey": "key",
    }
    body = BODIES.get(operation.name, BODY)
    return api.request(operation.method, path.format(**values), body, token=token).status


@pytest.mark.parametrize("someone", [*NOBODIES, *USERS, SERVER], ids=str)
@pytest.mark.parametrize(("operation", "path"), ROUTES, ids=[f"{row.method} {path}" for row, path in ROUTES])
def test_each_caller_may_do_what_the_table_allows(
    api: ApiClient, fakes: FakeServices, operation: Operation, path: str, someone: Someone
) -> None:
    status = attempt(api, fakes, operation, path, someone)
    if may(operation, path, someone):
        assert status not in (401, 403, 500)
    elif someone.user_id is None or operation.error_format in (ErrorFormat.AUTH, ErrorFormat.NODE):
        assert status == 401
    else:
        assert status == 403
