"""The sign-in page in Chromium, by keyboard and without scripts.

What only a browser can tell: that the page's policy lets its own style in and the way back to the app out.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from tests.e2e.browser.conftest import PHONE_WIDTH, Axe, OpenPage
from tests.e2e.browser.visits import press_enter
from tests.e2e.client import PASSWORD, Client, Reply, User
from tests.fakes.oidc_app import App

if TYPE_CHECKING:
    from tests.e2e.conftest import Platform


@pytest.fixture(scope="module")
def user(platform: "Platform") -> User:
    return User(platform.base_url)


def app_of(platform: "Platform", client_id: str, redirect_uri: str) -> App:
    def send(method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        return Client(platform.base_url).request(method, path, body, headers)

    return App(send, client_id, redirect_uri)


@pytest.mark.parametrize(
    ("client_id", "redirect_uri"),
    [("tidepool-platform-client", "{base_url}/"), ("xdrip", "xdrip://callback/tidepool")],
)
def test_the_page_can_be_used_by_keyboard(
    platform: "Platform", user: User, open_page: OpenPage, client_id: str, redirect_uri: str
) -> None:
    app = app_of(platform, client_id, redirect_uri.format(base_url=platform.base_url))
    with open_page(runs_scripts=False) as page:
        page.goto(platform.base_url + app.page_path())
        expect(page.get_by_label("E-mail address")).to_be_focused()
        page.keyboard.type(user.email)
        page.keyboard.press("Tab")
        expect(page.get_by_label("Password")).to_be_focused()
        page.keyboard.type(PASSWORD)
        request = press_enter(page, app)
    assert request.redirected_from is not None
    answer = parse_qs(urlsplit(request.url).query)
    assert answer["state"] == [app.state]
    tokens = app.checked(app.exchange(answer["code"][0]))
    assert app.user_info(tokens["access_token"]).json()["sub"] == user.id


def test_a_wrong_password_shows_an_error_and_the_right_one_then_works(
    platform: "Platform", user: User, open_page: OpenPage
) -> None:
    app = app_of(platform, "tidepool-platform-client", f"{platform.base_url}/")
    with open_page(runs_scripts=False) as page:
        page.goto(platform.base_url + app.page_path(login_hint=user.email))
        expect(page.get_by_label("Password")).to_be_focused()  # with the address there, the password has the focus
        page.keyboard.type("another-password")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("wrong")
        expect(page.get_by_label("Password")).to_be_focused()
        page.keyboard.type(PASSWORD)
        request = press_enter(page, app)
    assert "code" in parse_qs(urlsplit(request.url).query)


@pytest.mark.only_on("home", "the page is the same on both homes")
@pytest.mark.parametrize("colors", ["light", "dark"])
def test_the_page_is_accessible_and_fits_a_phone(
    platform: "Platform", open_page: OpenPage, axe: Axe, colors: Literal["light", "dark"]
) -> None:
    app = app_of(platform, "xdrip", "xdrip://callback/tidepool")
    with open_page(colors=colors, width=PHONE_WIDTH) as page:
        page.goto(platform.base_url + app.page_path())
        axe(page)
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE_WIDTH
