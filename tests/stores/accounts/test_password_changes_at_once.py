"""Tests that sessions and tokens of the old password do not outlive a concurrent change of the password."""

import base64
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from chalicelib import services as wiring
from chalicelib.access.call import platform_call
from chalicelib.accounts.bodies import UserUpdates
from chalicelib.accounts.manage import update_user
from chalicelib.engine.aws.engine import aws_engine
from chalicelib.services import Services
from tests.api.conftest import ApiClient
from tests.fakes.oidc_app import App, apps
from tests.fakes.passwords import FakePasswords
from tests.fakes.services import FakeServices
from tests.stores.accounts.account_stores import ANNA

OLD, NEW = "old-password", "new-password"
BASE_URL = "https://strandline.example.org"


def nothing() -> None:
    """Change nothing: the default of `Passwords.then`."""


class Passwords(FakePasswords):
    """Runs `then` once, after a password was verified."""

    def __init__(self) -> None:
        super().__init__()
        self.then: Callable[[], object] = nothing

    def verify(self, password_hash: str | None, password: str) -> bool:
        """Verify a password, then run `then` once."""
        is_right = super().verify(password_hash, password)
        then, self.then = self.then, nothing
        then()
        return is_right


class Scene:
    """Anna's account on the application, and concurrent changes of it."""

    def __init__(self, api: ApiClient, services: Services, passwords: Passwords) -> None:
        self.api, self.services, self.passwords = api, services, passwords

    def status(self, method: str, path: str, token: str) -> int:
        """The status of the reply to a request."""
        return self.api.request(method, path, {} if method == "POST" else None, token=token).status

    def login(self, password: str = OLD) -> tuple[int, str]:
        """Status and token of a login."""
        encoded = base64.b64encode(f"{ANNA.email}:{password}".encode()).decode()
        reply = self.api.request("POST", "/auth/login", authorization=f"Basic {encoded}")
        return reply.status, reply.headers.get("x-tidepool-session-token", "")

    def app(self) -> App:
        """An app that signs in by OpenID Connect."""

        def send(method: str, path: str, body: bytes | None, headers: Any) -> Any:
            return self.api.request(method, path, body, **headers)

        return next(app for app in apps(send, BASE_URL) if app.client_id == "xdrip")

    def update(self, **updates: Any) -> None:
        """Change the account as a server does."""
        ports = replace(self.services.accounts, passwords=FakePasswords())
        call = platform_call(self.services.now_ms(), self.services.new_id)
        update_user(call, ANNA.user_id, UserUpdates(**updates), "", ports)

    def change_password(self) -> None:
        """Change Anna's password to `NEW`."""
        self.update(password=NEW)

    @property
    def restricted_paths(self) -> str:
        """The path of Anna's restricted tokens."""
        return f"/v1/users/{ANNA.user_id}/restricted_tokens"


@pytest.fixture(params=["memory", "dynamodb"])
def scene(request: pytest.FixtureRequest) -> Iterator[Scene]:
    """Anna on stores of each kind."""
    memory = request.param == "memory"
    passwords = Passwords()
    if memory:
        built = FakeServices().services
    else:
        settings = request.getfixturevalue("stage")
        built = wiring.build_services(settings, aws_engine(settings))
    services = replace(
        built,
        accounts=(accounts := replace(built.accounts, passwords=passwords)),
        sign_in=replace(built.sign_in, accounts=accounts),
        settings=replace(built.settings, base_url=BASE_URL),
    )
    wiring.override(services)
    services.accounts.accounts.create(replace(ANNA, password_hash=f"now:{OLD}"))
    yield Scene(ApiClient(), services, passwords)
    wiring.override(None)


def test_a_login_with_the_old_password_is_refused(scene: Scene) -> None:
    scene.passwords.then = scene.change_password
    assert scene.login() == (401, "")
    assert scene.login(NEW)[0] == 200


def test_the_sign_in_page_gives_no_code_for_the_old_password(scene: Scene) -> None:
    scene.passwords.then = scene.change_password
    reply = scene.app().sign_in(str(ANNA.email), OLD)
    assert reply.status == 401
    assert "location" not in reply.headers
    assert scene.app().sign_in(str(ANNA.email), NEW).status == 303


@pytest.mark.parametrize(
    "updates", [{"email": "new@example.org"}, {"terms_accepted_s": 1}, {"roles": ("clinician",)}, {}]
)
def test_other_changes_of_the_account_do_not_refuse_a_login(scene: Scene, updates: dict[str, Any]) -> None:
    scene.passwords.then = lambda: scene.update(**updates)
    status, token = scene.login()
    assert status == 200
    assert scene.status("GET", "/auth/user", token) == 200


def test_two_logins_that_hash_the_password_again_both_succeed(scene: Scene) -> None:
    scene.passwords.parameters = "stronger"
    between: list[int] = []
    scene.passwords.then = lambda: between.append(rehash(scene))
    assert scene.login()[0] == 200
    account = scene.services.accounts.accounts.find(ANNA.user_id)
    assert account is not None
    assert between == [account.version] == [2]
    assert account.password_hash == f"stronger:{OLD}"


def rehash(scene: Scene) -> int:
    """Store a stronger hash of the password, as a concurrent login does."""
    account = scene.services.accounts.accounts.find(ANNA.user_id)
    assert account is not None
    rehashed = replace(account, password_hash=f"stronger:{OLD}", version=account.version + 1)
    scene.services.accounts.accounts.replace(account, rehashed)
    return rehashed.version


def test_hashing_again_does_not_restore_the_old_password(scene: Scene) -> None:
    scene.passwords.parameters = "stronger"
    scene.passwords.then = scene.change_password
    assert scene.login()[0] == 401
    account = scene.services.accounts.accounts.find(ANNA.user_id)
    assert account is not None
    assert account.password_hash == f"now:{NEW}"


def change_before_the_next_restricted_token(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Change the password after the caller was identified and before the restricted token is stored."""
    tokens = scene.services.accounts.restricted_tokens
    add = tokens.add

    def late(*arguments: Any, **named: Any) -> bool:
        scene.change_password()
        return add(*arguments, **named)

    monkeypatch.setattr(tokens, "add", late)


def test_a_login_that_ends_meanwhile_leaves_no_restricted_token(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    _, token = scene.login()
    change_before_the_next_restricted_token(scene, monkeypatch)
    assert scene.status("POST", scene.restricted_paths, token) == 401
    assert scene.services.accounts.restricted_tokens.of_user(ANNA.user_id) == []


def test_a_restricted_token_that_ends_meanwhile_leaves_no_further_one(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, token = scene.login()
    restricted = scene.api.request("POST", scene.restricted_paths, {}, token=token).json()["id"]
    path = f"{scene.restricted_paths}?restricted_token={restricted}"
    change_before_the_next_restricted_token(scene, monkeypatch)
    assert scene.api.request("POST", path, {}).status == 401
    assert scene.services.accounts.restricted_tokens.of_user(ANNA.user_id) == []
    assert scene.api.request("POST", path, {}).status == 401
