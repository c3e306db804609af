"""The services of the application, in memory, with a clock that stands still until a test moves it."""

from dataclasses import dataclass, field, replace

from chalicelib.config import Settings
from chalicelib.domain.access import Session, token_hash
from chalicelib.wiring import Services

START_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z
SERVER_SECRET = "the secret of the test stage"


class FakeSessions:
    """Sessions in a dictionary."""

    def __init__(self) -> None:
        self.by_hash: dict[str, Session] = {}

    def find(self, token_hash: str) -> Session | None:
        """The session, or None."""
        return self.by_hash.get(token_hash)


@dataclass
class FakeServices:
    """In-memory services, with what a test needs to set the scene."""

    now_ms: int = START_MS
    settings: Settings = field(default_factory=lambda: replace(Settings(), cors_origins=("https://app.example.org",)))
    sessions: FakeSessions = field(default_factory=FakeSessions)
    ids_made: int = 0

    def new_id(self) -> str:
        """32 hexadecimal digits that count up, so that an answer can be compared as a whole."""
        self.ids_made += 1
        return f"{self.ids_made:032x}"

    def sign_in(self, user_id: str, *, is_server: bool = False) -> str:
        """A token of a user, or of a server, valid for an hour."""
        token = f"token-of-{user_id}"
        session = Session(token_hash(token), user_id, is_server, self.now_ms, self.now_ms + 3_600_000)
        self.sessions.by_hash[session.token_hash] = session
        return token

    @property
    def services(self) -> Services:
        """These fakes as the application sees them."""
        return Services(
            settings=self.settings,
            now_ms=lambda: self.now_ms,
            new_id=self.new_id,
            server_secret=lambda: SERVER_SECRET,
            sessions=self.sessions,
        )
