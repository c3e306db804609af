"""The suite of the ports `Accounts` and `SignInAttempts`, on each engine."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from chalicelib.access.call import Session
from chalicelib.accounts.account import Account
from chalicelib.accounts.grant import Grant
from chalicelib.accounts.ports import (
    AttemptCounter,
    Deletion,
    UnansweredSignUp,
)
from chalicelib.conflicts import WriteConflictError
from chalicelib.engine.engine import Engine
from chalicelib.errors import InvalidTokenError, UserExistsError
from tests.stores.accounts.account_stores import ANNA, BEN, NAMELESS, NOW_MS, Stores, stores_on


@pytest.fixture
def stores(engine: Engine) -> Stores:
    """Empty stores."""
    return stores_on(engine)


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

    def test_accounts_without_an_address_do_not_conflict(self, stores: Stores) -> None:
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

    def test_many_accounts_are_found_in_the_order_of_the_ids(self, stores: Stores) -> None:
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

    def test_a_changed_account_is_found_by_its_new_address_and_roles(self, stores: Stores) -> None:
        stores.accounts.create(ANNA)
        changed = replace(ANNA, email="a.new@example.org", roles=("patient", "clinician"), version=2)
        stores.accounts.replace(ANNA, changed)
        assert stores.accounts.find(ANNA.user_id) == changed
        assert stores.accounts.find_by_email("a.new@example.org") == changed
        assert stores.accounts.find_by_email("anna@example.org") is None
        assert stores.accounts.with_role("clinic") == []
        assert stores.accounts.with_role("clinician") == [changed]

    def test_an_address_that_was_given_up_can_be_taken(self, stores: Stores) -> None:
        stores.accounts.create(ANNA)
        stores.accounts.replace(ANNA, replace(ANNA, email=None, version=2))
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
        stores.accounts.replace(ANNA, replace(ANNA, password_hash="second", version=2))
        with pytest.raises(WriteConflictError):
            stores.accounts.replace(ANNA, replace(ANNA, password_hash="third", version=2))
        assert stores.accounts.find(ANNA.user_id) == replace(ANNA, password_hash="second", version=2)

    def test_two_changes_to_one_address_conflict(self, stores: Stores) -> None:
        stores.accounts.create(ANNA)
        changed = replace(ANNA, email="a.new@example.org", version=2)
        stores.accounts.replace(ANNA, changed)
        with pytest.raises(WriteConflictError):  # and not: the address belongs to another account
            stores.accounts.replace(ANNA, changed)
        assert stores.accounts.find_by_email("a.new@example.org") == changed

    def test_a_change_depends_on_the_session_of_its_caller(self, stores: Stores) -> None:
        stores.accounts.create(ANNA)
        session = Session("hash", ANNA.user_id, False, NOW_MS, NOW_MS + 1)
        stores.sessions.add(session)
        changed = replace(ANNA, email="a.new@example.org", version=2)
        stores.accounts.replace(ANNA, changed, session=session)
        stores.sessions.end_all(ANNA.user_id)
        with pytest.raises(InvalidTokenError):
            stores.accounts.replace(changed, replace(ANNA, email="a.newer@example.org", version=3), session=session)
        assert stores.accounts.find(ANNA.user_id) == changed

    def test_a_change_of_a_deleted_account_is_refused(self, stores: Stores) -> None:
        stores.accounts.create(ANNA)
        stores.accounts.delete(ANNA, NOW_MS)
        with pytest.raises(WriteConflictError):
            stores.accounts.replace(ANNA, replace(ANNA, version=2))
        assert stores.accounts.find(ANNA.user_id) is None

    def test_a_deleted_account_leaves_a_receipt_and_nothing_else(self, stores: Stores) -> None:
        stores.accounts.create(ANNA)
        stores.accounts.delete(ANNA, NOW_MS + 1)
        assert stores.accounts.find(ANNA.user_id) is None
        assert stores.accounts.find_by_email("anna@example.org") is None
        assert stores.accounts.with_role("patient") == []
        assert stores.accounts.deletions() == [Deletion(ANNA.user_id, NOW_MS + 1)]

    def test_a_changed_account_is_not_deleted_by_its_older_version(self, stores: Stores) -> None:
        stores.accounts.create(ANNA)
        stores.accounts.replace(ANNA, replace(ANNA, version=2))
        with pytest.raises(WriteConflictError):
            stores.accounts.delete(ANNA, NOW_MS)
        assert stores.accounts.deletions() == []

    def test_a_finished_deletion_is_forgotten(self, stores: Stores) -> None:
        stores.accounts.create(ANNA)
        stores.accounts.delete(ANNA, NOW_MS)
        for _ in range(2):
            stores.accounts.finish_deletion(ANNA.user_id)
        assert stores.accounts.deletions() == []

    def test_a_custodial_account_does_not_take_the_id_of_one_that_is_being_erased(self, stores: Stores) -> None:
        stores.accounts.create(NAMELESS)
        stores.accounts.delete(NAMELESS, NOW_MS)
        with pytest.raises(UserExistsError):
            stores.accounts.create(NAMELESS)
        assert stores.accounts.find(NAMELESS.user_id) is None
        stores.accounts.finish_deletion(NAMELESS.user_id)
        stores.accounts.create(NAMELESS)
        assert stores.accounts.find(NAMELESS.user_id) == NAMELESS


class TestUnansweredSignUps:
    """Sign-ups whose address has to be verified."""

    def test_those_that_are_due_come_oldest_first_up_to_a_limit(self, stores: Stores) -> None:
        for account, expires_time_ms in ((ANNA, NOW_MS + 2), (BEN, NOW_MS + 1), (NAMELESS, NOW_MS + 3)):
            stores.accounts.create(account, expires_time_ms=expires_time_ms)
        first, second = UnansweredSignUp(BEN.user_id, NOW_MS + 1), UnansweredSignUp(ANNA.user_id, NOW_MS + 2)
        assert stores.unanswered_sign_ups.due(NOW_MS, 9) == []
        assert stores.unanswered_sign_ups.due(NOW_MS + 2, 9) == [first, second]
        assert stores.unanswered_sign_ups.due(NOW_MS + 9, 1) == [first]

    def test_one_is_postponed_and_removed(self, stores: Stores) -> None:
        stores.accounts.create(ANNA, expires_time_ms=NOW_MS)
        before, after = UnansweredSignUp(ANNA.user_id, NOW_MS), UnansweredSignUp(ANNA.user_id, NOW_MS + 7)
        stores.unanswered_sign_ups.postpone(before, NOW_MS + 7)
        assert stores.unanswered_sign_ups.due(NOW_MS + 9, 9) == [after]
        for _ in range(2):
            stores.unanswered_sign_ups.remove(after)
        assert stores.unanswered_sign_ups.due(NOW_MS + 9, 9) == []

    def test_a_refused_account_leaves_none_and_an_account_without_a_time_needs_none(self, stores: Stores) -> None:
        stores.accounts.create(ANNA)
        with pytest.raises(UserExistsError):
            stores.accounts.create(replace(BEN, email=ANNA.email), expires_time_ms=NOW_MS)
        assert stores.unanswered_sign_ups.due(NOW_MS + 9, 9) == []


class TestKnownSources:
    """Addresses and browsers from which users signed in."""

    END_MS = 2_000_000

    def test_a_source_is_known_for_its_user_until_it_expires(self, stores: Stores) -> None:
        for _ in range(2):
            stores.known_sources.add(ANNA.user_id, ["a", "b"], self.END_MS // 1000)
        assert stores.known_sources.known(ANNA.user_id, ["a", "c"], self.END_MS - 1) == {"a"}
        assert stores.known_sources.known(ANNA.user_id, ["a", "b"], self.END_MS) == frozenset()
        for user_id in (BEN.user_id, ""):
            assert stores.known_sources.known(user_id, ["a", "b"], self.END_MS - 1) == frozenset()

    @pytest.mark.parametrize("user_id", [ANNA.user_id, "", "x" * 3000])
    def test_the_sources_of_a_user_are_forgotten_together(self, stores: Stores, user_id: str) -> None:
        sources = [f"source-{number}" for number in range(30)]
        for owner in (ANNA.user_id, BEN.user_id):
            for source in sources:
                stores.known_sources.add(owner, [source], self.END_MS // 1000)
        for _ in range(2):
            stores.known_sources.remove_all(user_id)
        left = frozenset() if user_id == ANNA.user_id else set(sources)
        assert stores.known_sources.known(ANNA.user_id, sources, self.END_MS - 1) == left
        assert stores.known_sources.known(BEN.user_id, sources, self.END_MS - 1) == set(sources)


class TestSignInAttempts:
    """Counters of attempts."""

    ACCOUNT = AttemptCounter("account:a", 900, 1800, max_attempts=2)
    ADDRESS = AttemptCounter("address:b", 900, 1800, max_attempts=3)

    def counts(self, stores: Stores, *counters: AttemptCounter) -> Callable[[], AttemptCounter | None]:
        """A function that counts an attempt at each call."""
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

    def test_failures_are_taken_once_by_name(self, stores: Stores) -> None:
        stores.attempts.add_failure(["all", "here"], 2000)
        stores.attempts.add_failure(["all", "there"], 3000)
        assert stores.attempts.take_failures(["all", "here"]) == [2, 1]
        assert stores.attempts.take_failures(["all", "here", "there"]) == [0, 0, 1]

    def test_a_new_window_starts_without_attempts(self, stores: Stores) -> None:
        attempt = self.counts(stores, self.ACCOUNT)
        assert [attempt() for _ in range(3)] == [None, None, self.ACCOUNT]
        later = replace(self.ACCOUNT, starts_s=1800, ends_s=2700)
        assert stores.attempts.count([later]) is None
