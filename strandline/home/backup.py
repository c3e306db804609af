"""A backup of a data folder in one file, made while the server runs (docs/adr/0012).

The files of objects are held first, so that none is removed, and then the database is copied. So each object of the
copy has its file, whatever is written or deleted meanwhile.
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from chalicelib.engine.embedded.database import Database
from chalicelib.engine.embedded.errors import FolderError, is_full
from chalicelib.engine.embedded.folder import (
    DATABASE_NAME,
    OBJECTS_FOLDER,
    SECRETS_FOLDER,
    sync_file,
    sync_folder,
)
from chalicelib.engine.embedded.snapshots import ObjectFile, database_faults, object_files, open_snapshot, take_snapshot
from chalicelib.errors import NoSpaceError, UnavailableError
from strandline.cli.errors import CommandError
from strandline.home.archive import PART_BYTES, ArchiveWriter, Manifest, read_archive
from strandline.home.opening import Home

HOLD_S = 6 * 3600
"""Longest time that files are held, if the process dies. A backup that takes longer may fail, and says so."""


class Advancing(Protocol):
    """A step that counts what is done."""

    def advance(self, count: int = 1) -> None:
        """Count more as done."""


Steps = Callable[[str, int], AbstractContextManager[Advancing]]
"""Shows a step, by its name and how much there is to do."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was written or restored."""

    manifest: Manifest
    size_bytes: int

    @property
    def is_whole(self) -> bool:
        """Whether the data folder had all of its objects as they were stored."""
        return not self.manifest.missing and not self.manifest.damaged


def back_up(home: Home, file: Path, steps: Steps) -> Backup:
    """Write a backup, and read it again to see that it is whole.

    The file appears under its name when all of it is on the disk. Objects whose files are missing or damaged are named
    in it, and do not keep the rest from being saved.

    Raises:
        CommandError: the file exists or lies in the data folder, its disk is full, or the database is damaged; nothing
            is left behind.
    """
    _require_place(home, file)
    partial, copy = file.with_name(f"{file.name}.partial"), file.with_name(f"{file.name}.partial.db")
    try:
        with _problems(home, file), _removed_at_the_end(partial, copy):
            with _files_held(home):
                with steps("database", 1) as step:
                    _create(copy).close()
                    take_snapshot(home.engine.database, copy)
                    step.advance()
                with open_snapshot(copy) as snapshot, _create(partial) as archive:
                    members = _write(home, snapshot, copy, archive, steps)
            backup = _verify(partial, members, steps)
            if file.exists():
                raise CommandError(f"the file {file} exists by now: name another one.")
            partial.replace(file)
            sync_folder(file.absolute().parent)
            return backup
    except FolderError as error:
        raise CommandError(str(error)) from error


@contextmanager
def _files_held(home: Home) -> Iterator[None]:
    """Hold the files of objects during the block, unless the disk is so full that not even this can be noted.

    Without a hold, a file stays for a minute after its object. If that is too short, the backup names what it lacks.
    """
    hold = home.engine.objects.hold_files(HOLD_S)
    try:
        hold.__enter__()
    except NoSpaceError:
        yield
        return
    try:
        yield
    finally:
        with suppress(UnavailableError):  # the hold ends by itself
            hold.__exit__(None, None, None)


def _require_place(home: Home, file: Path) -> None:
    if file.exists() or file.is_symlink():
        raise CommandError(f"the file {file} exists: name another one.")
    folder = file.absolute().parent
    if not folder.is_dir():
        raise CommandError(f"there is no folder {folder}.")
    if folder.resolve().is_relative_to(home.data_dir.resolve()):
        raise CommandError(
            f"the file {file} would lie in the data folder itself: name a place outside, on another disk."
        )


def _write(home: Home, snapshot: Database, copy: Path, archive: BinaryIO, steps: Steps) -> int:
    """Write the archive of a snapshot, and return when it is on the disk.

    Returns:
        The number of its members, beside the description.
    """
    with snapshot.reading() as connection:
        if database_faults(connection):
            raise CommandError(f"the database of {home.data_dir} is damaged; `strandline doctor` says more.")
        files = list(object_files(connection))
    writer = ArchiveWriter(archive)
    database_bytes = copy.stat().st_size
    with copy.open("rb") as content:
        writer.add(DATABASE_NAME, database_bytes, _parts(content))
    secrets = _add_secrets(writer, home.data_dir / SECRETS_FOLDER)
    missing, damaged = _add_objects(writer, files, home.data_dir / OBJECTS_FOLDER, steps)
    writer.finish(
        Manifest(
            created_ms=home.services.now_ms(),
            database_bytes=database_bytes,
            secrets=secrets,
            objects=len(files) - len(missing),
            missing=tuple(missing),
            damaged=tuple(damaged),
            sha256=writer.sha256,
        )
    )
    archive.flush()
    sync_file(archive.fileno())
    return 1 + secrets + len(files) - len(missing)


def _add_secrets(writer: ArchiveWriter, folder: Path) -> int:
    """Add the files of the secrets. Returns their number."""
    files = sorted(folder.glob("*.json"), key=lambda path: path.name)
    for path in files:
        secret = path.read_bytes()
        writer.add(f"{SECRETS_FOLDER}/{path.name}", len(secret), iter([secret]))
    return len(files)


def _add_objects(
    writer: ArchiveWriter, files: Sequence[ObjectFile], folder: Path, steps: Steps
) -> tuple[list[str], list[str]]:
    """Add the files of the objects. Returns the names of those that are missing, and of those that are damaged."""
    missing: list[str] = []
    damaged: list[str] = []
    with steps("objects", len(files)) as step:
        for stored in files:
            is_right = _add_object(writer, stored, folder / stored.file)
            if is_right is None:
                missing.append(stored.file)
            elif not is_right:
                damaged.append(stored.file)
            step.advance()
    return missing, damaged


def _add_object(writer: ArchiveWriter, stored: ObjectFile, file: Path) -> bool | None:
    """Add the file of an object. Returns whether it is what was stored; None if there is no file."""
    try:
        with file.open("rb") as content:
            return _add_content(writer, stored, content)
    except FileNotFoundError:
        return None


def _add_content(writer: ArchiveWriter, stored: ObjectFile, content: BinaryIO) -> bool:
    md5 = hashlib.md5(usedforsecurity=False)

    def hashed() -> Iterator[bytes]:
        for part in _parts(content):
            md5.update(part)
            yield part

    size_bytes = os.fstat(content.fileno()).st_size
    writer.add(f"{OBJECTS_FOLDER}/{stored.file}", size_bytes, hashed())
    return (size_bytes, md5.hexdigest()) == (stored.size_bytes, stored.md5_hex)


def _verify(partial: Path, members: int, steps: Steps) -> Backup:
    """Read the archive as it is on the disk."""
    with partial.open("rb") as archive, steps("verified", members) as step:
        manifest = read_archive(archive, lambda *_: step.advance())
    return Backup(manifest, partial.stat().st_size)


def _parts(content: BinaryIO) -> Iterator[bytes]:
    return iter(lambda: content.read(PART_BYTES), b"")


def _create(path: Path) -> BinaryIO:
    """A new file that only its owner reads, in place of one that an interrupted backup left."""
    path.unlink(missing_ok=True)
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(path, flags, 0o600), "wb")


@contextmanager
def _removed_at_the_end(partial: Path, copy: Path) -> Iterator[None]:
    """Remove what was not renamed, and what SQLite keeps beside the copy."""
    try:
        yield
    finally:
        for path in (partial, copy, *(copy.with_name(f"{copy.name}{end}") for end in ("-wal", "-shm", "-journal"))):
            with suppress(OSError):
                path.unlink(missing_ok=True)


@contextmanager
def _problems(home: Home, file: Path) -> Iterator[None]:
    """Turn the errors of both disks into sentences."""
    try:
        yield
    except NoSpaceError as error:
        raise CommandError(
            f"the disk of {file.absolute().parent} or of {home.data_dir} is full; no backup was written."
        ) from error
    except UnavailableError as error:
        raise CommandError("a disk fails, or the data folder is too busy; no backup was written.") from error
    except OSError as error:
        if is_full(error):
            raise CommandError(f"the disk of {file.absolute().parent} is full; no backup was written.") from error
        raise CommandError(f"the file {file} cannot be written: {error.strerror}; no backup was written.") from error
    except RuntimeError as error:
        raise CommandError(f"the data folder cannot be read: {error}; `strandline doctor` says more.") from error
