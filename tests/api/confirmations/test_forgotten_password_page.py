"""The page for a person who has forgotten the password. Source: confirm 6."""

from html import unescape
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from chalicelib.confirmations.password_reset import MAX_ASKED_BY_ADDRESS, MAX_ASKED_FOR
from chalicelib.sign_in import form_token
from tests.api.confirmations.test_account_pages import NASTY, PAGES, Page
from tests.api.conftest import ApiClient
from tests.api.people import ANNA, can_sign_in
from tests.fakes.mail import MailBox
from tests.fakes.oidc_app import App, Browser, ReplyLike, alert_of, hidden_fields
from tests.fakes.services import FakeServices

PAGE = f"{PAGES}/reset-credentials"
EMAIL = str(ANNA.email)
STRANGER = "nobody@example.org"


@pytest.fixture
def browser(api: ApiClient) -> Browser:
    """A browser without cookies."""
    return Browser(lambda method, path, body, headers: api.request(method, path, body, **headers))


@pytest.fixture
def app(browser: Browser) -> App:
    """An app that sends people to the sign-in page."""
    return App(browser.send, "xdrip", "xdrip://callback/tidepool")


def submit(browser: Browser, email: str, query: str = "") -> ReplyLike:
    """Open the page, fill in the form, send it."""
    fields = hidden_fields(browser.get(f"{PAGE}{query}").body)
    return browser.post(PAGE, fields | {"username": email})


def links(reply: ReplyLike) -> list[str]:
    """The addresses of the links of a page."""
    page = Page(reply)
    return [unescape(str(attributes["href"])) for tag, attributes in page.found if tag == "a"]


def test_the_form_asks_for_the_address_and_loads_nothing(mail: MailBox, browser: Browser) -> None:
    reply = browser.get(PAGE)
    page = Page(reply)
    assert (reply.status, page.fields()) == (200, {"form_token": "hidden", "username": "email"})
    assert [attributes for tag, attributes in page.found if tag == "label"] == [{"for": "username"}]
    assert not any(tag == "script" for tag, _ in page.found)
    assert "default-src 'none'" in reply.headers["content-security-policy"]
    assert "form-action 'self';" in reply.headers["content-security-policy"]
    assert reply.headers["cache-control"] == "no-store"


def test_a_mail_is_sent_with_whose_link_the_person_gets_in_again(
    api: ApiClient, mail: MailBox, anna: str, browser: Browser
) -> None:
    reply = submit(browser, f" {EMAIL.upper()} ")
    assert (reply.status, "a mail with a link is on its way" in Page(reply).text) == (200, True)
    new = {"key": mail.key(), "password": "a-new-password", "repeated": "a-new-password"}
    assert browser.post(f"{PAGES}/new-password", new).status == 200
    assert can_sign_in(api, EMAIL, "a-new-password")


def test_the_answer_is_the_same_for_every_address(mail: MailBox, anna: str, browser: Browser) -> None:
    known, unknown = submit(browser, EMAIL), submit(browser, STRANGER)
    assert (known.status, unknown.status) == (200, 200)
    assert known.body.replace(EMAIL.encode(), STRANGER.encode()) == unknown.body
    assert known.headers.keys() == unknown.headers.keys()
    assert len(mail.orders()) == 2
    assert [sent.recipient for sent in mail.deliver()] == [EMAIL]


def test_the_sign_in_page_leads_to_it_and_back_with_the_request_of_the_app(
    mail: MailBox, anna: str, browser: Browser, app: App
) -> None:
    sign_in = browser.get(app.page_path(login_hint=EMAIL))
    [link] = [link for link in links(sign_in) if "reset-credentials" in link]
    assert link.startswith("../../login-actions/reset-credentials?")
    query = f"?{link.partition('?')[2]}"
    page = browser.get(PAGE + query)
    assert f'value="{EMAIL}"'.encode() in page.body
    for reply in (page, submit(browser, EMAIL, query)):
        [back] = links(reply)
        assert back.startswith("../protocol/openid-connect/auth?")
        returned = browser.get(back.replace("..", "/realms/tidepool", 1))
        assert (returned.status, hidden_fields(returned.body)["state"]) == (200, app.state)


def test_a_request_that_the_sign_in_page_refuses_is_not_kept(mail: MailBox, browser: Browser, app: App) -> None:
    for changes in ({"redirect_uri": "https://evil.example.org/"}, {"client_id": NASTY}, {"response_type": "token"}):
        query = f"?{urlencode(app.parameters(**changes))}"
        for reply in (browser.get(PAGE + query), submit(browser, EMAIL, query)):
            assert (reply.status, links(reply)) == (200, [])
            assert b"evil.example.org" not in reply.body
            assert b"<script" not in reply.body


def test_texts_of_requests_are_escaped(mail: MailBox, browser: Browser, app: App) -> None:
    query = f"?{urlencode(app.parameters(state=NASTY, login_hint=NASTY))}"
    for reply in (browser.get(PAGE + query), submit(browser, NASTY, query)):
        assert b"<script" not in reply.body
        assert all(parse_qs(urlsplit(link).query)["state"] == [NASTY] for link in links(reply))


@pytest.mark.parametrize("email", ["", "anna", "anna@example", NASTY])
def test_what_is_no_address_is_asked_for_again(mail: MailBox, browser: Browser, email: str) -> None:
    reply = submit(browser, email)
    assert (reply.status, alert_of(reply.body)) == (400, "This is not an e-mail address.")
    assert mail.orders() == []
    assert browser.post(PAGE, hidden_fields(reply.body) | {"username": EMAIL}).status == 200


def test_a_form_that_was_not_made_here_orders_nothing(
    fakes: FakeServices, mail: MailBox, anna: str, browser: Browser, app: App
) -> None:
    fields = hidden_fields(browser.get(PAGE).body)
    of_sign_in = hidden_fields(browser.get(app.page_path()).body)
    stranger = Browser(browser.send)
    for sender, form in (
        (browser, {}),
        (browser, {"form_token": "9999999999.0"}),
        (browser, of_sign_in),
        (stranger, fields),
    ):
        reply = sender.post(PAGE, form | {"username": EMAIL})
        assert (reply.status, "open for too long" in alert_of(reply.body)) == (400, True)
    fakes.now_ms += form_token.FORM_LIFETIME_S * 1000
    assert browser.post(PAGE, fields | {"username": EMAIL}).status == 400
    assert browser.send("POST", PAGE, b"\xff", {}).status == 400
    assert mail.orders() == []


def test_many_requests_for_an_address_are_answered_alike_and_sent_a_few_times(
    mail: MailBox, anna: str, browser: Browser
) -> None:
    fields = hidden_fields(browser.get(PAGE).body) | {"username": EMAIL}
    replies = [browser.post(PAGE, fields) for _ in range(MAX_ASKED_BY_ADDRESS)]
    assert {(reply.status, reply.body) for reply in replies} == {(200, replies[0].body)}
    reply = browser.post(PAGE, fields)
    assert (reply.status, "Too many tries" in alert_of(reply.body)) == (429, True)
    assert int(reply.headers["retry-after"]) > 0
    assert len(mail.deliver()) == MAX_ASKED_FOR


def test_without_mail_the_page_says_whom_to_ask(api: ApiClient, browser: Browser, app: App) -> None:
    query = f"?{urlencode(app.parameters())}"
    for reply in (browser.get(PAGE + query), browser.post(PAGE, app.parameters() | {"username": EMAIL})):
        page = Page(reply)
        assert (reply.status, "Ask its owner for a link" in page.text) == (200, True)
        assert not any(tag == "form" for tag, _ in page.found)
        assert links(reply)[0].startswith("../protocol/openid-connect/auth?")


def test_another_realm_has_no_such_page(api: ApiClient, browser: Browser) -> None:
    assert browser.get(PAGE.replace("tidepool", "other")).status == 404
