"""Installs the wheel as a user would: into a new environment, with an empty home and without the checkout."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.client import PASSWORD, Client, User
from tools.project import ROOT

PAGE = ROOT / "docs" / "testing-your-app.md"
MOST_S = 60
"""From nothing to the first reading that was read back."""
NOT_TO_BE_INSTALLED = {"app", "boto3", "botocore", "chalice", "chalicelib", "tests", "tools"}
INSTALLER_SETTINGS = ("PIP_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE")
"""Variables that say where a machine's packages come from, which is its own business."""


@dataclass(frozen=True, slots=True)
class Installed:
    """A wheel that was installed."""

    folder: Path
    started_s: float
    """Time at which its environment was begun, by the monotonic clock."""

    @property
    def environ(self) -> dict[str, str]:
        """The environment of a new user: a home, and the programs of the system."""
        kept = {name: value for name, value in os.environ.items() if name.upper().startswith(INSTALLER_SETTINGS)}
        path = f"{self.folder / 'venv' / 'bin'}:{os.defpath}"
        return kept | {"HOME": str(self.folder / "home"), "PATH": path, "STRANDLINE_PASSWORD": PASSWORD}

    def program(self, name: str) -> str:
        """A program of the environment."""
        return str(self.folder / "venv" / "bin" / name)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, in the home folder."""
        return subprocess.run(
            command,
            cwd=self.folder / "home",
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("installed")
    (folder / "home").mkdir()
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("*.whl")
    installed = Installed(folder, time.monotonic())
    for command in (
        [sys.executable, "-m", "venv", str(folder / "venv")],
        [installed.program("pip"), "install", "--quiet", "--disable-pip-version-check", str(wheel)],
    ):
        result = installed.run(*command)
        assert result.returncode == 0, result.stderr
    return installed


@pytest.fixture(scope="module")
def url(installed: Installed) -> Iterator[str]:
    """The address of the home server of the wheel, on a new folder in the home of the user."""
    with subprocess.Popen(
        [installed.program("strandline"), "serve", "--port", "0"],
        cwd=installed.folder / "home",
        env=installed.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            ready = next(line for line in process.stdout if line.startswith("ready: "))
            yield ready.removeprefix("ready: ").strip()
        finally:
            process.terminate()
            assert process.wait(30) == 0


def user_with_readings(url: str) -> User:
    """A new user with two readings."""
    user = User(url)
    data_set = user.open_data_set({"dataSetType": "continuous"})
    times = [f"2026-01-31T08:0{minute}:00Z" for minute in (0, 5)]
    readings = [{"type": "cbg", "time": time, "value": 119, "units": "mg/dL"} for time in times]
    user.add(f"/v1/data_sets/{data_set}/data", readings)
    return user


def test_from_nothing_to_the_first_reading_takes_less_than_a_minute(installed: Installed, url: str) -> None:
    readings = user_with_readings(url).records("?type=cbg")
    assert [reading["value"] for reading in readings] == [6.60539, 6.60539]
    assert time.monotonic() - installed.started_s < MOST_S


def test_nothing_else_reaches_the_environment(installed: Installed) -> None:
    (site_packages,) = installed.folder.glob("venv/lib/python3*/site-packages")
    names = {path.name.partition(".")[0] for path in site_packages.iterdir()}
    assert "strandline" in names
    assert names & NOT_TO_BE_INSTALLED == set()
    assert "chalice" not in {path.name for path in (installed.folder / "venv" / "bin").iterdir()}


def test_the_command_line_says_what_it_is(installed: Installed) -> None:
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version is not None
    assert installed.run(installed.program("strandline"), "--version").stdout == f"strandline {version[1]}\n"
    shown = installed.run(installed.program("strandline"), "--help").stdout
    assert {"serve", "test-server", "export", "import", "compare"} <= set(
        re.findall(r"^    ([a-z-]+)", shown, re.MULTILINE)
    )


def test_an_account_is_exported_imported_and_compared(installed: Installed, url: str) -> None:
    user, copy = user_with_readings(url), User(url)
    strandline = installed.program("strandline")
    for arguments in (
        ("export", "--url", url, "--user", user.email, "first"),
        ("import", "--url", url, "--user", copy.email, "first"),
        ("export", "--url", url, "--user", copy.email, "second"),
    ):
        result = installed.run(strandline, *arguments)
        assert result.returncode == 0, result.stderr
    assert installed.run(strandline, "compare", "first", "second").stdout == "equal\n"


def example(language: str) -> str:
    """The example of the page in a language, with which no other begins."""
    (block,) = re.findall(rf"^```{language}\n(?!pip )(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return str(block)


def test_the_example_for_pytest_passes(installed: Installed) -> None:
    result = installed.run(installed.program("pip"), "install", "--quiet", "--disable-pip-version-check", "pytest")
    assert result.returncode == 0, result.stderr
    (installed.folder / "home" / "test_sync.py").write_text(example("python"))
    result = installed.run(installed.program("pytest"), "-q", "-W", "error", "test_sync.py")
    assert "3 passed" in result.stdout, result.stdout


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node on the path, and this machine has none")
def test_the_example_for_javascript_passes(installed: Installed) -> None:
    (installed.folder / "home" / "sync.test.mjs").write_text(example("js"))
    result = installed.run("node", "--test")
    assert result.returncode == 0, result.stdout
    assert "# pass 2" in result.stdout, result.stdout


def test_the_example_for_curl_prints_the_data_of_a_new_user(installed: Installed) -> None:
    result = installed.run("sh", "-eu", "-c", example("sh"))
    assert (result.returncode, result.stdout) == (0, "[]"), result.stderr


def test_the_test_server_says_where_it_is(installed: Installed) -> None:
    command = [installed.program("strandline"), "test-server", "--port", "0", "--print-json"]
    with subprocess.Popen(
        command, env=installed.environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=installed.folder
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        started = json.loads(process.stdout.readline())
        assert Client(started["url"]).request("GET", "/status").status == 200
        process.stdin.close()
        assert process.wait(30) == 0
