"""Imports the application and runs the unit tests on the oldest and the newest supported Python that this machine has.

    python -m tools.pythons

Prints a line for each supported version: what ran, or why nothing did. Fails if the import or a test fails. The
environments lie in build/pythons and follow the project's lock file. On the version of .venv, `make test` runs them.
"""

import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from tools.environments import PROJECT, ROOT, Environment, SetupError, is_current, make, only_one, supported_versions

Version = tuple[int, int]

FOLDER = ROOT / "build" / "pythons"
IMPORT = ("-W", "error", "-c", "import app")
UNIT_TESTS = ("-m", "pytest", "-n", "auto", "-p", "no:cacheprovider", "tests/unit")


def find_python(version: Version) -> Path | None:
    """The interpreter of this version that tools/start.sh finds; None if none starts."""
    command = ["sh", str(ROOT / "tools" / "start.sh"), "--find", _text(version)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return Path(found.stdout.strip()) if found.returncode == 0 else None


def environment_of(version: Version, python: Path) -> Environment:
    """The project's environment for this version, made if it is missing.

    Raises:
        SetupError: it cannot be made.
    """
    if is_current(PROJECT, version):
        return PROJECT
    environment = Environment(FOLDER / _text(version), PROJECT.lock)
    if not is_current(environment, version):
        FOLDER.mkdir(parents=True, exist_ok=True)
        with only_one():
            make(environment, python, version)
    return environment


def check(version: Version, python: Path) -> tuple[bool, str]:
    """Whether the application can be imported and its unit tests pass on this version, and what to say of it."""
    try:
        environment = environment_of(version, python)
    except SetupError as error:
        return False, str(error)
    checks: list[tuple[tuple[str, ...], str]] = [(IMPORT, "the application cannot be imported")]
    if environment != PROJECT:
        checks.append((UNIT_TESTS, "unit tests fail"))
    for arguments, failure in checks:
        run = subprocess.run([environment.python, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
        if run.returncode != 0:
            print(run.stdout + run.stderr, file=sys.stderr)
            return False, failure
    tested = "`make test` tests it" if environment == PROJECT else run.stdout.strip().splitlines()[-1].strip("= ")
    return True, f"the application can be imported, {tested}"


def check_oldest_and_newest(
    versions: Iterable[Version],
    find: Callable[[Version], Path | None] = find_python,
    check: Callable[[Version, Path], tuple[bool, str]] = check,
    say: Callable[[str], None] = print,
) -> bool:
    """Check the oldest and the newest of these versions that are found, and say a line for each version.

    Returns:
        Whether at least one version was found and all checks passed.
    """
    found = {version: python for version in sorted(versions) if (python := find(version)) is not None}
    passed = bool(found)
    for version in sorted(versions):
        if version not in found:
            result = "not on this machine"
        elif version not in (min(found), max(found)):
            result = "on this machine, not checked: neither the oldest nor the newest"
        else:
            ok, result = check(version, found[version])
            passed = passed and ok
        say(f"Python {_text(version)}: {result}")
    return passed


def _text(version: Version) -> str:
    return f"{version[0]}.{version[1]}"


if __name__ == "__main__":
    sys.exit(not check_oldest_and_newest(supported_versions()))
