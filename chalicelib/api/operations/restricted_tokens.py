"""The operations on restricted tokens. Source: auth-api 7."""

from chalicelib.access.policy import OWNER_AND_SERVERS, SERVERS
from chalicelib.api.operations.operation import Operation

USER_PATHS = ("/v1/users/{userId}/restricted_tokens",)
TOKEN_PATHS = ("/v1/restricted_tokens/{id}",)
LIMIT_BYTES = 256 * 1024

CREATE_RESTRICTED_TOKEN = Operation(
    "restricted_tokens.create",
    "POST",
    USER_PATHS,
    OWNER_AND_SERVERS,
    success_status=201,
    summary="Create a short-lived token for links",
    limit_bytes=LIMIT_BYTES,
)
LIST_RESTRICTED_TOKENS = Operation(
    "restricted_tokens.list", "GET", USER_PATHS, SERVERS, summary="The restricted tokens of a user, newest first"
)
DELETE_RESTRICTED_TOKENS = Operation(
    "restricted_tokens.delete_all",
    "DELETE",
    USER_PATHS,
    SERVERS,
    success_status=204,
    summary="Delete all restricted tokens of a user",
)
GET_RESTRICTED_TOKEN = Operation("restricted_tokens.get", "GET", TOKEN_PATHS, SERVERS, summary="One restricted token")
UPDATE_RESTRICTED_TOKEN = Operation(
    "restricted_tokens.update",
    "PUT",
    TOKEN_PATHS,
    SERVERS,
    summary="Change when a restricted token expires",
    limit_bytes=LIMIT_BYTES,
)
DELETE_RESTRICTED_TOKEN = Operation(
    "restricted_tokens.delete", "DELETE", TOKEN_PATHS, OWNER_AND_SERVERS, summary="Delete a restricted token"
)

RESTRICTED_TOKEN_OPERATIONS: tuple[Operation, ...] = (
    CREATE_RESTRICTED_TOKEN,
    LIST_RESTRICTED_TOKENS,
    DELETE_RESTRICTED_TOKENS,
    GET_RESTRICTED_TOKEN,
    UPDATE_RESTRICTED_TOKEN,
    DELETE_RESTRICTED_TOKEN,
)
