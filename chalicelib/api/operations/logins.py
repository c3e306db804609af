"""The operations on the logins of a user. Source: auth-api 8."""

from chalicelib.access.policy import OWNER
from chalicelib.api.operations.operation import Operation

LIST_LOGINS = Operation(
    "logins.list", "GET", ("/v1/users/{userId}/logins",), OWNER, summary="Where a user is signed in, last used first"
)
DELETE_LOGIN = Operation(
    "logins.delete",
    "DELETE",
    ("/v1/users/{userId}/logins/{loginId}",),
    OWNER,
    success_status=204,
    summary="Sign out one login, with all of its tokens",
)

LOGIN_OPERATIONS = (LIST_LOGINS, DELETE_LOGIN)
