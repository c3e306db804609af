"""The API reference in Chromium: complete, by keyboard, on a phone; skipped where there is no Chromium."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.chromium import Chromium, needs_chromium
from tests.e2e.client import Client

if TYPE_CHECKING:
    from tests.e2e.conftest import Platform

pytestmark = needs_chromium

PHONE_PX = 375
OPEN_ALL = """
for (let depth = 0; depth < 4; depth++)
  for (const details of document.querySelectorAll("main details:not([open])")) { details.draw(); details.open = true }
"""


@pytest.fixture
def page(platform: "Platform", tmp_path: Path) -> Iterator[Chromium]:
    """A browser that shows nothing yet."""
    browser = Chromium(tmp_path, runs_scripts=True)
    yield browser
    browser.close()


def show(page: Chromium, platform: "Platform", fragment: str = "") -> None:
    """Open the reference and wait until it is drawn."""
    page.open(f"{platform.base_url}/docs{fragment}")
    page.wait_until("document.getElementById('layout')?.hidden === false")


def text(page: Chromium, selector: str) -> str:
    """The text of the first element that a selector matches."""
    return str(page.evaluate(f"document.querySelector({selector!r}).textContent"))


def test_the_reference_shows_every_operation_and_schema_and_contacts_only_this_server(
    platform: "Platform", page: Chromium
) -> None:
    show(page, platform)
    described = Client(platform.base_url).request("GET", "/openapi.json").json()
    names = [operation["operationId"] for item in described["paths"].values() for operation in item.values()]
    names += [f"schema-{name}" for name in described["components"]["schemas"]]
    shown = page.evaluate("[...document.querySelectorAll('.entry')].map((entry) => entry.id)")
    assert sorted(shown) == sorted(names)
    requests = [
        event["params"]["request"]["url"] for event in page.events if event["method"] == "Network.requestWillBeSent"
    ]
    assert [url for url in requests if not url.startswith("data:")] == [
        f"{platform.base_url}/docs",
        f"{platform.base_url}/openapi.json",
    ]
    assert page.complaints() == []


def test_an_operation_that_the_address_names_is_open(platform: "Platform", page: Chromium) -> None:
    show(page, platform, "#data.read")
    assert page.evaluate("document.getElementById('data.read').open") is True
    shown = text(page, "#data\\.read")
    for part in ("startDate", "sessionToken or restrictedToken", "StoredDatum", "Failures: 400", "curl "):
        assert part in shown


def test_by_keyboard_a_person_finds_and_opens_an_operation(platform: "Platform", page: Chromium) -> None:
    show(page, platform)
    page.evaluate("document.getElementById('filter').focus()")
    page.type_into("filter", "freshness")
    page.wait_until("document.getElementById('count').textContent.startsWith('1 of ')")
    page.press("Tab", 9)
    page.press("Enter", 13, "\r")
    page.wait_until("document.getElementById('freshness.get').open")
    page.wait_until("location.hash === '#freshness.get'")


def test_the_reference_fits_the_screen_of_a_phone(platform: "Platform", page: Chromium) -> None:
    page.call("Emulation.setDeviceMetricsOverride", width=PHONE_PX, height=800, deviceScaleFactor=1, mobile=True)
    show(page, platform)
    page.evaluate(OPEN_ALL)
    assert page.evaluate("document.querySelectorAll('main .members').length") > 1000
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE_PX
    shown = text(page, "main")
    assert "undefined" not in shown
    assert "[object" not in shown


def test_the_reference_reports_a_description_that_cannot_be_loaded(platform: "Platform", page: Chromium) -> None:
    page.call("Network.setBlockedURLs", urls=["*/openapi.json"])
    page.open(f"{platform.base_url}/docs")
    page.wait_until("document.querySelector('[role=alert]') !== null")
    assert "cannot be loaded" in text(page, "[role=alert]")
