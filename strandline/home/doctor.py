"""Examines a data folder, and changes nothing in it. A server may run on it meanwhile.

The server may write between two reads of an examination, so the doctor looks at a fault again before it reports it.
"""

import hashlib
import os
import platform
import shutil
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

import orjson

from chalicelib.blobs.blob import Blob, BlobKind, kind_and_id
from chalicelib.blobs.ports import BlobPorts
from chalicelib.engine.embedded.database import FORMAT_VERSION, SQLITE_VERSION
from chalicelib.engine.embedded.engine import EmbeddedEngine, embedded_engine
from chalicelib.engine.embedded.errors import FolderError
from chalicelib.engine.embedded.folder import DATABASE_NAME, OBJECTS_FOLDER, SECRETS_FOLDER
from chalicelib.engine.embedded.snapshots import (
    MAX_FAULTS,
    database_faults,
    message_counts,
    newest_time_ms,
    object_files,
    removed_files,
)
from chalicelib.errors import UnavailableError
from chalicelib.log.documents_owner import documents_owner_id
from chalicelib.services import build_services, system_now_ms
from chalicelib.tiles.verify import check_tiles
from chalicelib.tiles.whole_logs import LogIncompleteError
from strandline.cli.sizes import size
from strandline.home.archive import PART_BYTES
from strandline.home.backup import Steps
from strandline.home.opening import HOME, Home
from strandline.home.users import UserSummary, list_users

OLDEST_NOW_MS = 1_790_000_000_000
"""September 2026: a clock that is earlier is wrong."""
CLOCK_TOLERANCE_MS = 60_000
DELETION_S = 2.0
"""Longest time of a deletion that removes the content of a blob and then the blob."""
STRAY_AFTER_S = 24 * 3600
"""From this age on, a file without an object is not one that is being written."""
LITTLE_SPACE_BYTES = 1_000_000_000
NO_SPACE_BYTES = 100_000_000


class Level(StrEnum):
    """The severity of a finding."""

    OK = "ok"
    WARNING = "warning"
    """Nothing is lost, but somebody should look at it."""
    ERROR = "error"
    """Something is lost, or will be."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check, or one of its faults."""

    level: Level
    check: str
    detail: str


def examine(data_dir: Path, steps: Steps, now_ms: Callable[[], int] = system_now_ms) -> Iterator[Finding]:
    """The findings of all checks, one after the other as they are made. Each check has at least one."""
    yield Finding(
        Level.OK,
        "versions",
        f"Python {platform.python_version()}, SQLite {SQLITE_VERSION}, data folder {FORMAT_VERSION}",
    )
    try:
        engine = embedded_engine(data_dir, now_ms, read_only=True)
    except (FolderError, UnavailableError, RuntimeError) as error:
        yield Finding(Level.ERROR, "folder", str(error))
        return
    try:
        home = Home(data_dir, engine, HOME, build_services(HOME, engine))
        checks = {
            "database": lambda: _check_database(home),
            "objects": lambda: _check_objects(home, steps),
            "blobs": lambda: _check_blobs(home, steps),
            "tiles": lambda: _check_tiles(home, steps),
            "queues": lambda: _check_queues(home),
            "secrets": lambda: _check_secrets(data_dir),
            "modes": lambda: _check_modes(data_dir),
            "space": lambda: _check_space(data_dir),
            "clock": lambda: _check_clock(home, now_ms()),
        }
        for name, check in checks.items():
            yield from _findings(name, check)
    finally:
        engine.close()


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The faults that a check found, and the text that is shown if there are none."""

    in_order: str
    errors: Iterable[str] = ()
    warnings: Iterable[str] = ()


def _findings(name: str, check: Callable[[], CheckResult]) -> Iterator[Finding]:
    """The findings of one check, of which a damaged database or disk is one."""
    try:
        result = check()
    except (UnavailableError, RuntimeError, OSError, LookupError, ValueError) as error:
        yield Finding(Level.ERROR, name, f"cannot be examined: {error or type(error).__name__}")
        return
    faults = [
        *(Finding(Level.ERROR, name, text) for text in _at_most(list(result.errors))),
        *(Finding(Level.WARNING, name, text) for text in _at_most(list(result.warnings))),
    ]
    yield from faults or [Finding(Level.OK, name, result.in_order)]


def _at_most(texts: list[str]) -> list[str]:
    left = len(texts) - MAX_FAULTS
    return texts if left <= 0 else [*texts[:MAX_FAULTS], f"and {left} more"]


def _check_database(home: Home) -> CheckResult:
    with home.engine.database.reading() as connection:
        faults = database_faults(connection)
    size_bytes = (home.data_dir / DATABASE_NAME).stat().st_size
    return CheckResult(
        f"{size(size_bytes)} without a fault", errors=[f"{fault}; restore the last backup" for fault in faults]
    )


def _check_objects(home: Home, steps: Steps) -> CheckResult:
    """Compare each object with its file, byte for byte, and find the files without objects."""
    folder = home.data_dir / OBJECTS_FOLDER
    with home.engine.database.reading() as connection:
        stored = list(object_files(connection))
    errors, total_bytes = [], 0
    with steps("objects", len(stored)) as step:
        for item in stored:
            fault = _file_fault(folder / item.file, item.size_bytes, item.md5_hex)
            if fault and _is_object(home.engine, item.file):
                errors.append(f"the file {item.file} of the object {item.key} {fault}")
            total_bytes += item.size_bytes
            step.advance()
    strays = [f"the file {name} has no object; the server removes it" for name in _stray_files(home)]
    return CheckResult(f"{len(stored)} with {size(total_bytes)}, each as it was stored", errors=errors, warnings=strays)


def _file_fault(path: Path, size_bytes: int, md5_hex: str) -> str | None:
    md5 = hashlib.md5(usedforsecurity=False)
    try:
        with path.open("rb") as content:
            while part := content.read(PART_BYTES):
                md5.update(part)
            found_bytes = content.tell()
    except FileNotFoundError:
        return "is missing"
    if found_bytes != size_bytes:
        return f"has {found_bytes} bytes instead of {size_bytes}"
    return None if md5.hexdigest() == md5_hex else "is not what was stored"


def _is_object(engine: EmbeddedEngine, file: str) -> bool:
    """Whether the file is still that of an object, which may have been deleted meanwhile."""
    with engine.database.reading() as connection:
        return any(stored.file == file for stored in object_files(connection))


def _stray_files(home: Home) -> list[str]:
    names = {path.name: found.st_mtime for path, found in _present((home.data_dir / OBJECTS_FOLDER).iterdir())}
    with home.engine.database.reading() as connection:
        known = {stored.file for stored in object_files(connection)} | removed_files(connection)
    oldest_s = time.time() - STRAY_AFTER_S
    return sorted(name for name, changed_s in names.items() if name not in known and changed_s < oldest_s)


def _present(paths: Iterable[Path]) -> Iterator[tuple[Path, os.stat_result]]:
    """The paths with their state. A server renames and removes files meanwhile; those are left out."""
    for path in paths:
        try:
            found = path.stat()
        except FileNotFoundError:
            continue
        yield path, found


def _check_blobs(home: Home, steps: Steps) -> CheckResult:
    """Find blobs and device logs without their content, and contents without their blob."""
    ports = home.services.blobs
    users = list_users(home)
    count = 0
    lacking: list[tuple[BlobKind, Blob]] = []
    with steps("blobs", len(users)) as step:
        for user in users:
            for kind, blob in _blobs_of(user, ports):
                count += 1
                if blob.is_available and ports.contents.describe(blob.content_key) is None:
                    lacking.append((kind, blob))
            step.advance()
    if lacking:
        time.sleep(DELETION_S)
    errors = [
        f"{blob.content_key} has no content" for kind, blob in lacking if ports.blobs.find(kind, blob.id) is not None
    ]
    keys = [key for kind in BlobKind for key in home.engine.objects.keys(f"{kind}/")]
    strays = []
    for key in keys:
        identity = kind_and_id(key)
        if (identity is None or ports.blobs.find(*identity) is None) and ports.contents.describe(key) is not None:
            strays.append(f"the content {key} belongs to no blob")
    return CheckResult(f"{count} blobs and device logs, each with its content", errors=errors, warnings=strays)


def _blobs_of(user: UserSummary, ports: BlobPorts) -> Iterator[tuple[BlobKind, Blob]]:
    for kind in BlobKind:
        for blob in ports.blobs.of_user(kind, user.account.user_id):
            yield kind, blob


def _check_tiles(home: Home, steps: Steps) -> CheckResult:
    """Compare the tiles of all users, of their data and of their documents, with a fold of their logs."""
    users = list_users(home)
    tiles, errors = 0, []
    behind = set()
    with steps("tiles", len(users)) as step:
        for user in users:
            user_id = user.account.user_id
            for owner_id in (user_id, documents_owner_id(user_id)):
                try:
                    check = check_tiles(owner_id, home.services.tiles)
                except LogIncompleteError as error:
                    errors.append(f"the archive of {owner_id} lacks entries of data set {error}")
                    continue
                tiles += check.tiles
                if check.is_behind:
                    behind.add(user_id)
                errors += [
                    f"{owner_id}/{key.type}/{key.day} is not what the log says; the task strandline.data.rebuild makes "
                    "it again"
                    for key in check.wrong
                ]
            step.advance()
    later = f", those of {len(behind)} users only after the next compaction" if behind else ""
    return CheckResult(f"{tiles} of {len(users)} users, each as the log says{later}", errors=errors)


def _check_queues(home: Home) -> CheckResult:
    with home.engine.database.reading() as connection:
        counts = message_counts(connection)
    failures = [
        f"{count} messages in {name}: their work failed each time"
        for name, count in counts.items()
        if name.endswith("-failures")
    ]
    return CheckResult(f"{sum(counts.values())} messages, none of which failed for good", warnings=failures)


def _check_secrets(data_dir: Path) -> CheckResult:
    paths = sorted((data_dir / SECRETS_FOLDER).glob("*.json"))
    errors = [f"the file {path.name} is damaged" for path in paths if not _is_secret(path)]
    return CheckResult(f"{len(paths)}, each readable", errors=errors)


def _is_secret(path: Path) -> bool:
    try:
        content = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError:
        return False
    return isinstance(content, dict) and isinstance(content.get("text"), str) and isinstance(content.get("id"), str)


def _check_modes(data_dir: Path) -> CheckResult:
    """Find files and folders that other users of the machine could read."""
    if os.name == "nt":
        return CheckResult("not examined on Windows")
    paths = [data_dir, *(data_dir / name for name in (DATABASE_NAME, OBJECTS_FOLDER, SECRETS_FOLDER))]
    paths += (data_dir / SECRETS_FOLDER).iterdir()
    open_paths = [path for path, found in _present(paths) if stat.S_IMODE(found.st_mode) & 0o077]
    warnings = [f"other users may read {path}: chmod {700 if path.is_dir() else 600}" for path in open_paths]
    return CheckResult("only the owner reads the folder and the secrets", warnings=warnings)


def _check_space(data_dir: Path) -> CheckResult:
    free_bytes = shutil.disk_usage(data_dir).free
    database_bytes = (data_dir / DATABASE_NAME).stat().st_size
    text = f"{size(free_bytes)} left"
    if free_bytes < NO_SPACE_BYTES:
        return CheckResult(text, errors=[f"{text}: the server will soon refuse to store data"])
    if free_bytes < max(LITTLE_SPACE_BYTES, database_bytes):
        return CheckResult(text, warnings=[text])
    return CheckResult(text)


def _check_clock(home: Home, now_ms: int) -> CheckResult:
    """Compare the clock with the newest time in the folder."""
    text = datetime.fromtimestamp(now_ms // 1000, UTC).isoformat().replace("+00:00", "Z")
    with home.engine.database.reading() as connection:
        newest_ms = newest_time_ms(connection)
    newest_ms = max([newest_ms, *(_newest_ms(user) for user in list_users(home))])
    if now_ms < OLDEST_NOW_MS:
        return CheckResult(text, errors=[f"{text} is in the past: set the clock of this machine"])
    if newest_ms > now_ms + CLOCK_TOLERANCE_MS:
        behind_s = (newest_ms - now_ms) // 1000
        return CheckResult(text, warnings=[f"{text} is {behind_s} s before the newest data: the clock was set back"])
    return CheckResult(text)


def _newest_ms(user: UserSummary) -> int:
    return max(user.account.created_time_ms, user.last_data_ms or 0)


def worst(findings: Iterable[Finding]) -> Level:
    """The worst level of some findings."""
    levels = {finding.level for finding in findings}
    return next((level for level in (Level.ERROR, Level.WARNING) if level in levels), Level.OK)
