"""What is told of a user and of this server.

Source: auth-api 6, OpenID Connect Core 1.0, 2 and 5, OpenID Connect Discovery 1.0, 3.
"""

from typing import Any

from chalicelib.accounts.account import Account
from chalicelib.sign_in.authorization_request import CODE_CHALLENGE_METHOD, RESPONSE_MODES, SCOPES
from chalicelib.sign_in.logins import Granted
from chalicelib.sign_in.ports import SIGNING_ALGORITHM


def id_token_claims(issuer: str, granted: Granted, account: Account, lifetime_s: int, now_ms: int) -> dict[str, Any]:
    """Who signed in, when and for which app; `sid` is the login."""
    login = granted.login
    claims: dict[str, Any] = {
        "iss": issuer,
        "aud": login.client_id,
        "iat": now_ms // 1000,
        "exp": now_ms // 1000 + lifetime_s,
        "auth_time": login.signed_in_s,
        "sid": login.login_id,
        **user_claims(account),
    }
    return claims if granted.nonce is None else claims | {"nonce": granted.nonce}


def user_claims(account: Account) -> dict[str, Any]:
    """A user as apps read it; `sub` is the user id of all paths (clients 3)."""
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
        "prompt_values_supported": ["none", "login"],
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "authorization_response_iss_parameter_supported": True,
    }
