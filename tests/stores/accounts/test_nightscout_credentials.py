"""Nightscout credentials on each engine."""

from dataclasses import replace

import pytest

from chalicelib.access.nightscout_credential import NightscoutCredential, Scope
from chalicelib.accounts.grant import Grant
from chalicelib.accounts.stores.nightscout_credentials import StoredNightscoutCredentials
from chalicelib.conflicts import WriteConflictError
from chalicelib.engine.engine import Engine
from chalicelib.errors import ConflictError
from tests.stores.accounts.account_stores import ANNA, BEN, NOW_MS, Stores, stores_on

PHONE = NightscoutCredential("phone", ANNA.user_id, "Phone", Scope.READ, "a" * 64, NOW_MS, ANNA.user_id)
PUMP = replace(PHONE, id="pump", name="Pump", scope=Scope.UPLOAD, credential_hash="b" * 64, created_time_ms=NOW_MS + 1)


@pytest.fixture
def stores(engine: Engine) -> Stores:
    """The stores, with Anna's account."""
    stores = stores_on(engine)
    stores.accounts.create(ANNA)
    return stores


@pytest.fixture
def credentials(engine: Engine, stores: Stores) -> StoredNightscoutCredentials:
    """The store under test."""
    return StoredNightscoutCredentials(engine.accounts)


def test_a_credential_is_found_by_hash_by_id_and_in_the_list(credentials: StoredNightscoutCredentials) -> None:
    assert credentials.add(PHONE, 2)
    assert credentials.add(PUMP, 2)
    assert credentials.find(PHONE.credential_hash) == PHONE
    assert credentials.find_of_user(ANNA.user_id, "pump") == PUMP
    assert credentials.of_user(ANNA.user_id) == [PUMP, PHONE]


def test_an_unknown_one_is_not_found(credentials: StoredNightscoutCredentials) -> None:
    assert credentials.find("c" * 64) is None
    assert credentials.find_of_user(ANNA.user_id, "phone") is None
    assert credentials.find_of_user("", "phone") is None
    assert credentials.find_of_user(ANNA.user_id, "a" * 3000) is None
    assert credentials.of_user(ANNA.user_id) == credentials.of_user("") == []


def test_no_more_are_stored_than_a_user_may_have(credentials: StoredNightscoutCredentials) -> None:
    assert credentials.add(PHONE, 1)
    with pytest.raises(ConflictError):
        credentials.add(PUMP, 1)
    credentials.delete(PHONE)
    credentials.delete(PHONE)  # a repetition does not make room for a second one
    assert credentials.add(PUMP, 1)
    with pytest.raises(ConflictError):
        credentials.add(PHONE, 1)


def test_an_id_belongs_to_one_credential(credentials: StoredNightscoutCredentials) -> None:
    assert credentials.add(PHONE, 5)
    with pytest.raises(WriteConflictError):
        credentials.add(replace(PHONE, credential_hash="c" * 64), 5)
    assert credentials.of_user(ANNA.user_id) == [PHONE]


def test_none_is_stored_without_the_account(credentials: StoredNightscoutCredentials) -> None:
    assert not credentials.add(replace(PHONE, user_id=BEN.user_id, made_by=BEN.user_id), 5)
    assert credentials.of_user(BEN.user_id) == []


def test_a_credential_of_a_grantee_needs_the_grant(credentials: StoredNightscoutCredentials, stores: Stores) -> None:
    of_ben = replace(PHONE, made_by=BEN.user_id)
    assert not credentials.add(of_ben, 5)
    stores.grants.put(Grant(ANNA.user_id, BEN.user_id, {"view": {}}))
    assert credentials.add(of_ben, 5)
    assert credentials.of_user(ANNA.user_id) == [of_ben]


def test_the_last_use_is_noted_unless_it_is_gone(credentials: StoredNightscoutCredentials) -> None:
    credentials.add(PHONE, 5)
    credentials.set_used(PHONE, NOW_MS + 7)
    assert credentials.of_user(ANNA.user_id) == [replace(PHONE, last_used_time_ms=NOW_MS + 7)]
    credentials.delete(PHONE)
    credentials.set_used(PHONE, NOW_MS + 8)
    assert credentials.find(PHONE.credential_hash) is None


def test_all_of_a_user_are_removed(credentials: StoredNightscoutCredentials) -> None:
    for credential in (PHONE, PUMP):
        credentials.add(credential, 2)
    credentials.delete_all(ANNA.user_id)
    credentials.delete_all("")
    assert credentials.of_user(ANNA.user_id) == []
    assert credentials.find(PUMP.credential_hash) is None
    assert credentials.add(PHONE, 1)
