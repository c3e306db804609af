"""Sign-in on the page, and the view "Now"."""

import re
from typing import Literal

import pytest
from playwright.sync_api import Request, Route, expect

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
    return sender(home.base_url, [reading(*value) for value in values])


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


def test_a_reading_that_is_not_new_looks_so(home: Platform, visit: Visit) -> None:
    user = sender(home.base_url, [reading(minutes, 100) for minutes in (30, 25)])
    with visit(user) as page:
        expect(page.locator(".now-value")).to_have_class(re.compile("stale"))
        assert page.locator(".now-value .arrow").count() == 0
        expect(page.locator(".notice")).to_have_text("No new reading for 25 minutes.")


def test_the_chart_goes_on_under_the_hands_of_a_person_at_its_slider(home: Platform, open_page: OpenPage) -> None:
    user = sender(home.base_url, [reading(minutes, 100 + minutes) for minutes in (20, 15, 10, 5)])
    with open_page() as page:
        page.clock.install()
        page.goto(home.base_url)
        page.get_by_role("button", name="Sign in").click()
        sign_in(page, user)
        slider = page.get_by_label("Readings, by time")
        slider.press("ArrowLeft")
        x_before = page.locator("svg .reading").last.get_attribute("cx")
        page.clock.run_for(600_000)
        expect(page.locator("svg .reading").last).not_to_have_attribute("cx", str(x_before))
        expect(slider).to_be_focused()
        expect(slider).to_have_attribute("aria-valuetext", re.compile("110 mg/dL"))


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
        page.reload()
        expect(page.get_by_role("alert")).to_contain_text("not shared with you")
        page.get_by_role("link", name="Back to yours").click()
        expect(page.locator(".now")).to_contain_text("There is no reading yet")


def test_a_relative_finds_the_child_by_name_and_knows_whose_times_these_are(
    home: Platform, visit: Visit, axe: Axe
) -> None:
    parent, relative = sender(home.base_url, [reading(2, 123)]), User(home.base_url)
    name = "Jill" + "long" * 40
    patient = {"isOtherPerson": True, "fullName": name, "targetTimezone": "Asia/Kathmandu"}
    profile = {"fullName": "Petra", "patient": patient}
    assert parent.request("PUT", f"/metadata/{parent.id}/profile", profile).status == 200
    assert parent.request("POST", f"/access/{parent.id}/{relative.id}", {"view": {"windowHours": 24}}).status == 200
    with visit(relative, width=PHONE_WIDTH) as page:
        expect(page.locator(".now")).to_contain_text("There is no reading yet")
        shared = page.get_by_role("region", name="Shared with you")
        expect(shared.get_by_role("listitem")).to_contain_text("123 mg/dL, 2 min ago")
        assert fits(page)
        shared.get_by_role("link", name=name).press("Enter")
        expect(page.locator(".now-value")).to_contain_text("123 mg/dL")
        expect(page.get_by_role("complementary", name="Whose data this is")).to_contain_text(f"the data of {name}")
        expect(page).to_have_title(f"Now: {name} | Strandline")
        expect(page.locator("main")).to_contain_text("Times are those of Asia/Kathmandu")
        axe(page)
        assert fits(page)
        page.get_by_role("link", name="Who shares with you").click()
        expect(page.get_by_role("region").first).to_contain_text("Jill")


def test_a_session_that_has_ended_can_be_left(home: Platform, visit: Visit) -> None:
    with visit(User(home.base_url)) as page:
        page.route("**/freshness", lambda route: route.fulfill(status=401))
        page.route("**/token", lambda route: route.fulfill(status=400))
        show(page, "#/now?hours=3")
        expect(page.get_by_role("alert")).to_contain_text("Your session has ended")
        expect(page.get_by_role("heading", name="Now")).to_be_visible()
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("button", name="Create account")).to_be_visible()


def test_a_view_that_is_slow_says_so_and_shows_nothing_of_the_one_before(fresh: User, visit: Visit) -> None:
    with visit(fresh) as page:
        held: list[Route] = []
        page.route("**/agp?*", lambda route: held.append(route))
        page.evaluate("location.hash = '#/report'")
        expect(page.get_by_text("Loading")).to_be_visible()
        assert page.locator(".now-value").count() == 0
        expect(page.locator("main")).to_be_focused()
        expect(page.get_by_role("button", name="14 days")).to_be_visible()
        page.keyboard.press("Tab")
        held[0].continue_()
        expect(page.get_by_role("status").filter(has_text="Report is shown.")).to_be_attached()
        expect(page.get_by_role("button", name="14 days")).to_be_focused()


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
