"""Restores a backup into an empty data folder.

The database gets its name last, when everything else is on the disk. So a server refuses the folder of a restore that
was interrupted.
"""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from chalicelib.engine.embedded.errors import FolderError, is_full
from chalicelib.engine.embedded.folder import (
    DATABASE_NAME,
    LOCK_NAME,
    OBJECTS_FOLDER,
    SECRETS_FOLDER,
    require_local,
    sync_file,
    sync_folder,
)
from chalicelib.engine.embedded.snapshots import database_faults, object_files, open_snapshot
from chalicelib.errors import NoSpaceError, UnavailableError
from strandline.cli.errors import CommandError
from strandline.home.archive import PART_BYTES, Manifest, read_archive
from strandline.home.backup import Advancing, Backup, Steps
from strandline.home.lock import folder_lock

PARTIAL_NAME = f"{DATABASE_NAME}.partial"
_FOLDERS = (SECRETS_FOLDER, OBJECTS_FOLDER)


def restore(file: Path, data_dir: Path, steps: Steps) -> Backup:
    """Restore a backup into a folder that is empty or not there yet.

    Raises:
        CommandError: the file is not a complete backup, the folder is not empty or in use, or its disk is full; the
            folder is empty again, except for its lock.
    """
    size_bytes = _size_bytes(file)
    _require_empty(data_dir)
    with folder_lock(data_dir), _problems(file, data_dir):
        _require_empty(data_dir)
        try:
            require_local(data_dir)
            manifest = _extract(file, data_dir, steps)
            with steps("verified", manifest.objects) as step:
                _verify(data_dir, manifest, step)
            for folder in (*(data_dir / name for name in _FOLDERS), data_dir):
                sync_folder(folder)
            (data_dir / PARTIAL_NAME).replace(data_dir / DATABASE_NAME)
        except BaseException:
            _empty(data_dir)
            raise
        sync_folder(data_dir)
        sync_folder(data_dir.absolute().parent)
    return Backup(manifest, size_bytes)


def _size_bytes(file: Path) -> int:
    if not file.is_file():
        raise CommandError(f"there is no file {file}.")
    return file.stat().st_size


def _require_empty(data_dir: Path) -> None:
    if data_dir.is_dir() and {path.name for path in data_dir.iterdir()} - {LOCK_NAME}:
        raise CommandError(
            f"the folder {data_dir} is not empty: name another one with --data-dir, or move this one away first."
        )


def _extract(file: Path, data_dir: Path, steps: Steps) -> Manifest:
    """Write all members of the archive into the folder, the database under another name."""
    data_dir.chmod(0o700)
    for name in _FOLDERS:
        (data_dir / name).mkdir(mode=0o700)
    with file.open("rb") as archive, steps("extracted MB", _megabytes(file.stat().st_size)) as step:
        done = 0

        def receive(name: str, _size_bytes: int, content: Iterator[bytes]) -> None:
            nonlocal done
            path = data_dir / (PARTIAL_NAME if name == DATABASE_NAME else name)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
            with os.fdopen(os.open(path, flags, 0o600), "wb") as target:
                target.writelines(content)
                target.flush()
                sync_file(target.fileno())
            step.advance(_megabytes(archive.tell()) - done)
            done = _megabytes(archive.tell())

        manifest = read_archive(archive, receive)
        step.advance(_megabytes(archive.tell()) - done)
    return manifest


def _megabytes(size_bytes: int) -> int:
    return -(-size_bytes // 1_000_000)


def _verify(data_dir: Path, manifest: Manifest, step: Advancing) -> None:
    """Raise unless the database is sound, and each object has its file, and each file its object.

    Raises:
        CommandError: they do not fit together.
        FolderError: the database is of a newer version, or none of a home server.
    """
    known = {*manifest.missing, *manifest.damaged}
    files = {path.name for path in (data_dir / OBJECTS_FOLDER).iterdir()}
    with open_snapshot(data_dir / PARTIAL_NAME) as snapshot, snapshot.reading() as connection:
        if database_faults(connection):
            raise CommandError("the backup is damaged: its database is not sound.")
        for stored in object_files(connection):
            if stored.file in files:
                files.remove(stored.file)
                step.advance()
            elif stored.file not in manifest.missing:
                raise CommandError(f"the backup is damaged: it lacks the object {stored.key}.")
            if stored.file not in known and _md5(data_dir / OBJECTS_FOLDER / stored.file) != stored.md5_hex:
                raise CommandError(f"the backup is damaged: the object {stored.key} is not what was stored.")
    if files:
        raise CommandError(f"the backup is damaged: {len(files)} of its files belong to no object.")


def _md5(path: Path) -> str:
    md5 = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as content:
        while part := content.read(PART_BYTES):
            md5.update(part)
    return md5.hexdigest()


def _empty(data_dir: Path) -> None:
    """Remove what was extracted."""
    for name in _FOLDERS:
        shutil.rmtree(data_dir / name, ignore_errors=True)
    for end in ("", "-wal", "-shm", "-journal"):
        with suppress(OSError):
            (data_dir / f"{PARTIAL_NAME}{end}").unlink(missing_ok=True)


@contextmanager
def _problems(file: Path, data_dir: Path) -> Iterator[None]:
    """Turn the errors of the disk and of the database into sentences."""
    try:
        yield
    except FolderError as error:
        raise CommandError(str(error).replace(PARTIAL_NAME, DATABASE_NAME)) from error
    except NoSpaceError as error:
        raise CommandError(f"the disk of {data_dir} is full; nothing was restored.") from error
    except UnavailableError as error:
        raise CommandError(f"the disk of {data_dir} fails; nothing was restored.") from error
    except OSError as error:
        if is_full(error):
            raise CommandError(f"the disk of {data_dir} is full; nothing was restored.") from error
        reason = f"{file} cannot be restored into {data_dir}: {error.strerror}"
        raise CommandError(f"the backup {reason}; nothing was restored.") from error
    except RuntimeError as error:
        raise CommandError(f"the backup is damaged: {error}.") from error
