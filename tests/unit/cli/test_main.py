"""The command line: prompts, output and exit codes."""

import io
import subprocess
import sys
from pathlib import Path

import pytest

from strandline.cli.data_dir import default_data_dir
from strandline.cli.main import main
from strandline.cli.progress import Progress
from tools.packaging.application import SOURCES
from tools.project import ROOT

COMMANDS = [
    [],
    ["backup"],
    ["compare"],
    ["doctor"],
    ["export"],
    ["import"],
    ["nightscout-credential"],
    ["nightscout-credential", "add"],
    ["nightscout-credential", "list"],
    ["nightscout-credential", "revoke"],
    ["restore"],
    ["serve"],
    ["user"],
    ["user", "add"],
    ["user", "confirm"],
    ["user", "list"],
    ["user", "reset-password"],
]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_names_the_exit_codes(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main([*command, "--help"])
    assert end.value.code == 0
    assert "exit codes" in capsys.readouterr().out


def test_no_argument_takes_a_password(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["export", "--url", "http://127.0.0.1:9", "--user", "ada@example.org", "--password", "secret", "out"])
    assert "--password" in capsys.readouterr().err


def test_a_missing_password_without_a_terminal_is_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("STRANDLINE_PASSWORD", raising=False)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert main(["export", "--url", "http://127.0.0.1:9", "--user", "ada@example.org", str(tmp_path / "out")]) == 1
    assert "STRANDLINE_PASSWORD" in capsys.readouterr().err


def test_an_unreachable_server_is_a_one_line_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STRANDLINE_PASSWORD", "secret")
    assert main(["export", "--url", "http://127.0.0.1:9", "--user", "ada@example.org", str(tmp_path / "out")]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: http://127.0.0.1:9 does not respond to")
    assert "secret" not in line
    assert list(tmp_path.iterdir()) == []


class Terminal(io.StringIO):
    """A stream that claims to be a terminal."""

    def isatty(self) -> bool:
        """Always."""
        return True


def test_progress_is_a_bar_in_a_terminal_and_a_line_elsewhere() -> None:
    terminal, file = Terminal(), io.StringIO()
    for stream in (terminal, file):
        with Progress("data", 2, stream) as progress:
            progress.advance()
            progress.advance()
    assert file.getvalue() == "data: 2/2\n"
    assert terminal.getvalue().count("\r") == 3
    assert terminal.getvalue().endswith(f"{'█' * 28} 2/2\n")


def test_the_command_imports_the_standard_library_only() -> None:
    code = "import sys; sys.path.insert(0, '.'); import strandline.cli.main; print(*sys.modules)"
    modules = subprocess.check_output([sys.executable, "-I", "-S", "-c", code], cwd=ROOT, text=True).split()
    strange = {name.partition(".")[0] for name in modules} - sys.stdlib_module_names - {"strandline", "__main__"}
    assert strange == set()


def test_the_command_is_not_deployed() -> None:
    assert "app.py" in SOURCES
    assert not [name for name in SOURCES if name.startswith("strandline")]


def test_the_data_folder_is_where_the_system_keeps_the_data_of_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("HOME", "/home/anna")
    assert default_data_dir({}) == Path("/home/anna/.local/share/strandline")
    assert default_data_dir({"XDG_DATA_HOME": "/data"}) == Path("/data/strandline")
    monkeypatch.setattr("sys.platform", "win32")
    assert default_data_dir({"LOCALAPPDATA": "/local"}) == Path("/local/strandline")
