"""The operations on metadata. Source: access-api B1."""

from chalicelib.access.policy import ANYONE, CUSTODIANS, SERVERS, Policy
from chalicelib.api.operations.operation import ErrorFormat, Operation

NODE = ErrorFormat.NODE
LIMIT_BYTES = 256 * 1024
RELATED = Policy(owner=True, server=True, related=True)
COLLECTION_PATHS = ("/metadata/{userId}/{collection}", "/metadata/{userId}/private")
"""`private` has a path of its own, since the gateway prefers a fixed path to one with a parameter."""

LIST_COLLECTIONS = Operation(
    "metadata.list_collections", "GET", ("/metadata/collections",), ANYONE, NODE, summary="Names of known collections"
)
GET_COLLECTION = Operation(
    "metadata.get", "GET", COLLECTION_PATHS, RELATED, NODE, summary="A collection of a user, the profile for example"
)
PUT_COLLECTION = Operation(
    "metadata.put",
    "PUT",
    COLLECTION_PATHS,
    CUSTODIANS,
    NODE,
    summary="Write keys of a collection",
    limit_bytes=LIMIT_BYTES,
)
POST_COLLECTION = Operation(
    "metadata.post",
    "POST",
    COLLECTION_PATHS,
    CUSTODIANS,
    NODE,
    summary="The same as PUT",
    limit_bytes=LIMIT_BYTES,
)
DELETE_COLLECTION = Operation(
    "metadata.delete", "DELETE", COLLECTION_PATHS, CUSTODIANS, NODE, 501, summary="Not implemented, as in the reference"
)
GET_USER_PRIVATE_PAIR = Operation(
    "metadata.get_private_pair",
    "GET",
    ("/metadata/{userId}/private/{name}",),
    SERVERS,
    NODE,
    summary="An id and a hash of the user's, made on first use",
)
DELETE_PRIVATE_PAIR = Operation(
    "metadata.delete_private_pair",
    "DELETE",
    ("/metadata/{userId}/private/{name}",),
    SERVERS,
    NODE,
    501,
    summary="Not implemented, as in the reference",
)
LIST_ASSOCIATED_USERS = Operation(
    "metadata.list_users",
    "GET",
    ("/metadata/users/{userId}/users",),
    CUSTODIANS,
    NODE,
    summary="Everyone the user shares with or is shared with",
)

METADATA_OPERATIONS: tuple[Operation, ...] = (
    LIST_COLLECTIONS,
    GET_COLLECTION,
    PUT_COLLECTION,
    POST_COLLECTION,
    DELETE_COLLECTION,
    GET_USER_PRIVATE_PAIR,
    DELETE_PRIVATE_PAIR,
    LIST_ASSOCIATED_USERS,
)
