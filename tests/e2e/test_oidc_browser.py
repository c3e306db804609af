"""The sign-in page in Chromium, by keyboard and without scripts; skipped where there is no Chromium.

What only a browser can tell: that the page's policy lets its own style in and the way back to the app out.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.e2e.chromium import Chromium, needs_chromium
from tests.e2e.client import PASSWORD, Client, Reply, User
from tests.fakes.oidc_app import App

if TYPE_CHECKING:
    from tests.e2e.conftest import Platform

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def user(platform: "Platform") -> User:
    return User(platform.base_url)


@pytest.fixture
def chromium(tmp_path: Path) -> Iterator[Chromium]:
    browser = Chromium(tmp_path)
    yield browser
    browser.close()


def app_of(platform: "Platform", client_id: str, redirect_uri: str) -> App:
    def send(method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        return Client(platform.base_url).request(method, path, body, headers)

    return App(send, client_id, redirect_uri)


def _requested(scheme_and_path: str) -> Callable[[dict[str, Any]], bool]:
    """Whether an event is a request to an address, whatever its query."""

    def is_it(event: dict[str, Any]) -> bool:
        address = str(event["params"].get("request", {}).get("url", ""))
        return event["method"] == "Network.requestWillBeSent" and address.partition("?")[0] == scheme_and_path

    return is_it


@pytest.mark.parametrize(
    ("client_id", "redirect_uri"),
    [("tidepool-platform-client", "{base_url}/"), ("xdrip", "xdrip://callback/tidepool")],
)
def test_the_page_can_be_used_by_keyboard(
    platform: "Platform", user: User, chromium: Chromium, client_id: str, redirect_uri: str
) -> None:
    app = app_of(platform, client_id, redirect_uri.format(base_url=platform.base_url))
    chromium.open(platform.base_url + app.page_path())
    assert chromium.complaints() == []
    chromium.type_into("username", user.email)
    chromium.press("Tab", 9)
    chromium.type_into("password", PASSWORD)
    chromium.press("Enter", 13, "\r")
    request = chromium.wait_for(_requested(app.redirect_uri))["params"]
    assert request["redirectResponse"]["status"] == 303
    assert chromium.complaints() == []
    answer = parse_qs(urlsplit(request["request"]["url"]).query)
    assert answer["state"] == [app.state]
    tokens = app.checked(app.exchange(answer["code"][0]))
    assert app.user_info(tokens["access_token"]).json()["sub"] == user.id


def test_a_wrong_password_shows_an_error_and_the_right_one_then_works(
    platform: "Platform", user: User, chromium: Chromium
) -> None:
    app = app_of(platform, "tidepool-platform-client", f"{platform.base_url}/")
    chromium.open(platform.base_url + app.page_path(login_hint=user.email))
    chromium.type_into("password", "another-password")  # with the address there, the password has the focus
    chromium.events.clear()
    chromium.press("Enter", 13, "\r")
    chromium.wait_for(lambda event: event["method"] == "Network.responseReceived" and _status(event) == 401)
    chromium.wait_for(lambda event: event["method"] == "Page.loadEventFired")
    chromium.type_into("password", PASSWORD)
    chromium.events.clear()
    chromium.press("Enter", 13, "\r")
    request = chromium.wait_for(_requested(app.redirect_uri))["params"]
    assert "code" in parse_qs(urlsplit(request["request"]["url"]).query)


def _status(event: dict[str, Any]) -> int:
    return int(event["params"]["response"]["status"])
