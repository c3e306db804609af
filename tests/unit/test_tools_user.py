"""Making an account from the command line."""

import io
import socket
from pathlib import Path

import pytest

from tests.fakes.services import FakeServices
from tools.project import ToolError
from tools.user import asked_password, make_user, use_running_cloud

EMAIL = "anna@example.org"


def test_the_account_can_sign_in_at_once() -> None:
    fakes = FakeServices()
    made = make_user(fakes.services, EMAIL, ["patient"], "correct-horse")
    stored = fakes.accounts.find_by_email(EMAIL)
    assert stored == made
    assert (made.roles, made.email_verified, made.terms_accepted is not None) == (("patient",), True, True)
    assert fakes.passwords.verify(made.password_hash, "correct-horse")


@pytest.mark.parametrize(
    ("email", "password", "said"),
    [
        ("no address", "correct-horse", "no e-mail address"),
        (EMAIL, "short", "8 to 72 characters"),
        ("taken@example.org", "correct-horse", "has an account already"),
    ],
)
def test_what_cannot_be_made_is_said(email: str, password: str, said: str) -> None:
    fakes = FakeServices()
    make_user(fakes.services, "taken@example.org", ["patient"], "correct-horse")
    with pytest.raises(ToolError, match=said):
        make_user(fakes.services, email, ["patient"], password)
    assert len(fakes.accounts.by_id) == 1


def test_a_password_can_be_piped_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("correct-horse\nmore"))
    assert asked_password() == "correct-horse"


def test_without_a_running_cloud_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="no local cloud runs with the data folder"):
        use_running_cloud(tmp_path)
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        (tmp_path / "ports.json").write_text(f'{{"gateway": {bound.getsockname()[1]}}}')
        with pytest.raises(ToolError, match="make run"):
            use_running_cloud(tmp_path)
