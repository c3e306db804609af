"""Nightscout credentials over HTTP. Source: nightscout-api 15."""

from chalicelib.api.messages import Reply, Request, idempotency_key
from chalicelib.api.operations.nightscout import CREATE_CREDENTIAL, LIST_CREDENTIALS, REVOKE_CREDENTIAL
from chalicelib.api.routing import ApiBlueprint
from chalicelib.nightscout import credentials as rules

blueprint = ApiBlueprint(__name__)


@blueprint.operation(CREATE_CREDENTIAL)
def create(request: Request) -> Reply:
    """The new credential, with its token this once."""
    user_id, accounts = request.path["userId"], request.services.accounts
    issued = rules.create_credential(request.call, user_id, request.json, accounts, idempotency_key(request))
    return Reply(rules.issued_credential_object(issued), headers={"Cache-Control": "no-store"})


@blueprint.operation(LIST_CREDENTIALS)
def list_all(request: Request) -> Reply:
    """The credentials of a user, newest first."""
    credentials = rules.list_credentials(request.call, request.path["userId"], request.services.accounts)
    return Reply([rules.credential_object(credential) for credential in credentials])


@blueprint.operation(REVOKE_CREDENTIAL)
def revoke(request: Request) -> Reply:
    """An empty body. The credential opens nothing any more."""
    user_id, credential_id = request.path["userId"], request.path["id"]
    rules.revoke_credential(request.call, user_id, credential_id, request.services.accounts)
    return Reply()
