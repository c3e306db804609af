"""Checks of Nightscout credentials, and JWTs for them. Source: nightscout-api 2 and 8."""

from chalicelib.api.messages import Reply, Request
from chalicelib.api.nightscout_devices import sent_by
from chalicelib.api.operations.nightscout import AUTHORIZE, TEST_UPLOAD, VERIFY_AUTH
from chalicelib.api.routing import ApiBlueprint
from chalicelib.nightscout.authorization import authorize_token, verification

blueprint = ApiBlueprint(__name__)


@blueprint.operation(VERIFY_AUTH)
def verify_auth(request: Request) -> Reply:
    """The rights of the credential, whether or not it is valid."""
    return Reply(verification(request.caller.nightscout_credential, is_sent=bool(sent_by(request))))


@blueprint.operation(TEST_UPLOAD)
def test_upload(request: Request) -> Reply:
    """`{"status": "ok"}` for a credential that may upload."""
    request.call.require(request.caller.user_id)
    return Reply({"status": "ok"})


@blueprint.operation(AUTHORIZE)
def authorize(request: Request) -> Reply:
    """A JWT for the token in the path, or for another JWT."""
    token, accounts = request.path["token"], request.services.accounts
    authorization = authorize_token(request.call, token, request.source_ip, accounts)
    return Reply(authorization.body, headers={"Cache-Control": "no-store"})
