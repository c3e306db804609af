"""Restricted tokens over HTTP. Source: auth-api 7."""

from chalicelib.accounts import restricted_token as rules
from chalicelib.api.messages import Answer, Request
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
def create(request: Request) -> Answer:
    """The new token."""
    services = request.services
    token = rules.create_restricted_token(
        request.caller,
        request.path["userId"],
        request.json,
        CREATE_RESTRICTED_TOKEN.who_may,
        token_id=services.new_id(),
        tokens=services.restricted_tokens,
        grants=services.grants,
        now_ms=request.now_ms,
    )
    return Answer(rules.restricted_token_object(token))


@blueprint.operation(LIST_RESTRICTED_TOKENS)
def list_all(request: Request) -> Answer:
    """The tokens of a user, newest first."""
    services = request.services
    tokens = rules.list_restricted_tokens(
        request.caller,
        request.path["userId"],
        request.query,
        LIST_RESTRICTED_TOKENS.who_may,
        tokens=services.restricted_tokens,
        grants=services.grants,
    )
    return Answer([rules.restricted_token_object(token) for token in tokens])


@blueprint.operation(DELETE_RESTRICTED_TOKENS)
def delete_all(request: Request) -> Answer:
    """Nothing; none of the user's tokens opens anything any more."""
    tokens, grants = request.services.restricted_tokens, request.services.grants
    who_may = DELETE_RESTRICTED_TOKENS.who_may
    rules.delete_restricted_tokens(request.caller, request.path["userId"], who_may, tokens, grants)
    return Answer()


@blueprint.operation(GET_RESTRICTED_TOKEN)
def get(request: Request) -> Answer:
    """One token."""
    tokens, grants = request.services.restricted_tokens, request.services.grants
    who_may = GET_RESTRICTED_TOKEN.who_may
    token = rules.get_restricted_token(request.caller, request.path["id"], who_may, tokens, grants)
    return Answer(rules.restricted_token_object(token))


@blueprint.operation(UPDATE_RESTRICTED_TOKEN)
def update(request: Request) -> Answer:
    """The token after the change."""
    services = request.services
    token = rules.change_restricted_token(
        request.caller,
        request.path["id"],
        request.json,
        UPDATE_RESTRICTED_TOKEN.who_may,
        tokens=services.restricted_tokens,
        grants=services.grants,
        now_ms=request.now_ms,
    )
    return Answer(rules.restricted_token_object(token))


@blueprint.operation(DELETE_RESTRICTED_TOKEN)
def delete(request: Request) -> Answer:
    """Nothing; the token opens nothing any more."""
    tokens, grants = request.services.restricted_tokens, request.services.grants
    who_may = DELETE_RESTRICTED_TOKEN.who_may
    rules.delete_restricted_token(request.caller, request.path["id"], who_may, tokens, grants)
    return Answer()
