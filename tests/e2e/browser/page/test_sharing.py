"""The view "Sharing": invitations, limits, ends, and the views of other people's data."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest
from playwright.sync_api import Locator, Page, expect

from strandline.home.opening import open_home
from strandline.home.users import confirm_address
from tests.e2e.browser.conftest import PHONE_WIDTH, Axe
from tests.e2e.browser.page.conftest import Visit, fits, show, wait_for_view
from tests.e2e.client import User
from tests.e2e.conftest import Platform

pytestmark = pytest.mark.home

MARKUP = "<img src=x onerror=alert(1)>"


def named(home: Platform, name: str) -> User:
    """A new person with a name."""
    user = User(home.base_url)
    assert user.request("PUT", f"/metadata/{user.id}/profile", {"fullName": name}).status == 200
    return user


def prove_address(home: Platform, user: User) -> None:
    """Have the owner of the server confirm a person's address, so that the person finds invitations in the list."""
    assert home.data_dir is not None
    with open_home(home.data_dir, must_exist=True) as opened:
        confirm_address(opened.services, user.email)


def permissions(owner: User, viewer: User) -> Any:
    """The permissions that the owner gave the viewer."""
    return owner.request("GET", f"/access/{owner.id}").json().get(viewer.id)


def entry(page: Page, section: str, name: str) -> Locator:
    """The entry of a list in a section."""
    return page.get_by_role("region", name=section).get_by_role("listitem").filter(has_text=name)


@contextmanager
def outcome_of(page: Page, words: str) -> Iterator[None]:
    """Waits until the line of outcomes has the focus and says these words."""
    yield
    expect(page.locator(".outcome")).to_contain_text(words)
    expect(page.locator(".outcome")).to_be_focused()


def test_an_invitation_is_sent_with_a_limit_and_accepted(home: Platform, visit: Visit) -> None:
    owner, friend = named(home, MARKUP), named(home, "Fay")
    last_day = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
    with visit(owner, "#/sharing") as page:
        form = page.get_by_role("region", name="Invite someone")
        form.get_by_label("E-mail address").fill(friend.email)
        form.get_by_label("Sees").select_option("24")
        form.get_by_label("Last day").fill(last_day)
        form.get_by_label("May write notes").check()
        with outcome_of(page, friend.email):
            form.get_by_role("button", name="Invite").click()
        sent = owner.request("GET", f"/confirm/invite/{owner.id}").json()[0]
        link = page.get_by_label(f"Link for {friend.email}", exact=True)
        expect(link).to_have_value(f"{home.base_url}/invitation?key={sent['key']}")
        form.get_by_label("E-mail address").fill(friend.email)
        form.get_by_role("button", name="Invite").click()
        expect(form.get_by_role("alert")).to_have_text("You have invited this address already.")
    prove_address(home, friend)
    with visit(friend, "#/sharing") as page:
        invitation = entry(page, "Invitations to you", MARKUP)
        expect(invitation).to_contain_text("Sees the last 24 hours")
        with outcome_of(page, "Accepted"):
            invitation.get_by_role("button", name="Accept").click()
        held = permissions(owner, friend)
        assert (held["view"]["windowHours"], sorted(held)) == (24, ["note", "view"])
        assert held["view"]["expiresTime"] == held["note"]["expiresTime"] > last_day
        sharer = entry(page, "Who shares with you", MARKUP)
        expect(sharer).to_contain_text("Sees the last 24 hours")
        sharer.get_by_role("button", name="Open").click()
        expect(page.locator(".whose")).to_contain_text(MARKUP)
        wait_for_view(page)
        show(page, "#/sharing")
        sharer.get_by_role("button", name="Leave").click()
        with outcome_of(page, "no longer shares"):
            page.get_by_role("dialog").get_by_role("button", name="Leave").click()
    assert permissions(owner, friend) is None


def test_permissions_are_changed_and_ended_after_a_question(home: Platform, visit: Visit) -> None:
    owner, viewer = named(home, "Ada"), named(home, "Bob")
    path = f"/access/{owner.id}/{viewer.id}"
    assert owner.request("POST", path, {"view": {}, "note": {}, "follow": {"a": 1}}).status == 200
    with visit(owner, "#/sharing") as page:
        bob = entry(page, "Who sees your data", "Bob")
        expect(bob).to_contain_text("Sees all data")
        bob.get_by_text("Change").click()
        bob.get_by_label("Sees").select_option("72")
        bob.get_by_label("May write notes").uncheck()
        with outcome_of(page, "Bob"):
            bob.get_by_role("button", name="Save").click()
        assert permissions(owner, viewer) == {"view": {"windowHours": 72}, "follow": {"a": 1}}
        expect(bob).to_contain_text("Sees the last 3 days")
        end = bob.get_by_role("button", name="End")
        end.press("Enter")
        page.keyboard.press("Escape")
        expect(end).to_be_focused()
        assert permissions(owner, viewer) is not None
        end.click()
        with outcome_of(page, "Bob"):
            page.get_by_role("dialog").get_by_role("button", name="End").click()
        expect(page.get_by_text("Nobody but you.")).to_be_visible()
    assert permissions(owner, viewer) is None


def test_an_invitation_is_withdrawn_declined_or_gone(home: Platform, visit: Visit) -> None:
    ada, eve, friend = (named(home, name) for name in ("Ada", "Eve", "Fay"))
    prove_address(home, friend)
    for sharer in (ada, eve):
        body = {"email": friend.email, "permissions": {"view": {}}}
        assert sharer.request("POST", f"/confirm/send/invite/{sharer.id}", body).status == 200
    with visit(friend, "#/sharing") as page:
        with visit(ada, "#/sharing") as other:
            other.get_by_role("button", name="Withdraw").click()
            with outcome_of(other, friend.email):
                other.get_by_role("dialog").get_by_role("button", name="Withdraw").click()
        assert ada.request("GET", f"/confirm/invite/{ada.id}").status == 404
        with outcome_of(page, "was withdrawn"):
            entry(page, "Invitations to you", "Ada").get_by_role("button", name="Accept").click()
        entry(page, "Invitations to you", "Eve").get_by_role("button", name="Decline").click()
        with outcome_of(page, "is declined"):
            page.get_by_role("dialog").get_by_role("button", name="Decline").click()
        expect(page.get_by_role("region", name="Invitations to you")).to_have_count(0)
    with visit(eve, "#/sharing") as page:
        expect(entry(page, "Invite someone", friend.email)).to_contain_text("Was declined")


@pytest.mark.parametrize(("colors", "width"), [("light", PHONE_WIDTH), ("dark", 1280)])
def test_the_view_is_accessible_and_fits(
    home: Platform, visit: Visit, axe: Axe, colors: Literal["light", "dark"], width: int
) -> None:
    owner, viewer = named(home, "Ada " + "long" * 30), named(home, MARKUP)
    for sharer, reader in ((owner, viewer), (viewer, owner)):
        assert sharer.request("POST", f"/access/{sharer.id}/{reader.id}", {"view": {"windowHours": 3}}).status == 200
    invited = {"email": f"{'x' * 60}@example.org", "permissions": {"view": {}, "upload": {}}}
    assert owner.request("POST", f"/confirm/send/invite/{owner.id}", invited).status == 200
    prove_address(home, owner)
    offered = {"email": owner.email, "permissions": {"note": {}}}
    stranger = named(home, MARKUP)
    assert stranger.request("POST", f"/confirm/send/invite/{stranger.id}", offered).status == 200
    with visit(owner, "#/sharing", colors=colors, width=width) as page:
        expect(page.get_by_role("button", name="Accept")).to_be_visible()
        page.get_by_text("Change").click()
        axe(page)
        assert fits(page)
        page.get_by_role("button", name="Withdraw").click()
        axe(page)
