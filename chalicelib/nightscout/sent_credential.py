"""Credentials as apps send them to the Nightscout API: secret or token, plain or as SHA-1, in a header, the query or
the body, or a JWT. Source: nightscout-api 2 and 15.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.frozen import frozen

MAX_LENGTH = 1024
"""No credential and no JWT of Strandline is longer."""
_DIGEST = re.compile("[0-9a-fA-F]{40}")
_JWT = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
_BEARER = "Bearer"
_TOKEN_PREFIX = "token="  # noqa: S105  what py-nightscout writes before a token in the header of the secret
_NO_SECRET = "null"  # noqa: S105  what a web page sends that has none

Values = Mapping[str, Sequence[str]]


@frozen
class SentCredential:
    """The credential as it was sent: a JWT, or the SHA-1 digest of a token; neither if it can be no credential."""

    digest: str = ""
    jwt: str = ""


def sent_credentials(headers: Values, query: Values, body: Any = None) -> tuple[SentCredential, ...]:
    """The credentials of a request in the order in which they count: a secret, then a token.

    Of several secrets only one is looked at: that of the query, else that of the header, else that of the body. Of
    tokens, it is the JWT of `Authorization`, else the token of the query, else that of the body.

    Args:
        headers: all values of each header, by its name in lower case.
        query: all values of each parameter.
        body: the JSON value of the body; its members `secret` and `token`, or those of its first element, count.
    """
    members = body[0] if isinstance(body, list) and body else body
    secret = _secret(headers, query, members)
    token = _token(headers, query, members)
    return tuple(sent for sent in (secret, token) if sent is not None)


def sent_jwt(headers: Values) -> SentCredential | None:
    """The one credential that v3 takes, a JWT in `Authorization`; None if the header is missing or has another form.

    Source: nightscout-api 2.
    """
    scheme, _, jwt = _first(headers, "authorization").partition(" ")
    if scheme.lower() != _BEARER.lower() or not jwt or " " in jwt:
        return None
    return SentCredential(jwt=jwt if _JWT.fullmatch(jwt) and len(jwt) <= MAX_LENGTH else "")


def credential_of_text(text: str) -> SentCredential:
    """The credential that a text stands for: a JWT, a digest, or the token itself."""
    if not 1 <= len(text) <= MAX_LENGTH:
        return SentCredential()
    if _JWT.fullmatch(text):
        return SentCredential(jwt=text)
    if _DIGEST.fullmatch(text):
        return SentCredential(text.lower())
    # What clients send in place of the secret (nightscout-api 2); the token itself is random, so SHA-1 hides it.
    digest = hashlib.sha1(text.encode(errors="replace"), usedforsecurity=False).hexdigest()
    return SentCredential(digest)


def is_digest(text: str) -> bool:
    """Whether a text has the form of a SHA-1 digest."""
    return _DIGEST.fullmatch(text) is not None


def _secret(headers: Values, query: Values, members: Any) -> SentCredential | None:
    if secret := _first(query, "secret"):
        return credential_of_text(secret)
    secret = _first(headers, "api-secret")
    if secret and secret != _NO_SECRET:
        return credential_of_text(secret.removeprefix(_TOKEN_PREFIX))
    return _member(members, "secret")


def _token(headers: Values, query: Values, members: Any) -> SentCredential | None:
    scheme, _, jwt = _first(headers, "authorization").partition(" ")
    if scheme == _BEARER and jwt and " " not in jwt:
        return SentCredential(jwt=jwt if _JWT.fullmatch(jwt) and len(jwt) <= MAX_LENGTH else "")
    if token := _first(query, "token"):
        return credential_of_text(token)
    return _member(members, "token")


def _member(members: Any, name: str) -> SentCredential | None:
    text = members.get(name) if isinstance(members, dict) else None
    return credential_of_text(text) if isinstance(text, str) and text else None


def _first(values: Values, name: str) -> str:
    return next(iter(values.get(name, ())), "")
