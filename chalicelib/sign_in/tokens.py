"""The token endpoint: tokens for a code or a refresh token. Source: auth-api 6, RFC 6749, 4.1.3 and 6."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from chalicelib.access.call import Call
from chalicelib.accounts.password_sign_in import address_counter, count_attempt
from chalicelib.sign_in.claims import id_token_claims
from chalicelib.sign_in.errors import UNSUPPORTED_GRANT_TYPE, OAuthError, RefusedRefreshTokenError
from chalicelib.sign_in.logins import CodeExchange, IssuedTokens, redeem_code, refresh
from chalicelib.sign_in.parameters import required
from chalicelib.sign_in.ports import SignInPorts, TokenKind


def issue_tokens(call: Call, parameters: Mapping[str, str], source_ip: str, ports: SignInPorts) -> dict[str, Any]:
    """The token response. It always has all members, since TidepoolKit reads them all (clients 2).

    Refusals are counted by network address, apart from those of passwords: an app that keeps sending a token of an
    ended login locks nobody out.

    Raises:
        OAuthError: the client is unknown, a parameter is missing, or the code or the token is not valid.
        TooManyAttemptsError: too many requests from this address were refused lately.
        UnavailableError: as `refresh`.
    """
    client_id = ports.provider.client(parameters.get("client_id", "")).client_id
    try:
        tokens = _tokens(call, parameters, client_id, ports)
    except OAuthError:
        counter = address_counter(source_ip, call.now_ms)
        count_attempt(ports.accounts.sign_in_attempts, [replace(counter, key=f"token-{counter.key}")], call.now_ms)
        raise
    return _token_response(call, tokens, ports)


def _tokens(call: Call, parameters: Mapping[str, str], client_id: str, ports: SignInPorts) -> IssuedTokens:
    match required(parameters, "grant_type"):
        case "authorization_code":
            redirect_uri, code = required(parameters, "redirect_uri"), required(parameters, "code")
            exchange = CodeExchange(client_id, redirect_uri, code, required(parameters, "code_verifier"))
            return redeem_code(call, exchange, ports)
        case "refresh_token":
            return refresh(call, required(parameters, "refresh_token"), client_id, ports)
    raise OAuthError(UNSUPPORTED_GRANT_TYPE, "grant_type must be authorization_code or refresh_token")


def _token_response(call: Call, tokens: IssuedTokens, ports: SignInPorts) -> dict[str, Any]:
    account = ports.accounts.accounts.find(tokens.login.user_id)
    if account is None:  # deleted after the tokens were stored, and the tokens with it
        raise RefusedRefreshTokenError
    return {
        "access_token": tokens.access_token,
        "token_type": "Bearer",
        "expires_in": ports.provider.access_token_lifetime_s,
        "refresh_token": tokens.refresh_token,
        "refresh_expires_in": ports.provider.login_lifetime_s(tokens.login.client_id),
        "scope": tokens.login.scope,
        "id_token": ports.signed_tokens.sign(
            TokenKind.ID, id_token_claims(ports.provider, tokens, account, call.now_ms)
        ),
    }
