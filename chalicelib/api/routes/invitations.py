"""Invitations to a care team over HTTP. Source: confirm 3."""

from chalicelib.api.messages import Reply, Request
from chalicelib.api.operations.confirm import (
    ACCEPT_INVITE,
    CANCEL_INVITE,
    DISMISS_INVITE,
    LIST_RECEIVED_INVITES,
    LIST_SENT_INVITES,
    RESEND_INVITE,
    SEND_INVITE,
)
from chalicelib.api.rendering import PLAIN_TEXT
from chalicelib.api.routing import ApiBlueprint
from chalicelib.errors import InvalidRequestError
from chalicelib.invitations.list import described, received, sent
from chalicelib.invitations.receive import Answer, accept, dismiss
from chalicelib.invitations.send import renew, send, withdraw

blueprint = ApiBlueprint(__name__)


@blueprint.operation(SEND_INVITE)
def send_invite(request: Request) -> Reply:
    """The invitation."""
    ports = request.services.invitations
    invitation = send(request.call, request.path["userId"], request.json(), ports)
    return Reply(described([invitation], ports)[0])


@blueprint.operation(RESEND_INVITE)
def resend_invite(request: Request) -> Reply:
    """The invitation with its new times."""
    ports = request.services.invitations
    invitation = renew(request.call, request.path["key"], ports)
    return Reply(described([invitation], ports)[0])


@blueprint.operation(CANCEL_INVITE)
def cancel_invite(request: Request) -> Reply:
    """Nothing."""
    withdraw(request.call, request.path["userId"], request.path["invitedBy"], request.services.invitations)
    return Reply()


@blueprint.operation(LIST_SENT_INVITES)
def list_sent_invites(request: Request) -> Reply:
    """The invitations that the user sent."""
    return Reply(sent(request.call, request.path["userId"], request.services.invitations))


@blueprint.operation(LIST_RECEIVED_INVITES)
def list_received_invites(request: Request) -> Reply:
    """The invitations that the user received."""
    return Reply(received(request.call, request.path["userId"], request.services.invitations))


@blueprint.operation(ACCEPT_INVITE)
def accept_invite(request: Request) -> Reply:
    """`OK`, as plain text."""
    accept(request.call, _answer(request), request.services.invitations)
    return Reply(b"OK", headers={"Content-Type": PLAIN_TEXT})


@blueprint.operation(DISMISS_INVITE)
def dismiss_invite(request: Request) -> Reply:
    """Nothing."""
    dismiss(request.call, _answer(request), request.services.invitations)
    return Reply()


def _answer(request: Request) -> Answer:
    """The invitation that the path and the body name.

    Raises:
        InvalidRequestError: the body has no key.
    """
    body = request.json()
    key = body.get("key") if isinstance(body, dict) else None
    if not isinstance(key, str) or not key:
        raise InvalidRequestError("the body has no key")
    return Answer(request.path["userId"], request.path["invitedBy"], key)
