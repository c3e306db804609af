"""The operations on accounts, sessions, grants and metadata. Source: auth-api 1, access-api A1."""

from chalicelib.access.policy import ANYONE, CUSTODIAN, CUSTODIANS, OWNER_AND_SERVERS, SERVERS, Policy
from chalicelib.api.operations.operation import ErrorFormat, Operation

AUTH = ErrorFormat.AUTH
NODE = ErrorFormat.NODE

LIMIT_BYTES = 256 * 1024
"""Bodies about accounts are small, and have to fit into an item of the table."""
NO_TOKEN = "No x-tidepool-session-token was found"  # noqa: S105  a sentence, not a token
TOKEN_DEFECT = "Error generating the token"  # noqa: S105  the same
SIGN_IN_DEFECT = "Error updating token"
CREATION_DEFECT = "Error creating the user"

ADMIN = "admin"
"""A permission that counts as `custodian` for the grants between two users (access-api A1)."""
SHARING_MANAGERS = Policy(owner=True, server=True, grantee=True, permissions=frozenset({CUSTODIAN, ADMIN}))

LOGIN = Operation(
    "sessions.login",
    "POST",
    ("/auth/login", "/auth/login/{longtermkey}"),
    ANYONE,
    AUTH,
    summary="Sign in with e-mail address and password",
    limit_bytes=LIMIT_BYTES,
    defect_reason=SIGN_IN_DEFECT,
)
REFRESH = Operation(
    "sessions.refresh",
    "GET",
    ("/auth/login",),
    OWNER_AND_SERVERS,
    AUTH,
    summary="Another token for the remaining time of the login",
    unauthorized_reason=None,
    defect_reason=SIGN_IN_DEFECT,
)
LOGOUT = Operation(
    "sessions.logout",
    "POST",
    ("/auth/logout",),
    ANYONE,
    AUTH,
    summary="End the login that the token belongs to",
    limit_bytes=LIMIT_BYTES,
)
SERVER_LOGIN = Operation(
    "sessions.server_login",
    "POST",
    ("/auth/serverlogin",),
    ANYONE,
    AUTH,
    summary="Sign in as a server, with the secret of the stage",
    limit_bytes=LIMIT_BYTES,
    defect_reason=TOKEN_DEFECT,
)
GET_TOKEN = Operation(
    "sessions.get",
    "GET",
    ("/auth/token",),
    OWNER_AND_SERVERS,
    AUTH,
    summary="What the caller's token stands for",
    unauthorized_reason=NO_TOKEN,
    defect_reason=TOKEN_DEFECT,
)
CHECK_TOKEN = Operation(
    "sessions.check",
    "GET",
    ("/auth/token/{token}",),
    SERVERS,
    AUTH,
    summary="What a token stands for",
    unauthorized_reason=NO_TOKEN,
    defect_reason=TOKEN_DEFECT,
)
DELETE_SESSIONS = Operation(
    "sessions.delete",
    "DELETE",
    ("/auth/user/{userId}/sessions",),
    SERVERS,
    AUTH,
    204,
    unauthorized_reason=NO_TOKEN,
    summary="End all sessions of a user",
)

CREATE_USER = Operation(
    "users.create",
    "POST",
    ("/auth/user",),
    ANYONE,
    AUTH,
    201,
    summary="Sign up",
    limit_bytes=LIMIT_BYTES,
    defect_reason=CREATION_DEFECT,
)
GET_USER = Operation(
    "users.get",
    "GET",
    ("/auth/user", "/auth/user/{userId}", "/v1/users/{userId}"),
    CUSTODIANS,
    AUTH,
    summary="A user, by id or e-mail address; the caller without either",
)
UPDATE_USER = Operation(
    "users.update",
    "PUT",
    ("/auth/user", "/auth/user/{userId}"),
    CUSTODIANS,
    AUTH,
    summary="Change a user",
    limit_bytes=LIMIT_BYTES,
    defect_reason="Error updating user",
)
DELETE_USER = Operation(
    "users.delete",
    "DELETE",
    ("/auth/user/{userId}",),
    CUSTODIANS,
    AUTH,
    204,
    summary="Delete a user and all that belongs to them",
    limit_bytes=LIMIT_BYTES,
    unauthorized_reason=None,
    defect_reason=None,
)
CREATE_CUSTODIAL_USER = Operation(
    "users.create_custodial",
    "POST",
    ("/auth/user/{userId}/user",),
    OWNER_AND_SERVERS,
    AUTH,
    201,
    summary="Create an account that the user manages for someone else",
    limit_bytes=LIMIT_BYTES,
    defect_reason=CREATION_DEFECT,
)
CREATE_CLINIC_USER = Operation(
    "users.create_for_clinic",
    "POST",
    ("/v1/clinics/{clinicId}/users",),
    SERVERS,
    AUTH,
    201,
    summary="Create an account that nobody manages yet",
    limit_bytes=LIMIT_BYTES,
    defect_reason=CREATION_DEFECT,
)
LIST_USERS = Operation("users.list", "GET", ("/auth/users",), SERVERS, AUTH, summary="Users by ids or by role")
GET_PRIVATE_PAIR = Operation(
    "private_pair.get", "GET", ("/auth/private",), ANYONE, AUTH, summary="A fresh random id and hash"
)

GET_AUTH_STATUS = Operation(
    "auth_status.get", "GET", ("/auth/status",), ANYONE, AUTH, summary="Whether accounts answer"
)
GET_ACCESS_STATUS = Operation(
    "access_status.get",
    "GET",
    ("/access/status", "/metadata/status"),
    ANYONE,
    NODE,
    summary="Whether grants and metadata answer",
)

LIST_GROUPS = Operation(
    "grants.list_groups",
    "GET",
    ("/access/groups/{userId}",),
    CUSTODIANS,
    NODE,
    summary="What others grant to a user, by sharer",
)
LIST_GRANTS = Operation(
    "grants.list",
    "GET",
    # Without an id, "groups" is read as the id of a sharer (access-api A1).
    ("/access/{sharerId}", "/access/groups"),
    CUSTODIANS,
    NODE,
    summary="What a user grants to others, by grantee",
)
GET_GRANT = Operation(
    "grants.get",
    "GET",
    ("/access/{sharerId}/{granteeId}",),
    SHARING_MANAGERS,
    NODE,
    summary="What one user grants to another",
)
SET_GRANT = Operation(
    "grants.set",
    "POST",
    ("/access/{sharerId}/{granteeId}",),
    SHARING_MANAGERS,
    NODE,
    summary="Replace what one user grants to another; an empty body removes it, which the grantee may do too",
    limit_bytes=LIMIT_BYTES,
)

ACCOUNT_OPERATIONS: tuple[Operation, ...] = (
    LOGIN,
    REFRESH,
    LOGOUT,
    SERVER_LOGIN,
    GET_TOKEN,
    CHECK_TOKEN,
    DELETE_SESSIONS,
    CREATE_USER,
    GET_USER,
    UPDATE_USER,
    DELETE_USER,
    CREATE_CUSTODIAL_USER,
    CREATE_CLINIC_USER,
    LIST_USERS,
    GET_PRIVATE_PAIR,
    GET_AUTH_STATUS,
    GET_ACCESS_STATUS,
    LIST_GROUPS,
    LIST_GRANTS,
    GET_GRANT,
    SET_GRANT,
)
