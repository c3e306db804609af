"""Stores of the sessions of browsers, on each engine."""

from dataclasses import dataclass, replace

import pytest

from chalicelib.access.call import Session
from chalicelib.accounts.ports import Accounts, Sessions
from chalicelib.accounts.stores.accounts import StoredAccounts
from chalicelib.accounts.stores.sessions import StoredSessions
from chalicelib.engine.definitions import ACCOUNTS
from chalicelib.engine.engine import Engine
from chalicelib.sign_in.ports import AuthorizationCode, OidcLogins, SsoOpening, SsoSession, SsoSessions
from chalicelib.sign_in.stores.logins import StoredOidcLogins
from chalicelib.sign_in.stores.sso_sessions import StoredSsoSessions
from tests.stores.accounts.account_stores import ANNA, NOW_MS
from tests.stores.items import stored_items

SESSION = SsoSession(
    session_id="5" * 64,
    cookie_hash="5" * 64,
    user_id=ANNA.user_id,
    password_version=1,
    signed_in_s=NOW_MS // 1000,
    is_kept=True,
    expires_time_ms=NOW_MS + 3_600_000,
)
LATER = replace(SESSION, expires_time_ms=NOW_MS + 7_200_000)
WITH_ANOTHER_COOKIE = replace(SESSION, cookie_hash="6" * 64)


def code(letter: str, *, is_web: bool = True) -> AuthorizationCode:
    """A code of Anna's."""
    return AuthorizationCode(
        login_id=letter * 64,
        user_id=ANNA.user_id,
        client_id="blip" if is_web else "xdrip",
        scope="openid",
        redirect_uri="https://web.example.org/",
        code_challenge="c" * 43,
        nonce=None,
        signed_in_s=NOW_MS // 1000,
        expires_time_ms=NOW_MS + 60_000,
        sso_session_id=SESSION.session_id if is_web else "",
    )


@dataclass
class Stores:
    """The stores of one engine, with Anna's account."""

    accounts: Accounts
    sessions: Sessions
    logins: OidcLogins
    sso_sessions: SsoSessions
    engine: Engine

    def keys(self) -> list[str]:
        """The sort keys of what belongs to sessions of browsers."""
        found = stored_items(self.engine, ACCOUNTS)
        return sorted(item["sk"] for item in found if item["sk"] == "SSO" or SESSION.session_id in item["sk"])


@pytest.fixture
def stores(engine: Engine) -> Stores:
    """Stores with Anna's account."""
    table = engine.accounts
    stores = Stores(
        StoredAccounts(table), StoredSessions(table), StoredOidcLogins(table), StoredSsoSessions(table), engine
    )
    stores.accounts.create(ANNA)
    return stores


def end(stores: Stores, login_id: str) -> None:
    """End a login, or the session of a browser."""
    stores.sessions.end_login(Session(login_id, ANNA.user_id, False, 0, 0, login_id))


def test_a_session_is_found_by_its_cookie_as_it_was_stored(stores: Stores) -> None:
    assert stores.sso_sessions.find(SESSION.cookie_hash) is None
    assert stores.logins.add_code(code("a"), SsoOpening(SESSION))
    assert stores.sso_sessions.find(SESSION.cookie_hash) == SESSION
    assert stores.logins.find("a" * 64) == code("a")


def test_a_code_in_a_session_prolongs_it(stores: Stores) -> None:
    stores.logins.add_code(code("a"), SsoOpening(SESSION))
    assert stores.logins.add_code(code("b"), LATER)
    assert stores.sso_sessions.find(SESSION.cookie_hash) == LATER


def test_no_code_is_granted_in_a_session_that_has_ended(stores: Stores) -> None:
    stores.logins.add_code(code("a"), SsoOpening(SESSION))
    stores.sso_sessions.remove(SESSION)
    assert stores.sso_sessions.find(SESSION.cookie_hash) is None
    assert not stores.logins.add_code(code("b"), LATER)
    assert stores.logins.find("b" * 64) is None
    assert stores.sso_sessions.find(SESSION.cookie_hash) is None


def test_no_code_is_granted_after_a_change_of_the_password(stores: Stores) -> None:
    stores.logins.add_code(code("a"), SsoOpening(SESSION))
    stores.accounts.replace(ANNA, replace(ANNA, version=2, password_version=2))
    assert not stores.logins.add_code(code("b"), LATER)


def test_another_cookie_takes_the_place_of_the_first(stores: Stores) -> None:
    stores.logins.add_code(code("a"), SsoOpening(SESSION))
    assert stores.logins.add_code(code("b"), SsoOpening(WITH_ANOTHER_COOKIE, SESSION))
    assert stores.sso_sessions.find(SESSION.cookie_hash) is None
    assert stores.sso_sessions.find(WITH_ANOTHER_COOKIE.cookie_hash) == WITH_ANOTHER_COOKIE
    assert stores.sso_sessions.logins(WITH_ANOTHER_COOKIE) == {"a" * 64: True, "b" * 64: True}


def test_a_session_knows_its_logins_and_which_end_with_it(stores: Stores) -> None:
    stores.logins.add_code(code("a"), SsoOpening(SESSION))
    stores.logins.add_code(code("b", is_web=False), SESSION)
    assert stores.sso_sessions.logins(SESSION) == {"a" * 64: True, "b" * 64: False}
    end(stores, "a" * 64)
    assert stores.sso_sessions.logins(SESSION) == {"a" * 64: True, "b" * 64: False}


def test_ending_a_session_leaves_nothing_of_it(stores: Stores) -> None:
    stores.logins.add_code(code("a"), SsoOpening(SESSION))
    stores.logins.add_code(code("b", is_web=False), SESSION)
    end(stores, SESSION.session_id)
    assert stores.keys() == []
    assert stores.logins.find("b" * 64) == code("b", is_web=False)


def test_ending_all_sessions_ends_those_of_browsers(stores: Stores) -> None:
    stores.logins.add_code(code("a"), SsoOpening(SESSION))
    stores.sessions.end_all(ANNA.user_id)
    assert stores.keys() == []
    assert stores.sso_sessions.find(SESSION.cookie_hash) is None


def test_every_item_of_a_session_expires(stores: Stores) -> None:
    stores.logins.add_code(code("a"), SsoOpening(SESSION))
    stores.logins.add_code(code("b", is_web=False), SESSION)
    items = [item for item in stored_items(stores.engine, ACCOUNTS) if item["sk"].startswith(("SSO", "SESSION#"))]
    assert len(items) == 6
    assert all(item["expires_at_s"] > NOW_MS // 1000 for item in items)
