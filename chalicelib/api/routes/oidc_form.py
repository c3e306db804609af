"""What the requests of OpenID Connect have in common: forms, clients, and the realm in the path."""

from collections.abc import Mapping
from urllib.parse import parse_qs

from chalicelib.api.messages import Request
from chalicelib.errors import NotFoundError
from chalicelib.sign_in.clients import OidcClient, oidc_clients
from chalicelib.sign_in.errors import INVALID_CLIENT, INVALID_REQUEST, OAuthError

MAX_FIELDS = 50


def issuer_of(request: Request) -> str:
    """The issuer that a request is for.

    Raises:
        NotFoundError: the path names another realm than the stage's, or the stage does not know its address.
    """
    settings = request.services.settings
    if settings.issuer is None or request.path["realm"] != settings.realm:
        raise NotFoundError
    return settings.issuer


def form_of(request: Request) -> dict[str, list[str]]:
    """The fields of a form, each with all its values.

    Raises:
        InvalidRequestError: it is no form.
    """
    try:
        return parse_qs(request.body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError as error:  # not UTF-8, or too many fields
        raise OAuthError(INVALID_REQUEST, "the body must be a form") from error


def fields_of(request: Request) -> dict[str, str]:
    """The fields of a form in which each stands once.

    Raises:
        OAuthError: it is no form, or a field is there twice.
    """
    form = form_of(request)
    if any(len(values) > 1 for values in form.values()):
        raise OAuthError(INVALID_REQUEST, "a parameter is sent twice")
    return {name: values[0] for name, values in form.items()}


def field(fields: Mapping[str, str], name: str) -> str:
    """A field that has to be there.

    Raises:
        OAuthError: it is missing or empty.
    """
    if not fields.get(name):
        raise OAuthError(INVALID_REQUEST, f"{name} is missing")
    return fields[name]


def clients_of(request: Request) -> dict[str, OidcClient]:
    """The clients of the stage by id."""
    settings = request.services.settings
    return oidc_clients(settings.web_app_url or settings.base_url, settings.oidc_clients)


def client_of(request: Request, fields: Mapping[str, str]) -> OidcClient:
    """The client that a form names.

    Raises:
        OAuthError: none, or one that is not known.
    """
    client = clients_of(request).get(fields.get("client_id", ""))
    if client is None:
        raise OAuthError(INVALID_CLIENT, "client_id names no client that is known here")
    return client
