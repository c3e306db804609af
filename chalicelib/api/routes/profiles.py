"""Metadata over HTTP: profiles and other collections. Source: access-api B."""

from chalicelib.access.call import require
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
    """The names of the collections that are known by name."""
    return Reply(list(COLLECTIONS))


@blueprint.operation(GET_COLLECTION)
def get_collection(request: Request) -> Reply:
    """A collection, or as much of it as the caller may see."""
    services = request.services
    values = read_collection(
        request.caller,
        request.path["userId"],
        _collection(request),
        GET_COLLECTION.policy,
        grants=services.accounts.grants,
        profiles=services.accounts.profiles,
    )
    return Reply(values)


@blueprint.operation(PUT_COLLECTION)
@blueprint.operation(POST_COLLECTION)
def put_collection(request: Request) -> Reply:
    """The whole collection after the update."""
    services = request.services
    values = write_collection(
        request.caller,
        request.path["userId"],
        _collection(request),
        request.json(),
        request.operation.policy,
        grants=services.accounts.grants,
        profiles=services.accounts.profiles,
    )
    return Reply(values)


@blueprint.operation(DELETE_COLLECTION)
@blueprint.operation(DELETE_PRIVATE_PAIR)
def refuse_deletion(request: Request) -> Reply:
    """Nothing: a collection goes with its user only."""
    require(request.caller, request.path["userId"], request.operation.policy, request.services.accounts.grants)
    return Reply()


@blueprint.operation(GET_USER_PRIVATE_PAIR)
def get_private_pair(request: Request) -> Reply:
    """A pair of id and hash of the user's, made when it is first asked for."""
    services = request.services
    pair = read_private_pair(
        request.caller,
        request.path["userId"],
        request.path["name"],
        GET_USER_PRIVATE_PAIR.policy,
        grants=services.accounts.grants,
        profiles=services.accounts.profiles,
        new_id=services.new_id,
    )
    return Reply(pair)


@blueprint.operation(LIST_ASSOCIATED_USERS)
def list_associated_users(request: Request) -> Reply:
    """Everyone the user shares with or is shared with."""
    services = request.services
    users = associated_users(
        request.caller,
        request.path["userId"],
        request.query,
        LIST_ASSOCIATED_USERS.policy,
        accounts=services.accounts.accounts,
        grants=services.accounts.grants,
        profiles=services.accounts.profiles,
    )
    return Reply(users)


def _collection(request: Request) -> str:
    """`private` has routes of its own below it, so its path is spelled out (see the operation table)."""
    return request.path.get("collection", PRIVATE)
