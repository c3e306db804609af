"""The view "Report": each figure equals the API's, and it is one page of paper."""

import re
from datetime import datetime, timedelta
from math import floor
from typing import Any, Literal

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser.conftest import PHONE_WIDTH, Axe
from tests.e2e.browser.page.conftest import Sent, Visit, fits, reading, sender, show
from tests.e2e.client import User
from tests.e2e.conftest import Platform
from tools.demo.generator import TIMEZONE

pytestmark = pytest.mark.home


def rounded(number: float, decimals: int) -> str:
    """A number as the report writes it, halves up."""
    return f"{floor(number * 10**decimals + 0.5) / 10**decimals:.{decimals}f}"


def share(percent: float) -> str:
    """A share as the report writes it."""
    return rounded(percent, 1 if 0 < percent < 0.95 else 0) + "%"


def profile(user: User, days: int) -> dict[str, Any]:
    """The profile that the API answers."""
    reply = user.request("GET", f"/v1/users/{user.id}/agp?days={days}&tz={TIMEZONE}")
    assert reply.status == 200
    body: dict[str, Any] = reply.json()
    return body


def texts(page: Page, attribute: str) -> dict[str, str]:
    """The shown figures by name."""
    found: dict[str, str] = page.evaluate(
        """(attribute) => Object.fromEntries([...document.querySelectorAll(`[data-${attribute}]`)]
        .map((element) => [element.dataset[attribute], element.textContent]))""",
        attribute,
    )
    return found


@pytest.mark.parametrize("days", [14, 30, 90])
def test_each_figure_is_that_of_the_api(phoenix: Sent, visit: Visit, days: int) -> None:
    with visit(phoenix.user, f"#/report?days={days}") as page:
        body = profile(phoenix.user, days)
        expect(page.get_by_text("days with records")).to_be_visible()
        ranges = {name: share(body["ranges"][name]) for name in ("veryLow", "low", "target", "high", "veryHigh")}
        assert texts(page, "range") == ranges
        figures = texts(page, "figure")
        assert {name: figures[name] for name in figures if name not in ("insulin", "bolus", "basal", "carbs")} == {
            "mean": f"{rounded(body['meanMgdl'], 0)} mg/dL",
            "gmi": f"{rounded(body['gmi'], 1)}% ({rounded(body['gmiMmolMol'], 0)} mmol/mol)",
            "cv": f"{rounded(body['cv'], 1)}%",
            "sd": f"{rounded(body['sdMgdl'], 0)} mg/dL",
            "tight": share(body["ranges"]["tight"]),
            "gri": f"{rounded(body['gri']['value'], 0)} ({body['gri']['zone']})",
            "active": f"{rounded(body['percentActive'], 1)}%",
            "dates": str(body["datesWithData"]),
        }
        assert page.locator(".daily li").count() == len(body["days"])
        shown_days = page.locator(".daily .quiet-text").all_text_contents()
        assert shown_days == [
            f"{rounded(day['meanMgdl'], 0)} mg/dL, {share(day['ranges']['target'])}" for day in reversed(body["days"])
        ]


def test_a_person_who_reads_mmol_gets_mmol(home: Platform, phoenix: Sent, visit: Visit) -> None:
    reader, owner = User(home.base_url), phoenix.user
    assert reader.request("PUT", f"/metadata/{reader.id}/settings", {"units": {"bg": "mmol/L"}}).status == 200
    assert owner.request("POST", f"/access/{owner.id}/{reader.id}", {"view": {}}).status == 200
    with visit(reader, f"#/report/{owner.id}") as page:
        body = profile(owner, 14)
        figures = texts(page, "figure")
        expected = (f"{rounded(body['meanMmol'], 1)} mmol/L", f"{rounded(body['sdMmol'], 1)} mmol/L")
        assert (figures["mean"], figures["sd"]) == expected
        expect(page.locator(".ranges li.target")).to_contain_text("3.9\u201310.0 mmol/L")
        day = body["days"][-1]
        expected_day = f"{rounded(day['meanMmol'], 1)} mmol/L, {share(day['ranges']['target'])}"
        expect(page.locator(".daily .quiet-text").first).to_have_text(expected_day)


def test_insulin_and_carbohydrates_are_those_that_were_sent(phoenix: Sent, visit: Visit) -> None:
    with visit(phoenix.user, "#/report?days=30") as page:
        expect(page.get_by_text("Mean of 30 days")).to_be_visible()
        figures = texts(page, "figure")
        body = profile(phoenix.user, 30)
        inside = [record for record in phoenix.records if body["from"] <= record["time"] < body["to"]]
        doses = [record.get("bolus", record) for record in inside if record["type"] in ("bolus", "wizard")]
        bolus = sum(dose.get("normal", 0) + dose.get("extended", 0) for dose in doses)
        carbs = sum(record["nutrition"]["carbohydrate"]["net"] for record in inside if record["type"] == "food")
        assert (figures["bolus"], figures["carbs"]) == (f"{rounded(bolus / 30, 1)} U", f"{rounded(carbs / 30, 0)} g")
        basal = sum(record.get("rate", 0) * hours_within(record, body) for record in phoenix.records)
        assert figures["basal"] == f"{rounded(basal / 30, 1)} U"


def hours_within(record: dict[str, Any], body: dict[str, Any]) -> float:
    """The hours of a basal record that are in the window of a profile."""
    if record["type"] != "basal":
        return 0
    start, first, last = (datetime.fromisoformat(text) for text in (record["time"], body["from"], body["to"]))
    end = start + timedelta(milliseconds=record["duration"])
    return max(timedelta(), min(end, last) - max(start, first)) / timedelta(hours=1)


def test_the_profile_can_be_read_as_a_table(phoenix: Sent, visit: Visit) -> None:
    with visit(phoenix.user, "#/report") as page:
        page.get_by_text("The profile as a table").click()
        rows = page.locator("table tbody tr")
        bins = profile(phoenix.user, 14)["profile"]
        expect(rows).to_have_count(len(bins))
        shown_row = rows.nth(0).locator("th, td").all_text_contents()
        assert shown_row == ["00:00", *(rounded(value, 0) for value in bins[0][2:]), str(bins[0][1])]


def test_the_report_prints_on_one_page(phoenix: Sent, visit: Visit) -> None:
    with visit(phoenix.user, "#/report?days=90", colors="dark") as page:
        expect(page.get_by_text("days with records")).to_be_visible()
        printed = page.pdf(prefer_css_page_size=True)
        assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1


@pytest.mark.parametrize(("colors", "width"), [("light", 1280), ("dark", PHONE_WIDTH)])
def test_the_view_is_accessible_and_fits(
    phoenix: Sent, visit: Visit, axe: Axe, colors: Literal["light", "dark"], width: int
) -> None:
    with visit(phoenix.user, "#/report", colors=colors, width=width) as page:
        expect(page.get_by_text("days with records")).to_be_visible()
        page.get_by_text("The profile as a table").click()
        axe(page)
        assert fits(page)


def test_a_day_that_the_report_begins_within_says_so(home: Platform, visit: Visit) -> None:
    times = {"first": "2026-01-01T13:00:00Z", "last": "2026-01-15T12:00:00Z"}
    user = sender(home.base_url, [reading(number, 120, time=time) for number, time in enumerate(times.values())])
    profile = {"fullName": "Ada", "patient": {"targetTimezone": "Europe/Berlin"}}
    assert user.request("PUT", f"/metadata/{user.id}/profile", profile).status == 200
    with visit(user, "#/report") as page:
        expect(page.locator(".daily-date")).to_have_text(["Thu 15 Jan", "Thu 1 Jan, from 13:05"])


def test_a_person_without_readings_gets_no_report(home: Platform, visit: Visit) -> None:
    with visit(User(home.base_url), "#/report") as page:
        expect(page.locator(".report")).to_contain_text("There is no reading of a sensor yet")
        show(page, "#/days")
        expect(page.locator(".days")).to_contain_text("There is nothing on this day")
