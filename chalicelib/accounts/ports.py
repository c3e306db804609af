"""Ports of accounts: stores of accounts, sessions, grants and sign-in attempts, and the hashing of passwords.

All reads are strongly consistent: the next request sees what was written or revoked.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from chalicelib.access.call import GrantReader, RestrictedToken, RestrictedTokenReader, Session, SessionReader
from chalicelib.access.nightscout_credential import NightscoutCredential
from chalicelib.accounts.account import Account
from chalicelib.accounts.grant import Grant
from chalicelib.frozen import frozen


class Accounts(Protocol):
    """Accounts by id, by e-mail address and by role. An e-mail address belongs to one account at most."""

    def find(self, user_id: str) -> Account | None:
        """The account, or None."""
        ...

    def find_by_email(self, email: str) -> Account | None:
        """The account with this e-mail address in lower case, or None; both cases take the same reads."""
        ...

    def find_many(self, user_ids: Collection[str]) -> list[Account]:
        """The accounts that exist, in the order of the ids, each once."""
        ...

    def with_role(self, role: str, from_ms: int | None = None, before_ms: int | None = None) -> list[Account]:
        """The accounts that have a role and were created in `[from_ms, before_ms)`, by time of creation."""
        ...

    def newest_ids(self, limit: int) -> Iterator[str]:
        """The ids of all accounts, at most `limit`, those created last first. The list may lag behind for a moment."""
        ...

    def create(self, account: Account, grant: Grant | None = None, *, expires_time_ms: int | None = None) -> None:
        """Store a new account with the grant that comes with it and, with `expires_time_ms`, an `UnansweredSignUp`: all
        or none.

        Raises:
            UserExistsError: the e-mail address belongs to another account, or the id does, or a custodial account with
                this id was deleted a moment ago.
        """
        ...

    def replace(self, old: Account, new: Account, *, session: Session | None = None) -> None:
        """Store `new` in place of `old`. With `session`, the change depends on that session.

        Raises:
            WriteConflictError: the stored account is not `old` any more, by version.
            InvalidTokenError: the session has ended.
            UserExistsError: the new e-mail address belongs to another account.
        """
        ...

    def delete(self, account: Account, now_ms: int) -> None:
        """Delete the account, and leave a `Deletion` in the same step.

        Raises:
            WriteConflictError: the stored account is not this one any more, by version.
        """
        ...

    def deletions(self) -> list["Deletion"]:
        """Deleted accounts that may have left something to erase, by id."""
        ...

    def finish_deletion(self, user_id: str) -> None:
        """Forget a deletion that left nothing to erase; an unknown one is not an error."""
        ...


@frozen
class Deletion:
    """The receipt of a deleted account, for as long as something of it may be left to erase."""

    user_id: str
    deleted_time_ms: int


@frozen
class UnansweredSignUp:
    """The note that an account was made whose address has to be verified until then."""

    user_id: str
    expires_time_ms: int


class UnansweredSignUps(Protocol):
    """The sign-ups that may have to be taken back. They stay when an address is verified, until they are due."""

    def due(self, now_ms: int, limit: int) -> list[UnansweredSignUp]:
        """Those whose time has come, the oldest first."""
        ...

    def postpone(self, sign_up: UnansweredSignUp, expires_time_ms: int) -> None:
        """Set another time."""
        ...

    def remove(self, sign_up: UnansweredSignUp) -> None:
        """Forget one; an unknown one is not an error."""
        ...


class Sessions(SessionReader, Protocol):
    """Sessions by token hash, and all sessions of a user."""

    def add(self, session: Session, *, parent_hash: str | None = None, password_version: int | None = None) -> bool:
        """Store a session of a user or a server; False when something that it depends on no longer exists.

        A user's session depends on the account; one that a password opened (with `password_version`) on that password;
        a refreshed one (with `parent_hash`) on the session that it was refreshed from.
        """
        ...

    def of_user(self, user_id: str) -> list[Session]:
        """All sessions of a user, in any order; expired ones may be included."""
        ...

    def end_login(self, session: Session) -> None:
        """End all sessions of the login that this one belongs to."""
        ...

    def end_all(self, user_id: str, keep: Session | None = None) -> None:
        """End all sessions of a user (or of a server, by its name), except those of the login of `keep`."""
        ...


class Grants(GrantReader, Protocol):
    """Grants between users, found from both sides, without expired permissions."""

    def find(self, sharer_id: str, grantee_id: str) -> Grant | None:
        """The grant of the sharer to the grantee, or None."""
        ...

    def given_by(self, sharer_id: str) -> list[Grant]:
        """All grants of a user to others, by grantee."""
        ...

    def given_to(self, grantee_id: str) -> list[Grant]:
        """All grants to a user, by sharer."""
        ...

    def put(self, grant: Grant) -> None:
        """Replace the grant between the same two users; without permissions, remove it."""
        ...


class RestrictedTokens(RestrictedTokenReader, Protocol):
    """Restricted tokens by id, and those of a user."""

    def of_user(self, user_id: str) -> list[RestrictedToken]:
        """All tokens of a user, newest first; expired ones may be included."""
        ...

    def add(
        self,
        token: RestrictedToken,
        made_with: Session | RestrictedToken | None = None,
        idempotency_key: str | None = None,
    ) -> bool:
        """Store a new token, and that it answers the requests of its user with this key; False when the credential that
        it is made with no longer exists, or another token answers them."""
        ...

    def id_for(self, user_id: str, idempotency_key: str) -> str | None:
        """The id of the token, which may be removed by now, that answers the requests of a user with this key; None if
        there is none."""
        ...

    def replace(self, token: RestrictedToken) -> bool:
        """Replace the token with the same id; False when there is none."""
        ...

    def delete(self, token: RestrictedToken) -> None:
        """Remove a token; an unknown one is not an error."""
        ...


class NightscoutCredentials(Protocol):
    """Nightscout credentials by hash, and those of a user."""

    def find(self, credential_hash: str) -> NightscoutCredential | None:
        """The credential with this hash, or None."""
        ...

    def find_of_user(self, user_id: str, credential_id: str) -> NightscoutCredential | None:
        """The credential of a user with this id, or None."""
        ...

    def of_user(self, user_id: str) -> list[NightscoutCredential]:
        """All credentials of a user, newest first."""
        ...

    def add(self, credential: NightscoutCredential, max_credentials: int) -> bool:
        """Store a new credential; False if the account, or the grant of the grantee who makes it, no longer exists.

        Raises:
            ConflictError: the user has as many credentials already.
            WriteConflictError: the user has one with this id.
        """
        ...

    def set_used(self, credential: NightscoutCredential, now_ms: int) -> None:
        """Note when it was used last; a removed one is not an error."""
        ...

    def delete(self, credential: NightscoutCredential) -> None:
        """Remove a credential; an unknown one is not an error."""
        ...

    def delete_all(self, user_id: str) -> None:
        """Remove all credentials of a user."""
        ...


@frozen
class MetadataCollection:
    """A named collection of a user's metadata; `version` counts the changes."""

    values: Mapping[str, Any]
    version: int


class Profiles(Protocol):
    """Metadata by user and collection."""

    def find(self, user_id: str, name: str) -> MetadataCollection | None:
        """The collection, or None."""
        ...

    def find_many(self, user_ids: Iterable[str], names: Iterable[str]) -> dict[str, dict[str, Mapping[str, Any]]]:
        """The values of the collections that exist, by user and name."""
        ...

    def count(self, user_id: str) -> int:
        """The number of a user's collections."""
        ...

    def replace(self, user_id: str, name: str, old: MetadataCollection | None, new: MetadataCollection) -> None:
        """Store `new` in place of `old`, which is None when there is no such collection yet.

        Raises:
            WriteConflictError: the stored collection is not `old` any more, by version.
            InvalidRequestError: the user id or the name is empty or too long.
        """
        ...

    def delete_all(self, user_id: str) -> None:
        """Remove all collections of a user."""
        ...


class Passwords(Protocol):
    """One-way hashing of passwords."""

    def hash(self, password: str) -> str:
        """The stored form of a password, with its salt and the parameters of the hash function."""
        ...

    def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether the password has this hash. None matches no password, and takes as long as a wrong one."""
        ...

    def needs_rehash(self, password_hash: str) -> bool:
        """Whether the hash has other parameters than those in use."""
        ...


@frozen
class AttemptCounter:
    """The counter of failed sign-ins of one account, or from one address, in one window of time."""

    key: str
    starts_s: int
    ends_s: int
    max_attempts: int


class SignInAttempts(Protocol):
    """Counters of sign-ins that have not succeeded."""

    def count(self, counters: Sequence[AttemptCounter]) -> AttemptCounter | None:
        """Add one to each counter, up to the first one that is full, which is returned; None when none is full."""
        ...

    def uncount(self, counters: Sequence[AttemptCounter]) -> None:
        """Subtract one from each counter."""
        ...

    def add_failure(self, names: Sequence[str], expires_at_s: int) -> None:
        """Add one failed sign-in under each name, all of which are kept until then."""
        ...

    def take_failures(self, names: Sequence[str]) -> list[int]:
        """The failed sign-ins under each name since they were last taken."""
        ...


class KnownSources(Protocol):
    """The addresses and browsers from which users signed in, as hashes."""

    def known(self, user_id: str, hashes: Collection[str], now_ms: int) -> frozenset[str]:
        """Those of the hashes that are known at this time; none for an empty user id."""
        ...

    def add(self, user_id: str, hashes: Collection[str], expires_at_s: int) -> None:
        """Know them until this time."""
        ...

    def remove_all(self, user_id: str) -> None:
        """Forget all sources of a user."""
        ...


@frozen
class AccountPorts:
    """The stores of accounts and of what belongs to them, and the hashing of passwords."""

    accounts: Accounts
    sessions: Sessions
    restricted_tokens: RestrictedTokens
    grants: Grants
    profiles: Profiles
    passwords: Passwords
    sign_in_attempts: SignInAttempts
    known_sources: KnownSources
    nightscout_credentials: NightscoutCredentials
    unanswered_sign_ups: UnansweredSignUps
