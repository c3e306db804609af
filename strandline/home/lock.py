"""The lock of a data folder, which one process holds at a time. The system frees it when that process ends."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chalicelib.engine.embedded.errors import FolderError
from chalicelib.engine.embedded.folder import LOCK_NAME, require_own
from strandline.cli.errors import CommandError

_HOLDER_BYTES = 32
"""The lock file starts with the id of the process that holds it, padded to this length."""

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        # Other processes cannot read a locked byte on Windows, so the lock is on one after the id.
        os.lseek(descriptor, _HOLDER_BYTES, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Hold the lock of a data folder, which is created if there is none, until the block ends.

    Raises:
        CommandError: another process holds it, the folder has other files and no lock yet, or cannot be written.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (folder / LOCK_NAME).exists():
            require_own(folder)  # so that a folder of something else gets no file of ours
        descriptor = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o600)
    except FolderError as error:
        raise CommandError(str(error)) from error
    except OSError as error:
        raise CommandError(f"the folder {folder} cannot be used: {error.strerror}.") from error
    try:
        try:
            _lock(descriptor)
        except OSError as error:
            raise CommandError(f"the folder {folder} is in use by another process{_holder(descriptor)}.") from error
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, str(os.getpid()).encode().ljust(_HOLDER_BYTES))
        yield
    finally:
        os.close(descriptor)


def _holder(descriptor: int) -> str:
    """The id of the process that holds the lock, in parentheses; empty if the file does not have it yet."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    holder = os.read(descriptor, _HOLDER_BYTES).decode("ascii", "replace").strip()
    return f" ({holder})" if holder else ""
