"""Hashes of passwords by argon2id, and its import."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, BrokenBarrierError

import pytest
from argon2 import Type, extract_parameters

from chalicelib.accounts.stores import passwords
from chalicelib.accounts.stores.passwords import Argon2Passwords

PASSWORD = "correct:horse-bättery"


@pytest.fixture(scope="module")
def password_hash() -> str:
    """The hash of a password, made once: it is slow by design."""
    return Argon2Passwords().hash(PASSWORD)


def test_only_the_right_password_matches(password_hash: str) -> None:
    assert Argon2Passwords().verify(password_hash, PASSWORD)
    assert not Argon2Passwords().verify(password_hash, PASSWORD + " ")


def test_each_hash_of_a_password_has_its_own_salt(password_hash: str) -> None:
    assert Argon2Passwords().hash(PASSWORD) != password_hash


def test_only_hashes_with_other_parameters_need_a_rehash(password_hash: str) -> None:
    assert not Argon2Passwords().needs_rehash(password_hash)
    assert Argon2Passwords().needs_rehash(password_hash.replace("t=3", "t=2"))


@pytest.mark.parametrize("password", ["", "anything", PASSWORD])
def test_no_password_matches_a_missing_hash(password: str) -> None:
    assert not Argon2Passwords().verify(None, password)


def test_verifying_a_missing_hash_takes_as_long_as_any_other(password_hash: str) -> None:
    parameters = extract_parameters(passwords.NOBODYS_HASH)
    assert parameters == extract_parameters(password_hash)
    assert parameters.type is Type.ID


def test_the_application_does_not_import_argon2() -> None:
    script = "import sys, app, chalicelib.accounts.stores.passwords; sys.exit('argon2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_few_hashes_are_made_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    meeting = Barrier(passwords.AT_ONCE)
    too_many = Barrier(passwords.AT_ONCE + 1)
    met: list[bool] = []

    class Hasher:
        def hash(self, _password: str) -> str:
            try:
                too_many.wait(0.2)
                met.append(True)
            except BrokenBarrierError:
                meeting.wait(10)  # as many as allowed do run at the same time
            return "hash"

    monkeypatch.setattr(passwords, "_hasher", Hasher)
    with ThreadPoolExecutor(4 * passwords.AT_ONCE) as threads:
        hashes = list(threads.map(Argon2Passwords().hash, [PASSWORD] * 4 * passwords.AT_ONCE))
    assert hashes == ["hash"] * 4 * passwords.AT_ONCE
    assert met == []
