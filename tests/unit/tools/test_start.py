"""The choice of a Python: the first of the supported versions that really starts."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[3] / "tools"
START = TOOLS / "start.sh"

# Stands in for a Python of one version: it answers the question that start.sh asks, and says that it was chosen.
PYTHON = """#!/bin/sh
case "$*" in
    -c*'"%d.%d"'*{version}*) exit 0 ;;
    tools/environments.py*) echo "chosen: {version} $*" ;;
    *) exit 1 ;;
esac
"""
SHIM = "#!/bin/sh\necho 'version switcher: command not found' >&2\nexit 127\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "tools").mkdir()
    (tmp_path / "bin").mkdir()
    for name in ("start.sh", "python-versions"):
        shutil.copy(TOOLS / name, tmp_path / "tools" / name)
    return tmp_path


def _executable(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def _start(project: Path, *arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    search = f"{project / 'bin'}:/usr/bin:/bin"
    return subprocess.run(
        ["sh", str(project / "tools" / "start.sh"), *arguments],
        env={"PATH": search, "HOME": str(project / "home"), **environ},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_first_of_the_list_is_taken(project: Path) -> None:
    for version in ("3.12", "3.13", "3.14"):
        _executable(project / "bin" / f"python{version}", PYTHON.format(version=version))
    assert _start(project, "--cloud", "--run", "x").stdout == "chosen: 3.13 tools/environments.py --cloud --run x\n"


def test_one_version_is_found_on_request(project: Path) -> None:
    for version in ("3.13", "3.14"):
        _executable(project / "bin" / f"python{version}", PYTHON.format(version=version))
    found = _start(project, "--find", "3.14")
    assert (found.returncode, found.stdout) == (0, "python3.14\n")


def test_a_version_that_does_not_start_is_not_found(project: Path) -> None:
    _executable(project / "bin" / "python3.99", SHIM)
    found = _start(project, "--find", "3.99")
    assert (found.returncode, found.stdout) == (1, "")


def test_a_shim_that_fails_is_passed_over(project: Path) -> None:
    if any(Path(folder, "python3.13").exists() for folder in ("/usr/bin", "/usr/local/bin", "/opt/homebrew/bin")):
        pytest.skip("this machine has a Python 3.13 of its own, which is found first")
    _executable(project / "bin" / "python3.13", SHIM)
    _executable(project / "bin" / "python3", PYTHON.format(version="3.13"))
    assert _start(project).stdout == "chosen: 3.13 tools/environments.py\n"


def test_a_version_switchers_own_folder_is_searched(project: Path) -> None:
    _executable(project / "bin" / "python3.13", SHIM)
    _executable(project / "home" / ".pyenv" / "versions" / "3.13.7" / "bin" / "python", PYTHON.format(version="3.13"))
    assert _start(project).stdout.startswith("chosen: 3.13")


def test_the_environment_that_is_there_goes_first(project: Path) -> None:
    _executable(project / "bin" / "python3.13", PYTHON.format(version="3.13"))
    _executable(project / ".venv" / "bin" / "python", PYTHON.format(version="3.13") + "echo of the environment\n")
    assert _start(project).stdout.splitlines()[-1] == "of the environment"


def test_a_python_that_is_named_must_start(project: Path) -> None:
    _executable(project / "bin" / "broken", SHIM)
    result = _start(project, PYTHON=str(project / "bin" / "broken"))
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert "is not a Python 3.13, 3.14, 3.12 or 3.11 that starts" in result.stderr


def test_the_script_is_for_any_sh() -> None:
    shell = next(filter(None, (shutil.which(name) for name in ("dash", "sh"))))
    subprocess.run([shell, "-n", str(START)], check=True)
    assert os.access(START, os.R_OK)
