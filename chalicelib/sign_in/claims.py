"""Claims about a user, and the discovery document of the provider.

Source: auth-api 6, OpenID Connect Core 1.0, 2 and 5, OpenID Connect Discovery 1.0, 3.
"""

from collections.abc import Mapping
from typing import Any

from chalicelib.access.call import Call
from chalicelib.accounts.account import Account
from chalicelib.accounts.session import valid_session
from chalicelib.errors import InvalidTokenError
from chalicelib.sign_in.authorization_request import CODE_CHALLENGE_METHOD, RESPONSE_MODES, SCOPES
from chalicelib.sign_in.logins import IssuedTokens
from chalicelib.sign_in.ports import SIGNING_ALGORITHM, SignInPorts, TokenKind
from chalicelib.sign_in.provider import Provider


def id_token_claims(provider: Provider, tokens: IssuedTokens, account: Account, now_ms: int) -> dict[str, Any]:
    """The claims of an ID token: who signed in, when, and to which app; `sid` is the id of the login."""
    login = tokens.login
    claims: dict[str, Any] = {
        "iss": provider.issuer,
        "aud": login.client_id,
        "iat": now_ms // 1000,
        "exp": now_ms // 1000 + provider.access_token_lifetime_s,
        "auth_time": login.signed_in_s,
        "azp": login.client_id,
        "sid": login.login_id,
        **user_claims(account),
    }
    return claims if tokens.nonce is None else claims | {"nonce": tokens.nonce}


def read_id_token(token: str, ports: SignInPorts) -> Mapping[str, Any] | None:
    """The claims of an ID token that this stage issued to one of its clients, expired or not; None for any other."""
    claims = ports.signed_tokens.read(TokenKind.ID, token) or {}
    is_ours = claims.get("iss") == ports.provider.issuer and claims.get("aud") in ports.provider.clients
    return claims if is_ours else None


def user_info(call: Call, authorization: str, ports: SignInPorts) -> dict[str, Any]:
    """The claims about the user whose access token is in an `Authorization` header.

    Raises:
        InvalidTokenError: the header has no valid bearer token, or the token is a server's.
    """
    scheme, _, token = authorization.partition(" ")
    session = valid_session(token.strip(), ports.accounts.sessions, call.now_ms)
    account = None if session.is_server else ports.accounts.accounts.find(session.user_id)
    if scheme.lower() != "bearer" or account is None:
        raise InvalidTokenError
    return user_claims(account)


def user_claims(account: Account) -> dict[str, Any]:
    """The claims about a user; `sub` is the user id that paths contain (clients 3)."""
    claims: dict[str, Any] = {"sub": account.user_id}
    if account.email is not None:
        claims |= {"email": account.email, "email_verified": account.email_verified}
    return claims


def configuration(issuer: str) -> dict[str, Any]:
    """The discovery document."""
    protocol = f"{issuer}/protocol/openid-connect"
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{protocol}/auth",
        "token_endpoint": f"{protocol}/token",
        "userinfo_endpoint": f"{protocol}/userinfo",
        "revocation_endpoint": f"{protocol}/revoke",
        "end_session_endpoint": f"{protocol}/logout",
        "jwks_uri": f"{protocol}/certs",
        "response_types_supported": ["code"],
        "response_modes_supported": list(RESPONSE_MODES),
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [SIGNING_ALGORITHM],
        "token_endpoint_auth_methods_supported": ["none"],
        "revocation_endpoint_auth_methods_supported": ["none"],
        "code_challenge_methods_supported": [CODE_CHALLENGE_METHOD],
        "scopes_supported": list(SCOPES),
        "claims_supported": ["sub", "iss", "aud", "iat", "exp", "auth_time", "nonce", "sid", "email", "email_verified"],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "authorization_response_iss_parameter_supported": True,
    }
