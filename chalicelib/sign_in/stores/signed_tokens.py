"""Tokens signed by RS256, with joserfc.

joserfc and cryptography are imported when a token is signed or read: they take longer to import than the application.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson

from chalicelib.sign_in.parameters import MAX_TOKEN_LENGTH
from chalicelib.sign_in.ports import SIGNING_ALGORITHM, TokenKind

if TYPE_CHECKING:
    from joserfc.jwk import RSAKey

KEY_BITS = 2048
_PUBLIC_MEMBERS = ("kty", "n", "e", "use", "alg", "kid")

PrivateKey = Mapping[str, Any]
"""A JSON Web Key with its private members."""


def new_private_key() -> dict[str, Any]:
    """A new RSA key; its id is its thumbprint (RFC 7638)."""
    from joserfc.jwk import RSAKey

    key = RSAKey.generate_key(KEY_BITS, {"use": "sig", "alg": SIGNING_ALGORITHM}, auto_kid=True)
    return dict(key.as_dict(private=True))


class JoseTokens:
    """The port `SignedTokens`, on the keys that `private_keys` returns: the current one, then those before it."""

    def __init__(self, private_keys: Callable[[], list[PrivateKey]]) -> None:
        self._private_keys = private_keys

    def sign(self, kind: TokenKind, claims: Mapping[str, Any]) -> str:
        """See `SignedTokens.sign`. The header names the current key."""
        from joserfc import jwt

        key = _imported(_as_text(self._private_keys()[0]))
        header = {"alg": SIGNING_ALGORITHM, "kid": str(key.kid), "typ": kind.value}
        return jwt.encode(header, dict(claims), key, algorithms=[SIGNING_ALGORITHM])

    def read(self, kind: TokenKind, token: str) -> Mapping[str, Any] | None:
        """See `SignedTokens.read`. Only RS256 is accepted, whatever the token's header says.

        Anybody may send a token, so no private key is imported for it: that takes forty times as long as to verify.
        """
        if len(token) > MAX_TOKEN_LENGTH:
            return None
        from joserfc import jwt
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        keys = KeySet([_imported(_as_text(key)) for key in self.public_keys()])
        try:
            decoded = jwt.decode(token, keys, algorithms=[SIGNING_ALGORITHM])
        except (JoseError, ValueError):  # ValueError: no key has the id that the header names
            return None
        return dict(decoded.claims) if decoded.header.get("typ") == kind.value else None

    def public_keys(self) -> list[dict[str, Any]]:
        """See `SignedTokens.public_keys`."""
        return [{name: key[name] for name in _PUBLIC_MEMBERS if name in key} for key in self._private_keys()]


def _as_text(key: PrivateKey) -> bytes:
    """A key as JSON, by which `_imported` knows it."""
    return orjson.dumps(dict(key), option=orjson.OPT_SORT_KEYS)


@lru_cache(maxsize=16)
def _imported(key: bytes) -> "RSAKey":
    """A key to sign or to verify with. Importing a private key checks that its factors are prime, which takes 45 ms."""
    from joserfc.jwk import RSAKey

    return RSAKey.import_key(orjson.loads(key))
