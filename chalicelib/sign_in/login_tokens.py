"""Access and refresh tokens of a login: signed JWTs, so that web apps can read them (RFC 9068).

Their signature is for others. The platform finds a session and a login by the hash of the whole token, so a token is
refused at once when it is revoked, and a request costs no verification. A signature is checked only where a hash cannot
decide: whether a refresh token that is not valid any more was ever issued.

Versions before this one issued random texts, and `<id of the login>.<random text>` for refreshing. These stay valid to
their end. Source: auth-api 6.
"""

import base64
import binascii
import re
from typing import Any

import orjson

from chalicelib.access.call import Call
from chalicelib.sign_in.parameters import MAX_TOKEN_LENGTH
from chalicelib.sign_in.ports import OidcLogin, SignInPorts, TokenKind

LOGIN_ID = re.compile("[0-9a-f]{64}")


def new_access_token(call: Call, login: OidcLogin, ports: SignInPorts) -> str:
    """An access token; `sid` is the id of the login, which Keycloak's clients know as `session_state`, too."""
    provider = ports.provider
    claims = _claims(call, login, ports) | {
        "aud": provider.api_url,
        "exp": call.now_ms // 1000 + provider.access_token_lifetime_s,
        "auth_time": login.signed_in_s,
        "scope": login.scope,
        "client_id": login.client_id,
    }
    return ports.signed_tokens.sign(TokenKind.ACCESS, claims)


def new_refresh_token(call: Call, login: OidcLogin, ports: SignInPorts) -> str:
    """A refresh token, which only the issuer takes."""
    provider = ports.provider
    claims = {"aud": provider.issuer, "exp": call.now_ms // 1000 + provider.login_lifetime_s(login.client_id)}
    return ports.signed_tokens.sign(TokenKind.REFRESH, _claims(call, login, ports) | claims)


def named_login(refresh_token: str) -> str | None:
    """The id of the login that a text names if it looks like a refresh token, signed or not; its signature is not
    checked. None for any other text."""
    if len(refresh_token) > MAX_TOKEN_LENGTH:
        return None
    parts = refresh_token.split(".")
    if len(parts) == 3 and _decoded(parts[0]).get("typ") == TokenKind.REFRESH.value:
        login_id = _decoded(parts[1]).get("sid")
    else:
        login_id = parts[0]
    return login_id if isinstance(login_id, str) and LOGIN_ID.fullmatch(login_id) else None


def was_issued(refresh_token: str, login: OidcLogin, ports: SignInPorts) -> bool:
    """Whether a refresh token that names a login was issued for it at any time.

    A random text of an earlier version cannot be checked, and counts as issued while the login may have had one.
    """
    if refresh_token.count(".") != 2:
        return not login.is_signed
    claims = ports.signed_tokens.read(TokenKind.REFRESH, refresh_token) or {}
    issuer = ports.provider.issuer
    return (claims.get("iss"), claims.get("aud"), claims.get("sid")) == (issuer, issuer, login.login_id)


def _claims(call: Call, login: OidcLogin, ports: SignInPorts) -> dict[str, Any]:
    """The claims that both kinds have; `jti` makes each token another one."""
    return {
        "iss": ports.provider.issuer,
        "sub": login.user_id,
        "azp": login.client_id,
        "iat": call.now_ms // 1000,
        "jti": ports.new_token(),
        "sid": login.login_id,
        "session_state": login.login_id,
    }


def _decoded(part: str) -> dict[str, Any]:
    """The JSON object in a part of a JWT; empty if there is none."""
    try:
        value = orjson.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, binascii.Error):
        return {}
    return value if isinstance(value, dict) else {}
