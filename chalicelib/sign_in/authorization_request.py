"""The authorization request of an app, checked before anything is shown or sent back. Source: auth-api 6.

RFC 6749 section 4.1.1, RFC 7636, OpenID Connect Core 3.1.2.1.
"""

import re
from collections.abc import Mapping
from urllib.parse import urlencode

from chalicelib.frozen import frozen
from chalicelib.sign_in.errors import (
    INVALID_REQUEST,
    INVALID_SCOPE,
    UNSUPPORTED_RESPONSE_TYPE,
    RefusedAuthorizationError,
    UntrustedRedirectError,
)
from chalicelib.sign_in.parameters import MAX_TOKEN_LENGTH, Parameters
from chalicelib.sign_in.provider import OidcClient

OPENID = "openid"
SCOPES = (OPENID, "offline_access", "email", "profile")
RESPONSE_MODES = ("query", "fragment")
CODE_CHALLENGE_METHOD = "S256"
CODE_CHALLENGE = re.compile("[A-Za-z0-9_-]{43}")
"""The SHA-256 of a verifier, in base64 for URLs (RFC 7636, section 4.2)."""
MAX_PARAMETER_LENGTH = 1024
MAX_AGE = re.compile("[0-9]{1,9}")
HINT = "id_token_hint"
"""The parameter that is longer than any other: an ID token."""


@frozen
class ReturnAddress:
    """The address for the response to an app: one of its redirect addresses, and the state by which it knows it."""

    redirect_uri: str
    response_mode: str
    state: str | None

    def location(self, issuer: str, response: Mapping[str, str]) -> str:
        """The address with the response in its query or fragment; `iss` names the responding server (RFC 9207)."""
        state = {} if self.state is None else {"state": self.state}
        parameters = urlencode({**response, **state, "iss": issuer})
        if self.response_mode == "fragment":
            return f"{self.redirect_uri}#{parameters}"
        return f"{self.redirect_uri}{'&' if '?' in self.redirect_uri else '?'}{parameters}"


@frozen
class AuthorizationRequest:
    """A request that may be granted, as soon as somebody has signed in."""

    client: OidcClient
    return_address: ReturnAddress
    scope: str
    """The requested scopes that are known, separated by blanks."""
    code_challenge: str
    nonce: str | None = None
    login_hint: str = ""
    prompt: frozenset[str] = frozenset()
    """Questions that the app wants the person to be asked: `none`, or some of `login`, `consent`, `select_account`."""
    max_age_s: int | None = None
    """The age of a sign-in up to which the password need not be entered again; None for any."""
    id_token_hint: str = ""
    """An ID token of the user whom the app expects."""

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of the request, for the form that repeats it."""
        optional = {
            "state": self.return_address.state,
            "nonce": self.nonce,
            "login_hint": self.login_hint or None,
            "prompt": " ".join(sorted(self.prompt)) or None,
            "max_age": None if self.max_age_s is None else str(self.max_age_s),
            HINT: self.id_token_hint or None,
        }
        return {
            "client_id": self.client.client_id,
            "redirect_uri": self.return_address.redirect_uri,
            "response_type": "code",
            "response_mode": self.return_address.response_mode,
            "scope": self.scope,
            "code_challenge": self.code_challenge,
            "code_challenge_method": CODE_CHALLENGE_METHOD,
        } | {name: value for name, value in optional.items() if value is not None}

    @property
    def query(self) -> str:
        """The parameters, for a link that repeats the request."""
        return urlencode(self.parameters)


def return_address(parameters: Parameters, clients: Mapping[str, OidcClient]) -> tuple[OidcClient, ReturnAddress]:
    """The client, and the address where it receives the response, other faults of the request included.

    Raises:
        UntrustedRedirectError: there is no such client, or the address is not one of its own.
    """
    client_ids, redirect_uris = parameters.get("client_id", ()), parameters.get("redirect_uri", ())
    client = clients.get(client_ids[0]) if len(client_ids) == 1 else None
    if client is None:
        raise UntrustedRedirectError("the app that sent you here is not known")
    if len(redirect_uris) != 1 or not client.accepts(redirect_uris[0]):
        raise UntrustedRedirectError("the app wants you sent to an address that is not its own")
    states, modes = parameters.get("state", ()), parameters.get("response_mode", ())
    state = states[0] if len(states) == 1 and len(states[0]) <= MAX_PARAMETER_LENGTH else None
    mode = modes[0] if len(modes) == 1 and modes[0] in RESPONSE_MODES else RESPONSE_MODES[0]
    return client, ReturnAddress(redirect_uris[0], mode, state)


def authorization_request(parameters: Parameters, client: OidcClient, address: ReturnAddress) -> AuthorizationRequest:
    """The request that these parameters make. Unknown parameters are ignored, as OAuth requires.

    Raises:
        RefusedAuthorizationError: the request cannot be granted.
    """
    single = _single_values(parameters)
    _require_code_flow(single)
    requested = single.get("scope", "").split()
    if OPENID not in requested:
        raise RefusedAuthorizationError(INVALID_SCOPE, "scope must hold openid")
    prompt = frozenset(single.get("prompt", "").split())
    if "none" in prompt and len(prompt) > 1:
        raise RefusedAuthorizationError(INVALID_REQUEST, "prompt must be none, or must not hold it")
    if MAX_AGE.fullmatch(single.get("max_age", "0")) is None:
        raise RefusedAuthorizationError(INVALID_REQUEST, "max_age must be a number of seconds")
    return AuthorizationRequest(
        client=client,
        return_address=address,
        scope=" ".join(scope for scope in SCOPES if scope in requested),
        code_challenge=single["code_challenge"],
        nonce=single.get("nonce"),
        login_hint=single.get("login_hint", ""),
        prompt=prompt,
        max_age_s=int(single["max_age"]) if "max_age" in single else None,
        id_token_hint=single.get(HINT, ""),
    )


def _single_values(parameters: Parameters) -> dict[str, str]:
    """The one value of each parameter that has any.

    Raises:
        RefusedAuthorizationError: a parameter is sent twice, or is too long.
    """
    for name, values in parameters.items():
        most = MAX_TOKEN_LENGTH if name == HINT else MAX_PARAMETER_LENGTH
        if len(values) > 1 or any(len(value) > most for value in values):
            raise RefusedAuthorizationError(INVALID_REQUEST, f"{name[:64]} is sent twice, or is too long")
    return {name: values[0] for name, values in parameters.items() if values}


def _require_code_flow(single: Mapping[str, str]) -> None:
    """Raise unless the request is for a code that only the holder of a verifier can use (PKCE).

    Raises:
        RefusedAuthorizationError: it is for something else.
    """
    for name in ("request", "request_uri"):
        if name in single:
            raise RefusedAuthorizationError(f"{name}_not_supported", f"{name} is not supported")
    if single.get("response_type") != "code":
        raise RefusedAuthorizationError(UNSUPPORTED_RESPONSE_TYPE, "response_type must be code")
    if single.get("response_mode", RESPONSE_MODES[0]) not in RESPONSE_MODES:
        raise RefusedAuthorizationError(INVALID_REQUEST, "response_mode must be query or fragment")
    # Without a method RFC 7636 assumes "plain", which protects nothing against a reader of the request.
    if single.get("code_challenge_method") != CODE_CHALLENGE_METHOD:
        raise RefusedAuthorizationError(INVALID_REQUEST, "code_challenge_method must be S256")
    if CODE_CHALLENGE.fullmatch(single.get("code_challenge", "")) is None:
        raise RefusedAuthorizationError(INVALID_REQUEST, "code_challenge must be the SHA-256 of the verifier")
