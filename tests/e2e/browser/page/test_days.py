"""The view "Days": chart, hours and list of one day."""

from datetime import datetime, timedelta
from typing import Any, Literal

import pytest
from playwright.sync_api import expect

from tests.e2e.browser.conftest import PHONE_WIDTH, Axe
from tests.e2e.browser.page.conftest import Sent, Visit, fits, reading, sender, show
from tests.e2e.browser.page.test_report import profile, rounded, share, texts
from tests.e2e.client import User
from tests.e2e.conftest import Platform
from tools.demo.comparison import mmol_l
from tools.demo.generator import LOCAL_TIME

pytestmark = pytest.mark.home


def test_a_day_has_the_figures_of_the_api_and_all_records_that_were_sent(phoenix: Sent, visit: Visit) -> None:
    day = profile(phoenix.user, 30)["days"][-3]
    start = datetime.fromisoformat(day["date"]).replace(tzinfo=LOCAL_TIME)
    with visit(phoenix.user, f"#/days?date={day['date']}") as page:
        assert texts(page, "range") == {name: share(part) for name, part in day["ranges"].items() if name != "tight"}
        expected = {"mean": f"{rounded(day['meanMgdl'], 0)} mg/dL", "records": str(day["records"])}
        assert texts(page, "figure") == expected
        hours = page.locator("table tbody tr")
        expect(hours).to_have_count(24)
        sent = [
            record["value"]
            for record in phoenix.records
            if record["type"] in ("cbg", "smbg")
            and start <= datetime.fromisoformat(record["time"]) < start + timedelta(hours=1)
        ]
        mean = rounded(sum(mmol_l(value) for value in sent) / len(sent) * 18.01559, 0)
        cells = hours.nth(0).locator("th, td").all_text_contents()
        assert cells[:5] == ["00:00", str(len(sent)), mean, str(min(sent)), str(max(sent))]
        page.get_by_text("Everything of the day").click()
        listed = page.locator("details table tbody tr")
        readings = [
            record
            for record in phoenix.records
            if record["type"] == "cbg" and start <= datetime.fromisoformat(record["time"]) < start + timedelta(days=1)
        ]
        expect(listed.filter(has_text="Sensor")).to_have_count(len(readings))


def test_one_day_follows_the_other_by_keyboard_and_stays_in_the_address(phoenix: Sent, visit: Visit) -> None:
    with visit(phoenix.user, "#/report") as page:
        page.locator(".daily a").nth(3).press("Enter")
        expect(page.get_by_role("heading", name="Days")).to_be_visible()
        date = page.get_by_label("Day", exact=True).input_value()
        assert page.url.endswith(f"#/days?date={date}")
        page.get_by_role("button", name="Day before").press("Enter")
        before = (datetime.fromisoformat(date) - timedelta(days=1)).date().isoformat()
        expect(page.locator(f"[data-date='{before}'] table")).to_be_visible()
        assert page.url.endswith(f"#/days?date={before}")
        page.get_by_role("button", name="Day after").click()
        expect(page.locator(f"[data-date='{date}'] table")).to_be_visible()
        day = page.get_by_label("Day", exact=True)
        day.focus()
        page.keyboard.type(f"{before[5:7]}{before[8:]}{before[:4]}")  # in the order of en-US; the year begins with 0002
        expect(page.locator(f"[data-date='{before}'] table")).to_be_visible()
        expect(day).to_be_focused()
        show(page, "#/days?date=2026-02-31")
        expect(page.locator(".days table").first).to_be_visible()


@pytest.mark.parametrize(("colors", "width"), [("light", PHONE_WIDTH), ("dark", 1280)])
def test_the_view_is_accessible_and_fits(
    phoenix: Sent, visit: Visit, axe: Axe, colors: Literal["light", "dark"], width: int
) -> None:
    with visit(phoenix.user, "#/days", colors=colors, width=width) as page:
        page.get_by_text("Everything of the day").click()
        axe(page)
        assert fits(page)


def test_a_person_who_sees_the_last_hours_sees_them_without_a_report(
    home: Platform, phoenix: Sent, visit: Visit
) -> None:
    reader, owner = User(home.base_url), phoenix.user
    shared = owner.request("POST", f"/access/{owner.id}/{reader.id}", {"view": {"windowHours": 48}})
    assert shared.status == 200, shared.body
    with visit(reader, f"#/report/{owner.id}") as page:
        expect(page.locator(".report")).to_contain_text("only the last hours")
        show(page, f"#/days/{owner.id}")
        expect(page.locator("table tbody tr")).to_have_count(24)
        assert page.locator("[data-range]").count() == 0
        expect(page.locator(".notice")).to_contain_text("only the last hours")
        show(page, f"#/days/{owner.id}?date=2026-01-01")
        expect(page.locator(".days")).to_contain_text("Nothing of this day is shared with you")


def test_what_began_the_day_before_is_listed_from_the_beginning_of_the_day(home: Platform, visit: Visit) -> None:
    def lasting(time: str, hours: int, **members: Any) -> dict[str, Any]:
        made = reading(hours, 0, time=time, duration=hours * 3_600_000, **members)
        return {name: value for name, value in made.items() if name not in ("value", "units")}

    basal = {"type": "basal", "deliveryType": "temp", "rate": 0.5}
    sleep = {"type": "deviceEvent", "subType": "pumpSettingsOverride", "overrideType": "sleep"}
    spans = [lasting("2026-01-09T23:30:00Z", 1, **basal), lasting("2026-01-10T23:00:00Z", 8, **sleep)]
    spans.append(
        {**spans[1], "time": "2026-01-10T23:30:00Z", "overrideType": "physicalActivity", "origin": {"id": "x"}}
    )
    del spans[-1]["duration"]
    user = sender(home.base_url, [reading(0, 100, time="2026-01-10T12:00:00Z"), *spans])
    profile = {"fullName": "Ada", "patient": {"targetTimezone": "UTC"}}
    assert user.request("PUT", f"/metadata/{user.id}/profile", profile).status == 200
    with visit(user, "#/days?date=2026-01-10") as page:
        page.get_by_text("Everything of the day").click()
        rows = page.locator("details tbody tr")
        expect(rows.first).to_have_text("00:00Basal rate0.5 U/h until 00:30")
        expect(rows.nth(-2)).to_have_text("23:00OverrideSleep until 23:30")
        expect(rows.last).to_have_text("23:30OverrideActivity without an end")
        show(page, "#/days?date=2026-01-11")
        expect(page.locator("svg rect.override")).to_have_count(1)


def test_a_printed_day_has_a_name_and_is_dark_on_light(phoenix: Sent, visit: Visit) -> None:
    with visit(phoenix.user, "#/days", colors="dark") as page:
        expect(page.locator("svg .carbs").first).to_be_visible()
        page.emulate_media(media="print")
        expect(page.locator("main").get_by_text("Demo", exact=True)).to_be_visible()
        lightness = page.evaluate(
            "['.carbs', '.bolus', '.basal'].map((name) => getComputedStyle(document.querySelector(`svg ${name}`)).fill)"
            ".map((fill) => Math.max(...fill.match(/\\d+/g).map(Number)))"
        )
        assert lightness[0] < 160
        assert lightness[1] < 200
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert page.get_by_role("button").count() == 0


def test_a_day_on_which_clocks_go_back_has_an_hour_twice(home: Platform, visit: Visit) -> None:
    start = datetime.fromisoformat("2025-10-26T00:00:00+02:00")  # in Berlin; at 03:00 it is 02:00 again
    times = [start + timedelta(minutes=minutes) for minutes in range(0, 25 * 60, 5)]
    records = [reading(number, 100 + number // 12, time=time.isoformat()) for number, time in enumerate(times)]
    meter = reading(900, 300, time=(start + timedelta(hours=1)).isoformat(), type="smbg")
    user = sender(home.base_url, [*records, meter])
    profile = {"fullName": "Ada", "patient": {"targetTimezone": "Europe/Berlin"}}
    assert user.request("PUT", f"/metadata/{user.id}/profile", profile).status == 200
    with visit(user, "#/days?date=2025-10-26") as page:
        rows = page.locator("table tbody tr")
        expect(rows).to_have_count(25)
        cells = [rows.nth(hour).locator("th, td").all_text_contents()[:3] for hour in range(1, 5)]
        assert cells == [
            ["01:00", "12", "101"],  # of the sensor alone, as the figures of the day
            ["02:00", "12", "102"],
            ["02:00 again", "12", "103"],
            ["03:00", "12", "104"],
        ]
        assert texts(page, "figure")["records"] == "300"
