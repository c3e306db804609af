"""A user with a password, and apps that sign them in, on the in-memory services."""

from collections.abc import Mapping
from dataclasses import replace

from chalicelib import services as wiring
from chalicelib.accounts.account import Account
from tests.api.conftest import ApiClient, Reply
from tests.fakes.oidc_app import App, Browser, ReplyLike, apps
from tests.fakes.services import START_MS, FakeServices

USER_ID = "b4ed8d9a-51ab-4a56-9d5f-2a5b8e4d7c10"
EMAIL = "anna@example.org"
PASSWORD = "the password of anna"
BASE_URL = "https://strandline.example.org"
ISSUER = f"{BASE_URL}/realms/tidepool"
CLIENT_IDS = ("tidepool-loop", "xdrip", "aaps", "tidepool-uploader-sso")


class Scene:
    """The services, their user, and the apps."""

    def __init__(self, api: ApiClient, fakes: FakeServices) -> None:
        self.api, self.fakes = api, fakes
        fakes.settings = replace(fakes.settings, base_url=BASE_URL)
        wiring.override(fakes.services)
        self.account = Account(USER_ID, START_MS, EMAIL, f"now:{PASSWORD}", ("patient",), START_MS // 1000, True)
        fakes.accounts.create(self.account)

    def send(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        """One request."""
        return self.api.request(method, path, body, **headers)

    def app(self, client_id: str = "xdrip") -> App:
        """One of the apps."""
        return next(app for app in apps(self.send, BASE_URL) if app.client_id == client_id)

    def browser(self) -> Browser:
        """A browser without cookies."""
        return Browser(self.send)

    def code(self, app: App) -> str:
        """The code that a sign-in gives the app."""
        return app.returned(app.sign_in(EMAIL, PASSWORD))["code"]

    def status_of(self, access_token: str) -> int:
        """Of `GET /auth/user`, as TidepoolKit calls it."""
        return self.api.request("GET", "/auth/user", token=access_token).status

    def pass_s(self, seconds: float) -> None:
        """Advance the clock."""
        self.fakes.now_ms += int(seconds * 1000)

    @property
    def now_s(self) -> float:
        """The time of the services."""
        return self.fakes.now_ms / 1000

    def change_account(self, **changes: object) -> None:
        """Replace the account."""
        account = self.fakes.accounts.find(USER_ID)
        assert account is not None
        changed = replace(account, version=account.version + 1, **changes)  # type: ignore[arg-type]  # any field
        self.fakes.accounts.replace(account, changed)


def error_of(reply: ReplyLike) -> tuple[int, str]:
    """Status and code of a refusal, which no cache may keep."""
    assert reply.headers["cache-control"] == "no-store"
    assert reply.json().keys() == {"error", "error_description"}
    return reply.status, reply.json()["error"]
