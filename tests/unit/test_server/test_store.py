"""Tests that a reset leaves nothing, and what it keeps."""

from collections.abc import Iterator

import pytest

from chalicelib import services as application_services
from chalicelib.config import Settings
from strandline.test_server import store as stores
from strandline.test_server.clock import Clock
from strandline.test_server.gate import BusyError
from strandline.test_server.store import QuickPasswords, Store
from strandline.test_server.users import make_user

START_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z


@pytest.fixture
def clock() -> Clock:
    return Clock(lambda: START_MS)


@pytest.fixture
def store(clock: Clock) -> Iterator[Store]:
    store = Store(Settings(stage="home"), clock)
    yield store
    store.close()


def test_the_application_uses_the_store(store: Store) -> None:
    assert application_services.services() is store.services


def test_a_reset_leaves_no_user(store: Store) -> None:
    user = make_user({"email": "ada@example.org"}, store.services)
    store.reset()
    assert application_services.services() is store.services
    assert store.services.accounts.accounts.find(user.id) is None
    make_user({"email": "ada@example.org"}, store.services)


def test_a_reset_keeps_the_secrets_and_the_keys_of_tokens(store: Store) -> None:
    name = store.services.settings.oidc_keys_name
    version = store.engine.secrets.get(name)
    store.engine.secrets.replace(name, version.id, '{"keys": [1]}')
    store.reset()
    assert store.engine.secrets.get(name).text == '{"keys": [1]}'
    assert store.services.server_secret() == store.server_secret


def test_a_reset_sets_the_clock_back(store: Store, clock: Clock) -> None:
    clock.advance(1000)
    assert store.services.now_ms() == START_MS + 1000
    store.reset()
    assert store.services.now_ms() == START_MS


def test_a_reset_is_refused_while_the_store_is_in_use(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "RESET_TIMEOUT_S", 0.01)
    user = make_user({}, store.services)
    with store.in_use(), pytest.raises(BusyError):
        store.reset()
    assert store.services.accounts.accounts.find(user.id) is not None


def test_a_made_user_can_sign_in(store: Store) -> None:
    user = make_user({"email": "Ada@Example.org", "password": "lovelace-1815"}, store.services)
    assert (user.email, user.password) == ("ada@example.org", "lovelace-1815")
    account = store.services.accounts.accounts.find(user.id)
    assert account is not None
    assert account.email_verified
    assert account.roles == ("patient",)


def test_quick_passwords_match_themselves_only() -> None:
    passwords = QuickPasswords()
    hashed = passwords.hash("a password")
    assert passwords.verify(hashed, "a password")
    assert not passwords.verify(hashed, "another one")
    assert not passwords.verify(None, "a password")
    assert hashed != passwords.hash("a password")
    assert not passwords.needs_rehash(hashed)
