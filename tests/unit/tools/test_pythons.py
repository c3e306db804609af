"""The check on the oldest and the newest Python of a machine."""

from collections.abc import Collection
from pathlib import Path

import pytest

from tools import pythons
from tools.environments import PROJECT, ROOT, Environment, SetupError, supported_versions
from tools.pythons import IMPORT, Version, check_oldest_and_newest

SUPPORTED = [(3, 13), (3, 14), (3, 12), (3, 11)]
PYTHON = Path("python")


def outcome(there: Collection[Version], failing: Collection[Version] = ()) -> tuple[bool, list[str]]:
    """Whether the check passes on a machine with these versions, and what it says."""
    said: list[str] = []
    passed = check_oldest_and_newest(
        SUPPORTED,
        find=lambda version: PYTHON if version in there else None,
        check=lambda version, python: (False, "unit tests fail") if version in failing else (True, "9 passed"),
        say=said.append,
    )
    return passed, said


def test_the_oldest_and_the_newest_that_are_there_are_checked_and_all_are_listed() -> None:
    assert outcome([(3, 11), (3, 12), (3, 13)]) == (
        True,
        [
            "Python 3.11: 9 passed",
            "Python 3.12: on this machine, not checked: neither the oldest nor the newest",
            "Python 3.13: 9 passed",
            "Python 3.14: not on this machine",
        ],
    )


def test_the_only_one_is_checked_once() -> None:
    passed, said = outcome([(3, 12)])
    assert passed
    assert said.count("Python 3.12: 9 passed") == 1


@pytest.mark.parametrize("failing", [(3, 11), (3, 14)])
def test_the_check_fails_if_a_version_fails(failing: Version) -> None:
    passed, said = outcome([(3, 11), (3, 14)], [failing])
    assert not passed
    assert f"Python 3.{failing[1]}: unit tests fail" in said


def test_the_check_fails_where_there_is_no_python() -> None:
    assert outcome([]) == (False, [f"Python 3.{minor}: not on this machine" for minor in (11, 12, 13, 14)])


def test_an_application_that_cannot_be_imported_fails(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(pythons, "environment_of", lambda version, python: PROJECT)
    monkeypatch.setattr(pythons, "IMPORT", (*IMPORT[:-1], "import no_such_module"))
    assert pythons.check((3, 13), PYTHON) == (False, "the application cannot be imported")
    assert "No module named 'no_such_module'" in capfd.readouterr().err


def test_the_unit_tests_run_on_a_version_that_make_test_does_not_use(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    another = Environment(PROJECT.folder, Path("another lock"))
    monkeypatch.setattr(pythons, "environment_of", lambda version, python: another)
    monkeypatch.setattr(pythons, "UNIT_TESTS", ("-c", "print('== 9 passed ==')"))
    assert pythons.check((3, 11), PYTHON) == (True, "the application can be imported, 9 passed")
    monkeypatch.setattr(pythons, "UNIT_TESTS", ("-c", "import sys; sys.exit('1 failed')"))
    assert pythons.check((3, 11), PYTHON) == (False, "unit tests fail")
    assert "1 failed" in capfd.readouterr().err


def test_the_unit_tests_of_the_version_of_make_test_do_not_run_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pythons, "environment_of", lambda version, python: PROJECT)
    monkeypatch.setattr(pythons, "UNIT_TESTS", ("-c", "import sys; sys.exit('they ran')"))
    assert pythons.check((3, 13), PYTHON) == (True, "the application can be imported, `make test` tests it")


def test_an_environment_that_cannot_be_made_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(version: Version, python: Path) -> None:
        raise SetupError("3.11 could not be made")

    monkeypatch.setattr(pythons, "environment_of", fail)
    assert pythons.check((3, 11), PYTHON) == (False, "3.11 could not be made")


def test_a_version_that_no_machine_has_is_not_found() -> None:
    assert pythons.find_python((3, 99)) is None


def test_the_project_says_the_same_of_the_oldest() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    oldest = min(supported_versions())
    assert f'requires-python = ">={oldest[0]}.{oldest[1]}"' in text
    assert f'target-version = "py{oldest[0]}{oldest[1]}"' in text
    assert f'python_version = "{oldest[0]}.{oldest[1]}"' in text
