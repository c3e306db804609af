"""The API reference in Chromium: complete, by keyboard, on a phone."""

from typing import TYPE_CHECKING

from playwright.sync_api import Page, expect

from tests.e2e.browser.conftest import PHONE_WIDTH, OpenPage
from tests.e2e.client import Client

if TYPE_CHECKING:
    from tests.e2e.conftest import Platform

OPEN_ALL = """() => {
for (let depth = 0; depth < 4; depth++)
  for (const details of document.querySelectorAll("main details:not([open])")) { details.draw(); details.open = true }
}"""


def show(page: Page, platform: "Platform", fragment: str = "") -> None:
    """Open the reference and wait until it is drawn."""
    page.goto(f"{platform.base_url}/docs{fragment}")
    expect(page.locator("#layout")).to_be_visible()


def test_the_reference_shows_every_operation_and_schema_and_contacts_only_this_server(
    platform: "Platform", page: Page
) -> None:
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    show(page, platform)
    described = Client(platform.base_url).request("GET", "/openapi.json").json()
    names = [operation["operationId"] for item in described["paths"].values() for operation in item.values()]
    names += [f"schema-{name}" for name in described["components"]["schemas"]]
    shown = page.evaluate("[...document.querySelectorAll('.entry')].map((entry) => entry.id)")
    assert sorted(shown) == sorted(names)
    assert [url for url in requests if not url.startswith("data:")] == [
        f"{platform.base_url}/docs",
        f"{platform.base_url}/openapi.json",
    ]


def test_an_operation_that_the_address_names_is_open(platform: "Platform", page: Page) -> None:
    show(page, platform, "#data.read")
    entry = page.locator("#data\\.read")
    assert entry.evaluate("(entry) => entry.open") is True
    for part in ("startDate", "sessionToken or restrictedToken", "StoredDatum", "Failures: 400", "curl "):
        assert part in (entry.text_content() or "")


def test_by_keyboard_a_person_finds_and_opens_an_operation(platform: "Platform", page: Page) -> None:
    show(page, platform)
    page.locator("#filter").focus()
    page.keyboard.type("freshness")
    expect(page.locator("#count")).to_contain_text("1 of ")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_function("document.getElementById('freshness.get').open")
    page.wait_for_function("location.hash === '#freshness.get'")


def test_the_reference_fits_the_screen_of_a_phone(platform: "Platform", open_page: OpenPage) -> None:
    with open_page(width=PHONE_WIDTH) as page:
        show(page, platform)
        page.evaluate(OPEN_ALL)
        assert page.locator("main .members").count() > 1000
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE_WIDTH
        shown = page.locator("main").text_content() or ""
    assert "undefined" not in shown
    assert "[object" not in shown


def test_the_reference_reports_a_description_that_cannot_be_loaded(platform: "Platform", page: Page) -> None:
    page.route("**/openapi.json", lambda route: route.abort())
    page.goto(f"{platform.base_url}/docs")
    expect(page.get_by_role("alert")).to_contain_text("cannot be loaded")
