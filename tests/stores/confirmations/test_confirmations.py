"""The suites of the ports `MailedKeys` and `SignUpConfirmations`, on each engine."""

import pytest

from chalicelib.access.call import token_hash
from chalicelib.accounts.proof import AddressProof
from chalicelib.confirmations.mailed_key import LIFETIMES_MS, mailed_key
from chalicelib.confirmations.sign_up_confirmation import SignUpConfirmation, SignUpStatus
from chalicelib.confirmations.stores.confirmations import StoredMailedKeys, StoredSignUpConfirmations
from chalicelib.engine.engine import Engine
from chalicelib.mail.message import MailKind

NOW_MS = 1_767_225_600_000
CONFIRMATION = SignUpConfirmation("0123456789", "f" * 32, "anna@example.org", "", SignUpStatus.PENDING, NOW_MS, NOW_MS)


@pytest.mark.parametrize("password_version", [None, 3])
@pytest.mark.parametrize("kind", LIFETIMES_MS)
def test_a_key_is_found_by_its_hash_until_it_is_removed(
    engine: Engine, kind: MailKind, password_version: int | None
) -> None:
    keys = StoredMailedKeys(engine.accounts)
    key = mailed_key("a" * 32, kind, AddressProof("0123456789", "anna@example.org", password_version), NOW_MS)
    keys.add(key)
    assert keys.find(token_hash("a" * 32)) == key
    assert keys.find(token_hash("b" * 32)) is None
    for _ in range(2):
        keys.remove(key.key_hash)
    assert keys.find(key.key_hash) is None


def test_a_user_has_one_confirmation(engine: Engine) -> None:
    confirmations = StoredSignUpConfirmations(engine.accounts)
    assert confirmations.find(CONFIRMATION.user_id) is confirmations.find("") is None
    confirmations.put(CONFIRMATION)
    assert confirmations.find(CONFIRMATION.user_id) == CONFIRMATION
    changed = CONFIRMATION.changed(SignUpStatus.DECLINED, NOW_MS + 5)
    confirmations.put(changed)
    assert confirmations.find(CONFIRMATION.user_id) == changed
    for user_id in (CONFIRMATION.user_id, CONFIRMATION.user_id, ""):
        confirmations.remove(user_id)
    assert confirmations.find(CONFIRMATION.user_id) is None
