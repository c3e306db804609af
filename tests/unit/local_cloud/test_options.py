"""The options of `make run`: those of sign-in that a deployed stage has, too."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tools.local_cloud import __main__ as command
from tools.project import ROOT

OPTIONS = {
    "WEB_APP_URL": ("--web-app-url", "WebAppUrl", "https://web.example.org"),
    "OIDC_CLIENTS": ("--oidc-clients", "OidcClients", "mine=mine://callback,other=https://other.example.org/*"),
    "REALM": ("--realm", "Realm", "mine"),
}
"""Setting of make to the option of the command, the parameter of the application, and an example."""


def started_with(monkeypatch: pytest.MonkeyPatch, *options: str) -> list[Any]:
    """The values that the command starts a local cloud with: folder, port, origins, address, parameters."""
    started: list[Any] = []

    @contextmanager
    def cloud(*arguments: Any) -> Iterator[Any]:
        started.extend(arguments)
        yield SimpleNamespace(base_url="http://127.0.0.1:8000", engine=SimpleNamespace(has_saved=True))

    monkeypatch.setattr(command, "local_cloud", cloud)
    monkeypatch.setattr(command, "wait_for_end", lambda *_: False)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(sys, "argv", ["make run", *options])
    assert command.main() == 0
    return started


def test_options_of_sign_in_become_parameters_of_the_application(monkeypatch: pytest.MonkeyPatch) -> None:
    options = [text for option, _, example in OPTIONS.values() for text in (option, example)]
    *_, base_url, parameters = started_with(monkeypatch, *options, "--base-url", "https://data.example.org")
    wanted = {parameter: example for _, parameter, example in OPTIONS.values()}
    assert base_url == "https://data.example.org"
    assert {name: parameters[name] for name in wanted} == wanted
    known = json.loads((ROOT / "infra" / "overlay.json").read_text(encoding="utf-8"))["Parameters"]
    assert parameters.keys() <= known.keys()


def test_an_option_that_is_not_given_is_left_to_the_template(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder, _, origins, base_url, parameters = started_with(monkeypatch, "--data-dir", str(tmp_path))
    assert (folder, origins, base_url) == (tmp_path, "", "")
    assert not parameters.keys() & {parameter for _, parameter, _ in OPTIONS.values()}


def test_make_passes_the_settings_on() -> None:
    settings = [f"{name}={example}" for name, (_, _, example) in OPTIONS.items()]
    arguments = ["make", "--dry-run", "run", *settings, "BASE_URL=https://data.example.org"]
    printed = subprocess.run(arguments, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    for option, _, example in OPTIONS.values():
        assert f"{option} '{example}'" in printed
    assert "--base-url 'https://data.example.org'" in printed
