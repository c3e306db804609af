"""Stores of logins by OpenID Connect, on each engine."""

import itertools
from dataclasses import dataclass, replace

import pytest

from chalicelib.access.call import Session
from chalicelib.accounts.ports import Accounts, Sessions
from chalicelib.accounts.stores.accounts import StoredAccounts
from chalicelib.accounts.stores.sessions import StoredSessions
from chalicelib.conflicts import WriteConflictError
from chalicelib.engine.definitions import ACCOUNTS
from chalicelib.engine.engine import Engine
from chalicelib.sign_in.ports import AuthorizationCode, OidcLogin, OidcLogins, SsoOpening, SsoSession
from chalicelib.sign_in.stores.logins import StoredOidcLogins
from tests.stores.accounts.account_stores import ANNA, BEN, NOW_MS
from tests.stores.items import stored_items

COOKIES = itertools.count(1)
CODE = AuthorizationCode(
    login_id="a" * 64,
    user_id=ANNA.user_id,
    client_id="xdrip",
    scope="openid offline_access",
    redirect_uri="xdrip://callback/tidepool",
    code_challenge="c" * 43,
    nonce="n",
    signed_in_s=NOW_MS // 1000,
    expires_time_ms=NOW_MS + 60_000,
)
LOGIN = OidcLogin(
    login_id=CODE.login_id,
    user_id=ANNA.user_id,
    client_id="xdrip",
    scope="openid offline_access",
    signed_in_s=NOW_MS // 1000,
    expires_time_ms=NOW_MS + 86_400_000,
    current_hashes=("1" * 64,),
)
ROTATED = replace(
    LOGIN, current_hashes=("2" * 64, "3" * 64), previous_hash="1" * 64, rotated_time_ms=NOW_MS + 5, version=2
)


def opening(**changes: object) -> SsoOpening:
    """A new session of a browser."""
    number = next(COOKIES)
    session = SsoSession(
        session_id=f"{number:064x}",
        cookie_hash=f"{number:064x}",
        user_id=ANNA.user_id,
        password_version=1,
        signed_in_s=NOW_MS // 1000,
        is_kept=False,
        expires_time_ms=NOW_MS + 43_200_000,
    )
    return SsoOpening(replace(session, **changes))  # type: ignore[arg-type]  # any field


def session(number: int, login_id: str = LOGIN.login_id) -> Session:
    """A session of a login."""
    return Session(f"{number}" * 64, ANNA.user_id, False, NOW_MS, NOW_MS + 3_600_000, login_id)


@dataclass
class Stores:
    """The stores of one engine, with Anna's and Ben's accounts."""

    accounts: Accounts
    sessions: Sessions
    logins: OidcLogins
    engine: Engine

    def items(self) -> int:
        """The number of codes, logins and sessions, each also in the list of its user."""
        found = stored_items(self.engine, ACCOUNTS)
        kept = [item for item in found if item["pk"].startswith(("OIDC#", "SESSION#"))]
        listed = [item["sk"].split("#") for item in found if item["sk"].startswith("SESSION#")]
        assert len(kept) == len([parts for parts in listed if parts[2] not in ("SSO", "WEB", "APP")])
        return len(kept)


@pytest.fixture
def stores(engine: Engine) -> Stores:
    """Stores with Anna's and Ben's accounts."""
    table = engine.accounts
    stores = Stores(StoredAccounts(table), StoredSessions(table), StoredOidcLogins(table), engine)
    stores.accounts.create(ANNA)
    stores.accounts.create(BEN)
    return stores


@pytest.mark.parametrize("code", [CODE, replace(CODE, nonce=None)], ids=["with a nonce", "without"])
def test_a_code_is_found_as_it_was_stored(stores: Stores, code: AuthorizationCode) -> None:
    assert stores.logins.find(code.login_id) is None
    assert stores.logins.add_code(code, opening())
    assert stores.logins.find(code.login_id) == code


def test_a_code_is_not_stored_for_a_deleted_account(stores: Stores) -> None:
    stores.accounts.delete(ANNA, NOW_MS)
    assert not stores.logins.add_code(CODE, opening())
    assert stores.logins.find(CODE.login_id) is None


def test_a_code_is_not_stored_after_a_change_of_the_password(stores: Stores) -> None:
    stores.accounts.replace(ANNA, replace(ANNA, email="new@example.org", version=2))
    stores.accounts.replace(replace(ANNA, version=2), replace(ANNA, version=3, password_version=2))
    assert not stores.logins.add_code(CODE, opening())
    assert stores.logins.find(CODE.login_id) is None
    assert stores.logins.add_code(CODE, opening(password_version=2))


def test_a_code_is_stored_once(stores: Stores) -> None:
    assert stores.logins.add_code(CODE, opening())
    assert not stores.logins.add_code(replace(CODE, user_id=BEN.user_id), opening(user_id=BEN.user_id))
    assert stores.logins.find(CODE.login_id) == CODE


def test_a_code_is_redeemed_once_for_a_login_and_a_session(stores: Stores) -> None:
    stores.logins.add_code(CODE, opening())
    assert stores.logins.redeem(CODE, LOGIN, session(1))
    assert stores.logins.find(CODE.login_id) == LOGIN
    assert stores.sessions.find(session(1).token_hash) == session(1)
    assert not stores.logins.redeem(CODE, replace(LOGIN, current_hashes=("9" * 64,)), session(2))
    assert stores.logins.find(CODE.login_id) == LOGIN
    assert stores.sessions.find(session(2).token_hash) is None


def test_an_unknown_code_is_not_redeemed(stores: Stores) -> None:
    assert not stores.logins.redeem(CODE, LOGIN, session(1))
    assert stores.logins.find(CODE.login_id) is None
    assert stores.sessions.find(session(1).token_hash) is None


def test_a_code_of_a_deleted_account_is_not_redeemed(stores: Stores) -> None:
    stores.logins.add_code(CODE, opening())
    stores.accounts.delete(ANNA, NOW_MS)
    assert not stores.logins.redeem(CODE, LOGIN, session(1))
    assert stores.sessions.find(session(1).token_hash) is None


def test_one_of_two_concurrent_refreshes_rotates_a_login(stores: Stores) -> None:
    stores.logins.add_code(CODE, opening())
    stores.logins.redeem(CODE, LOGIN, session(1))
    assert stores.logins.rotate(LOGIN, ROTATED, session(2))
    with pytest.raises(WriteConflictError):
        stores.logins.rotate(LOGIN, replace(ROTATED, current_hashes=("9" * 64,)), session(3))
    assert stores.logins.find(LOGIN.login_id) == ROTATED
    assert stores.sessions.find(session(2).token_hash) == session(2)
    assert stores.sessions.find(session(3).token_hash) is None
    assert stores.sessions.find(session(1).token_hash) == session(1)


def test_a_login_of_a_deleted_account_is_not_rotated(stores: Stores) -> None:
    stores.logins.add_code(CODE, opening())
    stores.logins.redeem(CODE, LOGIN, session(1))
    stores.accounts.delete(ANNA, NOW_MS)
    assert not stores.logins.rotate(LOGIN, ROTATED, session(2))
    assert stores.logins.find(LOGIN.login_id) == LOGIN
    assert stores.sessions.find(session(2).token_hash) is None


def test_a_code_is_not_rotated(stores: Stores) -> None:
    stores.logins.add_code(CODE, opening())
    with pytest.raises(WriteConflictError):
        stores.logins.rotate(LOGIN, ROTATED, session(1))
    assert stores.logins.find(CODE.login_id) == CODE


def test_ending_a_login_removes_its_items_and_no_others(stores: Stores) -> None:
    other_code = replace(CODE, login_id="b" * 64)
    other = replace(LOGIN, login_id="b" * 64)
    stores.logins.add_code(CODE, opening())
    stores.logins.redeem(CODE, LOGIN, session(1))
    stores.logins.rotate(LOGIN, ROTATED, session(2))
    stores.logins.add_code(other_code, opening())
    stores.logins.redeem(other_code, other, session(3, other.login_id))
    stores.sessions.end_login(session(1))
    assert stores.logins.find(LOGIN.login_id) is None
    assert [stores.sessions.find(session(number).token_hash) for number in (1, 2)] == [None, None]
    with pytest.raises(WriteConflictError):
        stores.logins.rotate(ROTATED, replace(ROTATED, version=3), session(4))
    assert stores.logins.find(other.login_id) == other
    assert stores.sessions.find(session(3).token_hash) is not None
    assert stores.items() == 2


def test_ending_all_sessions_removes_codes_and_logins(stores: Stores) -> None:
    stores.logins.add_code(CODE, opening())
    stores.logins.add_code(replace(CODE, login_id="b" * 64), opening())
    stores.logins.redeem(CODE, LOGIN, session(1))
    of_ben = replace(CODE, login_id="c" * 64, user_id=BEN.user_id)
    stores.logins.add_code(of_ben, opening(user_id=BEN.user_id))
    stores.sessions.end_all(ANNA.user_id)
    assert [stores.logins.find(letter * 64) for letter in "ab"] == [None, None]
    assert stores.logins.find(of_ben.login_id) == of_ben
    assert stores.items() == 1


def test_ending_all_other_sessions_keeps_the_login_of_the_kept_session(stores: Stores) -> None:
    stores.logins.add_code(CODE, opening())
    stores.logins.redeem(CODE, LOGIN, session(1))
    stores.logins.add_code(replace(CODE, login_id="b" * 64), opening())
    stores.sessions.end_all(ANNA.user_id, keep=session(1))
    assert stores.logins.find(LOGIN.login_id) == LOGIN
    assert stores.logins.find("b" * 64) is None


def test_all_items_have_an_expiry_time(engine: Engine) -> None:
    table = engine.accounts
    accounts, logins = StoredAccounts(table), StoredOidcLogins(table)
    accounts.create(ANNA)
    logins.add_code(CODE, opening())
    logins.redeem(CODE, LOGIN, session(1))
    logins.rotate(LOGIN, ROTATED, session(2))
    items = stored_items(engine, ACCOUNTS)
    by_kinds = {(item["pk"].partition("#")[0], item["sk"].partition("#")[0]): item for item in items}
    expiring = {kind for kind, item in by_kinds.items() if "expires_at_s" in item}
    assert expiring == {("OIDC", "OIDC"), ("SESSION", "SESSION"), ("SSO", "SSO"), ("USER", "SESSION")}
    assert by_kinds["OIDC", "OIDC"]["expires_at_s"] == ROTATED.expires_time_ms // 1000
