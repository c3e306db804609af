"""The services of the application on an engine in memory, with a clock that only a test advances."""

import json
from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from chalicelib.access.call import Session, token_hash
from chalicelib.accounts.account import Account
from chalicelib.accounts.grant import Grant
from chalicelib.blobs.stores.blobs import ITEMS_BYTES
from chalicelib.config import Settings
from chalicelib.engine.definitions import BLOBS, TableDefinition
from chalicelib.engine.embedded.files import Download
from chalicelib.engine.table import Item
from chalicelib.mail.ports import Mailer
from chalicelib.observability import count
from chalicelib.services import Services, Surroundings, build_services, exit_at_once, mail_terms, openid_provider
from chalicelib.sign_in.stores.signed_tokens import new_private_key
from chalicelib.tasks.ports import TaskFilter
from chalicelib.tasks.task import Task
from tests.fakes.engine import WatchedCalls, memory_engine, stored_items, stored_keys, take_over, upload
from tests.fakes.passwords import FakePasswords

START_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z
SERVER_SECRET = "the secret of the test stage"
INVITATION_CODE = "the invitation code of the test stage"
SALT = "salt"


class FakeServices:
    """Stores on an engine in memory, with what a test needs to set the scene and to see what is stored."""

    def __init__(self) -> None:
        self.now_ms = START_MS
        self.ids_made = 0
        self.mailer: Mailer | None = None
        """What takes mail instead of the engine, once the settings change."""
        self.counted: Counter[str] = Counter()
        self.settings = replace(Settings(), cors_origins=("https://app.example.org",), takes_metrics=True)
        self.passwords = FakePasswords()
        self.calls = WatchedCalls()
        self.engine = memory_engine(lambda: self.now_ms, self.calls)
        for name, text in (
            (self.settings.server_secret_name, SERVER_SECRET),
            (self.settings.invitation_secret_name, INVITATION_CODE),
            (self.settings.metrics_salt_name, SALT),
            (self.settings.oidc_keys_name, _signing_keys()),
        ):
            self.engine.secrets.create(name, text)
        self.around = Surroundings(
            lambda: self.now_ms, self.new_id, self.new_token, self._count, self.passwords, exit_at_once
        )
        self._services = built = build_services(self.settings, self.engine, self.around)
        self.grants = built.accounts.grants
        self.accounts = built.accounts.accounts
        self.sessions = built.accounts.sessions
        self.restricted_tokens = built.accounts.restricted_tokens
        self.profiles = built.accounts.profiles
        self.sign_in_attempts = built.accounts.sign_in_attempts
        self.known_sources = built.accounts.known_sources
        self.invitations = built.invitations.invitations
        self.nightscout_credentials = built.accounts.nightscout_credentials
        self.oidc_logins = built.sign_in.logins
        self.signed_tokens = built.sign_in.signed_tokens
        self.data_sets = built.data.data_sets
        self.data_sources = built.data_sources.sources
        self.record_log = built.data.log
        self.purge_requests = built.tiles.purge_requests
        self.sweep_requests = built.tiles.sweep_requests
        self.backlogs = built.tiles.backlog
        self.tiles = built.tiles.tiles
        self.archive = built.tiles.archive
        self.large_replies = built.reading.large_replies
        self.rejections = built.uploads.rejections
        self.metrics = built.metrics
        self.blobs = built.blobs.blobs
        self.contents = built.blobs.contents
        self.notes = built.notes.notes
        self.tasks = built.tasks.tasks
        self.task_slots = built.tasks.slots
        self.task_queue = built.tasks.queue

    @property
    def services(self) -> Services:
        """These services as the application sees them, with the settings of the moment."""
        if self._services.settings is not self.settings:
            sign_in = replace(self._services.sign_in, provider=openid_provider(self.settings))
            mailer = self.mailer or self._services.confirmations.mailer
            terms = mail_terms(self.settings)
            confirmations = replace(self._services.confirmations, terms=terms, mailer=mailer)
            invitations = replace(self._services.invitations, terms=terms, mailer=mailer)
            self._services = replace(
                self._services,
                settings=self.settings,
                sign_in=sign_in,
                confirmations=confirmations,
                invitations=invitations,
            )
        return self._services

    def new_id(self) -> str:
        """32 hexadecimal digits that count up, so that a reply can be compared as a whole."""
        self.ids_made += 1
        return f"{self.ids_made:032x}"

    def new_token(self) -> str:
        """A token that counts up."""
        return f"token-{self.new_id()}"

    def _count(self, name: str, value: int) -> None:
        self.counted[name] += value
        count(name, value)

    def sign_in(self, user_id: str, *, is_server: bool = False) -> str:
        """A token of a user, whose account is made when there is none, or of a server; valid for an hour."""
        if not is_server and self.accounts.find(user_id) is None:
            self.accounts.create(Account(user_id, self.now_ms, f"{user_id}@example.org", roles=("patient",)))
        token = f"token-of-{user_id}"
        self.sessions.add(Session(token_hash(token), user_id, is_server, self.now_ms, self.now_ms + 3_600_000))
        return token

    def grant(self, sharer_id: str, grantee_id: str, permissions: Collection[str]) -> None:
        """Grant one user permissions on the data of another, replacing earlier ones."""
        self.grants.put(Grant(sharer_id, grantee_id, {name: {} for name in permissions}))

    def take_over(self, other: "FakeServices") -> None:
        """Store what other services have stored, in place of what is stored here, and go on with their settings at
        their time. The application sees it once it is given `services` again."""
        take_over(other.engine, self.engine)
        self.settings = other.settings
        self.now_ms, self.ids_made = other.now_ms, other.ids_made

    def upload(self, key: str, content: bytes, media_type: str = "text/plain") -> None:
        """Upload a content as a client does, by a signed address."""
        upload(self.engine, key, content, media_type)

    def download(self, url: str) -> Download:
        """The content that a client gets at a signed address."""
        address = urlsplit(url)
        return self.engine.objects.open_download(f"{address.path}?{address.query}")

    def items(self, table: TableDefinition, *, partition: str = "", sort_key: str = "") -> list[Item]:
        """The items of a table whose keys begin so, by their keys."""
        items = stored_items(self.engine, table)
        return [item for item in items if item["pk"].startswith(partition) and item.get("sk", "").startswith(sort_key)]

    def blob_items(self) -> list[Item]:
        """The items of blobs and device logs. The counter of each user has to count exactly those."""
        items = self.items(BLOBS)
        taken: Counter[str] = Counter()
        for item in items:
            if "user_id" in item:
                taken[item["user_id"]] += item.get("size_bytes", 0) + ITEMS_BYTES
        counted = {item["pk"].removeprefix("usage#"): item["bytes"] for item in items if item["sk"] == "usage"}
        assert {user_id: size_bytes for user_id, size_bytes in counted.items() if size_bytes} == taken
        return [item for item in items if item["sk"] != "usage"]

    def with_settings(self, **changes: Any) -> Services:
        """The services of a stage with other settings, on the same engine."""
        return build_services(replace(self.settings, **changes), self.engine, self.around)

    def object_keys(self, prefix: str = "") -> list[str]:
        """The keys of the objects under a prefix."""
        return stored_keys(self.engine, prefix)

    def all_tasks(self) -> list[Task]:
        """All tasks, the newest creation first."""
        return self.tasks.listed(TaskFilter(), 0, 1_000_000)


@cache
def _signing_keys() -> str:
    return json.dumps({"keys": [signing_key()]})


@cache
def signing_key() -> dict[str, Any]:
    """A key for the whole run, since making one takes a tenth of a second."""
    return new_private_key()
