"""The page on which a person creates an account, and goes on to the app. Source: auth-api 6."""

from dataclasses import replace
from html import unescape
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest

from chalicelib import services as wiring
from chalicelib.accounts.account import Account
from chalicelib.accounts.password_sign_in import MAX_FAILURES_PER_ADDRESS
from chalicelib.errors import UnavailableError
from chalicelib.sign_in import form_token
from tests.api.conftest import ApiClient, Reply
from tests.api.people import can_sign_in
from tests.api.sign_in.oidc_scene import EMAIL, ISSUER, PASSWORD, USER_ID, Scene
from tests.api.sign_in.test_oidc_page import Elements, policy_of
from tests.api.sign_in.web_app import WEB_APP
from tests.fakes.mail import MailBox
from tests.fakes.oidc_app import App, Browser, ReplyLike, alert_of, hidden_fields
from tests.fakes.services import START_MS

PAGE = "/realms/tidepool/protocol/openid-connect/registrations"
NEW = "clara@example.org"
NEW_PASSWORD = "a-new-password"
NASTY = "\"><script>alert('x')</script>"
ENTERED = {"username": NEW, "password": NEW_PASSWORD, "repeated": NEW_PASSWORD, "terms": "1"}


def page_path(app: App, **changes: str | None) -> str:
    """The address that an app's link "Sign up" leads to."""
    return f"{PAGE}?{urlencode(app.parameters(**changes))}"


def submit(browser: Browser, app: App, **changes: str | None) -> ReplyLike:
    """Open the page, fill in the form, send it; a change to None leaves a field out."""
    fields = hidden_fields(browser.get(page_path(app)).body) | ENTERED | changes
    return browser.post(PAGE, {name: value for name, value in fields.items() if value is not None})


def configure(scene: Scene, **settings: Any) -> None:
    """Change settings of the stage."""
    scene.fakes.settings = replace(scene.fakes.settings, **settings)
    wiring.override(scene.fakes.services)


def created(scene: Scene, email: str = NEW) -> Account:
    """The account that was created."""
    account = scene.fakes.accounts.find_by_email(email)
    assert account is not None
    return account


def links(reply: ReplyLike) -> list[str]:
    """The addresses of the links of a page."""
    return [unescape(str(link["href"])) for link in Elements(reply.body).named("a")]


class TestPage:
    """The form."""

    def test_it_has_labels_and_no_script_and_may_lead_to_the_app_alone(self, browser: Browser, app: App) -> None:
        reply = browser.get(page_path(app, login_hint=NEW))
        page = Elements(reply.body)
        inputs = {field["id"]: field for field in page.named("input") if "id" in field}
        assert inputs.keys() == {"username", "password", "repeated"}
        assert {label["for"] for label in page.named("label") if "for" in label} == inputs.keys()
        assert (inputs["username"]["value"], inputs["username"]["autocomplete"]) == (NEW, "username")
        assert inputs["password"]["autocomplete"] == "new-password"
        assert [field["name"] for field in page.named("input") if field.get("type") == "checkbox"] == ["terms"]
        assert (reply.status, page.named("script"), page.named("form")) == (
            200,
            [],
            [{"method": "post", "action": "registrations"}],
        )
        assert policy_of(dict(reply.headers))["form-action"] == "'self' xdrip:"
        assert policy_of(dict(reply.headers))["default-src"] == "'none'"
        assert reply.headers["cache-control"] == "no-store"

    def test_the_sign_in_page_leads_to_it_and_back_with_the_request_of_the_app(
        self, browser: Browser, app: App
    ) -> None:
        [link] = [link for link in links(browser.get(app.page_path())) if link.startswith("registrations?")]
        page = browser.get(PAGE.replace("registrations", link))
        [back] = links(page)
        assert back.startswith("auth?")
        reply = browser.get(PAGE.replace("registrations", back))
        assert (reply.status, hidden_fields(reply.body)["state"]) == (200, app.state)

    @pytest.mark.parametrize("name", ["state", "nonce", "login_hint"])
    def test_parameters_of_the_app_are_escaped(self, browser: Browser, app: App, name: str) -> None:
        for path in (page_path(app, **{name: NASTY}), app.page_path(**{name: NASTY})):
            reply = browser.get(path)
            assert b"<script" not in reply.body
            assert hidden_fields(reply.body)[name] == NASTY
            assert all(NASTY in parse_qs(urlsplit(link).query)[name] for link in links(reply))

    def test_an_unknown_app_or_address_gets_a_page_and_nothing_is_sent_anywhere(
        self, scene: Scene, browser: Browser, app: App
    ) -> None:
        for changes in ({"client_id": "unknown"}, {"redirect_uri": "https://evil.example.org/"}):
            reply = browser.get(page_path(app, **changes))
            assert (reply.status, "location" in reply.headers) == (400, False)
            reply = browser.post(PAGE, app.parameters(**changes) | ENTERED)
            assert (reply.status, "location" in reply.headers) == (400, False)
        assert scene.fakes.accounts.find_by_email(NEW) is None

    def test_a_request_that_cannot_be_granted_is_reported_to_the_app(self, browser: Browser, app: App) -> None:
        assert app.returned(browser.get(page_path(app, code_challenge_method="plain")))["error"] == "invalid_request"
        assert app.returned(browser.get(page_path(app, prompt="none")))["error"] == "interaction_required"

    def test_another_realm_has_no_such_page(self, browser: Browser, app: App) -> None:
        assert browser.get(page_path(app).replace("tidepool", "other", 1)).status == 404

    def test_a_body_that_is_no_form_is_refused(self, api: ApiClient, scene: Scene) -> None:
        assert api.request("POST", PAGE, b"\xff").status == 400


class TestCreation:
    """The form, sent."""

    def test_the_person_is_signed_in_and_returns_to_the_app(self, scene: Scene, browser: Browser, app: App) -> None:
        tokens = app.checked(app.exchange(app.returned(submit(browser, app))["code"]))
        account = created(scene)
        assert app.user_info(tokens["access_token"]).json()["sub"] == account.user_id
        assert (account.roles, account.terms_accepted_s) == (("patient",), START_MS // 1000)
        assert (account.email_verified, account.email_proven) == (True, False)
        assert can_sign_in(scene.api, NEW, NEW_PASSWORD)

    def test_a_web_app_finds_the_session_of_the_browser(self, web_scene: Scene, browser: Browser) -> None:
        app = App(web_scene.send, "blip", f"{WEB_APP}/")
        assert "code" in app.returned(submit(browser, app))
        assert "code" in app.returned(browser.get(app.page_path(prompt="none")))

    def test_somebody_else_at_the_browser_is_signed_out(self, web_scene: Scene, browser: Browser) -> None:
        app = App(web_scene.send, "blip", f"{WEB_APP}/")
        first = app.checked(app.exchange(app.returned(app.sign_in(EMAIL, PASSWORD, browser))["code"]))
        app.returned(submit(browser, app))
        assert web_scene.status_of(first["access_token"]) == 401

    @pytest.mark.parametrize(
        ("changes", "status", "alert"),
        [
            ({"repeated": "another-one"}, 400, "The two passwords differ."),
            ({"repeated": None}, 400, "The two passwords differ."),
            ({"password": "short", "repeated": "short"}, 400, "A password has 8 to 72 characters"),
            ({"terms": None}, 400, "needs your agreement"),
            ({"username": NASTY}, 400, "not an e-mail address"),
            ({"username": None}, 400, "not an e-mail address"),
            ({"username": "anna@example"}, 400, "not an e-mail address"),
            ({"username": EMAIL.upper()}, 409, "has an account already"),
            ({"form_token": None}, 400, "open for too long"),
            ({"form_token": "9999999999.0"}, 400, "open for too long"),
            ({"state": "another"}, 400, "open for too long"),
        ],
    )
    def test_what_is_wrong_is_shown_in_the_form_and_nothing_is_stored(
        self, scene: Scene, browser: Browser, app: App, changes: dict[str, str | None], status: int, alert: str
    ) -> None:
        reply = submit(browser, app, **changes)
        assert (reply.status, alert in alert_of(reply.body)) == (status, True)
        assert b"<script" not in reply.body
        assert NEW_PASSWORD.encode() not in reply.body
        assert scene.fakes.accounts.find_by_email(NEW) is None
        found = scene.fakes.accounts.find(USER_ID)
        assert found == scene.account
        again = hidden_fields(reply.body) | ENTERED
        assert browser.post(PAGE, again).status == 303

    def test_what_was_entered_stays_but_the_password(self, browser: Browser, app: App) -> None:
        page = Elements(submit(browser, app, password="short", repeated="short").body)
        fields = {field.get("name"): field for field in page.named("input")}
        assert fields["username"]["value"] == NEW
        assert "checked" in fields["terms"]
        assert "value" not in fields["password"]

    def test_a_form_serves_one_page_and_one_browser_and_a_quarter_of_an_hour(
        self, scene: Scene, browser: Browser, app: App
    ) -> None:
        of_sign_in = hidden_fields(browser.get(app.page_path()).body)["form_token"]
        assert submit(browser, app, form_token=of_sign_in).status == 400
        mine = hidden_fields(browser.get(page_path(app)).body)
        other = scene.browser()
        other.get(page_path(app))
        assert other.post(PAGE, mine | ENTERED).status == 400
        scene.pass_s(form_token.FORM_LIFETIME_S)
        assert browser.post(PAGE, mine | ENTERED).status == 400
        assert scene.fakes.accounts.find_by_email(NEW) is None

    def test_an_account_whose_session_cannot_be_opened_goes_on_to_sign_in(
        self, scene: Scene, browser: Browser, app: App, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def unavailable(*_: object) -> bool:
            raise UnavailableError

        monkeypatch.setattr(type(scene.fakes.services.sign_in.logins), "add_code", unavailable)
        reply = submit(browser, app)
        created(scene)
        address = urlsplit(reply.headers["location"])
        assert reply.status == 303
        assert reply.headers["location"].startswith(f"{ISSUER}/protocol/openid-connect/auth?")
        assert dict(parse_qsl(address.query))["state"] == app.state


class TestModes:
    """The modes of sign-up."""

    def test_a_closed_stage_says_so_and_stores_nothing(self, scene: Scene, browser: Browser, app: App) -> None:
        opened = hidden_fields(browser.get(page_path(app)).body)
        configure(scene, sign_up="closed")
        for reply in (browser.get(page_path(app)), browser.post(PAGE, opened | ENTERED)):
            assert (reply.status, b"takes no new accounts" in reply.body) == (403, True)
            assert Elements(reply.body).named("form") == []
        assert scene.fakes.accounts.find_by_email(NEW) is None
        assert not any("registrations" in link for link in links(browser.get(app.page_path())))

    def test_by_invitation_the_code_is_asked_for(self, scene: Scene, browser: Browser, app: App) -> None:
        configure(scene, sign_up="invitation")
        assert any("registrations" in link for link in links(browser.get(app.page_path())))
        assert {"for": "invitation"} in Elements(browser.get(page_path(app)).body).named("label")
        for wrong in (None, "", NASTY):
            reply = submit(browser, app, invitation=wrong)
            assert (reply.status, alert_of(reply.body)) == (403, "The invitation code is wrong.")
            assert b"<script" not in reply.body
        assert scene.fakes.accounts.find_by_email(NEW) is None
        code = scene.fakes.services.invitation_code()
        assert "code" in app.returned(submit(browser, app, invitation=code))

    def test_codes_are_guessed_a_limited_number_of_times(self, scene: Scene, browser: Browser, app: App) -> None:
        configure(scene, sign_up="invitation")
        fields = hidden_fields(browser.get(page_path(app)).body) | ENTERED | {"invitation": "guessed"}
        for _ in range(MAX_FAILURES_PER_ADDRESS):
            assert browser.post(PAGE, fields).status == 403
        reply = browser.post(PAGE, fields | {"invitation": scene.fakes.services.invitation_code()})
        assert (reply.status, int(reply.headers["retry-after"]) > 0) == (429, True)
        assert scene.fakes.accounts.find_by_email(NEW) is None


class TestProof:
    """Stages on which addresses are proven before the first sign-in."""

    def test_the_person_is_told_of_the_mail_and_signs_in_after_its_link(
        self, api: ApiClient, scene: Scene, browser: Browser, app: App
    ) -> None:
        mail = MailBox(scene.fakes)
        configure(scene, verifies_emails=True)
        reply = submit(browser, app)
        assert (reply.status, "location" in reply.headers) == (200, False)
        assert NEW.encode() in reply.body
        assert b"A mail is on its way" in reply.body
        [back] = links(reply)
        assert browser.get(PAGE.replace("registrations", back)).status == 200
        assert app.sign_in(NEW, NEW_PASSWORD).status == 403
        form = urlencode({"key": mail.key()}).encode()
        assert self.verified(api, form).status == 200
        assert "code" in app.returned(app.sign_in(NEW, NEW_PASSWORD))

    @staticmethod
    def verified(api: ApiClient, form: bytes) -> Reply:
        """The text of the page of the mailed link."""
        return api.request("POST", "/realms/tidepool/login-actions/verify-email", form)

    def test_without_mail_the_owner_is_named(self, scene: Scene, browser: Browser, app: App) -> None:
        configure(scene, verifies_emails=True)
        reply = submit(browser, app)
        assert (reply.status, b"The owner of this server has to confirm" in reply.body) == (200, True)

    def test_where_they_are_not_a_mail_is_sent_all_the_same(self, scene: Scene, browser: Browser, app: App) -> None:
        mail = MailBox(scene.fakes)
        wiring.override(scene.fakes.services)
        assert "code" in app.returned(submit(browser, app))
        [sent] = mail.deliver()
        assert sent.recipient == NEW
