"""The suite of the ports `Sessions` and `RestrictedTokens`, on each engine."""

from dataclasses import replace

import pytest

from chalicelib.access.call import RestrictedToken, Session
from chalicelib.accounts.stores.keys import account_key
from chalicelib.engine.engine import Engine
from chalicelib.engine.table import Update
from tests.stores.accounts.account_stores import ANNA, BEN, NOW_MS, Stores, stores_on


@pytest.fixture
def stores(engine: Engine) -> Stores:
    """Empty stores."""
    return stores_on(engine)


def session(token_hash: str, login_id: str = "", user_id: str = ANNA.user_id, *, is_server: bool = False) -> Session:
    """A session of Anna's that ends in an hour."""
    return Session(token_hash, user_id, is_server, NOW_MS, NOW_MS + 3_600_000, login_id)


class TestSessions:
    """Sessions by token hash."""

    @pytest.fixture(autouse=True)
    def accounts(self, stores: Stores) -> None:
        """Anna and Ben have accounts."""
        stores.accounts.create(ANNA)
        stores.accounts.create(BEN)

    @pytest.mark.parametrize(
        "stored", [session("a"), session("b", login_id="a"), session("c", user_id="a server", is_server=True)]
    )
    def test_a_session_is_found_as_it_was_stored(self, stores: Stores, stored: Session) -> None:
        assert stores.sessions.add(stored)
        assert stores.sessions.find(stored.token_hash) == stored
        assert stores.sessions.find("other") is None

    def test_all_sessions_of_a_user_are_listed_and_nothing_else_of_the_list(self, stores: Stores) -> None:
        sessions = [session("a"), session("b", login_id="a"), session("c")]
        for stored in (*sessions, session("d", user_id=BEN.user_id)):
            stores.sessions.add(stored)
        made = RestrictedToken("t", ANNA.user_id, None, NOW_MS + 1, NOW_MS, login=session("a").login)
        assert stores.restricted_tokens.add(made)
        listed = stores.sessions.of_user(ANNA.user_id)
        assert sorted(listed, key=lambda found: found.token_hash) == sessions
        assert stores.sessions.of_user("unknown") == stores.sessions.of_user("") == []

    def test_a_session_needs_an_account(self, stores: Stores) -> None:
        assert not stores.sessions.add(session("a", user_id="unknown"))
        assert stores.sessions.find("a") is None

    def test_a_session_needs_the_password_that_opens_it(self, stores: Stores) -> None:
        changed = replace(ANNA, password_hash="another", version=2, password_version=2)
        assert stores.sessions.add(session("a"), password_version=1)
        stores.accounts.replace(ANNA, changed)
        assert not stores.sessions.add(session("b"), password_version=1)
        assert stores.sessions.find("b") is None
        assert stores.sessions.add(session("b"), password_version=2)
        assert not stores.sessions.add(session("c", user_id="unknown"), password_version=1)

    def test_other_changes_of_the_account_do_not_refuse_a_session(self, stores: Stores) -> None:
        changed = replace(ANNA, email="new@example.org", password_hash="stronger", roles=(), version=2)
        stores.accounts.replace(ANNA, changed)
        assert stores.sessions.add(session("a"), password_version=1)

    def test_a_refreshed_session_needs_its_parent(self, stores: Stores) -> None:
        assert not stores.sessions.add(session("b", login_id="a"), parent_hash="a")
        assert stores.sessions.find("b") is None

    def test_ending_a_login_ends_only_the_sessions_refreshed_from_it(self, stores: Stores) -> None:
        stores.sessions.add(session("a"))
        stores.sessions.add(session("b", login_id="a"), parent_hash="a")
        stores.sessions.add(session("c", login_id="a"), parent_hash="b")
        stores.sessions.add(session("other"))
        stores.sessions.end_login(session("b", login_id="a"))
        assert [stores.sessions.find(token_hash) for token_hash in "abc"] == [None] * 3
        assert stores.sessions.find("other") is not None

    def test_all_sessions_of_a_user_end_together(self, stores: Stores) -> None:
        for number in range(70):
            stores.sessions.add(session(f"a{number}"))
        stores.sessions.add(session("b", user_id=BEN.user_id))
        stores.sessions.end_all(ANNA.user_id)
        assert all(stores.sessions.find(f"a{number}") is None for number in range(70))
        assert stores.sessions.find("b") is not None

    @pytest.mark.parametrize("kept", ["a", "b"])
    def test_ending_all_sessions_may_keep_one_login_and_its_refreshed_sessions(self, stores: Stores, kept: str) -> None:
        of_login = {"a": session("a"), "b": session("b", login_id="a")}
        for stored in (*of_login.values(), session("c"), session("aa"), session("d", login_id="c")):
            stores.sessions.add(stored)
        stores.sessions.end_all(ANNA.user_id, keep=of_login[kept])
        left = [token_hash for token_hash in ("a", "b", "c", "aa", "d") if stores.sessions.find(token_hash)]
        assert left == ["a", "b"]

    def test_the_login_of_another_user_keeps_no_session(self, stores: Stores) -> None:
        stores.sessions.add(session("a"))
        stores.sessions.add(session("b", user_id=BEN.user_id))
        stores.sessions.end_all(ANNA.user_id, keep=session("b", user_id=BEN.user_id))
        assert stores.sessions.find("a") is None
        assert stores.sessions.find("b") is not None

    @pytest.mark.parametrize("user_id", ["unknown", "", "x" * 3000])
    def test_ending_absent_sessions_is_no_error(self, stores: Stores, user_id: str) -> None:
        stores.sessions.end_all(user_id)
        stores.sessions.end_login(session("never stored"))


class TestRestrictedTokens:
    """Restricted tokens by id, and those of a user."""

    TOKENS = (
        RestrictedToken("a", "user", ("/x", "/y"), NOW_MS + 1, NOW_MS),
        RestrictedToken("b", "user", None, NOW_MS - 1, NOW_MS + 1, NOW_MS + 2),
        RestrictedToken("c", "other", ("/",), NOW_MS + 1, NOW_MS + 2),
    )

    @pytest.fixture(autouse=True)
    def tokens(self, stores: Stores) -> None:
        """All are stored."""
        for token in self.TOKENS:
            assert stores.restricted_tokens.add(token)

    @pytest.mark.parametrize("token", TOKENS)
    def test_a_token_is_found_as_it_was_stored(self, stores: Stores, token: RestrictedToken) -> None:
        assert stores.restricted_tokens.find(token.id) == token

    def test_restricted_tokens_of_a_user_are_newest_first(self, stores: Stores) -> None:
        assert stores.restricted_tokens.of_user("user") == [self.TOKENS[1], self.TOKENS[0]]

    def test_a_changed_token_replaces_the_old_one(self, stores: Stores) -> None:
        changed = replace(self.TOKENS[0], expiration_time_ms=NOW_MS + 9, modified_time_ms=NOW_MS + 5)
        assert stores.restricted_tokens.replace(changed)
        assert stores.restricted_tokens.find("a") == changed
        assert stores.restricted_tokens.of_user("user") == [self.TOKENS[1], changed]

    def test_a_deleted_token_cannot_be_changed(self, stores: Stores) -> None:
        stores.restricted_tokens.delete(self.TOKENS[0])
        assert not stores.restricted_tokens.replace(self.TOKENS[0])
        assert stores.restricted_tokens.find("a") is None
        assert stores.restricted_tokens.of_user("user") == [self.TOKENS[1]]

    @pytest.mark.parametrize("made_with", [session("s"), session("s", user_id="a server", is_server=True), TOKENS[0]])
    def test_a_restricted_token_needs_the_session_or_token_it_is_made_with(
        self, stores: Stores, made_with: Session | RestrictedToken
    ) -> None:
        first, second = (replace(self.TOKENS[0], id=token_id, user_id="new") for token_id in ("d", "e"))
        if isinstance(made_with, Session):
            stores.accounts.create(ANNA)
            stores.sessions.add(made_with)
        assert stores.restricted_tokens.add(first, made_with)
        if isinstance(made_with, Session):
            stores.sessions.end_all(made_with.user_id)
        else:
            stores.restricted_tokens.delete(made_with)
        assert not stores.restricted_tokens.add(second, made_with)
        assert stores.restricted_tokens.of_user("new") == [first]

    def test_one_token_answers_the_requests_of_a_user_with_a_key(self, stores: Stores) -> None:
        first, second = (replace(self.TOKENS[0], id=token_id, user_id="new") for token_id in ("d", "e"))
        assert stores.restricted_tokens.id_for("new", "k") is None
        assert stores.restricted_tokens.add(first, idempotency_key="k")
        assert not stores.restricted_tokens.add(second, idempotency_key="k")
        assert stores.restricted_tokens.of_user("new") == [first]
        assert stores.restricted_tokens.id_for("new", "k") == "d"
        assert stores.restricted_tokens.id_for("user", "k") is None
        stores.restricted_tokens.delete(first)
        assert not stores.restricted_tokens.add(second, idempotency_key="k")
        assert stores.restricted_tokens.add(second, idempotency_key="l")

    @pytest.mark.parametrize("login_user_id", [ANNA.user_id, "a server # 1"])
    @pytest.mark.parametrize("ends_all", [False, True])
    def test_restricted_tokens_end_with_their_login(self, stores: Stores, login_user_id: str, ends_all: bool) -> None:
        stores.accounts.create(ANNA)
        made_with = session("s", user_id=login_user_id, is_server=True)
        stores.sessions.add(made_with)
        for number in range(40):
            token = RestrictedToken(f"t{number}", "new", None, NOW_MS + 1, NOW_MS, login=made_with.login, parent_id="p")
            assert stores.restricted_tokens.add(token, made_with)
            assert stores.restricted_tokens.replace(token)
            assert stores.restricted_tokens.find(token.id) == token
        stores.restricted_tokens.add(replace(self.TOKENS[0], id="d", user_id="new"))
        if ends_all:
            stores.sessions.end_all(login_user_id)
        else:
            stores.sessions.end_login(made_with)
        assert [token.id for token in stores.restricted_tokens.of_user("new")] == ["d"]
        assert stores.restricted_tokens.find("t0") is None

    def test_a_deleted_token_is_removed_from_the_list_of_its_user(self, stores: Stores) -> None:
        for _ in range(2):
            stores.restricted_tokens.delete(self.TOKENS[0])
        assert stores.restricted_tokens.find("a") is None
        assert stores.restricted_tokens.of_user("user") == [self.TOKENS[1]]

    @pytest.mark.parametrize("strange", ["", "unknown", "x" * 3000])
    def test_no_token_is_found_under_a_similar_id(self, stores: Stores, strange: str) -> None:
        assert stores.restricted_tokens.find(strange) is None
        assert stores.restricted_tokens.of_user(strange) == []


def test_an_account_of_an_earlier_version_signs_in(engine: Engine, stores: Stores) -> None:
    """Its item does not count the changes of the password yet."""
    stores.accounts.create(ANNA)
    engine.accounts.update(Update(account_key(ANNA.user_id), remove=["password_version"]))
    assert stores.accounts.find(ANNA.user_id) == ANNA
    assert stores.sessions.add(session("a"), password_version=1)
    stores.accounts.replace(ANNA, replace(ANNA, password_hash="another", version=2, password_version=2))
    assert not stores.sessions.add(session("b"), password_version=1)
