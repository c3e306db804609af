"""Sign-in on the page, and the view "Now"."""

import re
from typing import Literal

import pytest
from playwright.sync_api import Request, expect

from tests.e2e.browser.conftest import PHONE_WIDTH, Axe, OpenPage
from tests.e2e.browser.page.conftest import Sent, Visit, fits, reading, sender, show, sign_in, wait_for_view
from tests.e2e.client import User
from tests.e2e.conftest import Platform, server_client

pytestmark = pytest.mark.home

MOST_REQUESTS_OF_THE_API = 10


@pytest.fixture(scope="module")
def fresh(home: Platform) -> User:
    """A person whose sensor is measuring."""
    values = zip((62, 47, 32, 17, 12, 7, 2), (110, 115, 120, 125, 130, 142, 155), strict=True)
    return sender(home.base_url, [reading(*each) for each in values])


def test_the_last_reading_has_its_arrow_and_age(fresh: User, visit: Visit) -> None:
    with visit(fresh) as page:
        expect(page.locator(".now-value")).to_contain_text("155 mg/dL")
        expect(page.locator(".now-value .hidden")).to_have_text("rising")
        expect(page.locator(".last")).to_contain_text("2 min ago")
        assert page.locator(".notice").count() == 0
        slider = page.get_by_label("Readings, by time")
        expect(slider).to_have_attribute("aria-valuetext", re.compile("155 mg/dL"))
        slider.press("ArrowLeft")
        expect(slider).to_have_attribute("aria-valuetext", re.compile("142 mg/dL"))
        expect(page.locator("output")).to_contain_text("142 mg/dL")


def test_the_hours_are_chosen_and_stay_in_the_address(month: Sent, visit: Visit) -> None:
    with visit(month.user) as page:
        few = page.locator("svg .reading").count()
        page.get_by_role("button", name="24 h").click()
        assert page.locator("svg .reading").count() > few
        assert page.url.endswith("#/now?hours=24")
        page.reload()
        wait_for_view(page)
        expect(page.get_by_role("button", name="24 h")).to_have_attribute("aria-pressed", "true")


def test_old_data_is_called_old(month: Sent, visit: Visit) -> None:
    with visit(month.user) as page:
        expect(page.locator(".notice")).to_contain_text("No new reading")


def test_new_data_appears_and_a_lost_server_is_told(home: Platform, open_page: OpenPage) -> None:
    user = sender(home.base_url, [reading(10, 100)])
    with open_page() as page:
        page.clock.install()
        page.goto(home.base_url)
        page.get_by_role("button", name="Sign in").click()
        sign_in(page, user)
        data_set = user.open_data_set({"type": "upload", "dataSetType": "continuous", "client": {"name": "a.b"}})
        user.add(f"/v1/data_sets/{data_set}/data", [reading(1, 222)])
        page.clock.run_for(61_000)
        expect(page.locator(".now-value")).to_contain_text("222 mg/dL")
        page.context.set_offline(True)
        page.clock.run_for(61_000)
        expect(page.locator(".notice")).to_contain_text("cannot be reached")
        show(page, "#/now?hours=3")
        expect(page.get_by_role("alert")).to_contain_text("Are you offline?")
        page.context.set_offline(False)
        expect(page.locator(".now-value")).to_contain_text("222 mg/dL")


def test_a_token_is_renewed_unseen_and_an_ended_session_is_told(home: Platform, visit: Visit) -> None:
    user = sender(home.base_url, [reading(3, 111, trend="slowFall")])
    with visit(user) as page:
        expect(page.locator(".now-value .hidden")).to_have_text("falling slowly")
        renewed: list[Request] = []
        page.on("request", lambda request: renewed.append(request) if request.url.endswith("/token") else None)
        page.route("**/freshness", lambda route: route.fulfill(status=401), times=1)
        show(page, "#/now?hours=3")
        expect(page.locator(".now-value")).to_contain_text("111 mg/dL")
        assert ["grant_type=refresh_token" in (request.post_data or "") for request in renewed] == [True]
        assert server_client(home).request("DELETE", f"/auth/user/{user.id}/sessions").status in (200, 204)
        show(page, "#/now?hours=12")
        expect(page.get_by_role("alert")).to_contain_text("Your session has ended")
        page.get_by_role("button", name="Sign in").click()
        sign_in(page, user)
        expect(page.get_by_role("button", name="12 h")).to_have_attribute("aria-pressed", "true")


def test_a_name_with_markup_is_a_text_and_units_and_zone_are_the_persons(home: Platform, visit: Visit) -> None:
    owner, reader = sender(home.base_url, [reading(2, 180)]), User(home.base_url)
    name = "<img src=x onerror=alert(1)>"
    profile = {"fullName": name, "patient": {"targetTimezone": "Asia/Kathmandu"}}
    assert owner.request("PUT", f"/metadata/{owner.id}/profile", profile).status == 200
    assert reader.request("PUT", f"/metadata/{reader.id}/settings", {"units": {"bg": "mmol/L"}}).status == 200
    assert owner.request("POST", f"/access/{owner.id}/{reader.id}", {"view": {}}).status == 200
    with visit(reader, f"#/now/{owner.id}") as page:
        expect(page.locator(".whose")).to_contain_text(name)
        expect(page.locator(".now-value")).to_contain_text("10.0 mmol/L")
        local = page.evaluate(
            "new Date().toLocaleDateString('en-GB', { timeZone: 'Asia/Kathmandu', day: 'numeric', month: 'short' })"
        )
        expect(page.locator(".last")).to_contain_text(local)
        assert owner.request("POST", f"/access/{owner.id}/{reader.id}", {}).status == 200
        show(page, f"#/now/{owner.id}?hours=3")
        expect(page.get_by_role("alert")).to_contain_text("not shared with you")


def test_a_person_without_data_is_told_how_to_begin(home: Platform, visit: Visit, axe: Axe) -> None:
    with visit(User(home.base_url), width=PHONE_WIDTH) as page:
        expect(page.locator(".now")).to_contain_text("There is no reading yet")
        axe(page)


@pytest.mark.parametrize(("colors", "width"), [("light", PHONE_WIDTH), ("dark", 1280)])
def test_the_view_is_accessible_and_fits(
    home: Platform,
    month: Sent,
    visit: Visit,
    axe: Axe,
    open_page: OpenPage,
    colors: Literal["light", "dark"],
    width: int,
) -> None:
    with open_page(colors=colors, width=width) as first:
        first.goto(home.base_url)
        expect(first.get_by_role("button", name="Sign in")).to_be_visible()
        axe(first)
    with visit(month.user, "#/now?hours=24", colors=colors, width=width) as page:
        axe(page)
        assert fits(page)


def test_the_page_asks_this_server_only_and_little(home: Platform, month: Sent, visit: Visit) -> None:
    with visit(month.user) as page:
        requests: list[Request] = []
        page.on("request", lambda request: requests.append(request))
        page.reload()
        wait_for_view(page)
        assert [request.url for request in requests if not request.url.startswith(f"{home.base_url}/")] == []
        paths = [request.url.removeprefix(home.base_url).partition("?")[0] for request in requests]
        asked = [path for path in paths if not path.startswith(("/assets/", "/realms/")) and path != "/"]
        assert 0 < len(asked) <= MOST_REQUESTS_OF_THE_API
        names = [path.rpartition("/")[2] for path in paths if path.startswith("/assets/")]
        assert set(names) <= {"page.js", "style.css", "icon.svg"}
