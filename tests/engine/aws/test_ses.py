"""Mail by SES: what is sent, and what a refusal becomes."""

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.ses.models import ses_backends

from chalicelib.engine.aws import ses
from chalicelib.errors import UnavailableError
from tests.engine.sent import refusal

REGION = "us-east-1"
SENDER = "strandline@example.org"
MAIL = ("anna@example.org", "Subject é", "the text", "<p>the html</p>")


@pytest.fixture
def mail() -> Iterator[ses.SesMail]:
    """The mail of a stage whose sender is verified."""
    with mock_aws():
        ses.forget_clients()
        boto3.client("sesv2", region_name=REGION).create_email_identity(EmailIdentity=SENDER)
        yield ses.SesMail(REGION, SENDER)
    ses.forget_clients()


def test_a_mail_has_both_forms_and_comes_from_the_sender(mail: ses.SesMail) -> None:
    mail.send(*MAIL)
    [sent] = ses_backends[DEFAULT_ACCOUNT_ID][REGION].sent_messages
    assert sent.source == f"Strandline <{SENDER}>"
    assert sent.destinations["ToAddresses"] == ["anna@example.org"]
    assert (sent.subject, sent.body) == ("Subject é", "<p>the html</p>")


def test_an_address_that_is_not_verified_sends_nothing(mail: ses.SesMail) -> None:
    with pytest.raises(RuntimeError):
        ses.SesMail(REGION, "other@example.net").send(*MAIL)
    assert ses_backends[DEFAULT_ACCOUNT_ID][REGION].sent_messages == []


@pytest.mark.parametrize("code", ["TooManyRequestsException", "ThrottlingException", "ServiceUnavailable"])
def test_a_refusal_that_may_pass_is_tried_again_later(
    mail: ses.SesMail, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    def refuse(**_: object) -> None:
        raise refusal(code)

    monkeypatch.setattr(ses.client(REGION), "send_email", refuse)
    with pytest.raises(UnavailableError):
        mail.send(*MAIL)


@pytest.mark.parametrize("code", ["MessageRejected", "MailFromDomainNotVerifiedException", "AccountSuspendedException"])
def test_a_refusal_that_stays_is_an_error(mail: ses.SesMail, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    def refuse(**_: object) -> None:
        raise refusal(code)

    monkeypatch.setattr(ses.client(REGION), "send_email", refuse)
    with pytest.raises(RuntimeError):
        mail.send(*MAIL)
