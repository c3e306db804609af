"""Passwords by argon2id. The library is imported when a password is hashed, not with the application."""

from functools import cache
from threading import BoundedSemaphore
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argon2 import PasswordHasher

# RFC 9106, section 4, second recommended option (for environments with little memory): three passes over 64 MiB by
# four lanes, 128 bits of salt, 256 bits of hash. It is above every minimum of OWASP's password storage cheat sheet.
TIME_COST = 3
MEMORY_KIB = 64 * 1024
LANES = 4
SALT_BYTES = 16
HASH_BYTES = 32

# The hash of a random password that nobody kept, by the parameters above: verified when there is no account, so that
# an unknown name takes as long as a wrong password.
NOBODYS_HASH = "$argon2id$v=19$m=65536,t=3,p=4$VafGiHYoqhnnHNTRt6TBKQ$eyO90l3f0B5xFRGVtOJheQnOtvQ/U5/sZmDj5W4IGqs"

AT_ONCE = 2
"""Number of hashes that are made at the same time: each takes the memory above and keeps four cores busy, and the
threads of a home server would take half a gigabyte when eight people sign in."""
_turns = BoundedSemaphore(AT_ONCE)


class Argon2Passwords:
    """The port `Passwords`."""

    def hash(self, password: str) -> str:
        """The encoded form of argon2: parameters, salt and hash."""
        with _turns:
            return _hasher().hash(password)

    def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether the password has this hash, by the hash's own parameters."""
        from argon2.exceptions import VerifyMismatchError

        try:
            with _turns:
                _hasher().verify(NOBODYS_HASH if password_hash is None else password_hash, password)
        except VerifyMismatchError:
            return False
        return password_hash is not None

    def needs_rehash(self, password_hash: str) -> bool:
        """Whether the parameters are others than those above."""
        return _hasher().check_needs_rehash(password_hash)


@cache
def _hasher() -> "PasswordHasher":
    from argon2 import PasswordHasher, Type

    return PasswordHasher(TIME_COST, MEMORY_KIB, LANES, HASH_BYTES, SALT_BYTES, type=Type.ID)
