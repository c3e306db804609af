"""The journal of an import, by which an interrupted import continues and a repeated one does nothing.

It is a file in the folder of the export, one for each account into which the export is imported. Each step is recorded
before it is taken and again when the server has confirmed it. A step that was begun but not confirmed may or may not
have happened; the code that repeats it has to find out.
"""

import hashlib
import json
import os
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from strandline.cli.errors import CommandError
from strandline.cli.folder import Json, line_of

FOLDER = "imports"


def open_private(path: Path) -> BinaryIO:
    """A file to append to that only its owner can read, because it may name records."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.chmod(path, 0o600)  # noqa: PTH101  an earlier version made it readable for all
    return os.fdopen(descriptor, "ab")


class Journal:
    """The latest state of each imported item, by its kind and its id in the export."""

    def __init__(self, folder: Path, server_url: str, user_id: str) -> None:
        name = hashlib.sha256(f"{server_url}\n{user_id}".encode()).hexdigest()[:16]
        self.path = folder / FOLDER / f"{name}.jsonl"
        self.refused_path = folder / FOLDER / f"{name}.refused.jsonl"
        self.path.parent.mkdir(mode=0o700, exist_ok=True)
        self._states: dict[tuple[str, str], Json] = {}
        self._read()
        self._file = open_private(self.path)
        if not self._states:
            self.record("target", "", server=server_url, userId=user_id)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.close()

    def state(self, kind: str, id_: str) -> Json | None:
        """The last recorded state of an item; None if there is none."""
        return self._states.get((kind, id_))

    def record(self, kind: str, id_: str, **state: object) -> None:
        """Record the state of an item; it is on disk when this returns."""
        entry = {"kind": kind, "id": id_, **state}
        self._file.write(line_of(entry))
        self._file.flush()
        os.fsync(self._file.fileno())
        self._states[kind, id_] = entry

    def states(self, kind: str) -> list[Json]:
        """The states of all items of a kind."""
        return [state for (of_kind, _), state in self._states.items() if of_kind == kind]

    def _read(self) -> None:
        content = self.path.read_bytes() if self.path.exists() else b""
        *lines, torn = content.split(b"\n")
        if torn:  # the machine stopped during the write, so the step was not begun
            with self.path.open("r+b") as file:
                file.truncate(len(content) - len(torn))
        for line in lines:
            try:
                entry = json.loads(line)
                self._states[entry["kind"], entry["id"]] = entry
            except (LookupError, RecursionError, TypeError, ValueError) as error:
                raise CommandError(f"{self.path} is damaged: {line[:100]!r}") from error
