"""The first steps of a new user, on both homes: from the address that the server prints, by what the screen says."""

import re
import secrets

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser.page.conftest import reading, sender, sign_in, wait_for_view
from tests.e2e.client import PASSWORD
from tests.e2e.conftest import Platform
from tools.demo import __main__ as demo


def test_a_person_signs_in_sees_the_data_reloads_and_signs_out(platform: Platform, page: Page) -> None:
    user = sender(platform.base_url, [reading(9, 99), reading(4, 101)])
    page.goto(platform.base_url)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_label("E-mail address")).to_be_focused()
    sign_in(page, user)
    expect(page.get_by_role("heading", name="Now")).to_be_visible()
    expect(page.locator(".now-value")).to_contain_text("101 mg/dL")
    page.reload()
    wait_for_view(page)
    expect(page.locator(".now-value")).to_contain_text("101 mg/dL")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Create account")).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


@pytest.mark.home
def test_a_new_account_is_told_how_data_comes(home: Platform, page: Page) -> None:
    page.goto(home.base_url.replace("127.0.0.1", "localhost"))
    page.get_by_role("button", name="Create account").click()
    page.get_by_label("E-mail address").fill(f"{secrets.token_hex(8)}@example.org")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("The same again").fill(PASSWORD)
    page.get_by_role("checkbox").check()
    page.keyboard.press("Enter")
    wait_for_view(page)
    assert page.url.startswith(home.base_url)
    expect(page.locator(".now")).to_contain_text("There is no reading yet")


@pytest.mark.home
def test_the_month_of_the_demo_is_seen_with_what_it_prints(
    home: Platform, page: Page, capsys: pytest.CaptureFixture[str]
) -> None:
    assert demo.main(["--base-url", home.base_url]) == 0
    printed = capsys.readouterr().out
    signed_up = re.search(r"^signed up (\S+) with password (\S+):", printed, re.MULTILINE)
    opened = re.search(r"open (\S+) in a browser and sign in as above", printed)
    assert signed_up is not None
    assert opened is not None
    page.goto(opened[1])
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("E-mail address").fill(signed_up[1])
    page.get_by_label("Password").fill(signed_up[2])
    page.keyboard.press("Enter")
    wait_for_view(page)
    page.get_by_role("link", name="Report").click()
    page.get_by_role("button", name="30 days").click()
    expect(page.locator(".daily li")).to_have_count(31)
