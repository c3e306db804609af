"""The stores of accounts, in memory and on DynamoDB, and people to put into them."""

from dataclasses import dataclass

from chalicelib.accounts.account import Account
from chalicelib.accounts.ports import (
    Accounts,
    Grants,
    Profiles,
    RestrictedTokens,
    Sessions,
    SignInAttempts,
)
from chalicelib.accounts.stores.accounts import StoredAccounts
from chalicelib.accounts.stores.attempts import StoredSignInAttempts
from chalicelib.accounts.stores.grants import StoredGrants
from chalicelib.accounts.stores.profiles import StoredProfiles
from chalicelib.accounts.stores.restricted_tokens import StoredRestrictedTokens
from chalicelib.accounts.stores.sessions import StoredSessions
from chalicelib.config import Settings
from chalicelib.engine.aws.engine import aws_engine
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


def in_memory() -> Stores:
    """Empty stores in memory."""
    clock = Clock()
    grants = FakeGrants(clock)
    accounts = FakeAccounts(grants)
    sessions = FakeSessions(accounts)
    restricted_tokens = FakeRestrictedTokens(sessions)
    return Stores(accounts, sessions, restricted_tokens, grants, FakeProfiles(), FakeSignInAttempts(), clock)


def on_dynamodb(settings: Settings) -> Stores:
    """The stores of a stage."""
    clock, table = Clock(), aws_engine(settings).accounts
    return Stores(
        StoredAccounts(table),
        StoredSessions(table),
        StoredRestrictedTokens(table),
        StoredGrants(table, clock),
        StoredProfiles(table),
        StoredSignInAttempts(table),
        clock,
    )
