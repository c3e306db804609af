"""The accounts' stores in memory. They pass the same tests as the stores on DynamoDB (tests/stores/accounts)."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from copy import deepcopy
from typing import Any

from chalicelib.access.call import LoginReference, RestrictedToken, Session
from chalicelib.access.user_ids import fits_key
from chalicelib.accounts.account import Account
from chalicelib.accounts.grant import Grant
from chalicelib.accounts.ports import AttemptCounter, Deletion, MetadataCollection
from chalicelib.conflicts import WriteConflictError
from chalicelib.errors import InvalidRequestError, UserExistsError
from chalicelib.sign_in.ports import AuthorizationCode, OidcLogin


class FakeGrants:
    """Grants in a dictionary by sharer and grantee."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self.by_pair: dict[tuple[str, str], Grant] = {}

    def allow(self, sharer_id: str, grantee_id: str, *names: str) -> None:
        """Grant permissions, in place of those granted before."""
        self.put(Grant(sharer_id, grantee_id, {name: {} for name in names}))

    def find(self, sharer_id: str, grantee_id: str) -> Grant | None:
        """The permissions that have not expired."""
        grant = self.by_pair.get((sharer_id, grantee_id))
        return None if grant is None else grant.at(self._now_ms())

    def permissions(self, sharer_id: str, grantee_id: str) -> frozenset[str]:
        """Names of the permissions that hold for all data."""
        grant = self.find(sharer_id, grantee_id)
        return frozenset() if grant is None else grant.names

    def view_from_ms(self, sharer_id: str, grantee_id: str) -> int | None:
        """By the clock of the store."""
        grant = self.find(sharer_id, grantee_id)
        return None if grant is None else grant.view_from_ms(self._now_ms())

    def given_by(self, sharer_id: str) -> list[Grant]:
        """By grantee."""
        return self._current(pair for pair in sorted(self.by_pair) if pair[0] == sharer_id)

    def given_to(self, grantee_id: str) -> list[Grant]:
        """By sharer."""
        return self._current(pair for pair in sorted(self.by_pair) if pair[1] == grantee_id)

    def put(self, grant: Grant) -> None:
        """Replace or remove."""
        pair = (grant.sharer_id, grant.grantee_id)
        if grant.permissions:
            self.by_pair[pair] = grant
        else:
            self.by_pair.pop(pair, None)

    def _current(self, pairs: Iterable[tuple[str, str]]) -> list[Grant]:
        found = (self.find(*pair) for pair in pairs)
        return [grant for grant in found if grant is not None]


class FakeAccounts:
    """Accounts in a dictionary by id."""

    def __init__(self, grants: FakeGrants) -> None:
        self._grants = grants
        self.by_id: dict[str, Account] = {}
        self.deleted: dict[str, Deletion] = {}

    def find(self, user_id: str) -> Account | None:
        """By id."""
        return self.by_id.get(user_id)

    def find_by_email(self, email: str) -> Account | None:
        """By address."""
        return next((account for account in self.by_id.values() if account.email == email), None)

    def find_many(self, user_ids: Collection[str]) -> list[Account]:
        """In the order of the ids."""
        return [self.by_id[user_id] for user_id in dict.fromkeys(user_ids) if user_id in self.by_id]

    def with_role(self, role: str, from_ms: int | None = None, before_ms: int | None = None) -> list[Account]:
        """By time of creation, then id."""
        found = [
            account
            for account in self.by_id.values()
            if role in account.roles
            and (from_ms is None or account.created_time_ms >= from_ms)
            and (before_ms is None or account.created_time_ms < before_ms)
        ]
        return sorted(found, key=lambda account: (account.created_time_ms, account.user_id))

    def create(self, account: Account, grant: Grant | None = None) -> None:
        """Store, unless id or address is taken."""
        if account.user_id in self.by_id or self._is_taken(account):
            raise UserExistsError
        self.by_id[account.user_id] = account
        if grant is not None:
            self._grants.put(grant)

    def replace(self, old: Account, new: Account) -> None:
        """Store, unless another version or the address is in the way."""
        stored = self.by_id.get(old.user_id)
        if new.email != old.email and self._is_taken(new):
            raise UserExistsError
        if stored is None or stored.version != old.version:
            raise WriteConflictError
        self.by_id[new.user_id] = new

    def delete(self, account: Account, now_ms: int) -> None:
        """Remove, unless another version is in the way."""
        stored = self.by_id.get(account.user_id)
        if stored is None or stored.version != account.version:
            raise WriteConflictError
        del self.by_id[account.user_id]
        self.deleted[account.user_id] = Deletion(account.user_id, now_ms)

    def deletions(self) -> list[Deletion]:
        """By id."""
        return [self.deleted[user_id] for user_id in sorted(self.deleted)]

    def finish_deletion(self, user_id: str) -> None:
        """Forget."""
        self.deleted.pop(user_id, None)

    def has_password_version(self, user_id: str, password_version: int | None) -> bool:
        """Whether the account exists and, if a version of its password is given, still has it."""
        account = self.by_id.get(user_id)
        return account is not None and password_version in (None, account.password_version)

    def _is_taken(self, account: Account) -> bool:
        holder = None if account.email is None else self.find_by_email(account.email)
        return holder is not None and holder.user_id != account.user_id


class FakeSessions:
    """Sessions in a dictionary by token hash."""

    def __init__(self, accounts: FakeAccounts) -> None:
        self._accounts = accounts
        self.by_hash: dict[str, Session] = {}
        self.restricted_tokens: dict[str, RestrictedToken] = {}
        """Restricted tokens by id, which end with the login that they were made in."""
        self.oidc_logins: dict[str, AuthorizationCode | OidcLogin] = {}
        """Logins by OpenID Connect, which end together with the sessions."""

    def find(self, token_hash: str) -> Session | None:
        """The session, or None."""
        return self.by_hash.get(token_hash)

    def add(self, session: Session, *, parent_hash: str | None = None, password_version: int | None = None) -> bool:
        """Store, unless account, password or parent is gone."""
        if not session.is_server and not self._accounts.has_password_version(session.user_id, password_version):
            return False
        if parent_hash is not None and parent_hash not in self.by_hash:
            return False
        self.by_hash[session.token_hash] = session
        return True

    def end_login(self, session: Session) -> None:
        """Remove those with the same login."""
        self._keep(lambda login: login != session.login)
        self.oidc_logins.pop(session.login.login_id, None)

    def end_all(self, user_id: str, keep: Session | None = None) -> None:
        """Remove those of the user, but those with the login of one."""
        kept = None if keep is None else keep.login.login_id
        self._keep(lambda login: login.user_id != user_id or login.login_id == kept)
        for login in list(self.oidc_logins.values()):
            if login.user_id == user_id and login.login_id != kept:
                del self.oidc_logins[login.login_id]

    def _keep(self, keeps: Callable[[LoginReference], bool]) -> None:
        self.by_hash = {key: session for key, session in self.by_hash.items() if keeps(session.login)}
        for token in list(self.restricted_tokens.values()):
            if token.login is not None and not keeps(token.login):
                del self.restricted_tokens[token.id]


class FakeRestrictedTokens:
    """Restricted tokens in a dictionary by id."""

    def __init__(self, sessions: FakeSessions) -> None:
        self._sessions = sessions
        self.by_id = sessions.restricted_tokens

    def find(self, token_id: str) -> RestrictedToken | None:
        """The token, or None."""
        return self.by_id.get(token_id)

    def of_user(self, user_id: str) -> list[RestrictedToken]:
        """By time of creation, then id, backwards."""
        own = [token for token in self.by_id.values() if token.user_id == user_id]
        return sorted(own, key=lambda token: (token.created_time_ms, token.id), reverse=True)

    def add(self, token: RestrictedToken, made_with: Session | RestrictedToken | None = None) -> bool:
        """Store, unless the session or token it is made with is gone."""
        if isinstance(made_with, Session) and self._sessions.find(made_with.token_hash) is None:
            return False
        if isinstance(made_with, RestrictedToken) and made_with.id not in self.by_id:
            return False
        self.by_id[token.id] = token
        return True

    def replace(self, token: RestrictedToken) -> bool:
        """Store, unless it is gone."""
        if token.id not in self.by_id:
            return False
        self.by_id[token.id] = token
        return True

    def delete(self, token: RestrictedToken) -> None:
        """Remove."""
        self.by_id.pop(token.id, None)


class FakeProfiles:
    """Collections in a dictionary by user and name."""

    def __init__(self) -> None:
        self.collections: dict[tuple[str, str], MetadataCollection] = {}

    def find(self, user_id: str, name: str) -> MetadataCollection | None:
        """A copy, or None."""
        return deepcopy(self.collections.get((user_id, name)))

    def find_many(self, user_ids: Iterable[str], names: Iterable[str]) -> dict[str, dict[str, Mapping[str, Any]]]:
        """Copies, by user and name."""
        wanted = list(names)
        found: dict[str, dict[str, Mapping[str, Any]]] = {}
        for user_id in user_ids:
            for name in wanted:
                collection = self.find(user_id, name)
                if collection is not None:
                    found.setdefault(user_id, {})[name] = collection.values
        return found

    def replace(self, user_id: str, name: str, old: MetadataCollection | None, new: MetadataCollection) -> None:
        """Store, unless another version is in the way."""
        if not fits_key(user_id) or not fits_key(name):
            raise InvalidRequestError("a user id or the name of a collection is empty or too long")
        stored = self.collections.get((user_id, name))
        if (stored and stored.version) != (old and old.version):
            raise WriteConflictError
        self.collections[user_id, name] = deepcopy(new)

    def delete_all(self, user_id: str) -> None:
        """Remove those of the user."""
        self.collections = {key: value for key, value in self.collections.items() if key[0] != user_id}


class FakePasswords:
    """Passwords under a mark that says with which parameters they were "hashed"."""

    def __init__(self) -> None:
        self.parameters = "now"
        self.verified: list[str | None] = []

    def hash(self, password: str) -> str:
        """The password behind the parameters."""
        return f"{self.parameters}:{password}"

    def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether the password is the one behind the parameters; each call is recorded."""
        self.verified.append(password_hash)
        return password_hash is not None and password_hash.partition(":")[2] == password

    def needs_rehash(self, password_hash: str) -> bool:
        """Whether the hash was made with other parameters."""
        return password_hash.partition(":")[0] != self.parameters


class FakeSignInAttempts:
    """Attempts in a dictionary by counter and window."""

    def __init__(self) -> None:
        self.counted: dict[tuple[str, int], int] = {}
        self.failures: Counter[str] = Counter()

    def count(self, counters: Sequence[AttemptCounter]) -> AttemptCounter | None:
        """Add one each, up to the most."""
        for counter in counters:
            key = (counter.key, counter.starts_s)
            if self.counted.get(key, 0) >= counter.max_attempts:
                return counter
            self.counted[key] = self.counted.get(key, 0) + 1
        return None

    def uncount(self, counters: Sequence[AttemptCounter]) -> None:
        """Take one each."""
        for counter in counters:
            key = (counter.key, counter.starts_s)
            self.counted[key] = self.counted.get(key, 0) - 1

    def add_failure(self, names: Sequence[str], expires_at_s: int) -> None:
        """Add one each."""
        self.failures.update(names)

    def take_failures(self, names: Sequence[str]) -> list[int]:
        """Remove and return them."""
        return [self.failures.pop(name, 0) for name in names]


class FakeKnownSources:
    """Expiration times of sources by user and hash."""

    def __init__(self) -> None:
        self.expires_at_s: dict[tuple[str, str], int] = {}

    def known(self, user_id: str, hashes: Collection[str], now_ms: int) -> frozenset[str]:
        """Those that have not expired."""
        known = (source for source in hashes if self.expires_at_s.get((user_id, source), 0) * 1000 > now_ms)
        return frozenset(known)

    def add(self, user_id: str, hashes: Collection[str], expires_at_s: int) -> None:
        """Store them."""
        self.expires_at_s |= {(user_id, source): expires_at_s for source in hashes}

    def remove_all(self, user_id: str) -> None:
        """Keep those of others."""
        self.expires_at_s = {key: end for key, end in self.expires_at_s.items() if key[0] != user_id}
