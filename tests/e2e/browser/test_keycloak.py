"""keycloak-js itself, in Chromium: sign-in, silent check, refresh, reload, sign-out, as Tidepool's web app uses it.

The web app is at another site than the platform, and any of its paths is the same page.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.client import PASSWORD, User

if TYPE_CHECKING:
    from tests.e2e.conftest import Platform

PAGE = Path(__file__).with_name("web_app.html")
KEYCLOAK = Path("keycloak-js", "lib", "keycloak.js")
PATH = "/patients/0123456789/data?chart=daily"


@contextmanager
def serving(config: dict[str, str], npm_packages: Path) -> Iterator[str]:
    """The address of a web app with this configuration of keycloak-js."""
    files = {
        "/keycloak.js": ("text/javascript", (npm_packages / KEYCLOAK).read_bytes()),
        "/config.json": ("application/json", json.dumps(config).encode()),
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """A file, or the page for every other path."""
            media_type, body = files.get(self.path, ("text/html", PAGE.read_bytes()))
            self.send_response(200)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Write no log."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def web_app(platform: "Platform", npm_packages: Path) -> Iterator[str]:
    """The address of the web app."""
    config = {"url": platform.base_url, "realm": "tidepool", "clientId": "blip"}
    with serving(config, npm_packages) as address:
        yield address


def expect_user(page: Page, user: User | None) -> None:
    """Wait until the web app knows who is signed in."""
    expect(page.locator("output")).to_have_text("nobody" if user is None else f"user {user.id}")


def test_a_web_app_signs_in_stays_signed_in_and_signs_out(platform: "Platform", page: Page, web_app: str) -> None:
    user = User(platform.base_url)
    page.goto(web_app + PATH)
    expect_user(page, None)
    assert page.url == web_app + PATH

    page.evaluate("void app.login()")
    page.get_by_label("E-mail address").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect_user(page, user)
    assert page.url == web_app + PATH  # it returns to the page where the user was

    first = page.evaluate("app.token")
    assert page.evaluate("app.updateToken(-1)") is True
    assert page.evaluate("app.token") != first
    read_user = "async (url) => (await fetch(url, {headers: {'X-Tidepool-Session-Token': app.token}})).status"
    assert page.evaluate(read_user, f"{platform.base_url}/auth/user") == 200
    assert page.evaluate("async () => (await app.loadUserInfo()).sub") == user.id

    page.reload()
    expect_user(page, user)
    other_tab = page.context.new_page()
    other_tab.goto(f"{web_app}/profile")
    expect_user(other_tab, user)
    assert other_tab.url == f"{web_app}/profile"

    page.evaluate("(redirectUri) => void app.logout({ redirectUri })", web_app)
    page.wait_for_url(f"{web_app}/**")
    expect_user(page, None)
    assert other_tab.evaluate("app.updateToken(-1).catch(() => 'refused')") == "refused"
    other_tab.reload()
    expect_user(other_tab, None)


@pytest.mark.only_on("home", "the pages are the same on both homes")
def test_the_frames_of_keycloak_answer_their_parent(platform: "Platform", page: Page, web_app: str) -> None:
    page.goto(web_app)
    expect_user(page, None)
    answer = """([path, message]) => new Promise((resolve) => {
      const frame = document.body.appendChild(document.createElement("iframe"))
      addEventListener("message", ({data, source}) => source === frame.contentWindow && resolve(data))
      frame.onload = () => message && frame.contentWindow.postMessage(message, "*")
      frame.src = path
    })"""
    protocol = f"{platform.base_url}/realms/tidepool/protocol/openid-connect"
    for path, message, expected in (
        ("3p-cookies/step1.html", None, "unsupported"),
        ("login-status-iframe.html", "blip 0123", "unchanged"),
        ("login-status-iframe.html", "blip ", "unchanged"),
        ("login-status-iframe.html", "nonsense", "error"),
    ):
        assert page.evaluate(answer, [f"{protocol}/{path}", message]) == expected


@pytest.mark.only_on("home", "the page is the same on both homes")
def test_a_person_who_is_signed_in_lets_an_app_go_on_by_one_key(platform: "Platform", page: Page, web_app: str) -> None:
    user = User(platform.base_url)
    page.goto(web_app)
    expect_user(page, None)
    page.evaluate("void app.login()")
    page.get_by_label("E-mail address").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Keep me signed in").check()
    page.keyboard.press("Enter")
    expect_user(page, user)
    [cookie] = [cookie for cookie in page.context.cookies() if cookie["name"] == "strandline-sso"]
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Lax", "/realms/tidepool/")
    assert cookie["expires"] > 0

    challenge = "c" * 43
    query = f"client_id=xdrip&redirect_uri=xdrip://callback/tidepool&response_type=code&scope=openid&state=s&code_challenge={challenge}&code_challenge_method=S256"
    page.goto(f"{platform.base_url}/realms/tidepool/protocol/openid-connect/auth?{query}")
    expect(page.get_by_role("heading", name=f"Continue as {user.email}")).to_be_visible()
    with page.expect_event("request", lambda request: request.url.startswith("xdrip://callback/tidepool?code=")):
        page.keyboard.press("Enter")


@pytest.mark.only_on("home", "cookies are the browser's own affair")
def test_a_frame_of_another_site_has_no_session(platform: "Platform", page: Page, web_app: str) -> None:
    user = User(platform.base_url)
    page.goto(web_app)
    expect_user(page, None)
    page.evaluate("void app.login()")
    page.get_by_label("E-mail address").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect_user(page, user)
    answer = """async () => {
      const url = await app.createLoginUrl({prompt: "none", redirectUri: `${location.origin}/keycloak.js`})
      const frame = document.createElement("iframe")
      frame.src = url
      await new Promise((loaded) => { frame.onload = loaded; document.body.append(frame) })
      return frame.contentWindow.location.hash
    }"""
    assert "error=login_required" in page.evaluate(answer)
    page.reload()
    expect_user(page, user)
