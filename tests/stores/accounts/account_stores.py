"""The stores of accounts, and people to put into them."""

from dataclasses import dataclass

from chalicelib.accounts.account import Account
from chalicelib.accounts.ports import (
    Accounts,
    Grants,
    KnownSources,
    Profiles,
    RestrictedTokens,
    Sessions,
    SignInAttempts,
    UnansweredSignUps,
)
from chalicelib.accounts.stores.accounts import StoredAccounts
from chalicelib.accounts.stores.attempts import StoredSignInAttempts
from chalicelib.accounts.stores.grants import StoredGrants
from chalicelib.accounts.stores.known_sources import StoredKnownSources
from chalicelib.accounts.stores.profiles import StoredProfiles
from chalicelib.accounts.stores.restricted_tokens import StoredRestrictedTokens
from chalicelib.accounts.stores.sessions import StoredSessions
from chalicelib.accounts.stores.unanswered_sign_ups import StoredUnansweredSignUps
from chalicelib.engine.engine import Engine

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
    """The stores of one engine, and their clock."""

    accounts: Accounts
    sessions: Sessions
    restricted_tokens: RestrictedTokens
    grants: Grants
    profiles: Profiles
    attempts: SignInAttempts
    known_sources: KnownSources
    unanswered_sign_ups: UnansweredSignUps
    clock: Clock


def stores_on(engine: Engine) -> Stores:
    """The stores of an engine."""
    clock, table = Clock(), engine.accounts
    return Stores(
        StoredAccounts(table),
        StoredSessions(table),
        StoredRestrictedTokens(table),
        StoredGrants(table, clock),
        StoredProfiles(table),
        StoredSignInAttempts(table),
        StoredKnownSources(table),
        StoredUnansweredSignUps(table),
        clock,
    )
