"""`strandline user`, beside an application that has the folder open."""

import io
import json
import re
from pathlib import Path

import pytest

from strandline.cli.main import main
from tests.api.conftest import ApiClient
from tests.home.conftest import EMAIL, PASSWORD, Person, basic, person_of, readings, sign_in

USER_ID = r"[0-9a-f]{8}-[0-9a-f-]{27}"
MADE_UP = r"[a-z2-9]{4}(?:-[a-z2-9]{4}){3}"


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """The output of a command, which has to succeed."""
    capsys.readouterr()
    assert main(["user", *map(str, arguments)]) == 0
    return capsys.readouterr().out


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """The one line of a command that fails."""
    capsys.readouterr()
    assert main(["user", *map(str, arguments)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    return line


def may_sign_in(api: ApiClient, email: str, password: str) -> bool:
    """Whether the two are accepted."""
    status = api.request("POST", "/auth/login", Authorization=basic(email, password)).status
    assert status in (200, 401)
    return status == 200


def is_proven(person: Person) -> bool:
    """Whether the address of a person counts as proven."""
    account = person.home.services.accounts.accounts.find(person.user_id)
    assert account is not None
    return account.email_proven


def test_an_added_user_signs_in_at_once_with_the_made_up_password(
    person: Person, data_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = run(capsys, "add", "ben@example.org", "--data-dir", data_folder)
    match = re.fullmatch(rf"user: ({USER_ID})\npassword: ({MADE_UP})\n", printed)
    assert match is not None
    assert may_sign_in(person.api, "ben@example.org", match[2])
    account = person.home.services.accounts.accounts.find(match[1])
    assert account is not None
    assert (account.email, account.roles, account.email_verified) == ("ben@example.org", ("patient",), True)
    assert account.email_proven
    assert run(capsys, "add", "eve@example.org", "--data-dir", data_folder) != printed


def test_an_added_user_has_the_given_password_and_roles(
    person: Person, data_folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("the-password-of-ben\r\nanother line\n"))
    printed = run(capsys, "add", "Ben@Example.org", "--role", "clinic", "--password-stdin", "--data-dir", data_folder)
    assert "password" not in printed
    assert may_sign_in(person.api, "ben@example.org", "the-password-of-ben")
    account = person.home.services.accounts.accounts.find_by_email("ben@example.org")
    assert account is not None
    assert account.roles == ("clinic",)


@pytest.mark.parametrize(
    ("arguments", "password", "sentence"),
    [
        ([EMAIL], PASSWORD, f"{EMAIL} already has an account."),
        (["nobody"], PASSWORD, "malformed"),
        (["ben@example.org"], "short", "8 to 72 characters"),
        (["ben@example.org"], "", "8 to 72 characters"),
        (["ben@example.org", "--role", "king"], PASSWORD, "no role 'king'"),
    ],
)
@pytest.mark.usefixtures("person")
def test_details_that_break_a_rule_add_nobody(
    data_folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    password: str,
    sentence: str,
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(password))
    assert sentence in refusal(capsys, "add", *arguments, "--password-stdin", "--data-dir", data_folder)
    assert len(json.loads(run(capsys, "list", "--json", "--data-dir", data_folder))) == 1


def test_a_reset_password_replaces_the_old_one_and_ends_every_login(
    person: Person, data_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert person.request("GET", "/auth/user").status == 200
    printed = run(capsys, "reset-password", EMAIL.upper(), "--data-dir", data_folder)
    match = re.fullmatch(rf"user: {person.user_id}, all logins ended\npassword: ({MADE_UP})\n", printed)
    assert match is not None
    assert person.request("GET", "/auth/user").status == 401
    assert not may_sign_in(person.api, EMAIL, PASSWORD)
    assert sign_in(person.api, match[1])
    assert is_proven(person)


def test_the_owner_confirms_the_address_of_an_account_that_was_there_before(
    person: Person, data_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, "add", "ben@example.org", "--data-dir", data_folder)
    assert [user["emailProven"] for user in json.loads(run(capsys, "list", "--json", "--data-dir", data_folder))] == [
        False,
        True,
    ]
    printed = run(capsys, "confirm", EMAIL.upper(), "ben@example.org", "--data-dir", data_folder)
    assert printed.startswith(f"user: {person.user_id}, address proven\n")
    assert is_proven(person)
    assert person.request("GET", "/auth/user").status == 200  # no login ends


def test_an_address_to_which_nobody_signs_in_is_not_confirmed(
    person: Person, data_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "has no account" in refusal(capsys, "confirm", "eve@example.org", "--data-dir", data_folder)
    body = {"username": "child@example.org", "emails": ["child@example.org"]}
    assert person.request("POST", f"/auth/user/{person.user_id}/user", body).status == 201
    assert "nobody signs in" in refusal(capsys, "confirm", "child@example.org", "--data-dir", data_folder)


@pytest.mark.usefixtures("person")
def test_resetting_the_password_of_nobody_or_to_a_bad_one_changes_nothing(
    data_folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, person: Person
) -> None:
    assert "has no account" in refusal(capsys, "reset-password", "eve@example.org", "--data-dir", data_folder)
    monkeypatch.setattr("sys.stdin", io.StringIO("with blanks in it"))
    arguments = ("reset-password", EMAIL, "--password-stdin", "--data-dir", data_folder)
    assert "8 to 72 characters" in refusal(capsys, *arguments)
    assert person.request("GET", "/auth/user").status == 200
    assert may_sign_in(person.api, EMAIL, PASSWORD)


def test_the_list_has_every_account_with_its_last_data(
    person: Person, data_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, "add", "ben@example.org", "--role", "clinic", "--data-dir", data_folder)
    person.api.request(
        "POST",
        "/auth/user",
        {"username": "eve@example.org", "emails": ["eve@example.org"], "password": PASSWORD, "roles": None},
    )
    assert person.add(person.open_data_set(), readings(0, 3)).status == 200

    users = json.loads(run(capsys, "list", "--json", "--data-dir", data_folder))
    assert [(user["email"], user["roles"]) for user in users] == [
        (EMAIL, ["patient"]),
        ("ben@example.org", ["clinic"]),
        ("eve@example.org", []),
    ]
    assert users[0]["userId"] == person.user_id
    assert [user["lastDataTime"] is None for user in users] == [False, True, True]
    assert users[0]["lastDataTime"] >= users[0]["createdTime"]

    table = run(capsys, "list", "--data-dir", data_folder).splitlines()
    assert re.split(r"  +", table[0]) == ["id", "address", "created", "last data", "address proven"]
    assert re.split(r"  +", table[1]) == [
        person.user_id,
        EMAIL,
        users[0]["createdTime"],
        users[0]["lastDataTime"],
        "no",
    ]
    assert re.split(r"  +", table[2])[1::2] == ["ben@example.org", "-"]


def test_a_folder_without_data_is_refused_and_not_created(
    data_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for verb in (["list"], ["add", EMAIL], ["reset-password", EMAIL], ["confirm", EMAIL]):
        assert "no data of a home server" in refusal(capsys, *verb, "--data-dir", data_folder)
    assert not data_folder.exists()


def test_asking_for_a_password_needs_a_terminal(
    data_folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with person_of(data_folder):
        monkeypatch.setattr("sys.stdin", io.StringIO(PASSWORD))
        line = refusal(capsys, "add", "ben@example.org", "--ask-password", "--data-dir", data_folder)
    assert "--password-stdin" in line
