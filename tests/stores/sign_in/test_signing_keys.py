"""The keys that sign ID tokens, in Secrets Manager: made once, rotated on demand, and published after a rotation."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chalicelib.config import Settings
from chalicelib.engine.aws import secrets_manager
from chalicelib.engine.aws.secrets_manager import SecretsManager
from chalicelib.engine.secrets import MAX_AGE_S
from chalicelib.sign_in.ports import TokenKind
from chalicelib.sign_in.stores import signing_keys as module
from chalicelib.sign_in.stores.signed_tokens import JoseTokens, PrivateKey, new_private_key
from chalicelib.sign_in.stores.signing_keys import MAX_KEYS, rotate, signing_keys

CLAIMS = {"sub": "0123456789", "aud": "xdrip"}


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def keyless(stage: Settings) -> Iterator[Settings]:
    """A stage as it is right after its deployment: the secret holds a generated text, which is not a key."""
    secrets_manager.forget_clients()
    secrets_manager.client(stage.region).create_secret(Name=stage.oidc_keys_name, SecretString="generated" * 5)
    yield stage
    secrets_manager.forget_clients()


def keys_of(settings: Settings, clock_s: Callable[[], float] = time.monotonic) -> Callable[[], list[PrivateKey]]:
    """The keys of the stage, as a new process reads them."""
    return signing_keys(SecretsManager(settings.region), settings.oidc_keys_name, clock_s)


def kids(tokens: JoseTokens) -> list[str]:
    """The ids of the published keys."""
    return [key["kid"] for key in tokens.public_keys()]


def versions(settings: Settings) -> int:
    """The number of times the secret was written."""
    found = secrets_manager.client(settings.region).list_secret_version_ids(
        SecretId=settings.oidc_keys_name, IncludeDeprecated=True
    )
    return len(found["Versions"])


def test_the_first_use_makes_a_key_that_every_process_uses(keyless: Settings) -> None:
    first = JoseTokens(keys_of(keyless))
    token = first.sign(TokenKind.ID, CLAIMS)
    other_process = JoseTokens(keys_of(keyless))
    assert other_process.read(TokenKind.ID, token) == CLAIMS
    assert kids(other_process) == kids(first)
    assert len(kids(first)) == 1
    assert versions(keyless) == 2


def test_two_processes_that_make_the_first_key_at_once_use_the_same_one(
    keyless: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = keys_of(keyless)

    def overtaken() -> dict[str, Any]:
        monkeypatch.setattr(module, "new_private_key", new_private_key)
        other()
        return new_private_key()

    monkeypatch.setattr(module, "new_private_key", overtaken)
    keys = keys_of(keyless)
    assert keys() == other()
    assert versions(keyless) == 2


def test_keys_are_read_at_most_once_in_five_minutes(keyless: Settings) -> None:
    clock = Clock()
    tokens = JoseTokens(keys_of(keyless, clock))
    before = kids(tokens)
    rotate(SecretsManager(keyless.region), keyless.oidc_keys_name)
    clock.now_s = MAX_AGE_S - 1
    assert kids(tokens) == before
    clock.now_s = MAX_AGE_S
    assert kids(tokens)[1:] == before


def test_after_a_rotation_tokens_of_both_keys_are_valid(keyless: Settings) -> None:
    before = JoseTokens(keys_of(keyless))
    token = before.sign(TokenKind.ID, CLAIMS)
    rotate(SecretsManager(keyless.region), keyless.oidc_keys_name)
    after = JoseTokens(keys_of(keyless))
    assert kids(after)[1:] == kids(before)
    assert after.read(TokenKind.ID, token) == CLAIMS
    new = after.sign(TokenKind.ID, CLAIMS)
    assert after.read(TokenKind.ID, new) == CLAIMS
    assert before.read(TokenKind.ID, new) is None  # signed with a key that it has not read yet


def test_a_token_of_a_key_that_was_rotated_out_is_not_valid(keyless: Settings) -> None:
    token = JoseTokens(keys_of(keyless)).sign(TokenKind.ID, CLAIMS)
    for _ in range(MAX_KEYS):
        rotate(SecretsManager(keyless.region), keyless.oidc_keys_name)
    tokens = JoseTokens(keys_of(keyless))
    assert len(kids(tokens)) == MAX_KEYS
    assert tokens.read(TokenKind.ID, token) is None


def test_published_keys_have_no_private_members(keyless: Settings) -> None:
    (key,) = JoseTokens(keys_of(keyless)).public_keys()
    assert key.keys() == {"kty", "kid", "use", "alg", "n", "e"}
    assert (key["use"], key["alg"]) == ("sig", "RS256")


def test_a_missing_secret_is_a_defect_of_the_deployment(stage: Settings) -> None:
    secrets_manager.forget_clients()
    with pytest.raises(RuntimeError, match="ResourceNotFoundException"):
        keys_of(stage)()
