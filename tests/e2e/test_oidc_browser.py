"""The sign-in page in Chromium, by keyboard and without scripts; skipped where there is no Chromium.

What only a browser can tell: that the page's policy lets its own style in and the way back to the app out.
"""

import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.e2e.client import PASSWORD, Client, Reply, User
from tests.fakes.oidc_app import App

if TYPE_CHECKING:
    from tests.e2e.conftest import Cloud

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
TIMEOUT_S = 20

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")


class Chromium:
    """One page of a headless Chromium, spoken to through a pipe by the DevTools protocol."""

    def __init__(self, folder: Path) -> None:
        from_us, to_it = os.pipe()
        from_it, to_us = os.pipe()
        # The protocol's ends are file descriptors 3 and 4 of the browser.
        script = f'exec 3<&{from_us} 4>&{to_us}; exec "$0" "$@"'
        options = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--remote-debugging-pipe",
            f"--user-data-dir={folder}",
        ]
        self._process = subprocess.Popen(
            ["bash", "-c", script, str(CHROMIUM), *options],
            pass_fds=(from_us, to_us),
            stderr=subprocess.DEVNULL,
        )
        os.close(from_us)
        os.close(to_us)
        self._to, self._from = os.fdopen(to_it, "wb", buffering=0), os.fdopen(from_it, "rb", buffering=0)
        self._rest, self._calls, self._session = b"", 0, ""
        self.events: list[dict[str, Any]] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Log", "Network", "Runtime"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setScriptExecutionDisabled", value=True)

    def close(self) -> None:
        """End the browser."""
        self._process.terminate()
        self._process.wait(TIMEOUT_S)
        self._to.close()
        self._from.close()

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The result of a command."""
        self._calls += 1
        number = self._calls
        session = {"sessionId": self._session} if self._session else {}
        message = {"id": number, "method": method, "params": parameters, **session}
        self._to.write(json.dumps(message).encode() + b"\0")
        while (answer := self._next()).get("id") != number:
            pass
        result: dict[str, Any] = answer["result"]
        return result

    def wait_for(self, what: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first event that it holds for, one that has come already or one to come."""
        deadline, seen = time.monotonic() + TIMEOUT_S, 0
        while time.monotonic() < deadline:
            for event in self.events[seen:]:
                if what(event):
                    return event
            seen = len(self.events)
            self._next()
        raise AssertionError([event["method"] for event in self.events])

    def open(self, url: str) -> None:
        """Go there, and wait until it is there."""
        self.events.clear()
        self.call("Page.navigate", url=url)
        self.wait_for(lambda event: event["method"] == "Page.loadEventFired")

    def type_into(self, element_id: str, text: str) -> None:
        """Once it has the focus, which the page gives it a moment after it is there."""
        deadline = time.monotonic() + TIMEOUT_S
        while self.call("Runtime.evaluate", expression="document.activeElement.id")["result"]["value"] != element_id:
            assert time.monotonic() < deadline, f"{element_id} never gets the focus"
            time.sleep(0.02)
        self.call("Input.insertText", text=text)

    def press(self, key: str, code: int, text: str = "") -> None:
        """A key."""
        for kind in ("keyDown", "keyUp"):
            self.call(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                windowsVirtualKeyCode=code,
                text=text if kind == "keyDown" else "",
            )

    def complaints(self) -> list[str]:
        """What the browser's console says."""
        entries = [event["params"]["entry"] for event in self.events if event["method"] == "Log.entryAdded"]
        return [str(entry["text"]) for entry in entries if entry.get("source") == "security"]

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._from], [], [], TIMEOUT_S)
            assert ready, [event["method"] for event in self.events]
            read = self._from.read(65536)
            assert read, "Chromium has ended"
            self._rest += read
        line, _, self._rest = self._rest.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        if "method" in message:
            self.events.append(message)
        return message


@pytest.fixture(scope="module")
def user(cloud: "Cloud") -> User:
    return User(cloud.base_url)


@pytest.fixture
def chromium(tmp_path: Path) -> Iterator[Chromium]:
    browser = Chromium(tmp_path)
    yield browser
    browser.close()


def app_of(cloud: "Cloud", client_id: str, redirect_uri: str) -> App:
    def send(method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        return Client(cloud.base_url).request(method, path, body, headers)

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
def test_by_keyboard_a_person_gets_from_the_page_back_to_the_app(
    cloud: "Cloud", user: User, chromium: Chromium, client_id: str, redirect_uri: str
) -> None:
    app = app_of(cloud, client_id, redirect_uri.format(base_url=cloud.base_url))
    chromium.open(cloud.base_url + app.page_path())
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


def test_a_wrong_password_is_said_and_the_right_one_then_works(cloud: "Cloud", user: User, chromium: Chromium) -> None:
    app = app_of(cloud, "tidepool-platform-client", f"{cloud.base_url}/")
    chromium.open(cloud.base_url + app.page_path(login_hint=user.email))
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
