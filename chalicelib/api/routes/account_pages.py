"""Pages about accounts beside sign-in. Source: confirm 6."""

from collections.abc import Callable, Mapping
from urllib.parse import urlencode

from chalicelib.api.messages import Reply, Request
from chalicelib.api.operations.account_pages import (
    ANSWER_INVITATION,
    ASK_NEW_PASSWORD,
    CREATE_ACCOUNT,
    OPEN_INVITATION,
    SET_NEW_PASSWORD,
    SHOW_CREATE_ACCOUNT,
    SHOW_FORGOTTEN_PASSWORD,
    SHOW_INVITATION,
    SHOW_NEW_PASSWORD,
    SHOW_VERIFY_EMAIL,
    VERIFY_EMAIL,
)
from chalicelib.api.pages.create_account import create_account
from chalicelib.api.pages.forgotten_password import forgotten_password
from chalicelib.api.pages.invitation import answer_invitation, show_invitation
from chalicelib.api.pages.new_password import set_new_password, show_new_password
from chalicelib.api.pages.sign_in_page import refusal_page
from chalicelib.api.pages.verify_email import show_verify_email, verify_email
from chalicelib.api.pages.visit import redirect
from chalicelib.api.realm import realm_ports
from chalicelib.api.routing import ApiBlueprint
from chalicelib.errors import NotFoundError
from chalicelib.sign_in.errors import OAuthError
from chalicelib.sign_in.parameters import Parameters, form_parameters, unique_parameters
from chalicelib.sign_in.ports import SignInPorts

blueprint = ApiBlueprint(__name__)


@blueprint.operation(SHOW_NEW_PASSWORD)
def get_new_password(request: Request) -> Reply:
    """The form for a new password, or why the link does not work."""
    return show_new_password(request, _fields(request).get("key", ""))


@blueprint.operation(SET_NEW_PASSWORD)
def post_new_password(request: Request) -> Reply:
    """A page that says that the password is set, or the form again."""
    return set_new_password(request, _fields(request))


@blueprint.operation(SHOW_VERIFY_EMAIL)
def get_verify_email(request: Request) -> Reply:
    """The form that proves an address, or why the link does not work."""
    return show_verify_email(request, _fields(request).get("key", ""))


@blueprint.operation(VERIFY_EMAIL)
def post_verify_email(request: Request) -> Reply:
    """A page that says that the address is proven, or the form again."""
    return verify_email(request, _fields(request))


@blueprint.operation(SHOW_CREATE_ACCOUNT)
def get_create_account(request: Request) -> Reply:
    """The form for a new account."""
    return create_account(request, request.query, realm_ports(request))


@blueprint.operation(CREATE_ACCOUNT)
def post_create_account(request: Request) -> Reply:
    """A redirect to the app with a code, or the form again."""
    return _of_form(request, create_account)


@blueprint.operation(SHOW_FORGOTTEN_PASSWORD)
def get_forgotten_password(request: Request) -> Reply:
    """The form that asks for the address."""
    return forgotten_password(request, request.query, realm_ports(request))


@blueprint.operation(ASK_NEW_PASSWORD)
def post_forgotten_password(request: Request) -> Reply:
    """A page that says that a mail comes, whether or not the address has an account."""
    return _of_form(request, forgotten_password)


def _of_form(request: Request, page: Callable[[Request, Parameters, SignInPorts], Reply]) -> Reply:
    """The reply of a page to the form that was sent, or a page that says why it cannot be read."""
    ports = realm_ports(request)
    try:
        return page(request, form_parameters(request.body), ports)
    except OAuthError as error:
        return refusal_page(f"The form cannot be read: {error.description}.", 400)


@blueprint.operation(SHOW_INVITATION)
def get_invitation(request: Request) -> Reply:
    """The invitation, and what the person can do with it."""
    return show_invitation(request, _fields(request).get("key", ""))


@blueprint.operation(ANSWER_INVITATION)
def post_invitation(request: Request) -> Reply:
    """A page that says what was done, or the invitation again."""
    return answer_invitation(request, _fields(request))


@blueprint.operation(OPEN_INVITATION)
def open_invitation(request: Request) -> Reply:
    """A redirect to the page of an invitation, without what the sign-in added to the address."""
    provider = request.services.sign_in.provider
    provider.require_realm(provider.realm)
    key = urlencode({"key": next(iter(request.query.get("key", ())), "")})
    return redirect(f"{provider.issuer}/login-actions/invitation?{key}")


def _fields(request: Request) -> Mapping[str, str]:
    """The fields of a form that was sent, or of the address. Of a malformed form, and for a realm that the stage has
    not, there are none: no link works there."""
    try:
        request.services.sign_in.provider.require_realm(request.path["realm"])
        sent = unique_parameters(request.body)
    except (NotFoundError, OAuthError):
        return {}
    return sent or {name: values[0] for name, values in request.query.items() if len(values) == 1}
