"""Tests the settings of a stage, and which of them contradict each other."""

import re

import pytest

from chalicelib.config import Settings
from tools.project import ROOT, ToolError
from tools.stages.options import BY_NAME, OPTIONS, Choice, check_domain, check_mail, read_choice

REGION = "eu-central-1"
CERTIFICATE = f"arn:aws:acm:{REGION}:123456789012:certificate/0-1"


def test_settings_become_parameters_of_their_stack() -> None:
    choice = read_choice(["SIGN_UP=invitation", "METRICS=off", "DELETION_PROTECTION=on", "CORS_ORIGINS="], REGION)
    assert choice.application == {"SignUp": "invitation", "MetricsEnabled": "false", "CorsOrigins": ""}
    assert choice.stateful == {"DeletionProtection": "true"}


def test_settings_of_partners_reach_the_functions_as_they_are() -> None:
    sectors = "twiist=https://a.example.org/x,twiist/qa=https://b.example.org"
    choice = read_choice(["TWIIST_USER_IDS=0123456789,abcdef0123", f"PARTNER_SECTORS={sectors}"], REGION)
    environ = {
        "STRANDLINE_TWIIST_USER_IDS": choice.application["TwiistUserIds"],
        "STRANDLINE_PARTNER_SECTORS": choice.application["PartnerSectors"],
    }
    settings = Settings.from_env(environ)
    assert settings.twiist_user_ids == {"0123456789", "abcdef0123"}
    assert settings.partner_sectors == {"twiist": ("https://a.example.org/x",), "twiist/qa": ("https://b.example.org",)}
    removed = read_choice(["TWIIST_USER_IDS=", "PARTNER_SECTORS="], REGION)
    assert removed.application == {"TwiistUserIds": "", "PartnerSectors": ""}


def test_the_address_follows_from_the_domain() -> None:
    assert read_choice(["DOMAIN=a.example.org"], REGION).application["BaseUrl"] == "https://a.example.org"
    assert read_choice(["DOMAIN="], REGION).application == {"DomainName": "", "BaseUrl": ""}
    assert "BaseUrl" not in read_choice(["SIGN_UP=open"], REGION).application


@pytest.mark.parametrize("settings", [["BASE_URL=https://b.example.org", "DOMAIN=a.example.org"]])
def test_a_given_address_takes_precedence_over_the_domain(settings: list[str]) -> None:
    for order in (settings, settings[::-1]):
        assert read_choice(order, REGION).application["BaseUrl"] == "https://b.example.org"


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ("SIGN_UP=anyone", "use one of open, invitation, closed"),
        ("METRICS=true", "use one of on, off"),
        ("ARCHITECTURE=arm", "use one of x86_64, arm64"),
        ("METRICS=", "use one of on, off"),
        ("SIGNUP=open", "is not a setting"),
        ("SIGN_UP", "is not a setting"),
        ("DOMAIN=https://a.example.org", "this is not a domain"),
        ("DOMAIN=localhost", "this is not a domain"),
        ("CERTIFICATE_ARN=0-1", "this is not the ARN"),
        (f"CERTIFICATE_ARN={CERTIFICATE.replace(REGION, 'us-east-1')}", f"one in {REGION} is needed"),
        ("BASE_URL=a.example.org", "this is not the address"),
        ("BASE_URL=https://a.example.org/path", "this is not the address"),
        ("CORS_ORIGINS=https://a.example.org/,https://b.example.org", "this is not origins"),
        ("ALARM_EMAIL=nobody", "this is not the e-mail address"),
        ("LOG_RETENTION_DAYS=2", "CloudWatch can keep"),
        ("LOG_RETENTION_DAYS=", "CloudWatch can keep"),
        ("METRICS_RETENTION_DAYS=0", "a number of days"),
        ("OIDC_CLIENTS=client", "this is not further clients"),
        ("TWIIST_USER_IDS=ada@example.org", "this is not ids of the accounts"),
        ("TWIIST_USER_IDS=0123456789,", "this is not ids of the accounts"),
        ("PARTNER_SECTORS=twiist=example.org", "this is not redirect addresses of partners"),
    ],
)
def test_a_value_that_an_option_does_not_accept_is_reported(setting: str, complaint: str) -> None:
    with pytest.raises(ToolError, match=re.escape(complaint)):
        read_choice([setting], REGION)


def test_a_domain_needs_a_certificate_given_now_or_earlier() -> None:
    none, certified = Choice({}, {}), Choice({}, {"CertificateArn": CERTIFICATE})
    wanted = read_choice(["DOMAIN=a.example.org"], REGION)
    with pytest.raises(ToolError, match="DOMAIN needs CERTIFICATE_ARN"):
        check_domain(wanted, none)
    check_domain(wanted, certified)
    check_domain(read_choice(["DOMAIN=a.example.org", f"CERTIFICATE_ARN={CERTIFICATE}"], REGION), none)
    check_domain(read_choice(["DOMAIN="], REGION), Choice({"DomainName": "a.example.org"}, {}))


def test_a_record_needs_a_domain() -> None:
    zone = read_choice(["HOSTED_ZONE_ID=Z1"], REGION)
    with pytest.raises(ToolError, match="HOSTED_ZONE_ID needs DOMAIN"):
        check_domain(zone, Choice({}, {}))
    check_domain(zone, Choice({"DomainName": "a.example.org"}, {"CertificateArn": CERTIFICATE}))


def test_mail_needs_an_address_for_its_links_given_now_or_earlier() -> None:
    none, addressed = Choice({}, {}), Choice({"BaseUrl": "https://a.example.org"}, {})
    wanted = read_choice(["MAIL_FROM=strandline@example.org"], REGION)
    assert wanted.application == {"MailFrom": "strandline@example.org", "MailDomain": "example.org"}
    with pytest.raises(ToolError, match="MAIL_FROM needs DOMAIN or BASE_URL"):
        check_mail(wanted, none)
    check_mail(wanted, addressed)
    check_mail(read_choice(["MAIL_FROM=strandline@example.org", "BASE_URL=https://a.example.org"], REGION), none)
    check_mail(read_choice(["MAIL_FROM=strandline@example.org", "DOMAIN=a.example.org"], REGION), none)
    check_mail(none, none)
    sending = Choice({"MailFrom": "strandline@example.org", "BaseUrl": "https://a.example.org"}, {})
    with pytest.raises(ToolError, match="MAIL_FROM needs DOMAIN or BASE_URL"):
        check_mail(read_choice(["BASE_URL="], REGION), sending)
    check_mail(read_choice(["BASE_URL=", "MAIL_FROM="], REGION), sending)


def test_addresses_are_verified_only_where_mail_is_sent() -> None:
    sending = Choice({"MailFrom": "strandline@example.org", "BaseUrl": "https://a.example.org"}, {})
    wanted = read_choice(["VERIFY_EMAILS=on"], REGION)
    with pytest.raises(ToolError, match="VERIFY_EMAILS=on needs MAIL_FROM"):
        check_mail(wanted, Choice({}, {}))
    check_mail(wanted, sending)
    check_mail(read_choice(["VERIFY_EMAILS=off"], REGION), Choice({}, {}))
    verifying = Choice(sending.application | {"VerifiesEmails": "true"}, {})
    with pytest.raises(ToolError, match="VERIFY_EMAILS=on needs MAIL_FROM"):
        check_mail(read_choice(["MAIL_FROM="], REGION), verifying)
    check_mail(read_choice(["MAIL_FROM=", "VERIFY_EMAILS=off"], REGION), verifying)


@pytest.mark.parametrize("sender", ["strandline", "a b@example.org", "Strandline <strandline@example.org>", "a@b"])
def test_what_is_no_sender_is_reported(sender: str) -> None:
    with pytest.raises(ToolError, match="this is not the e-mail address that mail comes from"):
        read_choice([f"MAIL_FROM={sender}"], REGION)


def test_make_passes_exactly_the_options() -> None:
    makefile = (ROOT / "Makefile").read_text()
    (names,) = re.findall(r"^SETTINGS := ((?:.*\\\n)*.*)$", makefile, re.MULTILINE)
    assert names.replace("\\\n", " ").split() == [option.name for option in OPTIONS]
    assert len(BY_NAME) == len(OPTIONS)


def test_every_option_is_described() -> None:
    guide = (ROOT / "docs" / "deploying.md").read_text()
    assert [option.name for option in OPTIONS if f"| `{option.name}` |" not in guide] == []
