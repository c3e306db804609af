"""The file of a backup: a tar archive of a data folder, whose last member describes the others.

    strandline.db    secrets/<name>.json …    objects/<file> …    backup.json

Equal contents make equal bytes: members have no owner and no time, and stand in the order of their names. Only plain
files with names of this shape are read, so an archive cannot write elsewhere, nor make links; the reader takes no more
than a block at a time into memory. `backup.json` comes last, so an archive that was cut off is not taken for whole.
"""

import hashlib
import re
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import BinaryIO

import orjson

from chalicelib.engine.embedded.folder import DATABASE_NAME, OBJECTS_FOLDER, SECRETS_FOLDER
from strandline.cli.errors import CommandError

MANIFEST_NAME = "backup.json"
FORMAT = "strandline-backup"
VERSION = 1
PART_BYTES = 256 * 1024
MAX_MANIFEST_BYTES = 64 * 1024 * 1024
_MAX_NAME_BYTES = tarfile.LENGTH_NAME
_SECRET = re.compile(rf"{SECRETS_FOLDER}/[A-Za-z0-9_~%-][A-Za-z0-9._~%-]*\.json")
_OBJECT = re.compile(rf"{OBJECTS_FOLDER}/[0-9a-f]{{32}}")


@dataclass(frozen=True, slots=True)
class Manifest:
    """The description of a backup."""

    created_ms: int
    database_bytes: int
    secrets: int
    objects: int
    """Number of files of objects."""
    missing: tuple[str, ...]
    damaged: tuple[str, ...]
    """The files that the data folder did not have or no longer had as they were stored, when the backup was made."""
    sha256: str
    """That of all bytes before the member of this description."""


class ArchiveWriter:
    """Writes an archive, member by member."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._sha256 = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """That of all bytes so far, in hexadecimal digits."""
        return self._sha256.hexdigest()

    def add(self, name: str, size_bytes: int, parts: Iterator[bytes]) -> None:
        """Add a member.

        Raises:
            CommandError: the content has another size, or the name is not one of a data folder.
            OSError: the file cannot be written.
        """
        if len(name.encode()) > _MAX_NAME_BYTES or not _is_name(name):
            raise CommandError(f"the file {name} cannot be part of a backup: no file of a data folder has such a name.")
        member = tarfile.TarInfo(name)
        member.size, member.mode = size_bytes, 0o600
        self._write(member.tobuf(tarfile.GNU_FORMAT))
        left_bytes = size_bytes
        for part in parts:
            left_bytes -= len(part)
            self._write(part)
        if left_bytes:
            raise CommandError(f"the file {name} has changed while it was read.")
        self._write(bytes(-size_bytes % tarfile.BLOCKSIZE))

    def finish(self, manifest: Manifest) -> None:
        """Add the manifest and the end of the archive."""
        content = orjson.dumps({"format": FORMAT, "version": VERSION} | asdict(manifest), option=orjson.OPT_INDENT_2)
        self.add(MANIFEST_NAME, len(content), iter([content]))
        self._write(bytes(2 * tarfile.BLOCKSIZE))

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self._sha256.update(data)


Receive = Callable[[str, int, Iterator[bytes]], None]
"""Takes the name, the size and the content of a member."""


def read_archive(file: BinaryIO, receive: Receive) -> Manifest:
    """Read an archive to its end, and return its description.

    Args:
        receive: is called with each member but the description, in their order, and may leave the content unread.

    Raises:
        CommandError: the archive is damaged, cut off, of a newer version, or no backup.
        OSError: the file cannot be read.
    """
    sha256 = hashlib.sha256()
    last_name, objects, secrets, database_bytes = "", 0, 0, 0
    while True:
        digest_before = sha256.hexdigest()
        name, size_bytes = _header(_block(file, sha256, is_first=not last_name))
        if name == MANIFEST_NAME:
            break
        if not last_name and name != DATABASE_NAME:
            raise _no_backup()
        if last_name and (name == DATABASE_NAME or _order(name) <= _order(last_name)):
            raise CommandError(f"the backup is damaged: the member {name} is out of place.")
        content = _content(file, sha256, size_bytes)
        receive(name, size_bytes, content)
        for _ in content:
            pass
        database_bytes = size_bytes if name == DATABASE_NAME else database_bytes
        objects += name.startswith(f"{OBJECTS_FOLDER}/")
        secrets += name.startswith(f"{SECRETS_FOLDER}/")
        last_name = name
    if size_bytes > MAX_MANIFEST_BYTES:
        raise CommandError(f"the backup is damaged: its {MANIFEST_NAME} is too large.")
    manifest = _manifest(b"".join(_content(file, sha256, size_bytes)))
    found = (digest_before, database_bytes, secrets, objects)
    if found != (manifest.sha256, manifest.database_bytes, manifest.secrets, manifest.objects):
        raise CommandError("the backup is damaged: its content is not what was written.")
    return manifest


def _header(block: bytes) -> tuple[str, int]:
    """The name and the size of a member."""
    try:
        member = tarfile.TarInfo.frombuf(block, "utf-8", "strict")
    except (tarfile.TarError, ValueError) as error:
        raise CommandError("the backup is damaged, or the file is not a backup.") from error
    if member.type != tarfile.REGTYPE or member.size < 0 or not _is_name(member.name):
        raise CommandError(f"the backup has a member {member.name!r}, which does not belong there.")
    return member.name, member.size


def _content(file: BinaryIO, sha256: "hashlib._Hash", size_bytes: int) -> Iterator[bytes]:
    """The content of a member, in parts, and then the bytes that fill its last block."""
    left_bytes = size_bytes
    while left_bytes:
        part = file.read(min(PART_BYTES, left_bytes))
        if not part:
            raise _cut_off()
        sha256.update(part)
        left_bytes -= len(part)
        yield part
    filling = file.read(-size_bytes % tarfile.BLOCKSIZE)
    if len(filling) < -size_bytes % tarfile.BLOCKSIZE:
        raise _cut_off()
    sha256.update(filling)


def _block(file: BinaryIO, sha256: "hashlib._Hash", *, is_first: bool) -> bytes:
    block = file.read(tarfile.BLOCKSIZE)
    if len(block) < tarfile.BLOCKSIZE or not any(block):
        raise _no_backup() if is_first else _cut_off()
    sha256.update(block)
    return block


def _manifest(content: bytes) -> Manifest:
    try:
        fields = orjson.loads(content)
        name, version = fields.pop("format"), fields.pop("version")
        if name != FORMAT:
            raise _no_backup()
        if version > VERSION:
            raise CommandError("the backup was written by a newer version of Strandline.")
        missing, damaged = tuple(map(str, fields.pop("missing"))), tuple(map(str, fields.pop("damaged")))
        return Manifest(missing=missing, damaged=damaged, **fields)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise CommandError(f"the backup is damaged: its {MANIFEST_NAME} cannot be read.") from error


def _is_name(name: str) -> bool:
    return name in (DATABASE_NAME, MANIFEST_NAME) or bool(_SECRET.fullmatch(name) or _OBJECT.fullmatch(name))


def _order(name: str) -> tuple[int, str]:
    """The place of a member: the database, then the secrets, then the objects."""
    folder = name.partition("/")[0]
    return [DATABASE_NAME, SECRETS_FOLDER, OBJECTS_FOLDER].index(folder), name


def _no_backup() -> CommandError:
    return CommandError("the file is not a backup of a home server.")


def _cut_off() -> CommandError:
    return CommandError("the backup is cut off: it was not copied or written to its end.")
