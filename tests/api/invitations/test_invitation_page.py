"""The page of an invitation's link: what it shows to whom, and the two answers."""

import re
from collections.abc import Mapping
from html import unescape
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from chalicelib import services as wiring
from chalicelib.accounts.account import Account
from chalicelib.errors import UnavailableError
from chalicelib.sign_in.form_token import FORM_LIFETIME_S
from tests.api.conftest import ApiClient
from tests.api.invitations.invitation_requests import ADDRESS, INVITEE, SENT, SHARER, STRANGER, sent_key
from tests.api.sign_in.test_oidc_page import Elements, policy_of
from tests.fakes.oidc_app import Browser, ReplyLike, alert_of, hidden_fields
from tests.fakes.services import START_MS, FakeServices

PASSWORD = "the password of the invitee"
PASSWORD_OF_CLARA = "a-password-of-clara"
PAGE = "/realms/tidepool/login-actions/invitation"
AUTH = "/realms/tidepool/protocol/openid-connect/auth"
REGISTRATIONS = "/realms/tidepool/protocol/openid-connect/registrations"
WEEK_MS = 7 * 24 * 3_600_000
NASTY = "\"><script>alert('x')</script>"


@pytest.fixture
def browser(api: ApiClient, fakes: FakeServices) -> Browser:
    """A browser without cookies; the invitee and a stranger have accounts with a password."""
    for user_id in (INVITEE, STRANGER):
        email, hashed = f"{user_id}@example.org", f"now:{PASSWORD}"
        fakes.accounts.create(Account(user_id, START_MS, email, hashed, (), START_MS // 1000, email_verified=True))

    def send(method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> ReplyLike:
        return api.request(method, path, body, **headers)

    return Browser(send)


@pytest.fixture
def key(api: ApiClient, fakes: FakeServices) -> str:
    """The key of an invitation to see the data, and to read and write notes."""
    return sent_key(api, fakes)


def show(browser: Browser, key: str) -> ReplyLike:
    """The page that the link shows."""
    return browser.get(f"{PAGE}?{urlencode({'key': key})}")


def sign_in(browser: Browser, key: str, email: str = ADDRESS) -> ReplyLike:
    """The page of the link after a sign-in that it led to."""
    return follow(browser, sign_in_at_page(browser, show(browser, key), email))


def sign_in_at_page(browser: Browser, page: ReplyLike, email: str) -> ReplyLike:
    """The redirect after a sign-in by the link of a page."""
    [link] = [unescape(str(a["href"])) for a in Elements(page.body).named("a")]
    assert link.startswith("../protocol/openid-connect/auth?")
    form = browser.get(f"{AUTH}?{link.partition('?')[2]}")
    assert form.status == 200
    return browser.post(AUTH, hidden_fields(form.body) | {"username": email, "password": PASSWORD})


def follow(browser: Browser, reply: ReplyLike) -> ReplyLike:
    """The page at the end of two redirects on this server."""
    for _ in range(2):
        assert reply.status == 303, reply.body
        address = urlsplit(reply.headers["location"])
        assert f"{address.scheme}://{address.netloc}" == "http://127.0.0.1:8000"
        reply = browser.get(f"{address.path}?{address.query}")
    return reply


def press(browser: Browser, page: ReplyLike, answer: str) -> ReplyLike:
    """The page that a button leads to."""
    return browser.post(PAGE, hidden_fields(page.body) | {"answer": answer})


def granted(fakes: FakeServices) -> frozenset[str]:
    """The permissions that the sharer granted to the invitee."""
    return fakes.grants.permissions(SHARER, INVITEE)


class TestPage:
    """The page that the link shows."""

    def test_it_says_who_invites_and_to_what_and_leads_to_the_sign_in_page(
        self, api: ApiClient, fakes: FakeServices, browser: Browser, key: str
    ) -> None:
        api.request("PUT", f"/metadata/{SHARER}/profile", {"fullName": "Anna Sharer"}, token=fakes.sign_in(SHARER))
        reply = show(browser, key)
        text = re.sub(r"<[^>]*>", "", reply.body.decode())
        assert reply.status == 200
        assert "Anna Sharer would like to share diabetes data with you." in text
        assert "see the data" in text
        assert "read and write notes" in text
        assert f"To answer, sign in with {ADDRESS}. If you have no account, create one there." in text
        assert (Elements(reply.body).named("form"), Elements(reply.body).named("script")) == ([], [])
        assert policy_of(dict(reply.headers))["default-src"] == "'none'"
        assert reply.headers["cache-control"] == "no-store"
        assert reply.headers["referrer-policy"] == "no-referrer"

    def test_it_is_the_same_for_an_address_without_an_account(
        self, api: ApiClient, fakes: FakeServices, browser: Browser, key: str
    ) -> None:
        other = sent_key(api, fakes, email="nobody@example.org")
        pages = [
            re.sub(r"auth\?[^\"]*", "", show(browser, link_key).body.decode()).replace(address, "X")
            for link_key, address in ((key, ADDRESS), (other, "nobody@example.org"))
        ]
        assert pages[0] == pages[1]

    def test_where_nobody_may_sign_up_it_names_the_owner(self, fakes: FakeServices, browser: Browser, key: str) -> None:
        wiring.override(fakes.with_settings(sign_up="closed"))
        assert b"ask the owner of this server for one" in show(browser, key).body

    def test_what_others_wrote_is_escaped(self, api: ApiClient, fakes: FakeServices, browser: Browser) -> None:
        api.request("PUT", f"/metadata/{SHARER}/profile", {"fullName": NASTY}, token=fakes.sign_in(SHARER))
        key = sent_key(api, fakes, permissions={"view": {"windowHours": 24}, NASTY: {}, "upload": {}, "follow": {}})
        page = show(browser, key).body.decode()
        assert "<script" not in page
        words = re.findall(r"<li>([^<]*)</li>", page)
        assert [unescape(word) for word in words] == [
            "see the data of the last 24 h",
            "add data",
            "follow the data, with alerts",
            NASTY,
        ]

    @pytest.mark.parametrize("key", ["", "forged", "a" * 32, "é", NASTY])
    def test_a_forged_link_is_a_page(self, browser: Browser, key: str) -> None:
        reply = show(browser, key)
        assert (reply.status, reply.headers["content-type"]) == (404, "text/html; charset=utf-8")
        assert b"This link does not work" in reply.body

    def test_an_expired_link_is_a_page(self, fakes: FakeServices, browser: Browser, key: str) -> None:
        fakes.now_ms += WEEK_MS
        assert show(browser, key).status == 404

    def test_a_link_of_another_realm_is_a_page(self, browser: Browser, key: str) -> None:
        assert browser.get(f"{PAGE.replace('tidepool', 'other')}?key={key}").status == 404


class TestSignIn:
    """The way to the sign-in page and back."""

    def test_the_sign_in_page_knows_the_address_and_comes_back(self, browser: Browser, key: str) -> None:
        [link] = [unescape(str(a["href"])) for a in Elements(show(browser, key).body).named("a")]
        parameters = parse_qs(urlsplit(link).query)
        assert parameters["login_hint"] == [ADDRESS]
        assert parameters["redirect_uri"] == [f"http://127.0.0.1:8000/invitation?key={key}"]
        page = sign_in(browser, key)
        assert page.status == 200
        assert [button.get("value") for button in Elements(page.body).named("button")] == ["accept", "decline"]

    def test_the_address_of_the_page_has_no_code(self, browser: Browser, key: str) -> None:
        first = sign_in_at_page(browser, show(browser, key), ADDRESS)
        assert "code=" in first.headers["location"]
        address = urlsplit(first.headers["location"])
        second = browser.get(f"{address.path}?{address.query}")
        assert second.headers["location"] == f"http://127.0.0.1:8000{PAGE}?key={key}"
        assert second.headers["referrer-policy"] == "no-referrer"

    def test_somebody_who_is_signed_in_already_sees_the_buttons_at_once(self, browser: Browser, key: str) -> None:
        sign_in(browser, key)
        assert len(Elements(show(browser, key).body).named("button")) == 2

    def test_somebody_else_is_told_so_and_may_use_another_account(self, browser: Browser, key: str) -> None:
        page = sign_in(browser, key, f"{STRANGER}@example.org")
        assert Elements(page.body).named("button") == []
        assert f"You are signed in as {STRANGER}@example.org." in page.body.decode()
        again = follow(browser, sign_in_at_page(browser, page, ADDRESS))
        assert len(Elements(again.body).named("button")) == 2

    def test_somebody_without_an_account_creates_one_on_the_way(
        self, api: ApiClient, fakes: FakeServices, browser: Browser
    ) -> None:
        email = "clara@example.org"
        key = sent_key(api, fakes, email=email)
        [link] = [unescape(str(a["href"])) for a in Elements(show(browser, key).body).named("a")]
        sign_in_page = browser.get(f"{AUTH}?{link.partition('?')[2]}")
        links = [unescape(str(a["href"])) for a in Elements(sign_in_page.body).named("a")]
        [query] = [href.partition("?")[2] for href in links if href.startswith("registrations?")]
        form = browser.get(f"{REGISTRATIONS}?{query}")
        entered = {"username": email, "password": PASSWORD_OF_CLARA, "repeated": PASSWORD_OF_CLARA, "terms": "1"}
        page = follow(browser, browser.post(REGISTRATIONS, hidden_fields(form.body) | entered))
        assert b"You belong to the care team" in press(browser, page, "accept").body
        account = fakes.accounts.find_by_email(email)
        assert account is not None
        assert not account.email_proven  # the sharer has the link, too, so it proves nothing
        assert fakes.grants.permissions(SHARER, account.user_id) == {"view", "note"}


class TestAnswer:
    """The two buttons."""

    def test_accepting_grants_what_was_offered(self, fakes: FakeServices, browser: Browser, key: str) -> None:
        reply = press(browser, sign_in(browser, key), "accept")
        assert reply.status == 200
        assert b"You belong to the care team" in reply.body
        [link] = Elements(reply.body).named("a")
        assert link["href"] == f"http://127.0.0.1:8000/#/now/{SHARER}"
        assert granted(fakes) == {"view", "note"}
        assert show(browser, key).status == 404

    def test_it_leads_to_the_web_app_if_there_is_one(self, fakes: FakeServices, browser: Browser, key: str) -> None:
        page = sign_in(browser, key)
        wiring.override(fakes.with_settings(web_app_url="https://web.example.org"))
        reply = press(browser, page, "accept")
        assert [link["href"] for link in Elements(reply.body).named("a")] == ["https://web.example.org/"]

    def test_declining_grants_nothing_and_the_sharer_sees_it(
        self, api: ApiClient, fakes: FakeServices, browser: Browser, key: str
    ) -> None:
        reply = press(browser, sign_in(browser, key), "decline")
        assert reply.status == 200
        assert b"You declined the invitation" in reply.body
        assert granted(fakes) == frozenset()
        [sent] = api.request("GET", SENT, token=fakes.sign_in(SHARER)).json()
        assert sent["status"] == "declined"
        assert press(browser, show(browser, key), "accept").status == 404

    def test_showing_the_page_changes_nothing(self, fakes: FakeServices, browser: Browser, key: str) -> None:
        sign_in(browser, key)
        assert browser.get(f"{PAGE}?{urlencode({'key': key, 'answer': 'accept'})}").status == 200
        assert granted(fakes) == frozenset()

    def test_a_form_of_another_site_is_not_taken(self, fakes: FakeServices, browser: Browser, key: str) -> None:
        page = sign_in(browser, key)
        for fields in ({"key": key}, hidden_fields(page.body) | {"form_token": "9999999999.forged"}):
            reply = browser.post(PAGE, fields | {"answer": "accept"})
            assert (reply.status, alert_of(reply.body).partition(",")[0]) == (400, "This page was open for too long")
        assert granted(fakes) == frozenset()

    def test_a_form_expires(self, fakes: FakeServices, browser: Browser, key: str) -> None:
        page = sign_in(browser, key)
        fakes.now_ms += FORM_LIFETIME_S * 1000
        again = press(browser, page, "accept")
        assert (again.status, granted(fakes)) == (400, frozenset())
        assert press(browser, again, "accept").status == 200
        assert granted(fakes) == {"view", "note"}

    def test_the_form_of_one_person_is_not_taken_from_another(
        self, fakes: FakeServices, browser: Browser, key: str
    ) -> None:
        page = sign_in(browser, key)
        query = urlencode({"key": key})
        browser.cookies.pop("strandline-sso")
        sign_in(browser, key, f"{STRANGER}@example.org")
        assert press(browser, page, "accept").status == 200
        assert b"The invitation is for" in browser.get(f"{PAGE}?{query}").body
        assert fakes.grants.given_by(SHARER) == []

    def test_nobody_answers_after_the_session_has_ended(self, fakes: FakeServices, browser: Browser, key: str) -> None:
        page = sign_in(browser, key)
        fakes.sessions.end_all(INVITEE)
        press(browser, page, "accept")
        assert granted(fakes) == frozenset()

    def test_a_form_of_one_invitation_answers_no_other(
        self, api: ApiClient, fakes: FakeServices, browser: Browser, key: str
    ) -> None:
        page = sign_in(browser, key)
        other = api.request(
            "POST",
            f"/confirm/send/invite/{STRANGER}",
            {"email": ADDRESS, "permissions": {"upload": {}}},
            token=fakes.sign_in(STRANGER),
        ).json()["key"]
        assert browser.post(PAGE, hidden_fields(page.body) | {"key": other, "answer": "accept"}).status == 400
        assert fakes.grants.given_to(INVITEE) == []

    def test_a_store_that_does_not_answer_shows_the_page_again(
        self, fakes: FakeServices, browser: Browser, key: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        page = sign_in(browser, key)

        def fail(*_: object) -> None:
            raise UnavailableError

        monkeypatch.setattr(type(fakes.services.invitations.invitations), "accept", fail)
        reply = press(browser, page, "accept")
        assert (reply.status, alert_of(reply.body)) == (503, "Something is busy here. Please try again.")

    @pytest.mark.parametrize("body", [b"%ff", b"key=a&key=b", b"\xff", b""])
    def test_a_malformed_form_is_a_page(self, api: ApiClient, body: bytes) -> None:
        reply = api.request("POST", PAGE, body, **{"Content-Type": "application/x-www-form-urlencoded"})
        assert (reply.status, reply.headers["content-type"]) == (404, "text/html; charset=utf-8")


def test_the_short_address_leads_to_the_page(api: ApiClient) -> None:
    reply = api.request("GET", "/invitation?key=a%26b&code=c")
    assert (reply.status, reply.headers["location"]) == (303, f"http://127.0.0.1:8000{PAGE}?key=a%26b")


def test_a_stage_without_an_address_has_no_page(api: ApiClient, fakes: FakeServices) -> None:
    wiring.override(fakes.with_settings(base_url=""))
    assert api.request("GET", "/invitation?key=a").status == 404
    assert api.request("GET", f"{PAGE}?key=a").status == 404
