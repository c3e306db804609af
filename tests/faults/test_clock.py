"""A clock that steps back and forth between any two calls, and the last millisecond of each token."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from chalicelib.confirmations.mailed_key import LIFETIMES_MS
from chalicelib.invitations.invitation import LIFETIME_MS as INVITATION_MS
from chalicelib.mail.message import MailKind
from chalicelib.nightscout.authorization import JWT_LIFETIME_S
from chalicelib.sign_in.logins import CODE_LIFETIME_S
from tests.api.conftest import Reply
from tests.fakes.oidc_app import FORM, App
from tests.fakes.services import SERVER_SECRET
from tests.faults.preparation import ANNA, PASSWORD, ZOE, basic, session
from tests.faults.scene import SETTINGS, Saved, Scene
from tests.faults.seam import CLOCK_STEPS
from tests.faults.trials import Trials, seeded
from tests.faults.use_cases import USE_CASES

TOKEN = "x-tidepool-session-token"
MINUTE_MS = 60_000


def test_a_clock_that_steps_between_two_calls_changes_nothing(prepared: tuple[Scene, Saved]) -> None:
    trials = Trials(*prepared)
    for name in USE_CASES:
        chance = seeded("clock", name)
        index = chance.randrange(len(trials.expected((name,)).calls))
        trials.with_fault(name, index, chance.choice(CLOCK_STEPS))
    assert trials.failures == []


def app_of(scene: Scene) -> App:
    """An app of Anna's."""
    return App(scene.send, "xdrip", "xdrip://callback/tidepool", nonce=None)


def token_request(scene: Scene, **fields: str) -> Reply:
    """The answer of the token endpoint to an app."""
    path = "/realms/tidepool/protocol/openid-connect/token"
    return scene.ask("POST", path, urlencode({"client_id": "xdrip"} | fields).encode(), **FORM)


class Session:
    """A session by password."""

    lifetime_ms = SETTINGS.session_lifetime_s * 1000

    def issue(self, scene: Scene) -> None:
        reply = scene.ask("POST", "/auth/login", **basic("anna@example.org", PASSWORD))
        self.token = reply.headers[TOKEN]

    def use(self, scene: Scene) -> Reply:
        return scene.ask("GET", "/auth/user", X_Tidepool_Session_Token=self.token)


class ServerSession(Session):
    """A session of a server."""

    lifetime_ms = SETTINGS.server_session_lifetime_s * 1000

    def issue(self, scene: Scene) -> None:
        headers = {"X_Tidepool_Server_Name": "a-server", "X_Tidepool_Server_Secret": SERVER_SECRET}
        self.token = scene.ask("POST", "/auth/serverlogin", **headers).headers[TOKEN]

    def use(self, scene: Scene) -> Reply:
        return scene.ask("GET", "/v1/tasks", X_Tidepool_Session_Token=self.token)


class RestrictedToken:
    """A restricted token."""

    lifetime_ms = 3_600_000

    def issue(self, scene: Scene) -> None:
        self.id = scene.ask("POST", f"/v1/users/{ANNA}/restricted_tokens", {}, **session(ANNA)).json()["id"]

    def use(self, scene: Scene) -> Reply:
        return scene.ask("GET", f"/data/{ANNA}?restricted_token={self.id}")


class Code:
    """A code of a sign-in."""

    lifetime_ms = CODE_LIFETIME_S * 1000

    def issue(self, scene: Scene) -> None:
        self.app = app_of(scene)
        self.code = self.app.returned(self.app.sign_in("anna@example.org", PASSWORD))["code"]

    def use(self, scene: Scene) -> Reply:
        of_app = {"redirect_uri": self.app.redirect_uri, "code_verifier": self.app.verifier}
        return token_request(scene, grant_type="authorization_code", code=self.code, **of_app)


class AccessToken:
    """An access token of an app."""

    lifetime_ms = SETTINGS.access_token_lifetime_s * 1000

    def issue(self, scene: Scene) -> None:
        self.tokens: dict[str, Any] = app_of(scene).tokens("anna@example.org", PASSWORD)

    def use(self, scene: Scene) -> Reply:
        bearer = {"Authorization": f"Bearer {self.tokens['access_token']}"}
        return scene.ask("GET", "/realms/tidepool/protocol/openid-connect/userinfo", **bearer)


class RefreshToken(AccessToken):
    """A refresh token of an app."""

    lifetime_ms = SETTINGS.refresh_token_lifetime_s * 1000

    def use(self, scene: Scene) -> Reply:
        return token_request(scene, grant_type="refresh_token", refresh_token=self.tokens["refresh_token"])


class NightscoutToken:
    """A JWT of the Nightscout API, which tells its end in seconds."""

    lifetime_ms = JWT_LIFETIME_S * 1000

    def issue(self, scene: Scene) -> None:
        scene.let_time_pass(-scene.now_ms % 1000)
        path = f"/api/v2/authorization/request/{scene.names['a secret']}"
        self.jwt = scene.ask("GET", path).json()["token"]

    def use(self, scene: Scene) -> Reply:
        return scene.ask("GET", "/api/v3/entries", Authorization=f"Bearer {self.jwt}")


class Invitation:
    """An invitation to a care team."""

    lifetime_ms = INVITATION_MS

    def issue(self, scene: Scene) -> None:
        body = {"email": "anna@example.org", "permissions": {"note": {}}}
        withdrawn = scene.ask("PUT", f"/confirm/{ZOE}/invited/anna@example.org", **session(ZOE))
        assert withdrawn.status == 200
        self.key = scene.ask("POST", f"/confirm/send/invite/{ZOE}", body, **session(ZOE)).json()["key"]

    def use(self, scene: Scene) -> Reply:
        return scene.ask("PUT", f"/confirm/accept/invite/{ANNA}/{ZOE}", {"key": self.key}, **session(ANNA))


class ResetKey:
    """A mailed key that sets a password."""

    lifetime_ms = LIFETIMES_MS[MailKind.PASSWORD_RESET]

    def issue(self, scene: Scene) -> None:
        scene.ask("POST", "/confirm/send/forgot/anna@example.org")
        scene.run_messages()
        self.key = scene.under_test.outbox.texts["anna@example.org"].partition("?key=")[2][:32]

    def use(self, scene: Scene) -> Reply:
        body = {"key": self.key, "email": "anna@example.org", "password": "another-one?"}
        return scene.ask("PUT", "/confirm/accept/forgot", body)


TOKENS: tuple[Callable[[], Any], ...] = (
    Session,
    ServerSession,
    RestrictedToken,
    Code,
    AccessToken,
    RefreshToken,
    NightscoutToken,
    Invitation,
    ResetKey,
)


@pytest.mark.parametrize("made", TOKENS)
@pytest.mark.parametrize("is_over", [False, True], ids=["in its last millisecond", "when it is over"])
def test_a_token_is_good_until_its_end(stage: Scene, made: Callable[[], Any], is_over: bool) -> None:
    token = made()
    token.issue(stage)
    stage.let_time_pass(token.lifetime_ms - (not is_over))
    stage.token(ANNA)
    assert (token.use(stage).status < 400) is not is_over


@pytest.mark.parametrize("made", TOKENS)
def test_a_clock_that_is_set_back_ends_no_token(stage: Scene, made: Callable[[], Any]) -> None:
    token = made()
    token.issue(stage)
    stage.let_time_pass(-30 * MINUTE_MS)
    assert token.use(stage).status < 400
