"""`strandline nightscout-credential`, against a home server."""

import json
import re
from collections.abc import Iterator

import pytest

from strandline.cli.commands.qr_code import for_terminal
from strandline.cli.main import main
from strandline.home.users import add_user
from tests.e2e.client import Reply
from tests.home.serving import Served, served

EMAIL, PASSWORD = "anna@example.org", "a-long-password"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A server with Anna's account."""
    monkeypatch.setenv("STRANDLINE_PASSWORD", PASSWORD)
    with served() as server:
        add_user(server.services, EMAIL, ["patient"], PASSWORD)
        yield server


def run(server: Served, capsys: pytest.CaptureFixture[str], verb: str, *arguments: str) -> str:
    """The output of a verb of the command, which has to succeed."""
    capsys.readouterr()
    account = ["--url", server.base_url, "--user", EMAIL]
    assert main(["nightscout-credential", verb, *account, *arguments]) == 0
    return capsys.readouterr().out


def rights(server: Served, token: str) -> Reply:
    """The reply to a device that asks for its rights, by the raw query of an app."""
    return server.bare(
        f"GET /api/v1/verifyauth?find[date][$gte]=1&token={token} HTTP/1.1\nHost: a\nConnection: close\n\n"
    )


def test_a_credential_is_made_listed_and_revoked(server: Served, capsys: pytest.CaptureFixture[str]) -> None:
    made = run(server, capsys, "add", "Mum's phone", "--scope", "upload")
    match = re.fullmatch(rf"address: {server.base_url}\ntoken: (mumsphone-[0-9a-f]{{32}})\n", made)
    assert match is not None
    assert json.loads(rights(server, match[1]).body)["message"]["canWrite"] is True
    (listed,) = json.loads(run(server, capsys, "list", "--json"))
    assert (listed["name"], listed["scope"], "lastUsedTime" in listed) == ("Mum's phone", "upload", True)
    head, row = run(server, capsys, "list").splitlines()
    assert head.split() == ["id", "scope", "created", "last", "used", "name"]
    assert row.startswith(listed["id"])
    assert row.endswith("Mum's phone")
    assert run(server, capsys, "revoke", listed["id"]) == f"revoked: {listed['id']}\n"
    assert json.loads(rights(server, match[1]).body)["message"]["canRead"] is False
    assert json.loads(run(server, capsys, "list", "--json")) == []


def test_the_address_with_the_token_is_also_a_qr_code(server: Served, capsys: pytest.CaptureFixture[str]) -> None:
    address, token, code = run(server, capsys, "add", "Watch", "--qr").split("\n", 2)
    both = f"{address.removeprefix('address: ')}/?token={token.removeprefix('token: ')}"
    assert code == for_terminal(both) + "\n"


def test_an_unknown_one_is_a_one_line_error(server: Served, capsys: pytest.CaptureFixture[str]) -> None:
    account = ["--url", server.base_url, "--user", EMAIL]
    assert main(["nightscout-credential", "revoke", *account, "unknown"]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_head_has_the_length_and_no_body(server: Served) -> None:
    reply = server.bare("HEAD /api/v1/verifyauth HTTP/1.1\nHost: a\nConnection: close\n\n")
    assert (reply.status, reply.body) == (200, b"")
    assert int(reply.headers["content-length"]) > 0
