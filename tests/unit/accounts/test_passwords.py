"""Hashes of passwords by argon2id, and its import."""

import subprocess
import sys

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
