"""Logins and ID tokens of OpenID Connect in memory. The logins pass the same tests as those on DynamoDB
(tests/stores/sign_in/test_logins.py); the tokens are signed for real, with a key made once."""

from functools import cache
from typing import Any

from chalicelib.access.call import Session
from chalicelib.conflicts import WriteConflictError
from chalicelib.sign_in.ports import AuthorizationCode, OidcLogin
from chalicelib.sign_in.stores.id_tokens import JoseIdTokens, new_private_key
from tests.fakes.accounts import FakeAccounts, FakeSessions


class FakeOidcLogins:
    """Logins in the dictionary that the sessions keep, since they end together."""

    def __init__(self, accounts: FakeAccounts, sessions: FakeSessions) -> None:
        self._accounts, self._sessions = accounts, sessions
        self.by_id = sessions.oidc_logins

    def find(self, login_id: str) -> AuthorizationCode | OidcLogin | None:
        """Code or login, or None."""
        return self.by_id.get(login_id)

    def add_code(self, code: AuthorizationCode, password_version: int) -> bool:
        """Store, unless the account or its password is gone."""
        if not self._accounts.has_password_version(code.user_id, password_version) or code.login_id in self.by_id:
            return False
        self.by_id[code.login_id] = code
        return True

    def redeem(self, code: AuthorizationCode, login: OidcLogin, session: Session) -> bool:
        """Replace, unless it is a login already."""
        return isinstance(self.by_id.get(code.login_id), AuthorizationCode) and self._store(login, session)

    def rotate(self, old: OidcLogin, new: OidcLogin, session: Session) -> None:
        """Replace, unless another version is stored."""
        stored = self.by_id.get(old.login_id)
        if not (isinstance(stored, OidcLogin) and stored.version == old.version and self._store(new, session)):
            raise WriteConflictError

    def _store(self, login: OidcLogin, session: Session) -> bool:
        if not self._sessions.add(session):
            return False
        self.by_id[login.login_id] = login
        return True


@cache
def signing_key() -> dict[str, Any]:
    """A key for the whole run, since making one takes a tenth of a second."""
    return new_private_key()


class FakeIdTokens(JoseIdTokens):
    """Signs with the key of the run."""

    def __init__(self) -> None:
        super().__init__(lambda: [signing_key()])
