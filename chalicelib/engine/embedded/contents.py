"""The contents of objects, as files of a folder or in memory. A content never changes."""

import io
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from chalicelib.engine.embedded.folder import write_file

UNFINISHED_S = 24 * 3600
"""The age from which on a file without an object is no longer one that is being written."""


class Contents(Protocol):
    """Contents by name. All methods raise OSError when the disk fails."""

    def write(self, name: str, parts: Iterable[bytes]) -> None:
        """Keep a content under a new name. It is on the disk when this returns; if `parts` raises, nothing is kept."""

    def open(self, name: str) -> BinaryIO:
        """A content to read from.

        Raises:
            FileNotFoundError: there is none of this name.
        """

    def remove(self, name: str) -> None:
        """Remove a content, if it is there."""

    def old_names(self) -> Iterator[str]:
        """The names of what was written at least a day ago, finished or not."""


class FolderContents:
    """Contents as files of mode 600."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, name: str, parts: Iterable[bytes]) -> None:
        """See `Contents.write`."""
        write_file(self._folder / name, parts)

    def open(self, name: str) -> BinaryIO:
        """See `Contents.open`."""
        return (self._folder / name).open("rb")

    def remove(self, name: str) -> None:
        """See `Contents.remove`."""
        (self._folder / name).unlink(missing_ok=True)

    def old_names(self) -> Iterator[str]:
        """See `Contents.old_names`. A file's age is by the clock of the machine, whatever clock the engine has."""
        youngest_s = time.time() - UNFINISHED_S
        with os.scandir(self._folder) as entries:
            for entry in entries:
                try:
                    is_old = entry.stat().st_mtime < youngest_s
                except FileNotFoundError:  # renamed or removed since it was listed
                    continue
                if is_old:
                    yield entry.name


class MemoryContents:
    """Contents in memory."""

    def __init__(self) -> None:
        self._bodies: dict[str, bytes] = {}

    def write(self, name: str, parts: Iterable[bytes]) -> None:
        """See `Contents.write`."""
        self._bodies[name] = b"".join(parts)

    def open(self, name: str) -> BinaryIO:
        """See `Contents.open`."""
        try:
            return io.BytesIO(self._bodies[name])
        except KeyError as error:
            raise FileNotFoundError(name) from error

    def remove(self, name: str) -> None:
        """See `Contents.remove`."""
        self._bodies.pop(name, None)

    def old_names(self) -> Iterator[str]:
        """None: nothing is left behind in memory."""
        return iter(())
