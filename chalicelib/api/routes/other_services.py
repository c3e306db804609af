"""Empty answers of the Tidepool services that Strandline does not have. Source: other-services 1."""

from chalicelib.api.messages import Reply, Request
from chalicelib.api.operations.other_services import (
    AUTHORIZE_PROVIDER,
    LIST_CLINICS_OF_CLINICIAN,
    LIST_CLINICS_OF_PATIENT,
    LIST_CONSENTS,
    LIST_CONSENTS_OF_USER,
    LIST_INVITES_OF_CLINICIAN,
)
from chalicelib.api.pages.sign_in_page import no_vendor_accounts_page
from chalicelib.api.routing import ApiBlueprint
from chalicelib.errors import NotFoundError

blueprint = ApiBlueprint(__name__)


@blueprint.operation(LIST_CONSENTS)
def list_consents(_request: Request) -> Reply:
    """An empty page of consents."""
    return _no_consents()


@blueprint.operation(LIST_CONSENTS_OF_USER)
def list_consents_of_user(request: Request) -> Reply:
    """An empty page of consents."""
    request.call.require(request.path["userId"])
    return _no_consents()


@blueprint.operation(LIST_CLINICS_OF_CLINICIAN)
@blueprint.operation(LIST_CLINICS_OF_PATIENT)
def list_clinics(request: Request) -> Reply:
    """An empty array."""
    request.call.require(request.path["userId"])
    return Reply([])


@blueprint.operation(LIST_INVITES_OF_CLINICIAN)
def list_invites(request: Request) -> Reply:
    """Not found, as the reference answers when there are no invitations."""
    request.call.require(request.path["userId"])
    raise NotFoundError


@blueprint.operation(AUTHORIZE_PROVIDER)
def authorize_provider(_request: Request) -> Reply:
    """A page, since a browser opens the address in a tab of its own."""
    return no_vendor_accounts_page()


def _no_consents() -> Reply:
    return Reply({"data": [], "count": 0})
