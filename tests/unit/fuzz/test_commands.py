"""Tests hostile folders and servers: those that are stored are replayed, and a command that does wrong is found."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from tests.e2e.client import User
from tests.home.serving import served
from tools.fuzz import commands
from tools.fuzz.commands import (
    COMPARE,
    EXPORT,
    IMPORT,
    Case,
    Person,
    faults_of,
    mutated_files,
    server_of,
    store_case,
    stored_case,
)
from tools.fuzz.failures import FOLDER
from tools.fuzz.servers import ScriptedReply

STORED = sorted((FOLDER / commands.COMMANDS).glob("*.json"))
NOBODY = Person("http://127.0.0.1:9", "anna@example.org", "a-token")


@pytest.fixture(scope="module")
def person() -> Iterator[Person]:
    """Somebody with an account on a server in memory."""
    with served() as server:
        user = User(server.base_url)
        yield Person(server.base_url, user.email, str(user.token))


def test_there_are_folders_and_servers_to_replay() -> None:
    cases = [stored_case(path) for path in STORED]
    assert {case.command for case in cases} == {EXPORT, IMPORT, COMPARE}


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_a_command_stands_a_hostile_folder_or_server(person: Person, tmp_path: Path, path: Path) -> None:
    case = stored_case(path)
    with server_of(case, person.base_url) as address:
        assert faults_of(case, tmp_path / "case", Person(address, person.email, person.token)) == []


def fail(*_arguments: object) -> int:
    raise KeyError("a")


def print_an_escape(*_arguments: object) -> int:
    print("\x1b[2J", file=sys.stderr)
    return 1


def exit_strangely(*_arguments: object) -> int:
    return 7


def claim_success(*_arguments: object) -> int:
    return 0


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        (fail, "export: KeyError"),
        (print_an_escape, "export: control characters"),
        (exit_strangely, "export: exit code"),
        (claim_success, "export: half a folder"),
    ],
)
def test_a_command_that_does_wrong_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, wrong: Callable[..., int], fault: str
) -> None:
    monkeypatch.setattr(commands, "main", wrong)
    assert faults_of(Case(EXPORT, {}), tmp_path / "case", NOBODY) == [fault]


def test_a_command_that_writes_outside_its_folder_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def write(*_arguments: object) -> int:
        (tmp_path / "case" / "outside" / "secret").write_text("another")
        return 1

    monkeypatch.setattr(commands, "main", write)
    assert faults_of(Case(IMPORT, {}), tmp_path / "case", NOBODY) == ["import: files outside the folder"]


def test_a_stored_case_is_the_case(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(commands, "FOLDER", tmp_path)
    reply = ScriptedReply(200, (("Content-Type", "text/html"),), b"\xff\x00", 3)
    for case in (Case(IMPORT, {"a/b": b"\x00\xff", "c": b"link:../x"}), Case(EXPORT, {}, (reply, reply), True)):
        assert stored_case(store_case(case, [f"{case.command}: a fault"])) == case


def test_most_mutated_folders_still_have_a_manifest_that_fits() -> None:
    manifest = json.dumps({"files": {}}).encode()
    random = Random("a seed")  # noqa: S311  inputs of a test, no secret
    found = [mutated_files({"manifest.json": manifest, "a.json": b'{"a":1}'}, random) for _ in range(200)]
    fitting = [files for files in found if b'"sha256"' in files.get("manifest.json", b"")]
    assert 40 < len(fitting) < 200
