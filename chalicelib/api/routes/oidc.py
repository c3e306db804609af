"""OpenID Connect over HTTP: discovery, the sign-in page, tokens, user info, revocation, logout. Source: auth-api 6."""

from chalicelib.api.messages import Reply, Request
from chalicelib.api.operations.oidc import (
    END_SESSION,
    GET_CERTS,
    GET_CONFIGURATION,
    GET_COOKIE_CHECK,
    GET_COOKIE_CHECK_RESULT,
    GET_LOGIN_STATUS,
    GET_USER_INFO,
    ISSUE_TOKENS,
    POST_END_SESSION,
    POST_USER_INFO,
    REVOKE,
    SHOW_SIGN_IN,
    SIGN_IN,
    UPLOAD_REDIRECT,
)
from chalicelib.api.pages.keycloak_frames import cookie_check_page, login_status_page
from chalicelib.api.pages.sign_in_form import authorize
from chalicelib.api.pages.sign_in_page import refusal_page
from chalicelib.api.pages.sign_out import sign_out
from chalicelib.api.pages.visit import redirect
from chalicelib.api.realm import realm_ports
from chalicelib.api.routing import ApiBlueprint
from chalicelib.sign_in import claims
from chalicelib.sign_in import tokens as rules
from chalicelib.sign_in.errors import OAuthError
from chalicelib.sign_in.logins import revoke
from chalicelib.sign_in.parameters import form_parameters, required, unique_parameters

CACHED = {"Cache-Control": "public, max-age=300"}
NOT_CACHED = {"Cache-Control": "no-store", "Pragma": "no-cache"}
UPLOADER_ADDRESS = "tidepooluploader://localhost/keycloak-redirect"
"""The address that the Uploader registers with the operating system."""

blueprint = ApiBlueprint(__name__)


@blueprint.operation(GET_CONFIGURATION)
def get_configuration(request: Request) -> Reply:
    """The discovery document."""
    return Reply(claims.configuration(realm_ports(request).provider.issuer), headers=CACHED)


@blueprint.operation(GET_CERTS)
def get_certs(request: Request) -> Reply:
    """The public keys, the current one first."""
    return Reply({"keys": realm_ports(request).signed_tokens.public_keys()}, headers=CACHED)


@blueprint.operation(SHOW_SIGN_IN)
def show_sign_in(request: Request) -> Reply:
    """The sign-in page, or a refusal: on a page if the app is unknown, otherwise reported to the app."""
    return authorize(request, request.query, realm_ports(request))


@blueprint.operation(SIGN_IN)
def sign_in(request: Request) -> Reply:
    """A redirect to the app with a code, or the sign-in page again; an app may also request the page by POST."""
    try:
        return authorize(request, form_parameters(request.body), realm_ports(request))
    except OAuthError as error:
        return refusal_page(f"The app asked for something that cannot be: {error.description}.", 400)


@blueprint.operation(UPLOAD_REDIRECT)
def redirect_to_uploader(_request: Request) -> Reply:
    """A redirect into the Uploader. The code is in the fragment, which browsers keep when they follow a redirect
    (RFC 9110, section 10.2.2), so no server sees it."""
    return redirect(UPLOADER_ADDRESS)


@blueprint.operation(ISSUE_TOKENS)
def issue_tokens(request: Request) -> Reply:
    """Tokens for a code or a refresh token."""
    ports = realm_ports(request)
    tokens = rules.issue_tokens(request.call, unique_parameters(request.body), request.source_ip, ports)
    return Reply(tokens, headers=NOT_CACHED)


@blueprint.operation(GET_USER_INFO)
def get_user_info(request: Request) -> Reply:
    """Claims about the user of an access token."""
    authorization = request.headers.get("authorization", "")
    return Reply(claims.user_info(request.call, authorization, realm_ports(request)), headers=NOT_CACHED)


@blueprint.operation(POST_USER_INFO)
def post_user_info(request: Request) -> Reply:
    """As `get_user_info`, by POST."""
    return get_user_info(request)


@blueprint.operation(REVOKE)
def revoke_token(request: Request) -> Reply:
    """Empty, whether or not the token was valid. Source: RFC 7009, 2.2."""
    ports = realm_ports(request)
    parameters = unique_parameters(request.body)
    client = ports.provider.client(parameters.get("client_id", ""))
    revoke(required(parameters, "token"), client.client_id, ports)
    return Reply(headers=NOT_CACHED)


@blueprint.operation(END_SESSION)
def end_session(request: Request) -> Reply:
    """A page that asks or confirms, or a redirect to the app."""
    parameters = {name: values[0] for name, values in request.query.items() if len(values) == 1}
    return sign_out(request, parameters, realm_ports(request))


@blueprint.operation(POST_END_SESSION)
def post_end_session(request: Request) -> Reply:
    """As `end_session`, by POST."""
    return sign_out(request, unique_parameters(request.body), realm_ports(request))


@blueprint.operation(GET_COOKIE_CHECK)
def get_cookie_check(request: Request) -> Reply:
    """The page by which keycloak-js finds out whether frames of another site have cookies."""
    realm_ports(request)
    return cookie_check_page()


@blueprint.operation(GET_COOKIE_CHECK_RESULT)
def get_cookie_check_result(request: Request) -> Reply:
    """The second page of the same."""
    realm_ports(request)
    return cookie_check_page()


@blueprint.operation(GET_LOGIN_STATUS)
def get_login_status(request: Request) -> Reply:
    """The page that keycloak-js asks whether the session has changed."""
    realm_ports(request)
    return login_status_page()
