"""The view "Account": what a person sets, takes along, and erases."""

import base64
import io
import json
import secrets
from pathlib import Path
from typing import Literal
from zipfile import ZipFile

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser.conftest import PHONE_WIDTH, Axe
from tests.e2e.browser.page.conftest import Visit, fits, reading, sender
from tests.e2e.client import PASSWORD, User
from tests.e2e.conftest import Platform

pytestmark = pytest.mark.home


def save(page: Page, section: str, button: str, words: str) -> None:
    """Press the button of a section, and wait until the line of outcomes has the focus and says these words."""
    page.get_by_role("region", name=section).get_by_role("button", name=button).click()
    expect(page.locator(".outcome")).to_contain_text(words)
    expect(page.locator(".outcome")).to_be_focused()


def sign_in_status(user: User, email: str, password: str) -> int:
    """The status of a sign-in."""
    basic = base64.b64encode(f"{email}:{password}".encode()).decode()
    return user.request("POST", "/auth/login", headers={"Authorization": f"Basic {basic}"}).status


def test_name_zone_units_and_target_are_kept_beside_what_others_wrote(home: Platform, visit: Visit) -> None:
    user = User(home.base_url)
    profile = {"fullName": "A", "patient": {"birthday": "2000-01-01"}}
    assert user.request("PUT", f"/metadata/{user.id}/profile", profile).status == 200
    assert user.request("PUT", f"/metadata/{user.id}/settings", {"siteChangeSource": "x"}).status == 200
    with visit(user, "#/account") as page:
        page.get_by_label("Name", exact=True).fill("<b>Ada</b>")
        page.get_by_label("Time zone", exact=True).select_option("Asia/Tokyo")
        save(page, "Name and time zone", "Save", "are saved")
        expect(page.get_by_label("Name", exact=True)).to_have_value("<b>Ada</b>")
        page.get_by_label("Units", exact=True).select_option("mmol/L")
        expect(page.get_by_label("Target range: high end")).to_have_value("10.0")
        page.get_by_label("Target range: low end").fill("11")
        page.get_by_role("region", name="Units").get_by_role("button", name="Save").click()
        expect(page.get_by_text("The range has to begin below its end.")).to_be_visible()
        page.get_by_label("Target range: low end").fill("4.4")
        save(page, "Units and target range", "Save", "are saved")
        expect(page.get_by_label("Target range: low end")).to_have_value("4.4")
    kept = user.request("GET", f"/metadata/{user.id}/profile").json()
    expected = {"birthday": "2000-01-01", "targetTimezone": "Asia/Tokyo"}
    assert kept == {"fullName": "<b>Ada</b>", "patient": expected}
    settings = user.request("GET", f"/metadata/{user.id}/settings").json()
    target = {"units": {"bg": "mmol/L"}, "bgTarget": {"low": 4.4, "high": 10}}
    assert settings == target | {"siteChangeSource": "x"}


def test_address_and_password_are_changed(home: Platform, visit: Visit) -> None:
    user, other = User(home.base_url), User(home.base_url)
    new_email, new_password = f"{secrets.token_hex(8)}@example.org", secrets.token_hex(8)
    with visit(user, "#/account") as page:
        address = page.get_by_role("region", name="E-mail address")
        address.get_by_role("textbox").fill(other.email)
        address.get_by_role("button").click()
        expect(address.get_by_role("alert")).to_have_text("Another account has this address.")
        address.get_by_role("textbox").fill(new_email)
        save(page, "E-mail address", "Change", new_email)
        page.get_by_label("New password", exact=True).fill(new_password)
        page.get_by_label("New password again").fill(new_password + "x")
        page.get_by_role("button", name="Change password").click()
        expect(page.get_by_text("The two passwords are not the same.")).to_be_visible()
        page.get_by_label("New password again").fill(new_password)
        save(page, "Password", "Change password", "is changed")
    assert [sign_in_status(user, user.email, PASSWORD), sign_in_status(user, new_email, new_password)] == [401, 200]
    assert user.request("GET", "/auth/user").status == 401


def test_the_data_is_exported_and_erased_with_a_receipt_then_the_account(home: Platform, visit: Visit) -> None:
    user = sender(home.base_url, [reading(minutes, 100 + minutes) for minutes in range(1, 6)])
    with visit(user, "#/account") as page:
        exports = page.get_by_role("region", name="Export")
        with page.expect_download() as excel:
            exports.get_by_role("button").click()
        assert "xl/workbook.xml" in ZipFile(io.BytesIO(Path(excel.value.path()).read_bytes())).namelist()
        exports.get_by_label("File").select_option("json")
        with page.expect_download() as as_json:
            exports.get_by_role("button").click()
        exported = json.loads(Path(as_json.value.path()).read_text())
        assert sum(record["type"] == "cbg" for record in exported) == 5
        erase = page.get_by_role("button", name="Erase all data")
        dialog = page.get_by_role("dialog")
        erase.click()
        dialog.get_by_label("Your password").fill("wrong")
        dialog.get_by_role("button", name="Erase").click()
        expect(page.locator(".outcome")).to_contain_text("The password is wrong. Nothing was erased.")
        assert len(user.records()) == 5
        erase.click()
        dialog.get_by_label("Your password").fill(PASSWORD)
        dialog.get_by_role("button", name="Erase").click()
        receipt = page.get_by_role("region", name="Erase").locator("dd")
        expect(receipt.nth(1)).to_have_text("5")
        expect(receipt.nth(2)).to_have_text("1")
        assert user.records() == []
        page.get_by_role("button", name="Delete the account").click()
        dialog.get_by_label("Your password").fill(PASSWORD)
        dialog.get_by_role("button", name="Delete").click()
        expect(page.get_by_role("status").filter(has_text="The account is deleted")).to_be_focused()
        page.get_by_role("link", name="To the start").click()
        expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    assert sign_in_status(user, user.email, PASSWORD) == 401


@pytest.mark.parametrize(("colors", "width"), [("light", PHONE_WIDTH), ("dark", 1280)])
def test_the_view_is_accessible_and_fits(
    home: Platform, visit: Visit, axe: Axe, colors: Literal["light", "dark"], width: int
) -> None:
    with visit(User(home.base_url), "#/account", colors=colors, width=width) as page:
        axe(page)
        assert fits(page)
        page.get_by_role("button", name="Erase all data").click()
        axe(page)
