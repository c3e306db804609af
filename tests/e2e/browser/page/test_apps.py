"""The view "Apps": sign-ins that a person ends, and tokens for apps that speak the Nightscout API."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest
from playwright.sync_api import expect

from tests.e2e.browser.conftest import PHONE_WIDTH, Axe
from tests.e2e.browser.page.conftest import Visit, fits, wait_for_view
from tests.e2e.client import PASSWORD, Client, User
from tests.e2e.conftest import Platform

pytestmark = pytest.mark.home


def signed_in_again(user: User) -> Client:
    """An app that signed in with the person's password."""
    basic = base64.b64encode(f"{user.email}:{PASSWORD}".encode()).decode()
    reply = user.request("POST", "/auth/login", headers={"Authorization": f"Basic {basic}"})
    return Client(user.base_url, reply.headers["x-tidepool-session-token"])


def test_a_sign_in_is_ended_and_that_of_the_page_is_marked(home: Platform, visit: Visit) -> None:
    user = User(home.base_url)
    app = signed_in_again(user)
    with visit(user, "#/apps") as page:
        logins = page.get_by_role("region", name="Signed in").get_by_role("listitem")
        assert logins.count() == len(user.request("GET", f"/v1/users/{user.id}/logins").json()) == 3
        own = logins.filter(has_text="This is where you are now")
        expect(own).to_contain_text("Strandline")
        assert own.get_by_role("button").count() == 0
        for left in (1, 0):
            logins.get_by_role("button", name="End").first.click()
            page.get_by_role("dialog").get_by_role("button", name="End").click()
            expect(page.locator(".outcome")).to_contain_text("has ended")
            expect(logins.get_by_role("button", name="End")).to_have_count(left)
        expect(own).to_be_visible()
    assert app.request("GET", "/auth/user").status == 401


def test_sign_ins_that_reloads_made_are_one_entry_and_ended_together(home: Platform, visit: Visit) -> None:
    user = User(home.base_url)
    app = signed_in_again(user)
    with visit(user, "#/apps") as page:
        for _ in range(2):
            page.reload()
            wait_for_view(page)
        pages = page.get_by_role("listitem").filter(has_text="2 other pages of Strandline")
        pages.get_by_role("button", name="End").click()
        page.get_by_role("dialog").get_by_role("button", name="End").click()
        expect(page.locator(".outcome")).to_contain_text("have ended")
        expect(pages).to_have_count(0)
        expect(page.get_by_text("This is where you are now")).to_be_visible()
    assert app.request("GET", "/auth/user").status == 200


def test_a_token_is_shown_once_works_and_is_revoked(home: Platform, visit: Visit) -> None:
    user = User(home.base_url)
    with visit(user, "#/apps") as page:
        page.get_by_label("Name", exact=True).fill("<i>Watch</i>")
        page.get_by_role("button", name="Make token").click()
        expect(page.locator(".outcome")).to_contain_text("<i>Watch</i>")
        token = page.get_by_label("Token", exact=True).input_value()
        assert page.get_by_label("Address with token", exact=True).input_value() == f"{home.base_url}/?token={token}"
        expect(page.get_by_role("img", name="QR code")).to_be_visible()
        reader = Client(home.base_url)
        assert reader.request("GET", f"/api/v1/entries.json?token={token}").status == 200
        page.reload()
        item = page.get_by_role("listitem").filter(has_text="<i>Watch</i>")
        expect(item).to_contain_text("Last used: just now")
        expect(page.get_by_label("Token", exact=True)).to_have_count(0)
        item.get_by_role("button", name="Revoke").click()
        page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
        expect(page.locator(".outcome")).to_contain_text("is revoked")
        expect(page.get_by_text("There are none yet.")).to_be_visible()
        assert reader.request("GET", f"/api/v1/entries.json?token={token}").status == 401


def test_a_token_is_tried_as_an_app_would(home: Platform, visit: Visit, axe: Axe) -> None:
    user = User(home.base_url)
    path = f"/v1/users/{user.id}/nightscout_credentials"
    token = user.request("POST", path, {"name": "Pump", "scope": "upload"}).json()["token"]
    now = datetime.now(UTC)
    reading = {"type": "sgv", "sgv": 112, "date": int(now.timestamp() * 1000)}
    treatment = {"eventType": "Note", "created_at": (now - timedelta(hours=2)).isoformat()}
    for name, document in {"entries": reading, "treatments": treatment}.items():
        assert user.request("POST", f"/api/v1/{name}?token={token}", [document]).status == 200
    with visit(user, "#/apps") as page:
        trial = page.get_by_role("region", name="Try a token")
        answers = trial.get_by_role("listitem")

        def try_(address: str, entered: str = "") -> None:
            trial.get_by_label("Address that the app gets").fill(address)
            trial.get_by_label("Token that the app gets").fill(entered)
            trial.get_by_role("button", name="Try").click()

        try_(f"{home.base_url}/?token={token}")
        expect(answers.filter(has_text="Rights")).to_contain_text("Read and send data")
        expect(answers.filter(has_text="Last reading")).to_contain_text("112 mg/dL, just now")
        expect(answers.filter(has_text="Last treatment")).to_contain_text("Note, 2 h ago")
        expect(answers.filter(has_text="Last status of a device")).to_contain_text("None in the last four days")
        expect(answers.filter(has_text="AndroidAPS")).to_contain_text("Connects")
        expect(trial).to_contain_text("does not begin with https://")
        axe(page)
        try_(home.base_url, "x-0123456789abcdef0123456789abcdef")
        expect(trial).to_contain_text("An app gets nothing")
        expect(answers).to_have_count(0)
        try_("https://elsewhere.example.org", token)
        expect(trial.get_by_role("alert")).to_contain_text("another server")


@pytest.mark.parametrize(("colors", "width"), [("light", PHONE_WIDTH), ("dark", 1280)])
def test_the_view_is_accessible_and_fits(
    home: Platform, visit: Visit, axe: Axe, colors: Literal["light", "dark"], width: int
) -> None:
    with visit(User(home.base_url), "#/apps", colors=colors, width=width) as page:
        page.get_by_label("Name", exact=True).fill("w" * 64)
        page.get_by_role("button", name="Make token").click()
        expect(page.get_by_role("img", name="QR code")).to_be_visible()
        axe(page)
        assert fits(page)
