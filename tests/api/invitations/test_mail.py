"""Mail about invitations: who gets it, when, and what is in it."""

import pytest

from chalicelib import services as wiring
from chalicelib.accounts.mail_limit import MAX_MAILS_A_DAY
from chalicelib.errors import UnavailableError
from tests.api.conftest import ApiClient
from tests.api.invitations.invitation_requests import ADDRESS, INVITEE, SHARER, send, sent_key
from tests.fakes.mail import MailBox
from tests.fakes.services import FakeServices

DAY_MS = 24 * 3_600_000


@pytest.fixture
def mail(fakes: FakeServices) -> MailBox:
    """The mail of the stage, which sends some."""
    box = MailBox(fakes)
    wiring.override(fakes.services)
    return box


@pytest.mark.parametrize("has_account", [False, True])
def test_the_address_gets_a_mail_with_a_link_whether_or_not_it_has_an_account(
    api: ApiClient, fakes: FakeServices, mail: MailBox, has_account: bool
) -> None:
    if has_account:
        fakes.sign_in(INVITEE)
    key = sent_key(api, fakes)
    assert mail.orders() == [{"kind": "invitation", "email": ADDRESS, "key": key}]
    [sent] = mail.deliver()
    link = f"http://127.0.0.1:8000/realms/tidepool/login-actions/invitation?key={key}"
    assert sent.recipient == ADDRESS
    assert link in sent.mail.text
    assert f'href="{link}"' in sent.mail.html


def test_the_mail_has_no_name_and_no_address_of_the_sender(api: ApiClient, fakes: FakeServices, mail: MailBox) -> None:
    token = fakes.sign_in(SHARER)
    api.request("PUT", f"/metadata/{SHARER}/profile", {"fullName": "Anna Sharer"}, token=token)
    send(api, fakes, nickname="my sister")
    [sent] = mail.deliver()
    for text in (sent.mail.subject, sent.mail.text, sent.mail.html):
        assert not any(word in text for word in ("Anna", SHARER, "sister", "diabetes"))


def test_sending_it_again_sends_another_mail(api: ApiClient, fakes: FakeServices, mail: MailBox) -> None:
    key = sent_key(api, fakes)
    assert api.request("PATCH", f"/confirm/resend/invite/{key}", token=fakes.sign_in(SHARER)).status == 200
    assert [sent.key for sent in mail.deliver()] == [key, key]


def test_an_invitation_that_was_withdrawn_or_has_expired_is_not_mailed(
    api: ApiClient, fakes: FakeServices, mail: MailBox
) -> None:
    sent_key(api, fakes)
    assert api.request("PUT", f"/confirm/{SHARER}/invited/{ADDRESS}", token=fakes.sign_in(SHARER)).status == 200
    assert mail.deliver() == []
    sent_key(api, fakes)
    fakes.now_ms += 7 * DAY_MS
    assert mail.deliver() == []


def test_an_address_gets_a_limited_number_of_mails_a_day(api: ApiClient, fakes: FakeServices, mail: MailBox) -> None:
    for number in range(MAX_MAILS_A_DAY + 1):
        sharer = f"{number:010d}"
        body = {"email": ADDRESS, "permissions": {"view": {}}}
        assert api.request("POST", f"/confirm/send/invite/{sharer}", body, token=fakes.sign_in(sharer)).status == 200
    assert len(mail.deliver()) == MAX_MAILS_A_DAY


def test_a_stage_without_mail_orders_none(api: ApiClient, fakes: FakeServices) -> None:
    sent_key(api, fakes)
    assert fakes.engine.task_queue.receive(10) == []


def test_an_order_that_fails_leaves_the_invitation(
    api: ApiClient, fakes: FakeServices, mail: MailBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(fakes.services.invitations.orders), "send", _fail)
    assert sent_key(api, fakes)


def _fail(*_: object) -> None:
    raise UnavailableError
