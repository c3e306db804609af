"""Signed tokens: what reading one that anybody may send costs. Source: auth-api 6."""

from collections.abc import Mapping
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from chalicelib.sign_in.parameters import MAX_TOKEN_LENGTH
from chalicelib.sign_in.ports import TokenKind
from chalicelib.sign_in.stores.signed_tokens import JoseTokens, new_private_key

CLAIMS = {"sub": "0123456789", "aud": "xdrip"}
UNREADABLE = ["", "x", "a.b.c", "eyJhbGciOiJSUzI1NiJ9.e30.AAAA", "eyJhbGciOiJub25lIn0.e30.", "\ud800", "x" * 5_000]


@pytest.fixture(scope="module")
def keys() -> list[Mapping[str, Any]]:
    """The current key, and one before it."""
    return [new_private_key(), new_private_key()]


@pytest.fixture
def imported(monkeypatch: pytest.MonkeyPatch) -> list[Mapping[str, Any]]:
    """The keys that were imported, in order."""
    imports: list[Mapping[str, Any]] = []
    import_key = RSAKey.import_key

    def recording(value: Mapping[str, Any], *arguments: Any) -> Any:
        imports.append(value)
        return import_key(dict(value), *arguments)

    monkeypatch.setattr(RSAKey, "import_key", recording)
    return imports


@pytest.mark.parametrize("token", UNREADABLE)
def test_a_token_that_cannot_be_read_costs_no_import_of_a_private_key(
    keys: list[Mapping[str, Any]], imported: list[Mapping[str, Any]], token: str
) -> None:
    assert JoseTokens(lambda: keys).read(TokenKind.ID, token) is None
    assert [key for key in imported if "d" in key] == []


def test_a_token_of_an_earlier_key_is_read_without_a_private_key(
    keys: list[Mapping[str, Any]], imported: list[Mapping[str, Any]]
) -> None:
    token = JoseTokens(lambda: keys[1:]).sign(TokenKind.ID, CLAIMS)
    imported.clear()
    assert JoseTokens(lambda: keys).read(TokenKind.ID, token) == CLAIMS
    assert [key for key in imported if "d" in key] == []


def test_a_key_is_imported_once_however_many_tokens_it_signs(imported: list[Mapping[str, Any]]) -> None:
    key = new_private_key()
    tokens = JoseTokens(lambda: [key])
    for _ in range(3):
        tokens.sign(TokenKind.ID, CLAIMS)
    assert len(imported) == 1


def test_a_token_of_another_key_is_not_read(keys: list[Mapping[str, Any]]) -> None:
    token = JoseTokens(lambda: [new_private_key()]).sign(TokenKind.ID, CLAIMS)
    assert JoseTokens(lambda: keys).read(TokenKind.ID, token) is None


@pytest.mark.parametrize("kind", TokenKind)
def test_a_token_of_another_kind_is_not_read(keys: list[Mapping[str, Any]], kind: TokenKind) -> None:
    tokens = JoseTokens(lambda: keys)
    token = tokens.sign(kind, CLAIMS)
    assert [other for other in TokenKind if tokens.read(other, token) is not None] == [kind]


def test_a_token_beyond_the_limit_is_not_looked_at(
    keys: list[Mapping[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    token = JoseTokens(lambda: keys).sign(TokenKind.ID, {**CLAIMS, "nonce": "n" * MAX_TOKEN_LENGTH})
    monkeypatch.setattr(jwt, "decode", lambda *_arguments, **_options: pytest.fail("the token was looked at"))
    assert JoseTokens(lambda: keys).read(TokenKind.ID, token) is None


def test_published_keys_have_no_private_members(keys: list[Mapping[str, Any]]) -> None:
    published = JoseTokens(lambda: keys).public_keys()
    assert [set(key) for key in published] == [{"kty", "n", "e", "use", "alg", "kid"}] * 2
