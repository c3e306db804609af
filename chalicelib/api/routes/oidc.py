"""OpenID Connect, as apps speak it: discovery, tokens, user info, revocation, the end of a session.

Source: auth-api 6. The page that people sign in on is in `oidc_sign_in`.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from chalicelib.accounts.session import valid_session
from chalicelib.api.messages import Reply, Request
from chalicelib.api.operations.oidc import (
    END_SESSION,
    GET_CERTS,
    GET_CONFIGURATION,
    GET_USER_INFO,
    ISSUE_TOKENS,
    POST_END_SESSION,
    POST_USER_INFO,
    REVOKE,
)
from chalicelib.api.routes.oidc_form import client_of, clients_of, field, fields_of, issuer_of
from chalicelib.api.routes.oidc_page import signed_out_page
from chalicelib.api.routing import ApiBlueprint
from chalicelib.errors import InvalidTokenError
from chalicelib.sign_in.claims import configuration, id_token_claims, user_claims
from chalicelib.sign_in.errors import INVALID_REQUEST, UNSUPPORTED_GRANT_TYPE, OAuthError, RefusedRefreshTokenError
from chalicelib.sign_in.logins import (
    CodeExchange,
    Granted,
    NewTokens,
    count_refused,
    end_login,
    login_to_end,
    redeem_code,
    refresh,
    revoke,
)

KEPT_FOR_A_WHILE = {"Cache-Control": "public, max-age=300"}
NOT_KEPT = {"Cache-Control": "no-store", "Pragma": "no-cache"}

blueprint = ApiBlueprint(__name__)


@blueprint.operation(GET_CONFIGURATION)
def get_configuration(request: Request) -> Reply:
    """The discovery document."""
    return Reply(configuration(issuer_of(request)), headers=KEPT_FOR_A_WHILE)


@blueprint.operation(GET_CERTS)
def get_certs(request: Request) -> Reply:
    """The public keys, the current one first."""
    issuer_of(request)
    return Reply({"keys": request.services.sign_in.id_tokens.public_keys()}, headers=KEPT_FOR_A_WHILE)


@blueprint.operation(ISSUE_TOKENS)
def issue_tokens(request: Request) -> Reply:
    """Tokens for a code or a refresh token; all members are there in every answer (clients 2)."""
    issuer = issuer_of(request)
    fields = fields_of(request)
    client_id = client_of(request, fields).client_id
    services = request.services
    new = NewTokens(
        access_token=services.new_token(),
        refresh_secret=services.new_token(),
        access_lifetime_s=services.settings.access_token_lifetime_s,
        refresh_lifetime_s=services.settings.refresh_token_lifetime_s,
    )
    try:
        granted = _granted(request, fields, client_id, new)
    except OAuthError:
        count_refused(services.accounts.sign_in_attempts, request.source_ip, request.now_ms)
        raise
    return Reply(_token_answer(request, issuer, granted, new), headers=NOT_KEPT)


@blueprint.operation(GET_USER_INFO)
def get_user_info(request: Request) -> Reply:
    """Who the bearer token stands for."""
    issuer_of(request)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    session = valid_session(token.strip(), request.sessions, request.now_ms)
    account = None if session.is_server else request.services.accounts.accounts.find(session.user_id)
    if scheme.lower() != "bearer" or account is None:
        raise InvalidTokenError
    return Reply(user_claims(account), headers=NOT_KEPT)


@blueprint.operation(POST_USER_INFO)
def post_user_info(request: Request) -> Reply:
    """As by GET."""
    return get_user_info(request)


@blueprint.operation(REVOKE)
def revoke_token(request: Request) -> Reply:
    """Nothing, whether or not the token was good. Source: RFC 7009, 2.2."""
    issuer_of(request)
    fields = fields_of(request)
    client = client_of(request, fields)
    revoke(
        field(fields, "token"), client.client_id, request.services.sign_in.logins, request.services.accounts.sessions
    )
    return Reply(headers=NOT_KEPT)


@blueprint.operation(END_SESSION)
def end_session(request: Request) -> Reply:
    """A page that says so, or the way back to the app. Source: OpenID Connect RP-Initiated Logout 1.0."""
    return _end_session(request, {name: values[0] for name, values in request.query.items() if len(values) == 1})


@blueprint.operation(POST_END_SESSION)
def post_end_session(request: Request) -> Reply:
    """As by GET."""
    return _end_session(request, fields_of(request))


def _granted(request: Request, fields: Mapping[str, str], client_id: str, new: NewTokens) -> Granted:
    logins, sessions = request.services.sign_in.logins, request.services.accounts.sessions
    match field(fields, "grant_type"):
        case "authorization_code":
            redirect_uri, code = field(fields, "redirect_uri"), field(fields, "code")
            exchange = CodeExchange(client_id, redirect_uri, code, field(fields, "code_verifier"))
            return redeem_code(exchange, new, logins, sessions, request.now_ms)
        case "refresh_token":
            return refresh(field(fields, "refresh_token"), client_id, new, logins, sessions, request.now_ms)
    raise OAuthError(UNSUPPORTED_GRANT_TYPE, "grant_type must be authorization_code or refresh_token")


def _token_answer(request: Request, issuer: str, granted: Granted, new: NewTokens) -> dict[str, Any]:
    services = request.services
    account = services.accounts.accounts.find(granted.login.user_id)
    if account is None:  # deleted since the tokens were stored, and they with it
        raise RefusedRefreshTokenError
    claims = id_token_claims(issuer, granted, account, new.access_lifetime_s, request.now_ms)
    return {
        "access_token": new.access_token,
        "token_type": "Bearer",
        "expires_in": new.access_lifetime_s,
        "refresh_token": granted.refresh_token,
        "refresh_expires_in": new.refresh_lifetime_s,
        "scope": granted.login.scope,
        "id_token": services.sign_in.id_tokens.sign(claims),
    }


def _end_session(request: Request, fields: Mapping[str, str]) -> Reply:
    issuer_of(request)
    services = request.services
    hint = services.sign_in.id_tokens.read(fields["id_token_hint"]) if fields.get("id_token_hint") else None
    login = login_to_end(hint or {}, fields.get("refresh_token", ""), services.sign_in.logins)
    if login is not None:
        end_login(login, services.accounts.sessions)
    client_id = str(hint["aud"]) if hint is not None else fields.get("client_id", "")
    client = clients_of(request).get(client_id)
    uri = fields.get("post_logout_redirect_uri")
    if uri is None:
        return signed_out_page()
    if client is None or uri not in client.redirect_uris:
        raise OAuthError(INVALID_REQUEST, "post_logout_redirect_uri is not an address of the client")
    state = urlencode({"state": fields["state"]}) if "state" in fields else ""
    return Reply(status=303, headers={"Location": f"{uri}?{state}" if state else uri} | NOT_KEPT)
