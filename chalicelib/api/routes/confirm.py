"""Invitations, confirmations of sign-ups and forgotten passwords over HTTP. Source: confirm 3 to 5."""

from collections.abc import Mapping
from typing import Any

from chalicelib.accounts.password_sign_in import SignInSource
from chalicelib.api.messages import Reply, Request
from chalicelib.api.operations.confirm import (
    ACCEPT_FORGOT,
    ACCEPT_INVITE,
    ACCEPT_SIGN_UP,
    CANCEL_INVITE,
    CANCEL_SIGN_UP,
    CREATE_SIGN_UP,
    DISMISS_INVITE,
    DISMISS_SIGN_UP,
    GET_SIGN_UP,
    LIST_RECEIVED_INVITES,
    LIST_SENT_INVITES,
    RESEND_INVITE,
    RESEND_SIGN_UP,
    SEND_FORGOT,
    SEND_INVITE,
    SEND_SIGN_UP,
)
from chalicelib.api.rendering import PLAIN_TEXT
from chalicelib.api.routing import ApiBlueprint
from chalicelib.confirmations import sign_up
from chalicelib.confirmations.password_reset import order_mail, reset_password
from chalicelib.confirmations.sign_up_confirmation import SignUpStatus, sign_up_object
from chalicelib.errors import (
    InvalidFieldsError,
    InvalidRequestError,
    MalformedJsonError,
    MissingJsonError,
    NothingFoundError,
)
from chalicelib.invitations.list import described, received, sent
from chalicelib.invitations.receive import Answer, accept, dismiss
from chalicelib.invitations.send import renew, send, withdraw
from chalicelib.mail.message import MailKind
from chalicelib.model.errors import VALUE_NOT_EXISTS, type_not

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


@blueprint.operation(SEND_SIGN_UP)
def send_sign_up(request: Request) -> Reply:
    """Nothing."""
    sign_up.send_confirmation(request.call, request.path["userId"], request.services.confirmations)
    return Reply()


@blueprint.operation(RESEND_SIGN_UP)
def resend_sign_up(request: Request) -> Reply:
    """Nothing, whether or not the address has an account."""
    return _order(request, MailKind.SIGN_UP)


@blueprint.operation(ACCEPT_SIGN_UP)
def accept_sign_up(request: Request) -> Reply:
    """Nothing."""
    sign_up.confirm_sign_up(request.call, request.path["key"], _body_or_none(request), request.services.confirmations)
    return Reply()


@blueprint.operation(DISMISS_SIGN_UP)
def dismiss_sign_up(request: Request) -> Reply:
    """Nothing."""
    return _end(request, SignUpStatus.DECLINED)


@blueprint.operation(GET_SIGN_UP)
def get_sign_up(request: Request) -> Reply:
    """The pending confirmation of the user."""
    ports = request.services.confirmations
    return Reply(sign_up_object(sign_up.read_confirmation(request.call, request.path["userId"], ports)))


@blueprint.operation(CREATE_SIGN_UP)
def create_sign_up(request: Request) -> Reply:
    """The new confirmation of the user."""
    made = sign_up.request_confirmation(request.call, request.path["userId"], request.services.confirmations)
    if made is None:
        raise NothingFoundError
    return Reply(sign_up_object(made))


@blueprint.operation(CANCEL_SIGN_UP)
def cancel_sign_up(request: Request) -> Reply:
    """Nothing."""
    return _end(request, SignUpStatus.CANCELED)


@blueprint.operation(SEND_FORGOT)
def send_forgot(request: Request) -> Reply:
    """Nothing, whether or not the address has an account."""
    return _order(request, MailKind.PASSWORD_RESET)


@blueprint.operation(ACCEPT_FORGOT)
def accept_forgot(request: Request) -> Reply:
    """That the password is set."""
    body = request.json()
    key, email, password = (_text(body, name) for name in ("key", "email", "password"))
    reset_password(request.call, key, email, password, request.services.confirmations)
    return Reply({"code": 200, "reason": "Password has been reset."})


def _answer(request: Request) -> Answer:
    """The invitation that the path and the body name."""
    return Answer(request.path["userId"], request.path["invitedBy"], _key(request))


def _key(request: Request) -> str:
    """The key in the body.

    Raises:
        InvalidRequestError: there is none.
    """
    body = request.json()
    key = body.get("key") if isinstance(body, dict) else None
    if not isinstance(key, str) or not key:
        raise InvalidRequestError("the body has no key")
    return key


def _order(request: Request, kind: MailKind) -> Reply:
    source = SignInSource(request.source_ip)
    order_mail(request.call, kind, request.path["email"], source, request.services.confirmations)
    return Reply()


def _end(request: Request, status: SignUpStatus) -> Reply:
    ports = request.services.confirmations
    sign_up.end_confirmation(request.call, request.path["userId"], _key(request), status, ports)
    return Reply()


def _body_or_none(request: Request) -> Any:
    """The body as a JSON value; None without one."""
    try:
        return request.json()
    except MissingJsonError:
        return None


def _text(body: Any, name: str) -> str:
    """A text in the body.

    Raises:
        InvalidFieldsError: it is missing, or something else.
    """
    if not isinstance(body, Mapping):
        raise MalformedJsonError("the body is not an object")
    if name not in body:
        raise InvalidFieldsError((VALUE_NOT_EXISTS.at(f"/{name}"),))
    value = body[name]
    if not isinstance(value, str):
        raise InvalidFieldsError((type_not("string", value).at(f"/{name}"),))
    return value
