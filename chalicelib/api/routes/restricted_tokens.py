"""Restricted tokens over HTTP. Source: auth-api 7."""

from chalicelib.accounts import restricted_token as rules
from chalicelib.api.messages import Reply, Request
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
    services = request.services
    token = rules.create_restricted_token(
        request.caller,
        request.path["userId"],
        request.json,
        CREATE_RESTRICTED_TOKEN.policy,
        token_id=services.new_id(),
        tokens=services.accounts.restricted_tokens,
        grants=services.accounts.grants,
        now_ms=request.now_ms,
    )
    return Reply(rules.restricted_token_object(token))


@blueprint.operation(LIST_RESTRICTED_TOKENS)
def list_all(request: Request) -> Reply:
    """The tokens of a user, newest first."""
    services = request.services
    tokens = rules.list_restricted_tokens(
        request.caller,
        request.path["userId"],
        request.query,
        LIST_RESTRICTED_TOKENS.policy,
        tokens=services.accounts.restricted_tokens,
        grants=services.accounts.grants,
    )
    return Reply([rules.restricted_token_object(token) for token in tokens])


@blueprint.operation(DELETE_RESTRICTED_TOKENS)
def delete_all(request: Request) -> Reply:
    """Nothing; none of the user's tokens opens anything any more."""
    tokens, grants = request.services.accounts.restricted_tokens, request.services.accounts.grants
    policy = DELETE_RESTRICTED_TOKENS.policy
    rules.delete_restricted_tokens(request.caller, request.path["userId"], policy, tokens, grants)
    return Reply()


@blueprint.operation(GET_RESTRICTED_TOKEN)
def get(request: Request) -> Reply:
    """One token."""
    tokens, grants = request.services.accounts.restricted_tokens, request.services.accounts.grants
    policy = GET_RESTRICTED_TOKEN.policy
    token = rules.get_restricted_token(request.caller, request.path["id"], policy, tokens, grants)
    return Reply(rules.restricted_token_object(token))


@blueprint.operation(UPDATE_RESTRICTED_TOKEN)
def update(request: Request) -> Reply:
    """The token after the change."""
    services = request.services
    token = rules.change_restricted_token(
        request.caller,
        request.path["id"],
        request.json,
        UPDATE_RESTRICTED_TOKEN.policy,
        tokens=services.accounts.restricted_tokens,
        grants=services.accounts.grants,
        now_ms=request.now_ms,
    )
    return Reply(rules.restricted_token_object(token))


@blueprint.operation(DELETE_RESTRICTED_TOKEN)
def delete(request: Request) -> Reply:
    """Nothing; the token opens nothing any more."""
    tokens, grants = request.services.accounts.restricted_tokens, request.services.accounts.grants
    policy = DELETE_RESTRICTED_TOKEN.policy
    rules.delete_restricted_token(request.caller, request.path["id"], policy, tokens, grants)
    return Reply()
