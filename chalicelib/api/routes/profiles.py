"""Metadata over HTTP: profiles and other collections. Source: access-api B."""

from chalicelib.accounts.associated_users import associated_users
from chalicelib.accounts.profile import COLLECTIONS, PRIVATE, read_collection, read_private_pair, write_collection
from chalicelib.api.messages import Reply, Request
from chalicelib.api.operations.metadata import (
    DELETE_COLLECTION,
    DELETE_PRIVATE_PAIR,
    GET_COLLECTION,
    GET_USER_PRIVATE_PAIR,
    LIST_ASSOCIATED_USERS,
    LIST_COLLECTIONS,
    POST_COLLECTION,
    PUT_COLLECTION,
)
from chalicelib.api.routing import ApiBlueprint

blueprint = ApiBlueprint(__name__)


@blueprint.operation(LIST_COLLECTIONS)
def list_collections(_request: Request) -> Reply:
    """The names of the standard collections."""
    return Reply(list(COLLECTIONS))


@blueprint.operation(GET_COLLECTION)
def get_collection(request: Request) -> Reply:
    """A collection, or the part of it that the caller may see."""
    user_id, accounts = request.path["userId"], request.services.accounts
    return Reply(read_collection(request.call, user_id, _collection(request), accounts))


@blueprint.operation(PUT_COLLECTION)
@blueprint.operation(POST_COLLECTION)
def put_collection(request: Request) -> Reply:
    """The whole collection after the update."""
    user_id, updates, accounts = request.path["userId"], request.json(), request.services.accounts
    return Reply(write_collection(request.call, user_id, _collection(request), updates, accounts))


@blueprint.operation(DELETE_COLLECTION)
@blueprint.operation(DELETE_PRIVATE_PAIR)
def refuse_deletion(request: Request) -> Reply:
    """An empty body. A collection is deleted only with its user."""
    request.call.require(request.path["userId"])
    return Reply()


@blueprint.operation(GET_USER_PRIVATE_PAIR)
def get_private_pair(request: Request) -> Reply:
    """A pair of id and hash of the user, which the first request creates."""
    user_id, name = request.path["userId"], request.path["name"]
    return Reply(read_private_pair(request.call, user_id, name, request.services.accounts))


@blueprint.operation(LIST_ASSOCIATED_USERS)
def list_associated_users(request: Request) -> Reply:
    """The users with whom the user shares data, in either direction."""
    user_id, accounts = request.path["userId"], request.services.accounts
    return Reply(associated_users(request.call, user_id, request.query, accounts))


def _collection(request: Request) -> str:
    """The name of the collection. `private` has routes below it, so its path is a constant in the operation table."""
    return request.path.get("collection", PRIVATE)
