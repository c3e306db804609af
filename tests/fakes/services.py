"""The services of the application, in memory, with a clock that only a test advances."""

from collections import Counter
from collections.abc import Collection
from contextlib import nullcontext
from dataclasses import replace

from chalicelib.access.call import Session, token_hash
from chalicelib.accounts.account import Account
from chalicelib.accounts.ports import AccountPorts
from chalicelib.blobs.ports import BlobPorts
from chalicelib.config import Settings
from chalicelib.data_sources.ports import DataSourcePorts
from chalicelib.log.ports import DataPorts
from chalicelib.observability import count
from chalicelib.reading.ports import ReadingPorts
from chalicelib.services import Services, exit_at_once, openid_provider
from chalicelib.sign_in.ports import SignInPorts
from chalicelib.tasks.ports import TaskPorts
from chalicelib.tiles.ports import TilePorts
from chalicelib.uploads.ports import UploadPorts
from tests.fakes.accounts import (
    FakeAccounts,
    FakeGrants,
    FakeKnownSources,
    FakePasswords,
    FakeProfiles,
    FakeRestrictedTokens,
    FakeSessions,
    FakeSignInAttempts,
)
from tests.fakes.blobs import FakeBlobs, FakeContents
from tests.fakes.data import FakeDataSets, FakePurgeRequests, FakeRecordLog
from tests.fakes.data_sources import FakeDataSources
from tests.fakes.large_replies import FakeLargeReplies
from tests.fakes.metrics import FakeMetrics
from tests.fakes.oidc import FakeIdTokens, FakeOidcLogins
from tests.fakes.rejections import FakeRejections
from tests.fakes.tasks import FakeQueue, FakeSlots, FakeTasks
from tests.fakes.tiles import FakeArchive, FakeTiles

START_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z
SERVER_SECRET = "the secret of the test stage"
INVITATION_CODE = "the invitation code of the test stage"


class FakeServices:
    """In-memory services, with what a test needs to set the scene."""

    def __init__(self) -> None:
        self.now_ms = START_MS
        self.ids_made = 0
        self.counted: Counter[str] = Counter()
        self.settings = replace(Settings(), cors_origins=("https://app.example.org",))
        self.grants = FakeGrants(lambda: self.now_ms)
        self.accounts = FakeAccounts(self.grants)
        self.sessions = FakeSessions(self.accounts)
        self.restricted_tokens = FakeRestrictedTokens(self.sessions)
        self.profiles = FakeProfiles()
        self.passwords = FakePasswords()
        self.sign_in_attempts = FakeSignInAttempts()
        self.known_sources = FakeKnownSources()
        self.oidc_logins = FakeOidcLogins(self.accounts, self.sessions)
        self.id_tokens = FakeIdTokens()
        self.data_sets = FakeDataSets()
        self.data_sources = FakeDataSources(self.data_sets)
        self.record_log = FakeRecordLog(self.data_sets)
        self.purge_requests = FakePurgeRequests(self.data_sets, self.record_log)
        self.tiles = FakeTiles(self.data_sets, self.record_log)
        self.archive = FakeArchive()
        self.large_replies = FakeLargeReplies()
        self.rejections = FakeRejections()
        self.metrics = FakeMetrics()
        self.blobs = FakeBlobs()
        self.contents = FakeContents()
        self.tasks = FakeTasks()
        self.task_slots = FakeSlots()
        self.task_queue = FakeQueue()

    def new_id(self) -> str:
        """32 hexadecimal digits that count up, so that an answer can be compared as a whole."""
        self.ids_made += 1
        return f"{self.ids_made:032x}"

    def _count(self, name: str, value: int) -> None:
        self.counted[name] += value
        count(name, value)

    def new_token(self) -> str:
        """A token that counts up."""
        return f"token-{self.new_id()}"

    def sign_in(self, user_id: str, *, is_server: bool = False) -> str:
        """A token of a user, whose account is made when there is none, or of a server; valid for an hour."""
        if not is_server and self.accounts.find(user_id) is None:
            self.accounts.create(Account(user_id, self.now_ms, f"{user_id}@example.org", roles=("patient",)))
        token = f"token-of-{user_id}"
        self.sessions.add(Session(token_hash(token), user_id, is_server, self.now_ms, self.now_ms + 3_600_000))
        return token

    def grant(self, sharer_id: str, grantee_id: str, permissions: Collection[str]) -> None:
        """Grant one user permissions on the data of another, replacing earlier ones."""
        self.grants.allow(sharer_id, grantee_id, *permissions)

    @property
    def services(self) -> Services:
        """These fakes as the application sees them."""
        accounts = AccountPorts(
            accounts=self.accounts,
            sessions=self.sessions,
            restricted_tokens=self.restricted_tokens,
            grants=self.grants,
            profiles=self.profiles,
            passwords=self.passwords,
            sign_in_attempts=self.sign_in_attempts,
            known_sources=self.known_sources,
        )
        data = DataPorts(self.data_sets, self.record_log)
        return Services(
            settings=self.settings,
            now_ms=lambda: self.now_ms,
            new_id=self.new_id,
            new_token=self.new_token,
            count=self._count,
            server_secret=lambda: SERVER_SECRET,
            invitation_code=lambda: INVITATION_CODE,
            sessions_ahead=lambda _: nullcontext(self.sessions),
            accounts=accounts,
            sign_in=SignInPorts(
                accounts, self.oidc_logins, self.id_tokens, openid_provider(self.settings), self.new_token
            ),
            data=data,
            tiles=TilePorts(
                data=data,
                tiles=self.tiles,
                archive=self.archive,
                backlog=self.tiles,
                sweep_requests=self.tiles,
                purge_requests=self.purge_requests,
                now_ms=lambda: self.now_ms,
                new_id=self.new_id,
            ),
            uploads=UploadPorts(data, self.rejections),
            data_sources=DataSourcePorts(self.data_sources, data),
            reading=ReadingPorts(
                data_sets=self.data_sets,
                log=self.record_log,
                tiles=self.tiles,
                sources=self.data_sources,
                large_replies=self.large_replies,
            ),
            blobs=BlobPorts(self.blobs, self.contents),
            metrics=self.metrics.ports,
            tasks=TaskPorts(self.tasks, self.task_slots, self.task_queue, lambda: self.now_ms, self.new_id),
            end_process=exit_at_once,
        )
