"""What the accounts' rules need of the outside: stores of accounts, sessions, grants and attempts, and passwords.

Every read is strongly consistent: what was written, or revoked, is seen by the next request.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from chalicelib.access.call import GrantReader, RestrictedToken, RestrictedTokenReader, Session, SessionReader
from chalicelib.accounts.account import Account
from chalicelib.accounts.grant import Grant


class Accounts(Protocol):
    """Accounts by id, by e-mail address and by role. An e-mail address belongs to one account at most."""

    def find(self, user_id: str) -> Account | None:
        """The account, or None."""
        ...

    def find_by_email(self, email: str) -> Account | None:
        """The account with this e-mail address in lower case, or None; None takes as many reads as an account."""
        ...

    def find_many(self, user_ids: Collection[str]) -> list[Account]:
        """Those accounts that exist, in the order of the ids; an id that is given twice counts once."""
        ...

    def with_role(self, role: str, from_ms: int | None = None, before_ms: int | None = None) -> list[Account]:
        """Accounts that have a role, by time of creation, optionally only those created in `[from_ms, before_ms)`."""
        ...

    def create(self, account: Account, grant: Grant | None = None) -> None:
        """Store a new account, and the grant that comes with it, both or none.

        Raises:
            UserExistsError: the e-mail address belongs to another account, or the id does.
        """
        ...

    def replace(self, old: Account, new: Account) -> None:
        """Store `new` in place of `old`.

        Raises:
            WriteConflictError: the stored account is not `old` any more, by version.
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
        """Deleted accounts of which something may be left to erase, oldest id first."""
        ...

    def finish_deletion(self, user_id: str) -> None:
        """Forget a deletion of which nothing is left to do; one that is not there is no error."""
        ...


@dataclass(frozen=True, slots=True)
class Deletion:
    """The receipt of a deleted account: until it is finished, what the user left behind is still to be erased."""

    user_id: str
    deleted_time_ms: int


class Sessions(SessionReader, Protocol):
    """Sessions by token hash, and all sessions of a user."""

    def add(self, session: Session, *, parent_hash: str | None = None, password_version: int | None = None) -> bool:
        """Store a session of an account or a server; False when what it rests on is gone.

        A user's session rests on the account, one that a password opened (with `password_version`) on that password,
        a refreshed one (with `parent_hash`) on the session it comes from.
        """
        ...

    def end_login(self, session: Session) -> None:
        """End all sessions of the login that this one belongs to."""
        ...

    def end_all(self, user_id: str, but: Session | None = None) -> None:
        """End all sessions of a user (or of a server, by its name), but those of the login that `but` belongs to."""
        ...


class Grants(GrantReader, Protocol):
    """What users grant to each other, found from both sides. Expired permissions are not told."""

    def find(self, sharer_id: str, grantee_id: str) -> Grant | None:
        """What the sharer grants to the grantee, or None."""
        ...

    def given_by(self, sharer_id: str) -> list[Grant]:
        """All that a user grants, by grantee."""
        ...

    def given_to(self, grantee_id: str) -> list[Grant]:
        """All that is granted to a user, by sharer."""
        ...

    def put(self, grant: Grant) -> None:
        """Store a grant in place of the one between the same two; without permissions, remove it."""
        ...


class RestrictedTokens(RestrictedTokenReader, Protocol):
    """Restricted tokens by id, and those of a user."""

    def of_user(self, user_id: str) -> list[RestrictedToken]:
        """All of a user, newest first, expired ones possibly included."""
        ...

    def add(self, token: RestrictedToken, made_with: Session | RestrictedToken | None = None) -> bool:
        """Store a new token; False when the session or token that it is made with has ended meanwhile."""
        ...

    def replace(self, token: RestrictedToken) -> bool:
        """Store a token in place of the one with the same id; False when there is none."""
        ...

    def delete(self, token: RestrictedToken) -> None:
        """Remove a token; one that is not there is no error."""
        ...


@dataclass(frozen=True, slots=True)
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
        """The values of those collections that exist, by user and name."""
        ...

    def replace(self, user_id: str, name: str, old: MetadataCollection | None, new: MetadataCollection) -> None:
        """Store `new` in place of `old`, which is None when there is no such collection yet.

        Raises:
            WriteConflictError: the stored collection is not `old` any more, by version.
            InvalidRequestError: nobody can have this id, or no collection this name.
        """
        ...

    def delete_all(self, user_id: str) -> None:
        """Remove all collections of a user."""
        ...


class Passwords(Protocol):
    """One-way storage of passwords."""

    def hash(self, password: str) -> str:
        """The form in which a password is stored: with its salt and the parameters of the function."""
        ...

    def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether the password has this hash; None is no hash, and takes as long as a wrong password."""
        ...

    def needs_rehash(self, password_hash: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        ...


@dataclass(frozen=True, slots=True)
class Counter:
    """Failed sign-ins of one account, or from one address, in one stretch of time."""

    key: str
    starts_s: int
    ends_s: int
    most: int


class SignInAttempts(Protocol):
    """Counts sign-ins that have not succeeded."""

    def count(self, counters: Sequence[Counter]) -> Counter | None:
        """Add one to each counter; the first that is full already stops the counting and is answered."""
        ...

    def uncount(self, counters: Sequence[Counter]) -> None:
        """Take one from each counter again."""
        ...


@dataclass(frozen=True, slots=True)
class AccountPorts:
    """The stores of accounts and of what belongs to them, and the hashing of passwords."""

    accounts: Accounts
    sessions: Sessions
    restricted_tokens: RestrictedTokens
    grants: Grants
    profiles: Profiles
    passwords: Passwords
    sign_in_attempts: SignInAttempts
