"""The pages about accounts in Chromium: a new account, a forgotten password, the proof of an address, an invitation.

The home server of this module writes its mail into a folder. The pages are the same on both homes.
"""

import email
import email.policy
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Page, Request, expect

from strandline.home.launching import HomeServer, home_server
from tests.e2e.browser.conftest import PHONE_WIDTH, Axe, OpenPage
from tests.e2e.browser.visits import press_enter
from tests.e2e.client import PASSWORD, Client, Reply, User
from tests.fakes.oidc_app import App
from tools.project import ROOT

pytestmark = pytest.mark.home

NEW_PASSWORD = "another-password-of-a-test"
MAILED_WITHIN_S = 20
LINK = re.compile(r"^http://\S+\?key=\S+$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Server:
    """A home server that sends mail, and the folder of its mail."""

    running: HomeServer
    mail: Path

    @property
    def base_url(self) -> str:
        """The address."""
        return self.running.base_url

    @property
    def realm(self) -> str:
        """The address of the realm."""
        return f"{self.base_url}/realms/tidepool"

    def app(self) -> App:
        """A page that signs people in by the sign-in page."""

        def send(method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
            return Client(self.base_url).request(method, path, body, headers)

        return App(send, "tidepool-platform-client", f"{self.base_url}/")

    def link_mailed_to(self, address: str, page: str) -> str:
        """The link to a page in a mail, which is written soon."""
        until = time.monotonic() + MAILED_WITHIN_S
        while time.monotonic() < until:
            for file in sorted(self.mail.glob("[!.]*.eml")):
                message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
                text = message.get_body(("plain",))
                found = LINK.search(text.get_content()) if text is not None else None
                if message["To"] == address and found is not None and f"/{page}?" in found[0]:
                    return found[0]
            time.sleep(0.05)
        pytest.fail(f"no mail to {address} has a link to {page}")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("mailing")
    mail = folder / "mail"
    options = ["--mail-from", "strandline@example.org", "--mail-folder", str(mail)]
    with home_server(folder / "data", options=options) as running:
        yield Server(running, mail)


def sign_in(page: Page, app: App, address: str, password: str) -> str:
    """The user that a sign-in on the page leads to."""
    page.get_by_label("E-mail address").fill(address)
    page.get_by_label("Password").fill(password)
    return user_of(app, press_enter(page, app))


def user_of(app: App, request: Request) -> str:
    """The user whose code a request to the app's redirect address has."""
    answer = parse_qs(urlsplit(request.url).query)
    assert answer["state"] == [app.state]
    tokens = app.checked(app.exchange(answer["code"][0]))
    return str(app.user_info(tokens["access_token"]).json()["sub"])


def choose(page: Page, password: str) -> None:
    """Fill in the form for a new password, and send it by keyboard."""
    expect(page.get_by_label("New password")).to_be_focused()
    page.keyboard.type(password)
    page.keyboard.press("Tab")
    expect(page.get_by_label("The same again")).to_be_focused()
    page.keyboard.type(password)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Your password is set")).to_be_visible()


def test_somebody_forgets_the_password_and_gets_in_again_by_the_mail(server: Server, open_page: OpenPage) -> None:
    user, app = User(server.base_url), server.app()
    with open_page(runs_scripts=False) as page:
        page.goto(server.base_url + app.page_path())
        page.get_by_role("link", name="Forgot password?").click()
        expect(page.get_by_label("E-mail address")).to_be_focused()
        page.keyboard.type(user.email)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Check your mail")).to_be_visible()
        mailed = page.context.new_page()
        mailed.goto(server.link_mailed_to(user.email, "new-password"))
        choose(mailed, NEW_PASSWORD)
        page.get_by_role("link", name="Back to sign-in").click()
        assert sign_in(page, app, user.email, NEW_PASSWORD) == user.id
    assert user.request("GET", "/auth/user").status == 401


def test_somebody_gets_in_again_by_a_link_of_the_owner(server: Server, open_page: OpenPage) -> None:
    user, app = User(server.base_url), server.app()
    command = [sys.executable, "-m", "strandline.cli", "user", "reset-password", user.email]
    printed = subprocess.run(
        [*command, "--link", server.base_url, "--data-dir", str(server.running.data_dir)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    with open_page(runs_scripts=False) as page:
        page.goto(printed.stdout.strip())
        choose(page, NEW_PASSWORD)
        page.goto(server.base_url + app.page_path())
        assert sign_in(page, app, user.email, NEW_PASSWORD) == user.id
        page.goto(printed.stdout.strip())
        expect(page.get_by_role("heading", name="This link does not work")).to_be_visible()


def test_an_account_is_created_by_keyboard_and_its_address_is_proven(server: Server, open_page: OpenPage) -> None:
    app, address = server.app(), f"{secrets.token_hex(8)}@example.org"
    with open_page(runs_scripts=False) as page:
        page.goto(server.base_url + app.page_path())
        page.get_by_role("link", name="Create account").click()
        expect(page.get_by_label("E-mail address")).to_be_focused()
        for typed in (address, PASSWORD, "another-password"):
            page.keyboard.type(typed)
            page.keyboard.press("Tab")
        expect(page.get_by_role("checkbox")).to_be_focused()
        page.keyboard.press("Space")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("The two passwords differ.")
        expect(page.get_by_role("checkbox")).to_be_checked()
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_label("The same again").fill(PASSWORD)
        user_id = user_of(app, press_enter(page, app))
        page.goto(server.link_mailed_to(address, "verify-email"))
        page.get_by_role("button", name="Confirm the address").press("Enter")
        expect(page.get_by_role("heading", name="Your address is confirmed")).to_be_visible()
        page.goto(server.base_url + app.page_path(prompt="login"))
        assert sign_in(page, app, address, PASSWORD) == user_id


def invite(sharer: User, invitee: User) -> None:
    """Invite a person to see the data of another one."""
    body = {"email": invitee.email, "permissions": {"view": {}}}
    assert sharer.request("POST", f"/confirm/send/invite/{sharer.id}", body).status == 200


def test_somebody_who_is_invited_signs_in_and_accepts_by_the_mail(server: Server, open_page: OpenPage) -> None:
    sharer, invitee = User(server.base_url), User(server.base_url)
    invite(sharer, invitee)
    with open_page(runs_scripts=False) as page:
        page.goto(server.link_mailed_to(invitee.email, "invitation"))
        expect(page.get_by_role("listitem")).to_have_text(["see the data"])
        page.get_by_role("link", name="Sign in").press("Enter")
        expect(page.get_by_label("E-mail address")).to_have_value(invitee.email)
        expect(page.get_by_label("Password")).to_be_focused()
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Accept")).to_be_focused()
        assert "code=" not in page.url
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="You belong to the care team")).to_be_visible()
        shown = page.get_by_role("link", name="See the data")
        expect(shown).to_have_attribute("href", f"{server.base_url}/#/now/{sharer.id}")
    assert invitee.request("GET", f"/access/{sharer.id}/{invitee.id}").json() == {"view": {}}


@pytest.mark.parametrize("colors", ["light", "dark"])
def test_the_pages_are_accessible_and_fit_a_phone(
    server: Server, open_page: OpenPage, axe: Axe, colors: Literal["light", "dark"]
) -> None:
    user, query = User(server.base_url), urlencode(server.app().parameters())
    assert user.request("POST", f"/confirm/send/forgot/{user.email}").status == 200
    with open_page(colors=colors, width=PHONE_WIDTH) as page:

        def check(heading: str) -> None:
            expect(page.get_by_role("heading", name=heading)).to_be_visible()
            axe(page)
            assert page.evaluate("document.documentElement.scrollWidth") == PHONE_WIDTH

        page.goto(f"{server.realm}/protocol/openid-connect/auth?{query}")
        check("Sign in")
        page.goto(f"{server.realm}/protocol/openid-connect/registrations?{query}")
        check("Create account")
        page.get_by_label("E-mail address").fill(user.email)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_label("The same again").fill(PASSWORD)
        page.get_by_role("checkbox").check()
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("has an account already")
        check("Create account")
        page.goto(f"{server.realm}/login-actions/reset-credentials?{query}")
        check("Forgot your password?")
        page.get_by_label("E-mail address").fill(user.email)
        page.keyboard.press("Enter")
        check("Check your mail")
        page.goto(server.link_mailed_to(user.email, "new-password"))
        check("Choose a new password")
        page.goto(server.link_mailed_to(user.email, "verify-email"))
        check("Confirm your e-mail address")
        page.goto(f"{server.realm}/login-actions/new-password?key=used")
        check("This link does not work")
        invite(User(server.base_url), user)
        page.goto(server.link_mailed_to(user.email, "invitation"))
        check("You are invited")
        page.get_by_role("link", name="Sign in").click()
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Decline")).to_be_visible()
        check("You are invited")
        page.get_by_role("button", name="Decline").click()
        check("You declined the invitation")
