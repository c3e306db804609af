"""Tests `make stage` on services in memory."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from chalicelib.errors import UnavailableError
from chalicelib.services import Services
from strandline.cli.commands.stage_text import as_text
from strandline.home.figures import figures_of
from tests.fakes.services import FakeServices
from tools import stage
from tools.project import ToolError


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> Services:
    """A stage with one user, which the tool finds under its name."""
    fakes = FakeServices()
    fakes.sign_in("aaaaaaaaaa")

    def of_stage(name: str, data_dir: Path) -> Services:
        assert (name, data_dir) == ("prod", Path(".local"))
        return fakes.services

    monkeypatch.setattr(stage, "services_of_stage", of_stage)
    return fakes.services


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    """Run the tool."""
    monkeypatch.setattr(sys, "argv", ["make stage", *arguments])
    assert stage.main() == 0


def test_the_figures_are_printed(
    services: Services, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = figures_of(services)
    assert figures["users"] == {"count": 1, "isAtLeast": False}
    run(monkeypatch, "prod")
    assert capsys.readouterr().out == f"{as_text(figures)}\n"
    run(monkeypatch, "prod", "--json")
    assert json.loads(capsys.readouterr().out) == figures


def test_a_stage_that_does_not_answer_is_told_in_one_sentence(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(*_: Any) -> Any:
        raise UnavailableError

    monkeypatch.setattr(type(services.tasks.tasks), "newest", unavailable)
    with pytest.raises(ToolError, match="do not answer"):
        run(monkeypatch, "prod")
