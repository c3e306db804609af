"""The keys that sign ID tokens, in Secrets Manager: made once, replaced on demand, and the old ones still published."""

from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.config import Settings
from chalicelib.engine import secrets_manager
from chalicelib.engine.secrets_manager import MAX_AGE_S
from chalicelib.sign_in.stores import signing_keys as oidc_keys
from chalicelib.sign_in.stores.id_tokens import JoseIdTokens, new_private_key
from chalicelib.sign_in.stores.signing_keys import KEYS_KEPT, rotate, signing_keys

CLAIMS = {"sub": "0123456789", "aud": "xdrip"}


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def keyless(stage: Settings) -> Iterator[Settings]:
    """A stage as it is right after its deployment: what the secret holds was generated, and is no key."""
    secrets_manager.forget_clients()
    secrets_manager.client(stage.region).create_secret(Name=stage.oidc_keys_name, SecretString="generated" * 5)
    yield stage
    secrets_manager.forget_clients()


def kids(tokens: JoseIdTokens) -> list[str]:
    """The ids of the published keys."""
    return [key["kid"] for key in tokens.public_keys()]


def versions(settings: Settings) -> int:
    """How often the secret was written."""
    found = secrets_manager.client(settings.region).list_secret_version_ids(
        SecretId=settings.oidc_keys_name, IncludeDeprecated=True
    )
    return len(found["Versions"])


def test_the_first_use_makes_a_key_that_stays(keyless: Settings) -> None:
    first = JoseIdTokens(signing_keys(keyless))
    token = first.sign(CLAIMS)
    other_process = JoseIdTokens(signing_keys(keyless))
    assert other_process.read(token) == CLAIMS
    assert kids(other_process) == kids(first)
    assert len(kids(first)) == 1
    assert versions(keyless) == 2


def test_two_that_make_the_first_key_agree_on_one(keyless: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    other = signing_keys(keyless)

    def overtaken() -> dict[str, Any]:
        monkeypatch.setattr(oidc_keys, "new_private_key", new_private_key)
        other()
        return new_private_key()

    monkeypatch.setattr(oidc_keys, "new_private_key", overtaken)
    keys = signing_keys(keyless)
    assert keys() == other()
    assert versions(keyless) == 2


def test_keys_are_read_once_in_a_while(keyless: Settings) -> None:
    clock = Clock()
    tokens = JoseIdTokens(signing_keys(keyless, clock))
    before = kids(tokens)
    rotate(keyless)
    clock.now_s = MAX_AGE_S - 1
    assert kids(tokens) == before
    clock.now_s = MAX_AGE_S
    assert kids(tokens)[1:] == before


def test_after_a_rotation_new_tokens_have_the_new_key_and_old_ones_are_still_good(keyless: Settings) -> None:
    before = JoseIdTokens(signing_keys(keyless))
    token = before.sign(CLAIMS)
    rotate(keyless)
    after = JoseIdTokens(signing_keys(keyless))
    assert kids(after)[1:] == kids(before)
    assert after.read(token) == CLAIMS
    assert after.read(after.sign(CLAIMS)) == CLAIMS
    assert before.read(after.sign(CLAIMS)) is None  # signed with what it has not read yet


def test_the_oldest_key_goes(keyless: Settings) -> None:
    token = JoseIdTokens(signing_keys(keyless)).sign(CLAIMS)
    for _ in range(KEYS_KEPT):
        rotate(keyless)
    tokens = JoseIdTokens(signing_keys(keyless))
    assert len(kids(tokens)) == KEYS_KEPT
    assert tokens.read(token) is None


def test_what_is_published_holds_nothing_private(keyless: Settings) -> None:
    (key,) = JoseIdTokens(signing_keys(keyless)).public_keys()
    assert key.keys() == {"kty", "kid", "use", "alg", "n", "e"}
    assert (key["use"], key["alg"]) == ("sig", "RS256")


def test_a_missing_secret_is_a_fault_of_the_deployment(stage: Settings) -> None:
    secrets_manager.forget_clients()
    with pytest.raises(RuntimeError, match="ResourceNotFoundException"):
        signing_keys(stage)()
