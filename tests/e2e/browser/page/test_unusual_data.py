"""Data that is not as usual: one reading, values beyond what a sensor shows, two sensors at once, one each minute,
pens, many boluses."""

import itertools
import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.browser.conftest import PHONE_WIDTH
from tests.e2e.browser.page.conftest import Visit, fits, reading, sender, show
from tests.e2e.conftest import Platform

pytestmark = pytest.mark.home

MINUTES_OF_A_YEAR = 365 * 24 * 60


def beyond(value: str, threshold: int) -> dict[str, Any]:
    """The annotation of a reading that is beyond what the sensor shows."""
    return {"annotations": [{"code": "bg/out-of-range", "value": value, "threshold": threshold}]}


def test_one_reading_of_long_ago_is_shown_everywhere(home: Platform, visit: Visit) -> None:
    user = sender(home.base_url, [reading(MINUTES_OF_A_YEAR, 400, **beyond("high", 400))])
    with visit(user, width=PHONE_WIDTH) as page:
        expect(page.locator(".now-value")).to_contain_text("\u2265 400 mg/dL")
        expect(page.locator(".last")).to_contain_text("365 days ago")
        expect(page.locator("svg .reading")).to_have_count(1)
        show(page, "#/report")
        expect(page.locator(".notice")).to_have_count(2)
        old, few = page.locator(".notice").all_text_contents()
        assert old == "The last reading was 365 days ago, and the report ends with it."
        assert few.endswith("too little for conclusions.")
        expect(page.get_by_text("There is no insulin")).to_be_visible()
        show(page, "#/days")
        expect(page.locator("svg .reading")).to_have_count(1)
        assert fits(page)


def test_two_sensors_are_two_lines_and_values_at_both_ends_fit(home: Platform, visit: Visit) -> None:
    minutes = range(1, 90)
    records = [reading(minute, 40 if minute % 2 else 45, deviceId="each minute") for minute in minutes]
    records += [reading(minute + 0.5, 400, deviceId="another") for minute in range(5, 90, 5)]
    records += [reading(45.2, 39, **beyond("low", 40))]
    user = sender(home.base_url, records)
    assert user.request("PUT", f"/metadata/{user.id}/settings", {"bgTarget": {"low": 100, "high": 200}}).status == 200
    with visit(user, "#/now?hours=3") as page:
        expect(page.locator("svg .reading")).to_have_count(len(records))
        expect(page.locator("svg .course")).to_have_count(3)
        expect(page.get_by_role("img")).to_have_attribute("aria-label", re.compile("between 39 and 400 mg/dL"))
        heights = page.evaluate(
            "[...document.querySelectorAll('svg .reading')].map((dot) => Number(dot.getAttribute('cy')))"
        )
        assert 50 <= min(heights) <= max(heights) <= 246
        target = page.locator("svg rect.target")
        steepness = (max(heights) - min(heights)) / (400 - 39)
        assert float(target.get_attribute("height") or 0) == pytest.approx(100 * steepness, rel=0.02)


def test_insulin_of_a_pen_is_shown_and_summed(home: Platform, visit: Visit) -> None:
    def injection(minutes: int, units: float, acting: str) -> dict[str, Any]:
        made = reading(minutes, 0, type="insulin", dose={"total": units, "units": "Units"})
        made["formulation"] = {"simple": {"actingType": acting}}
        return {name: value for name, value in made.items() if name not in ("value", "units")}

    injections = [injection(60, 6, "rapid"), injection(50, 4.5, "short"), injection(40, 22, "long")]
    user = sender(home.base_url, [reading(2, 120), reading(7, 120), *injections])
    with visit(user) as page:
        expect(page.locator("svg rect.bolus")).to_have_count(2)
        expect(page.locator("svg text.mark")).to_contain_text(["22", "6"])
        expect(page.locator(".legend")).to_contain_text("Long-acting insulin")
        show(page, "#/report")
        expect(page.locator("[data-figure=insulin]")).to_have_text("32.5 U")
        expect(page.locator("[data-figure=injection]")).to_have_text("22.0 U")


def test_amounts_of_boluses_do_not_cover_each_other(home: Platform, visit: Visit) -> None:
    boluses = []
    for number in range(24):
        made = reading(5 * number + 1, 0, type="bolus", subType="normal", normal=1 + number / 10)
        boluses.append({name: value for name, value in made.items() if name not in ("value", "units")})
    user = sender(home.base_url, [reading(3, 120), *boluses])
    with visit(user, "#/now?hours=24", width=PHONE_WIDTH) as page:
        expect(page.locator("svg rect.bolus")).to_have_count(24)
        edges = page.evaluate(
            "[...document.querySelectorAll('svg text.mark')].map((mark) => mark.getBoundingClientRect())"
            ".map(({ left, right }) => [left, right])"
        )
        assert edges
        ordered = sorted(edges)
        assert all(left[1] <= right[0] for left, right in itertools.pairwise(ordered))
