"""Measures the page for a person in Chromium: the time from a reload to the chart, and what is sent for it.

A reload is what a person waits for: the page asks for a code without a password, for tokens, and for the data.
"""

import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Page, sync_playwright

from bench.figures import Figure
from bench.homes.home import Target
from bench.latency import percentiles
from tests.e2e.client import PASSWORD, User
from tools.chromium import NAMES, SWITCHES
from tools.demo import generator

DAYS = 2
READING = "svg .reading"
PIECE = 1000


def page(home: Target, *, is_quick: bool) -> Iterator[Figure]:
    """The figures of the page; none on a machine without Chromium."""
    chromium = next(filter(None, map(shutil.which, NAMES)), None)
    if chromium is not None:
        yield from _figures(home, chromium, rounds=5 if is_quick else 20)


def _figures(home: Target, chromium: str, rounds: int) -> list[Figure]:
    user = _person(home.base_url)
    # Playwright runs once in a thread, and homes take turns between their figures.
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=[*SWITCHES, "--no-sandbox"])
        shown = browser.new_context().new_page()
        sent: list[int] = []
        shown.on("response", lambda response: sent.append(response.request.sizes()["responseBodySize"]))
        _sign_in(shown, user)
        first_kb = sum(sent) / 1000
        sent.clear()
        times_ms = [_reloaded_ms(shown) for _ in range(rounds)]
        requests = len(sent) / rounds
        browser.close()
    return [
        percentiles("the page: from a reload to the chart", times_ms),
        Figure("  requests of a reload", requests, "requests"),
        Figure("  sent for the first visit", first_kb, "KB", target=150),
    ]


def _person(base_url: str) -> User:
    """A person with data of the last days."""
    user = User(base_url)
    data_set = user.open_data_set(generator.DATA_SET)
    start = datetime.now(UTC).astimezone(generator.LOCAL_TIME) - timedelta(days=DAYS)
    records = generator.records(DAYS, 1, start.replace(minute=0, second=0, microsecond=0))
    for first in range(0, len(records), PIECE):
        user.add(f"/v1/data_sets/{data_set}/data", records[first : first + PIECE])
    return user


def _sign_in(shown: Page, user: User) -> None:
    shown.goto(f"{user.base_url}/")
    shown.get_by_role("button", name="Sign in").click()
    shown.get_by_label("E-mail address").fill(user.email)
    shown.get_by_label("Password").fill(PASSWORD)
    shown.keyboard.press("Enter")
    shown.wait_for_selector(READING)


def _reloaded_ms(shown: Page) -> float:
    started = time.perf_counter()
    shown.reload()
    shown.wait_for_selector(READING)
    return (time.perf_counter() - started) * 1000
