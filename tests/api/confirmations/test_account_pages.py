"""The pages of mailed links: a new password, and the proof of an address."""

from html.parser import HTMLParser
from urllib.parse import urlencode

import pytest

from chalicelib.accounts.account import Account
from chalicelib.accounts.ports import MetadataCollection
from tests.api.conftest import ApiClient, Reply
from tests.api.people import ANNA, can_sign_in
from tests.fakes.mail import MailBox
from tests.fakes.oidc_app import ReplyLike
from tests.fakes.services import FakeServices

PAGES = "/realms/tidepool/login-actions"
NEW = "a-new-password"
NASTY = "\"><script>alert('x')</script>"


class Page(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, reply: ReplyLike) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(reply.body.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep an element."""
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Keep a text."""
        self.text += data

    def fields(self) -> dict[str, str | None]:
        """The fields of the form with their types."""
        return {str(field["name"]): field.get("type") for tag, field in self.found if tag == "input"}


def show(api: ApiClient, page: str, key: str) -> Reply:
    """The page that a link shows."""
    return api.request("GET", f"{PAGES}/{page}?{urlencode({'key': key})}")


def submit(api: ApiClient, page: str, **fields: str) -> Reply:
    """The page that follows when the form is sent."""
    return api.request("POST", f"{PAGES}/{page}", urlencode(fields).encode())


@pytest.fixture
def reset_key(api: ApiClient, mail: MailBox, anna: str) -> str:
    """The key in Anna's mail about a new password."""
    api.request("POST", f"/confirm/send/forgot/{ANNA.email}")
    return mail.key()


@pytest.fixture
def proof_key(api: ApiClient, mail: MailBox, anna: str) -> str:
    """The key in Anna's mail about her address."""
    api.request("POST", f"/confirm/resend/signup/{ANNA.email}")
    return mail.key()


class TestNewPassword:
    """…/login-actions/new-password."""

    def test_the_form_is_shown_without_using_the_link(self, api: ApiClient, reset_key: str) -> None:
        for _ in range(2):
            reply = show(api, "new-password", reset_key)
            page = Page(reply)
            assert (reply.status, page.fields()) == (
                200,
                {"key": "hidden", "password": "password", "repeated": "password"},
            )
            assert ANNA.email is not None
            assert ANNA.email in page.text
            labels = {element["for"] for tag, element in page.found if tag == "label"}
            assert labels == {"password", "repeated"}
            assert not any(tag == "script" for tag, _ in page.found)
            assert "default-src 'none'" in reply.headers["content-security-policy"]
            assert "form-action 'self'" in reply.headers["content-security-policy"]
            assert reply.headers["referrer-policy"] == "no-referrer"
            assert reply.headers["cache-control"] == "no-store"

    def test_the_password_is_set_and_the_link_is_used(self, api: ApiClient, reset_key: str) -> None:
        reply = submit(api, "new-password", key=reset_key, password=NEW, repeated=NEW)
        assert (reply.status, "Your password is set" in Page(reply).text) == (200, True)
        assert can_sign_in(api, str(ANNA.email), NEW)
        assert show(api, "new-password", reset_key).status == 404
        assert submit(api, "new-password", key=reset_key, password="another-one", repeated="another-one").status == 404
        assert can_sign_in(api, str(ANNA.email), NEW)

    def test_a_person_whose_address_nobody_had_proven_is_told_to_look_who_has_access(
        self, api: ApiClient, mail: MailBox, reset_key: str
    ) -> None:
        """Somebody else may have signed up with the address, and shared what its holder would store."""
        first = submit(api, "new-password", key=reset_key, password=NEW, repeated=NEW)
        assert "which devices have access" in Page(first).text
        api.request("POST", f"/confirm/send/forgot/{ANNA.email}")
        again = submit(api, "new-password", key=mail.key(), password=f"{NEW}er", repeated=f"{NEW}er")
        assert (again.status, "which devices have access" in Page(again).text) == (200, False)

    @pytest.mark.parametrize(
        ("password", "repeated", "alert"),
        [(NEW, "another-one", "The two passwords differ."), ("short", "short", "A password has 8 to 72 characters")],
    )
    def test_a_wrong_password_is_asked_for_again(
        self, api: ApiClient, reset_key: str, password: str, repeated: str, alert: str
    ) -> None:
        reply = submit(api, "new-password", key=reset_key, password=password, repeated=repeated)
        page = Page(reply)
        assert (reply.status, alert in page.text) == (400, True)
        assert ("p", {"class": "alert", "role": "alert"}) in page.found
        assert submit(api, "new-password", key=reset_key, password=NEW, repeated=NEW).status == 200

    @pytest.mark.parametrize("key", ["", "forged", NASTY, "a" * 32])
    def test_a_link_that_does_not_work_says_so(self, api: ApiClient, reset_key: str, key: str) -> None:
        for reply in (
            show(api, "new-password", key),
            submit(api, "new-password", key=key, password=NEW, repeated=NEW),
            api.request("GET", f"{PAGES}/new-password"),
        ):
            assert (reply.status, "This link does not work" in Page(reply).text) == (404, True)
            assert b"<script" not in reply.body

    def test_a_key_for_another_page_does_not_work(self, api: ApiClient, proof_key: str) -> None:
        assert show(api, "new-password", proof_key).status == 404
        assert submit(api, "new-password", key=proof_key, password=NEW, repeated=NEW).status == 404

    def test_another_realm_has_no_such_page(self, api: ApiClient, reset_key: str) -> None:
        assert api.request("GET", f"/realms/other/login-actions/new-password?key={reset_key}").status == 404

    def test_a_field_that_is_sent_twice_is_refused(self, api: ApiClient, reset_key: str) -> None:
        body = urlencode([("key", reset_key), ("password", NEW), ("password", NEW), ("repeated", NEW)]).encode()
        assert api.request("POST", f"{PAGES}/new-password", body).status == 404
        assert not can_sign_in(api, str(ANNA.email), NEW)


class TestVerifyEmail:
    """…/login-actions/verify-email."""

    def test_showing_the_page_proves_nothing_and_sending_it_does(
        self, api: ApiClient, fakes: FakeServices, proof_key: str
    ) -> None:
        page = Page(show(api, "verify-email", proof_key))
        assert page.fields() == {"key": "hidden"}
        account = fakes.accounts.find(ANNA.user_id)
        assert account is not None
        assert not account.email_proven
        reply = submit(api, "verify-email", key=proof_key)
        assert (reply.status, "Your address is confirmed" in Page(reply).text) == (200, True)
        account = fakes.accounts.find(ANNA.user_id)
        assert account is not None
        assert account.email_proven
        assert submit(api, "verify-email", key=proof_key).status == 404

    def test_a_custodial_account_is_claimed_by_password_and_birthday(
        self, api: ApiClient, fakes: FakeServices, mail: MailBox, anna: str, child: Account
    ) -> None:
        updates = {"updates": {"username": "kid@example.org", "emails": ["kid@example.org"]}}
        assert api.request("PUT", f"/auth/user/{child.user_id}", updates, token=anna).status == 200
        profile = {"patient": {"birthday": "2015-02-03"}}
        fakes.profiles.replace(child.user_id, "profile", None, MetadataCollection(profile, 1))
        api.request("POST", f"/confirm/send/signup/{child.user_id}", token=anna)
        key = mail.key()
        fields = Page(show(api, "verify-email", key)).fields()
        assert fields == {"key": "hidden", "password": "password", "repeated": "password", "birthday": "date"}
        form = {"key": key, "password": NEW, "repeated": NEW, "birthday": "2015-02-03"}
        for changed, alert in (
            ({"repeated": "another-one"}, "The two passwords differ."),
            ({"password": "short", "repeated": "short"}, "A password has 8 to 72 characters"),
            ({"birthday": "2015-02-04"}, "The birthday is not the one"),
        ):
            reply = submit(api, "verify-email", **(form | changed))
            assert (reply.status, alert in Page(reply).text) == (400, True)
        assert submit(api, "verify-email", **form).status == 200
        assert can_sign_in(api, "kid@example.org", NEW)

    @pytest.mark.parametrize("key", ["", "forged", NASTY])
    def test_a_link_that_does_not_work_says_so(self, api: ApiClient, key: str) -> None:
        for reply in (show(api, "verify-email", key), submit(api, "verify-email", key=key)):
            assert (reply.status, "This link does not work" in Page(reply).text) == (404, True)
            assert b"<script" not in reply.body
