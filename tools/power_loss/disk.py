"""A disk with a cache: what is synced is there after a power cut, and of the rest any part.

Contents: each write since the last sync of the file is there, or not, or in part, sector by sector, in any
combination; or its place is there with zeros. Names: of the changes in a folder since its last sync, any number from
the first on, as a file system with a journal keeps them in order. A sync of a file syncs no name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from random import Random

from tools.power_loss.calls import Call

SECTOR_BYTES = 512
NEVER_SYNCED = ("lock", "strandline.db-shm")
"""The files that say which process has the folder, and where things are in SQLite's log: nobody needs them later."""
WAYS = ("nothing", "everything", "first", "some", "torn", "zeros")
"""Fates of a file's writes that were not synced."""

Image = Mapping[str, bytes | None]
"""The files of a folder by path, and folders, whose content is None."""


@dataclass
class _File:
    durable: bytearray = field(default_factory=bytearray)
    unsynced: list[Call] = field(default_factory=list)

    def sync(self, before: int) -> None:
        """Keep what was written by calls that began before this one."""
        for call in self.unsynced:
            if call.began < before:
                _apply(call, self.durable)
        self.unsynced = [call for call in self.unsynced if call.began >= before]

    def as_seen(self) -> bytes:
        """The content as the processes see it."""
        content = bytearray(self.durable)
        for call in self.unsynced:
            _apply(call, content)
        return bytes(content)

    def after_a_cut(self, random: Random) -> bytes:
        """The content as one power cut may leave it."""
        content, way = bytearray(self.durable), random.choice(WAYS)
        kept = random.randint(0, len(self.unsynced))
        for index, call in enumerate(self.unsynced):
            if way == "everything" or (way == "first" and index < kept) or (way == "some" and random.random() < 0.5):
                _apply(call, content)
            elif way == "torn":
                _apply_torn(call, content, random)
            elif way == "zeros" and random.random() < 0.7:
                _apply(Call(call.name, call.path, call.offset, bytes(len(call.data))), content)
        return bytes(content)


Names = dict[str, "_File | None"]


class Disk:
    """A folder on such a disk, to which calls are applied one after the other."""

    def __init__(self) -> None:
        self._names: Names = {}
        """As the processes see them."""
        self._durable: Names = {}
        self._unsynced: dict[str, list[tuple[int, dict[str, _File | None], tuple[str, ...]]]] = {}
        """The changes of names by folder: where each began, what it adds, and what it removes."""

    def apply(self, call: Call) -> None:
        """Change the disk as a call does."""
        match call.name:
            case "create":
                if call.path not in self._names:
                    self._change(call, {call.path: _File()}, ())
            case "mkdir":
                self._change(call, {call.path: None}, ())
            case "unlink":
                self._change(call, {}, (call.path,))
            case "rename":
                self._change(call, {call.target: self._names[call.path]}, (call.path,))
            case "write" | "truncate":
                # A file that was removed while it was open has no name, and no power cut brings it back.
                if (file := self._names.get(call.path)) is not None:
                    file.unsynced.append(call)
            case "sync":
                self._sync(call)

    def after_a_cut(self, random: Random) -> Image:
        """The folder as one power cut may leave it."""
        names = dict(self._durable)
        for folder, changes in sorted(self._unsynced.items()):
            if folder != "." and folder not in names:
                continue
            for _, added, removed in changes[: random.choice((0, len(changes), random.randint(0, len(changes))))]:
                _change(names, added, removed)
        whole = {path: file for path, file in names.items() if _parent(path) in (".", *names)}
        contents: dict[int, bytes] = {}
        for file in whole.values():
            if file is not None and id(file) not in contents:
                contents[id(file)] = file.after_a_cut(random)
        return {path: None if file is None else contents[id(file)] for path, file in sorted(whole.items())}

    def without_a_cut(self) -> Image:
        """The folder as the processes see it."""
        return {path: None if file is None else file.as_seen() for path, file in sorted(self._names.items())}

    def unsynced_bytes(self) -> int:
        """The bytes of data that were written and not synced."""
        files = {id(file): file for path, file in self._names.items() if file is not None and path not in NEVER_SYNCED}
        return sum(len(call.data) for file in files.values() for call in file.unsynced)

    def _change(self, call: Call, added: Names, removed: tuple[str, ...]) -> None:
        _change(self._names, added, removed)
        self._unsynced.setdefault(_parent(call.path), []).append((call.began, added, removed))

    def _sync(self, call: Call) -> None:
        file = self._names.get(call.path)
        if file is not None:
            file.sync(call.began)
            return
        waiting = self._unsynced.get(call.path, [])
        for began, added, removed in waiting:
            if began < call.began:
                _change(self._durable, added, removed)
        self._unsynced[call.path] = [change for change in waiting if change[0] >= call.began]


def _change(names: Names, added: Names, removed: tuple[str, ...]) -> None:
    for path in removed:
        names.pop(path, None)
    names.update(added)


def _parent(path: str) -> str:
    return str(PurePosixPath(path).parent)


def _apply(call: Call, content: bytearray) -> None:
    if call.name == "truncate":
        del content[call.offset :]
        content.extend(bytes(call.offset - len(content)))
        return
    content.extend(bytes(max(0, call.offset - len(content))))
    content[call.offset : call.offset + len(call.data)] = call.data


def _apply_torn(call: Call, content: bytearray, random: Random) -> None:
    """Apply the sectors of a write each with a chance of one half."""
    if call.name == "truncate":
        if random.random() < 0.5:
            _apply(call, content)
        return
    end = call.offset + len(call.data)
    start = call.offset
    while start < end:
        stop = min(end, start - start % SECTOR_BYTES + SECTOR_BYTES)
        if random.random() < 0.5:
            part = call.data[start - call.offset : stop - call.offset]
            _apply(Call("write", call.path, start, part), content)
        start = stop
