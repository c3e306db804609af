"""The environments and their lock files."""

import re
import sys
from pathlib import Path

import pytest

from tools import environments
from tools.environments import (
    CLOUD,
    HOME,
    PROJECT,
    ROOT,
    Environment,
    SetupError,
    is_current,
    locked_versions,
    reason_of_failure,
    run_logged,
)

LOCKS = (
    "requirements.txt",
    "requirements-dev.txt",
    "requirements-home.txt",
    "requirements-ministack.txt",
    "requirements-checkov.txt",
)


def _environment(folder: Path) -> Environment:
    lock = folder / "lock.txt"
    lock.write_text("one==1.0 \\\n    --hash=sha256:00\n")
    environment = Environment(folder / "env", lock)
    environment.python.parent.mkdir(parents=True)
    environment.python.touch()
    return environment


def test_an_environment_is_current_until_its_lock_or_python_changes(tmp_path: Path) -> None:
    environment = _environment(tmp_path)
    assert not is_current(environment, (3, 13))
    environment.stamp.write_text(environments.wanted_stamp(environment, (3, 13)))
    assert is_current(environment, (3, 13))
    assert not is_current(environment, (3, 12))
    environment.lock.write_text("one==1.1\n")
    assert not is_current(environment, (3, 13))


def test_an_environment_that_was_removed_is_not_current(tmp_path: Path) -> None:
    environment = _environment(tmp_path)
    environment.stamp.write_text(environments.wanted_stamp(environment, (3, 13)))
    environment.python.unlink()
    assert not is_current(environment, (3, 13))


def test_a_failed_installation_is_one_sentence_with_the_last_error(tmp_path: Path) -> None:
    environment = _environment(tmp_path)
    script = "echo Collecting one; echo 'ERROR: no network'; echo 'note: more'; exit 1"
    with pytest.raises(SetupError, match="env could not be made: ERROR: no network") as raised:
        run_logged(["sh", "-c", script], environment)
    assert "\n" not in str(raised.value)
    assert "Collecting one" in environment.install_log.read_text()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "the disk is full"),
        ("OSError: [Errno 122] Disk quota exceeded", "the disk is full"),
        (
            "WARNING: Retrying (Retry(total=0)) after connection broken by 'ProxyError('Cannot connect to proxy.'",
            "offline",
        ),
        ("Failed to establish a new connection: [Errno -3] Temporary failure in name resolution", "offline"),
    ],
)
def test_a_full_disk_and_a_missing_network_are_told_apart(line: str, reason: str) -> None:
    told = reason_of_failure(f"Collecting one\n{line}\nERROR: No matching distribution found for one\n")
    assert reason in told
    assert line in told
    assert ("offline" in told) != ("disk" in told)


def test_any_other_failure_names_neither() -> None:
    told = reason_of_failure("Collecting one\nERROR: THESE PACKAGES DO NOT MATCH THE HASHES\nnote: more")
    assert told == "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES"


def test_pip_without_an_index_is_reported_as_offline(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--retries", "0", "--index-url", "http://127.0.0.1:9/simple"]
    with pytest.raises(SetupError, match="this machine is offline, or cannot reach the package index"):
        run_logged([*pip, "--target", str(tmp_path / "target"), "one"], _environment(tmp_path))


def test_a_successful_installation_leaves_no_log(tmp_path: Path) -> None:
    environment = _environment(tmp_path)
    run_logged(["sh", "-c", "echo done"], environment)
    assert not environment.install_log.exists()


@pytest.mark.parametrize("name", LOCKS)
def test_each_lock_pins_all_with_hashes_and_names_no_host(name: str) -> None:
    text = (ROOT / name).read_text()
    blocks = re.split(r"\n(?=\S)", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE).strip())
    assert len(blocks) == len(locked_versions(text)) > 4
    for block in blocks:
        assert re.match(r"[a-z0-9.-]+==\S+ \\\n", block), block
        assert "--hash=sha256:" in block
    assert "://" not in text


@pytest.mark.parametrize("name", LOCKS)
def test_each_lock_has_all_requirements(name: str) -> None:
    pins = locked_versions((ROOT / name).read_text())
    asked = (ROOT / name).with_suffix(".in").read_text()
    requirements = re.findall(r"^([A-Za-z][A-Za-z0-9_.-]*)(?:\[[^]]*\])?(?:==(\S+))?\s*$", asked, flags=re.MULTILINE)
    assert requirements
    for requirement, version in requirements:
        normal = re.sub(r"[-_.]+", "-", requirement).lower()
        assert normal in pins
        assert not version or pins[normal] == version


def test_development_package_and_home_server_have_the_same_versions() -> None:
    packaged = locked_versions((ROOT / "requirements.txt").read_text())
    served = locked_versions(HOME.lock.read_text())
    developed = locked_versions(PROJECT.lock.read_text())
    assert {name: developed.get(name) for name in packaged} == packaged
    assert {name: served.get(name) for name in packaged} == packaged
    assert {name: developed.get(name) for name in served} == served
    assert "boto3" not in packaged


def test_the_local_clouds_engine_is_pinned_by_hand() -> None:
    assert "ministack[full]==1.5.33" in CLOUD.lock.with_suffix(".in").read_text().splitlines()
