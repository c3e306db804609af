"""The view "Data": what came in, what was refused, data sets, files and device logs."""

import base64
import hashlib
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import expect

from tests.e2e.browser.conftest import PHONE_WIDTH, Axe
from tests.e2e.browser.page.conftest import Visit, fits, reading
from tests.e2e.client import User
from tests.e2e.conftest import Platform

pytestmark = pytest.mark.home

CLIENT = "org.example.<b>app</b>"
CONTENT = bytes(range(256)) * 5000


@pytest.fixture(scope="module")
def person(home: Platform) -> User:
    """A person with data of an app, an upload that was refused, and a device log."""
    user = User(home.base_url)
    data_set = user.open_data_set({"type": "upload", "dataSetType": "continuous", "client": {"name": CLIENT}})
    path = f"/v1/data_sets/{data_set}/data"
    user.add(path, [reading(minutes, 120) for minutes in (90, 30)])
    for bad in (-5, "x"):
        assert user.request("POST", path, [reading(1, 100), reading(2, 100) | {"value": bad}]).status == 400
    digest = base64.b64encode(hashlib.md5(b"log", usedforsecurity=False).digest()).decode()
    headers = {"Content-Type": "text/plain", "Digest": f"MD5={digest}"}
    span = {"X-Logs-Start-At-Time": "2026-01-01T00:00:00Z", "X-Logs-End-At-Time": "2026-01-02T00:00:00Z"}
    assert user.request("POST", f"/v1/users/{user.id}/device_logs", b"log", headers | span).status == 201
    return user


def test_what_came_in_and_what_was_refused_is_shown(person: User, visit: Visit) -> None:
    with visit(person, "#/data") as page:
        app, row = (page.get_by_role("table").get_by_role("row").nth(number) for number in (1, 2))
        newest = person.request("GET", f"/v1/users/{person.id}/freshness").json()["clients"][0]
        assert (newest["client"], newest["types"][0]["type"]) == (CLIENT, "cbg")
        expect(app).to_have_text(CLIENT)
        expect(row).to_contain_text("Sensor glucose30 min agojust now")
        assert row.locator("time").first.get_attribute("datetime") == newest["types"][0]["newestTime"]
        refused = page.get_by_role("region", name="Refused uploads").get_by_role("listitem")
        refused.first.get_by_text("Reasons").click()
        expect(refused.first.locator("code")).to_be_visible()
        expect(refused.first).to_contain_text("It has the wrong type: /1/value")
        expect(refused.last).to_contain_text("The value is out of range: /1/value")
        expect(page.get_by_role("region", name="Data sets").get_by_role("listitem")).to_contain_text(CLIENT)
        log = page.get_by_role("region", name="Device logs").get_by_role("listitem")
        with page.expect_download() as download:
            log.get_by_role("button", name="Download").click()
        assert Path(download.value.path()).read_bytes() == b"log"


def test_a_file_is_stored_downloaded_and_deleted(home: Platform, visit: Visit) -> None:
    user = User(home.base_url)
    with visit(user, "#/data") as page:
        files = page.get_by_role("region", name="Files")
        page.get_by_label("A file to store").set_input_files(
            {"name": "<i>.csv", "mimeType": "text/csv", "buffer": CONTENT}
        )
        files.get_by_role("button", name="Upload").click()
        expect(page.locator(".outcome")).to_have_text("<i>.csv is stored.")
        [blob] = user.request("GET", f"/v1/users/{user.id}/blobs").json()
        assert (blob["size"], blob["mediaType"], blob["status"]) == (len(CONTENT), "text/csv", "available")
        with page.expect_download() as download:
            files.get_by_role("button", name="Download").click()
        assert Path(download.value.path()).read_bytes() == CONTENT
        files.get_by_role("button", name="Delete").click()
        page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        expect(page.locator(".outcome")).to_have_text("The file is deleted.")
    assert user.request("GET", f"/v1/users/{user.id}/blobs").json() == []


def test_a_long_list_is_read_page_by_page(home: Platform, visit: Visit) -> None:
    user = User(home.base_url)
    for number in range(51):
        user.open_data_set({"type": "upload", "dataSetType": "continuous", "client": {"name": f"a.number{number}"}})
    with visit(user, "#/data") as page:
        entries = page.get_by_role("region", name="Data sets").get_by_role("listitem")
        expect(entries).to_have_count(50)
        page.get_by_role("button", name="Show more").click()
        expect(entries).to_have_count(51)
        expect(entries.last).to_be_focused()
        expect(page.get_by_role("button", name="Show more")).to_be_hidden()


def test_of_another_person_it_shows_what_is_shared(home: Platform, person: User, visit: Visit) -> None:
    reader = User(home.base_url)
    assert person.request("POST", f"/access/{person.id}/{reader.id}", {"view": {"windowHours": 1}}).status == 200
    with visit(reader, f"#/data/{person.id}") as page:
        expect(page.get_by_role("region", name="What came in")).to_contain_text("Sensor glucose")
        assert page.get_by_role("region", name="Data sets").count() == 0
        assert person.request("POST", f"/access/{person.id}/{reader.id}", {"view": {}}).status == 200
        page.reload()
        expect(page.get_by_role("region", name="Data sets")).to_contain_text(CLIENT)
        assert page.get_by_role("region", name="Refused uploads").count() == 0
        assert page.get_by_label("A file to store").count() == 0


@pytest.mark.parametrize(("colors", "width"), [("light", PHONE_WIDTH), ("dark", 1280)])
def test_the_view_is_accessible_and_fits(
    person: User, visit: Visit, axe: Axe, colors: Literal["light", "dark"], width: int
) -> None:
    with visit(person, "#/data", colors=colors, width=width) as page:
        page.get_by_text("Reasons").first.click()
        axe(page)
        assert fits(page)
