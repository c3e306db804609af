"""Tests `strandline stage`: on a data folder, against a server with the server secret, and as text."""

import json
from pathlib import Path
from typing import Any

import pytest

from strandline.cli import server as client
from strandline.cli.commands import stage
from strandline.cli.commands.stage_text import as_text
from strandline.cli.main import main
from strandline.home.opening import open_home
from strandline.home.users import add_user

FIGURES: dict[str, Any] = {
    "stage": "prod",
    "version": "1.2.3",
    "time": "2026-01-15T00:00:00Z",
    "users": {"count": 100_000, "isAtLeast": True},
    "data": {
        "lastTime": "2026-01-14T23:55:00Z",
        "users": 500,
        "dataBytes": 12_345_678,
        "blobBytes": 0,
        "isAtLeast": True,
    },
    "tasks": {
        "count": 1234,
        "isAtLeast": False,
        "pending": 9,
        "running": 1,
        "failed": 2,
        "completed": 1222,
        "lastFailed": [
            {
                "id": "a",
                "type": "strandline.data.verify",
                "runTime": "2026-01-14T00:00:00Z",
                "error": {"code": "tiles-wrong"},
            },
            {"id": "b", "type": "other\x1b[31m", "error": [{"code": "one"}, {"code": "two"}]},
        ],
    },
    "refusals": {"count": 3, "days": [{"date": "2026-01-14", "count": 3, "lastTime": "2026-01-14T10:00:00Z"}]},
}


def test_figures_as_text() -> None:
    assert as_text(FIGURES).splitlines() == [
        "stage         prod, version 1.2.3, 2026-01-15T00:00:00Z",
        "users         at least 100,000",
        "last data     2026-01-14T23:55:00Z",
        "storage       12.3 MB of data, 0 bytes of blobs, of the newest 500 users",
        "tasks         1,234: 9 pending, 1 running, 2 failed",
        "  failed      strandline.data.verify 2026-01-14T00:00:00Z a tiles-wrong",
        "  failed      other\\x1b[31m b one, two",
        "refusals      3 uploads in 14 days",
        "  2026-01-14  3, the last at 2026-01-14T10:00:00Z",
    ]


def test_figures_of_a_data_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with open_home(tmp_path / "data") as home:
        add_user(home.services, "anna@example.org", ["patient"], "a good password"[:12].replace(" ", "-"))
    assert main(["stage", "--json", "--data-dir", str(tmp_path / "data")]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["stage"], found["users"]) == ("home", {"count": 1, "isAtLeast": False})
    assert main(["stage", "--data-dir", str(tmp_path / "data")]) == 0
    assert "users      1\n" in capsys.readouterr().out


def test_a_folder_that_is_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stage", "--data-dir", str(tmp_path / "none")]) == 1
    assert capsys.readouterr().err.startswith("error: ")


@pytest.mark.parametrize("is_file", [True, False], ids=["a file", "a variable"])
def test_figures_of_a_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], is_file: bool
) -> None:
    secrets: list[str] = []
    monkeypatch.setattr(client.Server, "sign_in_as_server", lambda _self, secret: secrets.append(secret))
    monkeypatch.setattr(client.Server, "json", lambda *_: FIGURES)
    path = tmp_path / "secret"
    path.write_text("a secret\n")
    monkeypatch.setenv(stage.SECRET_VARIABLE, "a secret")
    named = ["--secret-file", str(path)] if is_file else []
    assert main(["stage", "--url", "https://data.example.org", *named]) == 0
    assert capsys.readouterr().out == as_text(FIGURES) + "\n"
    assert secrets == ["a secret"]
