"""People with data, and the page with one of them signed in.

The pages are the same on both homes, so all but the first steps run on the home server, which is faster.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser.conftest import OpenPage
from tests.e2e.client import PASSWORD, User
from tests.e2e.conftest import Platform
from tools.demo import generator
from tools.demo.generator import DATA_SET, LOCAL_TIME

DAYS = 30
PIECE = 1000

Visit = Callable[..., AbstractContextManager[Page]]
"""Opens the page at a view, signed in: `with visit(user, "#/now", colors="dark", width=375) as page:`."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A person and the records that an app sent."""

    user: User
    records: list[dict[str, Any]]


@pytest.fixture(scope="session")
def month(home: Platform) -> Sent:
    """The person of `make demo` with a month that ended at the last midnight in Phoenix."""
    midnight = datetime.now(LOCAL_TIME).replace(hour=0, minute=0, second=0, microsecond=0)
    records = generator.records(DAYS, 1, midnight - timedelta(days=DAYS))
    return Sent(sender(home.base_url, records), records)


@pytest.fixture(scope="session")
def phoenix(month: Sent) -> Sent:
    """The person of the month, whose profile has the zone of the data."""
    profile = {"fullName": "Demo", "patient": {"targetTimezone": generator.TIMEZONE}}
    assert month.user.request("PUT", f"/metadata/{month.user.id}/profile", profile).status == 200
    return month


def sender(base_url: str, records: list[dict[str, Any]]) -> User:
    """A new person with these records."""
    user = User(base_url)
    data_set = user.open_data_set(DATA_SET)
    for first in range(0, len(records), PIECE):
        user.add(f"/v1/data_sets/{data_set}/data", records[first : first + PIECE])
    return user


def reading(minutes_ago: float, mg_dl: float, **members: Any) -> dict[str, Any]:
    """A reading of a sensor."""
    time = datetime.now(UTC) - timedelta(minutes=minutes_ago)
    written = time.strftime("%Y-%m-%dT%H:%M:%SZ")
    origin = {"id": f"{minutes_ago}", "name": "test", "type": "application"}
    return {
        "type": "cbg",
        "units": "mg/dL",
        "value": mg_dl,
        "time": written,
        "deviceId": "s",
        "origin": origin,
        **members,
    }


@pytest.fixture
def visit(open_page: OpenPage) -> Visit:
    """Signs a person in on the sign-in page, and waits until the view is there."""

    @contextmanager
    def visited(user: User, fragment: str = "#/now", **options: Any) -> Iterator[Page]:
        with open_page(**options) as page:
            page.goto(f"{user.base_url}/")
            page.get_by_role("button", name="Sign in").click()
            sign_in(page, user)
            show(page, fragment)
            yield page

    return visited


def sign_in(page: Page, user: User) -> None:
    """Fill in the sign-in page."""
    page.get_by_label("E-mail address").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    wait_for_view(page)


def show(page: Page, fragment: str) -> None:
    """Show a view by its address."""
    page.evaluate("(fragment) => { location.hash = fragment }", fragment)
    wait_for_view(page)


def wait_for_view(page: Page) -> None:
    """Wait until the view is drawn."""
    expect(page.locator("main#view")).to_have_attribute("aria-busy", "false")


def fits(page: Page) -> bool:
    """Whether nothing is wider than the screen."""
    widths: list[int] = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    return widths[0] == widths[1]
