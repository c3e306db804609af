"""Restricted tokens over HTTP. Source: auth-api 7."""

from chalicelib.accounts import restricted_token as rules
from chalicelib.api.messages import Reply, Request, idempotency_key
from chalicelib.api.operations.restricted_tokens import (
    CREATE_RESTRICTED_TOKEN,
    DELETE_RESTRICTED_TOKEN,
    DELETE_RESTRICTED_TOKENS,
    GET_RESTRICTED_TOKEN,
    LIST_RESTRICTED_TOKENS,
    UPDATE_RESTRICTED_TOKEN,
)
from chalicelib.api.routing import ApiBlueprint

blueprint = ApiBlueprint(__name__)


@blueprint.operation(CREATE_RESTRICTED_TOKEN)
def create(request: Request) -> Reply:
    """The new token."""
    user_id, accounts = request.path["userId"], request.services.accounts
    key = idempotency_key(request)
    token = rules.create_restricted_token(request.call, user_id, request.json, accounts, key)
    return Reply(rules.restricted_token_object(token))


@blueprint.operation(LIST_RESTRICTED_TOKENS)
def list_all(request: Request) -> Reply:
    """The tokens of a user, newest first."""
    user_id, accounts = request.path["userId"], request.services.accounts
    tokens = rules.list_restricted_tokens(request.call, user_id, request.query, accounts)
    return Reply([rules.restricted_token_object(token) for token in tokens])


@blueprint.operation(DELETE_RESTRICTED_TOKENS)
def delete_all(request: Request) -> Reply:
    """An empty body. None of the user's tokens is valid any more."""
    rules.delete_restricted_tokens(request.call, request.path["userId"], request.services.accounts)
    return Reply()


@blueprint.operation(GET_RESTRICTED_TOKEN)
def get(request: Request) -> Reply:
    """One token."""
    token = rules.get_restricted_token(request.call, request.path["id"], request.services.accounts)
    return Reply(rules.restricted_token_object(token))


@blueprint.operation(UPDATE_RESTRICTED_TOKEN)
def update(request: Request) -> Reply:
    """The token after the change."""
    token_id, accounts = request.path["id"], request.services.accounts
    token = rules.change_restricted_token(request.call, token_id, request.json, accounts)
    return Reply(rules.restricted_token_object(token))


@blueprint.operation(DELETE_RESTRICTED_TOKEN)
def delete(request: Request) -> Reply:
    """An empty body. The token is not valid any more."""
    rules.delete_restricted_token(request.call, request.path["id"], request.services.accounts)
    return Reply()
