"""The command line against hostile servers and folders: it ends with a line, and touches nothing else."""

import base64
import hashlib
import io
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

from strandline.cli.commands.signing_in import PASSWORD_VARIABLE
from strandline.cli.exit_codes import DONE, FAILED, INCOMPLETE
from strandline.cli.folder import MANIFEST
from strandline.cli.main import main
from tools.fuzz.failures import FOLDER, Summary
from tools.fuzz.mutations import hostile_value, mutated, mutated_text
from tools.fuzz.people import PASSWORD, World
from tools.fuzz.sending import Limit
from tools.fuzz.servers import ScriptedReply, mutating_server, scripted_server
from tools.project import ToolError

COMMANDS = "commands"
LONGEST_S = 60
SIGNED_IN = 0.1
"""The share of commands that sign in with a password, which costs more time than all the rest of a command."""
LINK = "link:"
"""The beginning of the text that stands for a symbolic link in a stored folder."""
EXPORT, IMPORT, COMPARE = "export", "import", "compare"


@dataclass(frozen=True, slots=True)
class Case:
    """A run of the command line: a folder, and the replies of a server if it asks a hostile one."""

    command: str
    files: Mapping[str, bytes]
    """The folder that is imported or compared, by path; a symbolic link as a text that begins with `link:`."""
    replies: tuple[ScriptedReply, ...] | None = None
    """The replies of the server in order; None for a real one."""
    signs_in: bool = False
    """True if the command signs in with a password; it has a token otherwise."""


@dataclass(frozen=True, slots=True)
class Person:
    """The account that a command uses."""

    base_url: str
    email: str
    token: str


def run_commands(base_url: str, world: World, folder: Path, seed: str, limit: Limit) -> Summary:
    """Try hostile folders and servers until the limit, and store those at which a command fails.

    Raises:
        ToolError: the account of the run cannot be exported.
    """
    random = Random(seed)  # noqa: S311  inputs of a test, no secret
    good = folder / "good"
    owner = Person(base_url, world.owner_email, world.owner_token)
    code, printed = run_command([EXPORT, "--url", base_url, "--user", owner.email, str(good)])
    if code != DONE:
        raise ToolError(f"the account of this run cannot be exported: {printed}")
    files = {path.relative_to(good).as_posix(): path.read_bytes() for path in sorted(good.rglob("*")) if path.is_file()}
    failed: dict[Path, None] = {}
    count = 0
    for number in limit.until():
        count = number + 1
        command = random.choice((EXPORT, EXPORT, IMPORT, IMPORT, IMPORT, COMPARE))
        signs_in = random.random() < SIGNED_IN
        if command == EXPORT or (command == IMPORT and random.random() < 0.4):
            with mutating_server(base_url, random) as server:
                case = Case(command, files if command == IMPORT else {}, None, signs_in)
                faults = faults_of(case, folder / "case", replace(owner, base_url=server.base_url))
                case = replace(case, replies=tuple(server.replies))
        else:
            case = Case(command, mutated_files(files, random), None, signs_in)
            faults = faults_of(case, folder / "case", owner)
        if faults:
            failed[store_case(case, faults)] = None
    return Summary(COMMANDS, count, 0, tuple(failed))


def faults_of(case: Case, folder: Path, person: Person) -> list[str]:
    """The kinds of faults of a command in a new folder."""
    shutil.rmtree(folder, ignore_errors=True)
    outside, source, target = folder / "outside", folder / "source", folder / "target"
    outside.mkdir(parents=True)
    (outside / "secret").write_bytes(b"a secret")
    _write_files(source, case.files)
    account = ["--url", person.base_url, "--user", person.email]
    if not case.signs_in:
        (folder / "token").write_text(person.token)
        account += ["--token-file", str(folder / "token")]
    arguments = {
        EXPORT: [EXPORT, *account, str(target)],
        IMPORT: [IMPORT, *account, str(source)],
        COMPARE: [COMPARE, str(source), str(source)],
    }[case.command]
    began_s = time.monotonic()
    try:
        code, printed = run_command(arguments)
    except Exception as error:  # noqa: BLE001  any that leaves the command is a fault
        return [f"{case.command}: {type(error).__name__}"]
    took_s = time.monotonic() - began_s
    is_whole = case.command != EXPORT or (target / MANIFEST).exists() == (code == DONE)
    checks = {
        "exit code": code in (DONE, FAILED, INCOMPLETE),
        "control characters": all(line.isprintable() for line in printed.split("\n")),
        "half a folder": is_whole,
        "files outside the folder": {path.name: path.read_bytes() for path in outside.iterdir()}
        == {"secret": b"a secret"},
        "too slow": took_s < LONGEST_S,
    }
    return [f"{case.command}: {fault}" for fault, is_right in checks.items() if not is_right]


def run_command(arguments: list[str]) -> tuple[int, str]:
    """The exit code of a command line, and what it printed. It does not wait before it repeats a request."""
    printed = io.StringIO()
    before = os.environ.get(PASSWORD_VARIABLE)
    os.environ[PASSWORD_VARIABLE] = PASSWORD
    try:
        with redirect_stdout(printed), redirect_stderr(printed), patch("strandline.cli.server.time.sleep"):
            return main(arguments), printed.getvalue()
    finally:
        os.environ.pop(PASSWORD_VARIABLE)
        if before is not None:
            os.environ[PASSWORD_VARIABLE] = before


def mutated_files(files: Mapping[str, bytes], random: Random) -> dict[str, bytes]:
    """An export in which some files are changed; most of the time, its manifest fits them."""
    changed = dict(files)
    for name in random.sample(sorted(changed), min(len(changed), random.choice((1, 1, 2, 3)))):
        kind = random.randrange(8)
        if kind == 0:
            del changed[name]
        elif kind == 1:
            changed[name] = f"{LINK}{random.choice(('../outside/secret', '/etc/passwd', '.', name))}".encode()
        elif kind == 2:
            changed[f"{name}{random.choice(('.x', 'l', '/a'))}"] = changed.pop(name)
        elif kind < 6:
            changed[name] = _mutated_json(changed[name], random)
        else:
            changed[name] = mutated_text(changed[name], random)
    if random.random() < 0.8 and MANIFEST in changed:
        changed[MANIFEST] = _fitting_manifest(changed)
    return changed


def store_case(case: Case, faults: list[str]) -> Path:
    """The file of a case: one for each kind of fault and command."""
    stored = {
        "command": case.command,
        "faults": faults,
        "signs_in": case.signs_in,
        "files": {name: base64.b64encode(content).decode() for name, content in case.files.items()},
        "replies": None if case.replies is None else [reply.stored() for reply in case.replies],
    }
    digest = hashlib.sha256(json.dumps(faults).encode()).hexdigest()[:12]
    path = FOLDER / COMMANDS / f"{case.command}-{digest}.json"
    path.parent.mkdir(exist_ok=True)
    if not path.exists():
        path.write_text(json.dumps(stored, indent=2) + "\n", encoding="utf-8")
    return path


def stored_case(path: Path) -> Case:
    """The case of a file."""
    stored = json.loads(path.read_text(encoding="utf-8"))
    files = {name: base64.b64decode(content) for name, content in stored["files"].items()}
    replies = stored["replies"]
    scripted = None if replies is None else tuple(ScriptedReply.of_stored(reply) for reply in replies)
    return Case(stored["command"], files, scripted, stored["signs_in"])


@contextmanager
def server_of(case: Case, base_url: str) -> Iterator[str]:
    """The address of the server that a stored case asks: one that repeats its replies, or a real one."""
    if case.replies is None:
        yield base_url
        return
    with scripted_server(case.replies) as address:
        yield address


def _mutated_json(content: bytes, random: Random) -> bytes:
    """JSON with another value in some place: of the whole, or of one line."""
    lines = content.splitlines() if content.count(b"\n{") else [content]
    place = random.randrange(len(lines)) if lines else 0
    try:
        lines[place] = json.dumps(mutated(json.loads(lines[place]), random)).encode()
    except (ValueError, IndexError):
        return json.dumps(hostile_value(random)).encode()
    return b"\n".join([*lines, b""])


def _fitting_manifest(files: Mapping[str, bytes]) -> bytes:
    """The manifest with the sizes and digests of the files as they are; as it is, if it cannot be read any more."""
    try:
        manifest: Any = json.loads(files[MANIFEST])
    except (ValueError, RecursionError):
        return files[MANIFEST]
    if isinstance(manifest, dict) and isinstance(manifest.get("files"), dict):
        manifest["files"] = {
            name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in files.items()
            if name != MANIFEST and not content.startswith(LINK.encode())
        }
    return json.dumps(manifest).encode()


def _write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    folder.mkdir(parents=True)
    for name, content in files.items():
        path = folder / name
        if path.parent.is_file():  # a file has the name of this one's folder
            path.parent.unlink()
        path.parent.mkdir(parents=True, exist_ok=True)
        if content.startswith(LINK.encode()):
            path.symlink_to(content.decode().removeprefix(LINK))
        else:
            path.write_bytes(content)
