"""What every store of accounts, sessions, grants and attempts does, in memory and on DynamoDB."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from chalicelib.adapters.accounts import DynamoAccounts
from chalicelib.adapters.accounts_attempts import DynamoSignInAttempts
from chalicelib.adapters.accounts_grants import DynamoGrants
from chalicelib.adapters.accounts_profiles import DynamoProfiles
from chalicelib.adapters.accounts_restricted_tokens import DynamoRestrictedTokens
from chalicelib.adapters.accounts_sessions import DynamoSessions
from chalicelib.domain.access import RestrictedToken, Session
from chalicelib.domain.accounts import Account
from chalicelib.domain.errors import InvalidRequestError, UserExistsError
from chalicelib.domain.grants import Grant
from chalicelib.domain.ports_accounts import (
    Accounts,
    Collection,
    Counter,
    Deletion,
    Grants,
    Profiles,
    RestrictedTokens,
    Sessions,
    SignInAttempts,
)
from tests.fakes.accounts import (
    FakeAccounts,
    FakeGrants,
    FakeProfiles,
    FakeRestrictedTokens,
    FakeSessions,
    FakeSignInAttempts,
)

NOW_MS = 1_767_225_600_000
ANNA = Account(
    "b4ed8d9a-51ab-4a56-9d5f-2a5b8e4d7c10",
    NOW_MS,
    "anna@example.org",
    "hash",
    ("patient", "clinic"),
    1_767_000_000,
    True,
)
BEN = Account("0123456789", NOW_MS + 5, "ben@example.org", "other hash", ("patient",))
NAMELESS = Account("7c10b4ed8d", NOW_MS + 9, None, None, ("custodial_account", "patient"))


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now_ms = NOW_MS

    def __call__(self) -> int:
        return self.now_ms


@dataclass
class Stores:
    """The stores of one kind, and their clock."""

    accounts: Accounts
    sessions: Sessions
    restricted_tokens: RestrictedTokens
    grants: Grants
    profiles: Profiles
    attempts: SignInAttempts
    clock: Clock


@pytest.fixture(params=["memory", "dynamodb"])
def stores(request: pytest.FixtureRequest) -> Stores:
    """Empty stores."""
    clock = Clock()
    if request.param == "memory":
        grants = FakeGrants(clock)
        accounts = FakeAccounts(grants)
        return Stores(
            accounts,
            FakeSessions(accounts),
            FakeRestrictedTokens(),
            grants,
            FakeProfiles(),
            FakeSignInAttempts(),
            clock,
        )
    settings = request.getfixturevalue("stage")
    return Stores(
        DynamoAccounts(settings),
        DynamoSessions(settings),
        DynamoRestrictedTokens(settings),
        DynamoGrants(settings, clock),
        DynamoProfiles(settings),
        DynamoSignInAttempts(settings),
        clock,
    )


def session(token_hash: str, login_id: str = "", user_id: str = ANNA.user_id, *, is_server: bool = False) -> Session:
    """A session of Anna's that ends in an hour."""
    return Session(token_hash, user_id, is_server, NOW_MS, NOW_MS + 3_600_000, login_id)


class TestAccounts:
    """Accounts by id, address and role."""

    @pytest.mark.parametrize("account", [ANNA, BEN, NAMELESS])
    def test_a_new_account_is_found_by_id_as_it_was_stored(self, stores: Stores, account: Account) -> None:
        stores.accounts.create(account)
        assert stores.accounts.find(account.user_id) == account

    def test_an_account_is_found_by_its_address(self, stores: Stores) -> None:
        stores.accounts.create(ANNA)
        stores.accounts.create(BEN)
        assert stores.accounts.find_by_email("ben@example.org") == BEN

    @pytest.mark.parametrize("unknown", ["nobody@example.org", "", "x" * 3000])
    def test_nothing_is_found_under_an_unknown_address_or_id(self, stores: Stores, unknown: str) -> None:
        stores.accounts.create(ANNA)
        assert stores.accounts.find_by_email(unknown) is None
        assert stores.accounts.find(unknown) is None

    def test_an_address_belongs_to_one_account(self, stores: Stores) -> None:
        stores.accounts.create(ANNA)
        with pytest.raises(UserExistsError):
            stores.accounts.create(replace(BEN, email=ANNA.email))
        assert stores.accounts.find(BEN.user_id) is None

    def test_accounts_without_an_address_do_not_meet(self, stores: Stores) -> None:
        stores.accounts.create(NAMELESS)
        stores.accounts.create(replace(NAMELESS, user_id="8d7c10b4ed"))
        assert stores.accounts.find("8d7c10b4ed") is not None

    def test_a_new_account_comes_with_its_grant(self, stores: Stores) -> None:
        grant = Grant(NAMELESS.user_id, ANNA.user_id, {"custodian": {}})
        stores.accounts.create(NAMELESS, grant)
        assert stores.grants.given_to(ANNA.user_id) == [grant]

    def test_a_refused_account_leaves_no_grant(self, stores: Stores) -> None:
        stores.accounts.create(ANNA)
        with pytest.raises(UserExistsError):
            stores.accounts.create(replace(BEN, email=ANNA.email), Grant(BEN.user_id, ANNA.user_id, {"view": {}}))
        assert stores.grants.given_to(ANNA.user_id) == []

    def test_many_are_found_in_the_order_asked_for(self, stores: Stores) -> None:
        for account in (ANNA, BEN, NAMELESS):
            stores.accounts.create(account)
        asked = [NAMELESS.user_id, "unknown", ANNA.user_id, NAMELESS.user_id]
        assert stores.accounts.find_many(asked) == [NAMELESS, ANNA]

    def test_more_accounts_than_one_batch_are_found(self, stores: Stores) -> None:
        many = [Account(f"{number:010x}", NOW_MS + number, roles=("patient",)) for number in range(130)]
        for account in many:
            stores.accounts.create(account)
        assert stores.accounts.find_many([account.user_id for account in many]) == many
        assert stores.accounts.with_role("patient") == many

    @pytest.mark.parametrize(
        ("role", "from_ms", "before_ms", "expected"),
        [
            ("patient", None, None, [ANNA, BEN, NAMELESS]),
            ("clinic", None, None, [ANNA]),
            ("brokered", None, None, []),
            ("patient", NOW_MS + 5, None, [BEN, NAMELESS]),
            ("patient", None, NOW_MS + 5, [ANNA]),
            ("patient", NOW_MS + 1, NOW_MS + 9, [BEN]),
            ("patient", NOW_MS + 9, NOW_MS, []),
        ],
    )
    def test_a_role_lists_its_accounts_by_time(
        self, stores: Stores, role: str, from_ms: int | None, before_ms: int | None, expected: list[Account]
    ) -> None:
        for account in (BEN, NAMELESS, ANNA):
            stores.accounts.create(account)
        assert stores.accounts.with_role(role, from_ms, before_ms) == expected

    def test_a_change_moves_address_and_roles(self, stores: Stores) -> None:
        stores.accounts.create(ANNA)
        changed = replace(ANNA, email="a.new@example.org", roles=("patient", "clinician"), version=2)
        assert stores.accounts.replace(ANNA, changed)
        assert stores.accounts.find(ANNA.user_id) == changed
        assert stores.accounts.find_by_email("a.new@example.org") == changed
        assert stores.accounts.find_by_email("anna@example.org") is None
        assert stores.accounts.with_role("clinic") == []
        assert stores.accounts.with_role("clinician") == [changed]

    def test_an_address_that_was_given_up_can_be_taken(self, stores: Stores) -> None:
        stores.accounts.create(ANNA)
        assert stores.accounts.replace(ANNA, replace(ANNA, email=None, version=2))
        stores.accounts.create(replace(BEN, email=ANNA.email))
        assert stores.accounts.find_by_email("anna@example.org") == replace(BEN, email=ANNA.email)

    def test_a_change_cannot_take_the_address_of_another(self, stores: Stores) -> None:
        stores.accounts.create(ANNA)
        stores.accounts.create(BEN)
        with pytest.raises(UserExistsError):
            stores.accounts.replace(BEN, replace(BEN, email=ANNA.email, version=2))
        assert stores.accounts.find(BEN.user_id) == BEN
        assert stores.accounts.find_by_email("ben@example.org") == BEN

    def test_a_change_of_an_older_version_is_refused(self, stores: Stores) -> None:
        stores.accounts.create(ANNA)
        assert stores.accounts.replace(ANNA, replace(ANNA, password_hash="second", version=2))
        assert not stores.accounts.replace(ANNA, replace(ANNA, password_hash="third", version=2))
        assert stores.accounts.find(ANNA.user_id) == replace(ANNA, password_hash="second", version=2)

    def test_a_change_of_a_deleted_account_is_refused(self, stores: Stores) -> None:
        stores.accounts.create(ANNA)
        assert stores.accounts.delete(ANNA, NOW_MS)
        assert not stores.accounts.replace(ANNA, replace(ANNA, version=2))
        assert stores.accounts.find(ANNA.user_id) is None

    def test_a_deleted_account_leaves_a_receipt_and_nothing_else(self, stores: Stores) -> None:
        stores.accounts.create(ANNA)
        assert stores.accounts.delete(ANNA, NOW_MS + 1)
        assert stores.accounts.find(ANNA.user_id) is None
        assert stores.accounts.find_by_email("anna@example.org") is None
        assert stores.accounts.with_role("patient") == []
        assert stores.accounts.deletions() == [Deletion(ANNA.user_id, NOW_MS + 1)]

    def test_a_changed_account_is_not_deleted_by_its_older_version(self, stores: Stores) -> None:
        stores.accounts.create(ANNA)
        stores.accounts.replace(ANNA, replace(ANNA, version=2))
        assert not stores.accounts.delete(ANNA, NOW_MS)
        assert stores.accounts.deletions() == []

    def test_a_finished_deletion_is_forgotten(self, stores: Stores) -> None:
        stores.accounts.create(ANNA)
        stores.accounts.delete(ANNA, NOW_MS)
        for _ in range(2):
            stores.accounts.finish_deletion(ANNA.user_id)
        assert stores.accounts.deletions() == []


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

    def test_a_session_needs_an_account(self, stores: Stores) -> None:
        assert not stores.sessions.add(session("a", user_id="unknown"))
        assert stores.sessions.find("a") is None

    def test_a_refreshed_session_needs_the_one_it_comes_from(self, stores: Stores) -> None:
        assert not stores.sessions.add(session("b", login_id="a"), parent_hash="a")
        assert stores.sessions.find("b") is None

    def test_the_end_of_a_login_ends_what_was_refreshed_from_it_and_nothing_else(self, stores: Stores) -> None:
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

    @pytest.mark.parametrize("user_id", ["unknown", "", "x" * 3000])
    def test_ending_nothing_is_no_error(self, stores: Stores, user_id: str) -> None:
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
            stores.restricted_tokens.put(token)

    @pytest.mark.parametrize("token", TOKENS)
    def test_a_token_is_found_as_it_was_stored(self, stores: Stores, token: RestrictedToken) -> None:
        assert stores.restricted_tokens.find(token.id) == token

    def test_those_of_a_user_are_newest_first(self, stores: Stores) -> None:
        assert stores.restricted_tokens.of_user("user") == [self.TOKENS[1], self.TOKENS[0]]

    def test_a_change_takes_the_place_of_the_old_one(self, stores: Stores) -> None:
        changed = replace(self.TOKENS[0], expiration_time_ms=NOW_MS + 9, modified_time_ms=NOW_MS + 5)
        stores.restricted_tokens.put(changed)
        assert stores.restricted_tokens.find("a") == changed
        assert stores.restricted_tokens.of_user("user") == [self.TOKENS[1], changed]

    def test_a_deleted_one_is_gone_from_both_sides(self, stores: Stores) -> None:
        for _ in range(2):
            stores.restricted_tokens.delete(self.TOKENS[0])
        assert stores.restricted_tokens.find("a") is None
        assert stores.restricted_tokens.of_user("user") == [self.TOKENS[1]]

    @pytest.mark.parametrize("strange", ["", "unknown", "x" * 3000])
    def test_nothing_is_found_under_another_id(self, stores: Stores, strange: str) -> None:
        assert stores.restricted_tokens.find(strange) is None
        assert stores.restricted_tokens.of_user(strange) == []


class TestGrants:
    """Grants from both sides."""

    def test_a_grant_is_found_from_both_sides(self, stores: Stores) -> None:
        grant = Grant("sharer", "grantee", {"view": {}, "bogus": {"x": [1, 2.5, None]}, "follow": "yes"})
        stores.grants.put(grant)
        assert stores.grants.find("sharer", "grantee") == grant
        assert stores.grants.given_by("sharer") == [grant]
        assert stores.grants.given_to("grantee") == [grant]
        assert stores.grants.permissions("sharer", "grantee") == {"view", "bogus", "follow"}

    def test_a_grant_has_a_direction(self, stores: Stores) -> None:
        stores.grants.put(Grant("sharer", "grantee", {"view": {}}))
        assert stores.grants.find("grantee", "sharer") is None
        assert stores.grants.permissions("grantee", "sharer") == frozenset()
        assert stores.grants.given_by("grantee") == stores.grants.given_to("sharer") == []

    def test_a_new_grant_takes_the_place_of_the_old_one(self, stores: Stores) -> None:
        stores.grants.put(Grant("sharer", "grantee", {"view": {}}))
        stores.grants.put(Grant("sharer", "grantee", {"upload": {}}))
        assert stores.grants.permissions("sharer", "grantee") == {"upload"}
        assert stores.grants.given_to("grantee") == [Grant("sharer", "grantee", {"upload": {}})]

    def test_an_empty_grant_removes_the_old_one(self, stores: Stores) -> None:
        stores.grants.put(Grant("sharer", "grantee", {"view": {}}))
        for _ in range(2):
            stores.grants.put(Grant("sharer", "grantee", {}))
        assert stores.grants.find("sharer", "grantee") is None
        assert stores.grants.given_by("sharer") == stores.grants.given_to("grantee") == []

    def test_lists_are_by_the_other_side(self, stores: Stores) -> None:
        for grantee_id in ("c", "a", "b"):
            stores.grants.put(Grant("sharer", grantee_id, {"view": {}}))
        stores.grants.put(Grant("other", "a", {"note": {}}))
        assert [grant.grantee_id for grant in stores.grants.given_by("sharer")] == ["a", "b", "c"]
        assert [grant.sharer_id for grant in stores.grants.given_to("a")] == ["other", "sharer"]

    def test_what_has_ended_is_not_told(self, stores: Stores) -> None:
        ends = {"expiresTime": "2026-01-01T00:00:01Z"}
        stores.grants.put(Grant("sharer", "grantee", {"view": ends, "note": {}}))
        stores.grants.put(Grant("sharer", "other", {"view": ends}))
        assert stores.grants.permissions("sharer", "grantee") == {"view", "note"}
        stores.clock.now_ms += 1000
        assert stores.grants.permissions("sharer", "grantee") == {"note"}
        assert stores.grants.given_by("sharer") == [Grant("sharer", "grantee", {"note": {}})]
        assert stores.grants.given_to("other") == []

    def test_a_window_is_told_apart_from_a_whole_view(self, stores: Stores) -> None:
        stores.grants.put(Grant("sharer", "grantee", {"view": {"windowHours": 24}, "note": {}}))
        assert stores.grants.permissions("sharer", "grantee") == {"note"}
        stores.clock.now_ms += 5
        assert stores.grants.view_from_ms("sharer", "grantee") == NOW_MS + 5 - 24 * 3_600_000
        assert stores.grants.view_from_ms("grantee", "sharer") is None
        stores.grants.put(Grant("sharer", "grantee", {"view": {}, "upload": {}}))
        assert stores.grants.view_from_ms("sharer", "grantee") is None

    @pytest.mark.parametrize("strange", ["", "x" * 3000])
    def test_nothing_is_granted_to_an_id_that_cannot_be_stored(self, stores: Stores, strange: str) -> None:
        assert stores.grants.permissions(strange, "grantee") == frozenset()
        assert stores.grants.permissions("sharer", strange) == frozenset()
        assert stores.grants.given_by(strange) == stores.grants.given_to(strange) == []


class TestProfiles:
    """Metadata by user and collection."""

    FIRST = Collection({"fullName": "Änna", "patient": {"mrn": "1", "list": [1, 2.5, None, True]}}, 1)
    SECOND = Collection({"fullName": "Anna"}, 2)

    def test_a_collection_is_found_as_it_was_stored(self, stores: Stores) -> None:
        assert stores.profiles.replace("a", "profile", None, self.FIRST)
        assert stores.profiles.find("a", "profile") == self.FIRST
        assert stores.profiles.find("a", "settings") is None
        assert stores.profiles.find("b", "profile") is None

    def test_a_change_of_another_version_is_refused(self, stores: Stores) -> None:
        assert stores.profiles.replace("a", "profile", None, self.FIRST)
        assert not stores.profiles.replace("a", "profile", None, self.SECOND)
        assert stores.profiles.replace("a", "profile", self.FIRST, self.SECOND)
        assert not stores.profiles.replace("a", "profile", self.FIRST, self.SECOND)
        assert stores.profiles.find("a", "profile") == self.SECOND

    def test_many_are_found_at_once(self, stores: Stores) -> None:
        for number in range(60):
            stores.profiles.replace(f"u{number}", "profile", None, Collection({"number": number}, 1))
        stores.profiles.replace("u1", "settings", None, Collection({}, 1))
        stores.profiles.replace("u1", "private", None, self.FIRST)
        found = stores.profiles.find_many([f"u{number}" for number in range(70)], ["profile", "settings"])
        assert len(found) == 60
        assert found["u1"] == {"profile": {"number": 1}, "settings": {}}
        assert found["u59"] == {"profile": {"number": 59}}

    def test_all_of_a_user_go_together(self, stores: Stores) -> None:
        for user_id, name in (("a", "profile"), ("a", "any name"), ("b", "profile")):
            stores.profiles.replace(user_id, name, None, self.FIRST)
        for _ in range(2):
            stores.profiles.delete_all("a")
        found = stores.profiles.find_many(["a", "b"], ["profile", "any name"])
        assert found == {"b": {"profile": self.FIRST.values}}

    @pytest.mark.parametrize(
        ("user_id", "name"), [("x" * 600, "profile"), ("", "profile"), ("a", "x" * 600), ("a", "")]
    )
    def test_nothing_is_stored_under_an_impossible_name(self, stores: Stores, user_id: str, name: str) -> None:
        assert stores.profiles.find(user_id, name) is None
        with pytest.raises(InvalidRequestError):
            stores.profiles.replace(user_id, name, None, self.FIRST)


class TestSignInAttempts:
    """Counters of attempts."""

    ACCOUNT = Counter("account:a", 900, 1800, most=2)
    ADDRESS = Counter("address:b", 900, 1800, most=3)

    def counts(self, stores: Stores, *counters: Counter) -> Callable[[], Counter | None]:
        """One more attempt, each time it is called."""
        return lambda: stores.attempts.count(counters)

    def test_the_first_full_counter_stops_the_counting(self, stores: Stores) -> None:
        attempt = self.counts(stores, self.ACCOUNT, self.ADDRESS)
        assert [attempt() for _ in range(4)] == [None, None, self.ACCOUNT, self.ACCOUNT]
        address = self.counts(stores, self.ADDRESS)
        assert [address() for _ in range(2)] == [None, self.ADDRESS]

    def test_an_uncounted_attempt_leaves_its_place(self, stores: Stores) -> None:
        attempt = self.counts(stores, self.ACCOUNT, self.ADDRESS)
        for _ in range(10):
            assert attempt() is None
            stores.attempts.uncount([self.ACCOUNT, self.ADDRESS])

    def test_a_new_window_starts_at_none(self, stores: Stores) -> None:
        attempt = self.counts(stores, self.ACCOUNT)
        assert [attempt() for _ in range(3)] == [None, None, self.ACCOUNT]
        later = replace(self.ACCOUNT, starts_s=1800, ends_s=2700)
        assert stores.attempts.count([later]) is None
