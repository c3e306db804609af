"""`make user`: an account on a stage, its sign-up open or not. On the local cloud: `tests/e2e/test_accounts.py`."""

import getpass
import io
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from chalicelib.access.call import token_hash
from chalicelib.accounts.account import Account
from chalicelib.accounts.stores.accounts import StoredAccounts
from chalicelib.accounts.stores.passwords import Argon2Passwords
from chalicelib.config import Settings
from chalicelib.engine.aws.engine import aws_engine
from chalicelib.mail.message import MailKind
from chalicelib.services import build_services
from tools import user
from tools.project import ToolError
from tools.stages import stacks, stage_services


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str, password: str) -> None:
    """`make user` with a password that is piped in."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setattr(sys, "argv", ["user", *arguments])
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{password}\n"))
    assert user.main() == 0


GOOD = "a-good-one?"


def test_the_user_can_sign_in_at_once(
    stage: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, "test", "Anna@example.org", "--role", "clinician", "--role", "patient", password=GOOD)
    account = StoredAccounts(aws_engine(stage).accounts).find_by_email("anna@example.org")
    assert account is not None
    assert capsys.readouterr().out.endswith(f"user: {account.user_id}\n")
    assert account.roles == ("clinician", "patient")
    assert account.email_verified
    assert account.email_proven
    assert account.terms_accepted_s is not None
    assert Argon2Passwords().verify(account.password_hash, GOOD)


def test_an_address_that_is_taken_is_reported(stage: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    run(monkeypatch, "test", "anna@example.org", password=GOOD)
    with pytest.raises(ToolError, match="already has an account"):
        run(monkeypatch, "test", "ANNA@example.org", password=GOOD)


@pytest.mark.parametrize("password", ["short", ""])
def test_a_password_that_breaks_a_rule_is_reported(
    stage: Settings, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    with pytest.raises(ToolError, match="the password does not have 8 to 72 characters"):
        run(monkeypatch, "test", "anna@example.org", password=password)


@pytest.mark.parametrize(
    ("email", "complaint"),
    [
        ("", "no address is given: run make user EMAIL="),
        ("anna", "'anna' is not an e-mail address"),
        ("a b@c", "is not an e-mail"),
    ],
)
def test_a_missing_or_malformed_address_is_reported_before_anything_is_asked(
    monkeypatch: pytest.MonkeyPatch, email: str, complaint: str
) -> None:
    monkeypatch.setattr(user, "services_of_stage", lambda *_: pytest.fail("a stage was asked"))
    with pytest.raises(ToolError, match=complaint):
        run(monkeypatch, "test", email, password=GOOD)


def test_a_local_cloud_that_does_not_run_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="no local cloud runs with the data folder"):
        stage_services.use_running_cloud(tmp_path)
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        (tmp_path / "ports.json").write_text(f'{{"gateway": {bound.getsockname()[1]}}}')
        with pytest.raises(ToolError, match="make run"):
            stage_services.use_running_cloud(tmp_path)


@pytest.mark.parametrize(("typed", "same"), [((GOOD, GOOD), True), ((GOOD, "another"), False)])
def test_a_person_types_the_password_twice(monkeypatch: pytest.MonkeyPatch, typed: tuple[str, str], same: bool) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    answers = iter(typed)

    def ask(_prompt: Any) -> str:
        return next(answers)

    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(getpass, "getpass", ask)
    if same:
        assert user.asked_password() == GOOD
    else:
        with pytest.raises(ToolError, match="the two passwords differ"):
            user.asked_password()


def deployed(monkeypatch: pytest.MonkeyPatch, **parameters: str) -> list[str]:
    """Give the stage a stack of the application with these parameters; the names of the stacks that are asked for."""
    asked: list[str] = []

    def deployed_parameters(_client: Any, stack: str) -> dict[str, str]:
        asked.append(stack)
        return parameters

    monkeypatch.setattr(stacks, "deployed_parameters", deployed_parameters)
    return asked


def test_an_account_that_was_made_before_is_confirmed(
    stage: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    accounts = StoredAccounts(aws_engine(stage).accounts)
    accounts.create(Account("0123456789", 1, "anna@example.org", "the hash", email_verified=True))
    run(monkeypatch, "test", "ANNA@example.org", "--confirm", password="")
    assert "the address of ANNA@example.org counts as proven" in capsys.readouterr().out
    account = accounts.find("0123456789")
    assert account is not None
    assert (account.email_proven, account.password_hash) == (True, "the hash")
    with pytest.raises(ToolError, match=r"nobody@example\.org has no account"):
        run(monkeypatch, "test", "nobody@example.org", "--confirm", password="")


def test_a_link_to_a_new_password_begins_with_the_address_of_the_stage(
    stage: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = deployed(monkeypatch, BaseUrl="https://data.example.org", Realm="mine")
    run(monkeypatch, "test", "anna@example.org", password=GOOD)
    assert asked == []
    run(monkeypatch, "test", "ANNA@example.org", "--reset", password="")
    assert asked == ["strandline-test-app"]
    printed = capsys.readouterr()
    address, _, key = printed.out.splitlines()[-1].partition("?key=")
    assert address == "https://data.example.org/realms/mine/login-actions/new-password"
    assert "works once, for seven days" in printed.err
    confirmations = build_services(stage, aws_engine(stage)).confirmations
    found = confirmations.mailed_keys.find(token_hash(key))
    assert found is not None
    assert (found.kind, found.proof.email) == (MailKind.PASSWORD_RESET, "anna@example.org")


def test_a_realm_that_was_not_chosen_is_the_one_of_the_template(
    stage: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed(monkeypatch, BaseUrl="https://data.example.org", Realm="")
    run(monkeypatch, "test", "anna@example.org", password=GOOD)
    run(monkeypatch, "test", "anna@example.org", "--reset", password="")
    link = capsys.readouterr().out.splitlines()[-1]
    assert link.startswith("https://data.example.org/realms/tidepool/login-actions/new-password?key=")


def test_a_stage_without_an_address_has_no_links(
    stage: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed(monkeypatch, BaseUrl="")
    run(monkeypatch, "test", "anna@example.org", password=GOOD)
    with pytest.raises(ToolError, match="deploy it with DOMAIN or BASE_URL"):
        run(monkeypatch, "test", "anna@example.org", "--reset", password="")
    assert "key=" not in capsys.readouterr().out


def test_an_address_without_an_account_gets_no_link(stage: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    deployed(monkeypatch, BaseUrl="https://data.example.org")
    with pytest.raises(ToolError, match=r"nobody@example\.org has no account"):
        run(monkeypatch, "test", "nobody@example.org", "--reset", password="")
