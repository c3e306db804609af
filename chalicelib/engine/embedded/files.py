"""Objects as files, with a table of them.

A content is written, synced and renamed, and its folder synced, before the row that names it is committed, together
with the notice to the queue. A row never points to another file than its object's, and a file never changes: what is
replaced or deleted is noted in the same transaction and unlinked later by `sweep`, so that nobody who read the row
finds its file gone, and a backup can hold all files that its copy of the database names.
"""

import base64
import hashlib
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import BinaryIO
from urllib.parse import quote_plus

import orjson

from chalicelib.durations import DAY_MS
from chalicelib.engine.embedded.contents import Contents
from chalicelib.engine.embedded.database import Database
from chalicelib.engine.embedded.errors import AddressRefusedError, storage_errors
from chalicelib.engine.embedded.query_plans import after_prefix
from chalicelib.engine.embedded.signed_addresses import AddressSigner
from chalicelib.engine.embedded.sqlite_queue import SqliteQueue
from chalicelib.engine.objects import ObjectHead, SignedUpload, UploadTerms
from chalicelib.frozen import frozen

MAX_KEY_BYTES = 1024
"""A limit of S3."""
LISTED_KEYS = 1_000
"""Keys that are read at once."""
PART_BYTES = 256 * 1024
UNLINKED_FILES = 100
"""Files that are unlinked in one transaction, which keeps all writes waiting."""
GRACE_MS = 60 * 1000
"""Time that a file stays after its object is gone, for those that have just read its row."""
PENDING, KEPT = "pending", "kept"
"""Tags of what came by a signed upload."""
NOTICE_PREFIXES = ("blobs/", "device_logs/")
"""The objects whose arrival the queue is told of, as in `infra/stateful.yaml`."""

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS objects (key TEXT NOT NULL, file TEXT NOT NULL, size_bytes INTEGER NOT NULL, "
    "md5 TEXT NOT NULL, media_type TEXT NOT NULL, content_encoding TEXT, tag TEXT, created_ms INTEGER NOT NULL)",
    "CREATE UNIQUE INDEX IF NOT EXISTS objects_by_key ON objects (key)",
    "CREATE UNIQUE INDEX IF NOT EXISTS objects_by_file ON objects (file)",
    "CREATE TABLE IF NOT EXISTS removed_files (file TEXT PRIMARY KEY, removed_ms INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS file_holds (id TEXT PRIMARY KEY, until_ms INTEGER NOT NULL)",
)


@frozen
class LifecycleRule:
    """A rule that removes objects after some days, as the rules of the bucket in `infra/stateful.yaml`."""

    lifetime_days: int
    prefix: str = ""
    tag: str | None = None


LIFECYCLE = (LifecycleRule(1, tag=PENDING), LifecycleRule(1, "answers/"), LifecycleRule(400, "metrics/"))


@frozen
class StoredObject:
    """The row of an object."""

    file: str
    size_bytes: int
    md5: str
    """In base64."""
    media_type: str
    content_encoding: str | None
    tag: str | None = None


@frozen
class Download:
    """The answer to a signed download."""

    size_bytes: int
    media_type: str
    content_encoding: str | None
    disposition: str | None
    etag: str
    body: BinaryIO
    """To be read and closed by the caller."""


class FileObjects:
    """The port `Objects` on files, and what the server needs that answers signed addresses."""

    def __init__(
        self,
        database: Database,
        contents: Contents,
        signer: AddressSigner,
        notices: SqliteQueue,
        now_ms: Callable[[], int],
    ) -> None:
        self._database = database
        self._contents = contents
        self._signer = signer
        self._notices = notices
        self._now_ms = now_ms

    def put(
        self, key: str, body: bytes, media_type: str, *, content_encoding: str | None = None, once: bool = False
    ) -> bool:
        """See `Objects.put`. The object is on disk when this returns.

        Raises:
            RuntimeError: S3 would refuse the key.
        """
        if not key or len(key.encode()) > MAX_KEY_BYTES:
            raise RuntimeError(f"the key of an object has 1 to {MAX_KEY_BYTES} bytes")
        if once and self._find(key) is not None:
            return False
        stored = StoredObject(secrets.token_hex(16), len(body), _md5(body), media_type, content_encoding)
        return self._store(key, stored, [body], once=once)

    def get(self, key: str) -> bytes | None:
        """See `Objects.get`."""
        opened = self._open(key)
        if opened is None:
            return None
        with storage_errors(), opened[1] as body:
            return body.read()

    def get_range(self, key: str, start: int, stop: int) -> bytes | None:
        """See `Objects.get_range`."""
        if start >= stop:
            raise ValueError(f"an empty range: {start} to {stop}")
        opened = self._open(key)
        if opened is None:
            return None
        stored, body = opened
        with storage_errors(), body:
            if start >= stored.size_bytes:
                raise ValueError("the range begins after the end of the object")
            body.seek(start)
            return body.read(stop - start)

    def head(self, key: str) -> ObjectHead | None:
        """See `Objects.head`."""
        stored = self._find(key)
        return None if stored is None else ObjectHead(stored.size_bytes, stored.md5)

    def keys(self, prefix: str) -> Iterator[str]:
        """See `Objects.keys`."""
        end = after_prefix(prefix)
        first, statement = prefix, _LIST
        while True:
            with self._database.reading() as connection:
                rows = connection.execute(statement, (first, end, end, LISTED_KEYS)).fetchall()
            for (key,) in rows:
                yield key
            if len(rows) < LISTED_KEYS:
                return
            first, statement = rows[-1][0], _CONTINUE_LIST

    def delete(self, keys: Iterable[str]) -> None:
        """See `Objects.delete`. All of them go in one commit."""
        gone = list(keys)
        if not gone:
            return
        with self._database.writing() as connection:
            for key in gone:
                self._remove(connection, key)

    def keep(self, key: str) -> None:
        """See `Objects.keep`."""
        with self._database.writing() as connection:
            connection.execute("UPDATE objects SET tag = ? WHERE key = ?", (KEPT, key))

    def sign_upload(self, key: str, terms: UploadTerms, lifetime_s: int) -> SignedUpload:
        """See `Objects.sign_upload`."""
        return self._signer.upload(key, terms, lifetime_s)

    def sign_download(
        self, key: str, lifetime_s: int, *, media_type: str | None = None, disposition: str | None = None
    ) -> str:
        """See `Objects.sign_download`."""
        return self._signer.download(key, lifetime_s, media_type, disposition)

    def require_signed_upload(self, target: str, headers: Mapping[str, str]) -> None:
        """Raise unless `receive_upload` would read the body of this request.

        Raises:
            AddressRefusedError: 403, as there.
        """
        self._signer.verify_upload(target, headers)

    def receive_upload(self, target: str, headers: Mapping[str, str], body: BinaryIO) -> None:
        """Store the object of a signed upload, whose body is read only if the signature fits.

        Args:
            target: path and query of the request as they came, still encoded.
            headers: those of the request, by their names in lower case.

        Raises:
            AddressRefusedError: 403 when the request is not the one that was signed, 412 when there is an object with
                its key, 400 when the body has another length or MD5.
            UnavailableError: the disk is full or failed; nothing is stored.
        """
        key, terms = self._signer.verify_upload(target, headers)
        if self._find(key) is not None:
            raise AddressRefusedError(412, "there is an object with this key")
        stored = StoredObject(secrets.token_hex(16), terms.size_bytes, terms.md5, terms.media_type, None, PENDING)
        if not self._store(key, stored, _checked_parts(body, terms), once=True):
            raise AddressRefusedError(412, "there is an object with this key")

    def open_download(self, target: str) -> Download:
        """The answer to a signed download.

        Args:
            target: as for `receive_upload`.

        Raises:
            AddressRefusedError: 403 when the request is not the one that was signed, 404 when the object is gone.
            UnavailableError: the disk failed.
        """
        terms = self._signer.verify_download(target)
        opened = self._open(terms.key)
        if opened is None:
            raise AddressRefusedError(404, "there is no object with this key")
        stored, body = opened
        return Download(
            stored.size_bytes,
            stored.media_type if terms.media_type is None else terms.media_type,
            stored.content_encoding,
            terms.disposition,
            f'"{base64.b64decode(stored.md5).hex()}"',
            body,
        )

    @contextmanager
    def hold_files(self, lifetime_s: int) -> Iterator[None]:
        """Keep all files where they are: for a backup. The hold ends with the block, and with its lifetime if the
        process dies."""
        hold_id = secrets.token_hex(16)
        with self._database.writing() as connection:
            connection.execute("INSERT INTO file_holds VALUES (?, ?)", (hold_id, self._now_ms() + lifetime_s * 1000))
        try:
            yield
        finally:
            with self._database.writing() as connection:
                connection.execute("DELETE FROM file_holds WHERE id = ?", (hold_id,))

    def sweep(self) -> int:
        """Remove the objects whose time is over, by the lifecycle, and the files of those that are gone.

        Returns:
            How many objects were removed.
        """
        now_ms = self._now_ms()
        removed = 0
        for rule in LIFECYCLE:
            with self._database.writing() as connection:
                old = connection.execute(
                    "SELECT key FROM objects WHERE created_ms <= ? AND substr(key, 1, ?) = ? "
                    "AND (? IS NULL OR tag = ?)",
                    (now_ms - rule.lifetime_days * DAY_MS, len(rule.prefix), rule.prefix, rule.tag, rule.tag),
                ).fetchall()
                for (key,) in old:
                    self._remove(connection, key)
            removed += len(old)
        self._unlink(now_ms)
        return removed

    def _unlink(self, now_ms: int) -> None:
        """Unlink the files that no object has, unless they are held. A few at a time: no write waits for long."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM file_holds WHERE until_ms <= ?", (now_ms,))
        with self._database.reading() as connection:
            rows = connection.execute("SELECT file FROM removed_files WHERE removed_ms <= ?", (now_ms - GRACE_MS,))
            files = [file for (file,) in rows]
        files += self._stray_files()
        for start in range(0, len(files), UNLINKED_FILES):
            with self._database.writing() as connection:
                if connection.execute("SELECT 1 FROM file_holds LIMIT 1").fetchone() is not None:
                    return
                for file in files[start : start + UNLINKED_FILES]:
                    with suppress(PermissionError):  # Windows does not unlink a file that somebody reads
                        self._contents.remove(file)
                        connection.execute("DELETE FROM removed_files WHERE file = ?", (file,))

    def _stray_files(self) -> set[str]:
        """The files that a crash left between the rename and the commit."""
        old = set(self._contents.old_names())
        if not old:
            return old
        with self._database.reading() as connection:
            known = connection.execute("SELECT file FROM objects UNION ALL SELECT file FROM removed_files")
            old.difference_update(file for (file,) in known)
        return old

    def _store(self, key: str, stored: StoredObject, parts: Iterable[bytes], *, once: bool) -> bool:
        """Write the file, then row and notice in one transaction. If that fails, nobody knows whether it was committed:
        the file stays, and `sweep` removes it when it has no row.

        Returns:
            False if there was an object and it is put once.
        """
        with storage_errors():
            self._contents.write(stored.file, parts)
        is_noticed = key.startswith(NOTICE_PREFIXES)
        with self._database.writing() as connection:
            is_stored = not once or connection.execute(_FIND, (key,)).fetchone() is None
            if is_stored:
                self._remove(connection, key)
                connection.execute(
                    "INSERT INTO objects (key, file, size_bytes, md5, media_type, content_encoding, tag, created_ms) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        key,
                        stored.file,
                        stored.size_bytes,
                        stored.md5,
                        stored.media_type,
                        stored.content_encoding,
                        stored.tag,
                        self._now_ms(),
                    ),
                )
                if is_noticed:
                    self._notices.send_in(connection, _notice(key))
        if is_stored and is_noticed:
            self._notices.announce()
        if not is_stored:
            with storage_errors():
                self._contents.remove(stored.file)
        return is_stored

    def _remove(self, connection: sqlite3.Connection, key: str) -> None:
        connection.execute(
            "INSERT INTO removed_files (file, removed_ms) SELECT file, ? FROM objects WHERE key = ?",
            (self._now_ms(), key),
        )
        connection.execute("DELETE FROM objects WHERE key = ?", (key,))

    def _find(self, key: str) -> StoredObject | None:
        with self._database.reading() as connection:
            row = connection.execute(_FIND, (key,)).fetchone()
        return None if row is None else StoredObject(*row)

    def _open(self, key: str) -> tuple[StoredObject, BinaryIO] | None:
        """The row of an object and its open file.

        Raises:
            RuntimeError: there is a row, but no file.
        """
        stored = self._find(key)
        while stored is not None:
            with storage_errors(), suppress(FileNotFoundError):
                return stored, self._contents.open(stored.file)
            before, stored = stored, self._find(key)
            if stored == before:
                raise RuntimeError("the file of an object is missing")
        return None


_LIST = "SELECT key FROM objects WHERE key >= ? AND (? IS NULL OR key < ?) ORDER BY key LIMIT ?"
_CONTINUE_LIST = "SELECT key FROM objects WHERE key > ? AND (? IS NULL OR key < ?) ORDER BY key LIMIT ?"
_FIND = "SELECT file, size_bytes, md5, media_type, content_encoding, tag FROM objects WHERE key = ?"


def _checked_parts(body: BinaryIO, terms: UploadTerms) -> Iterator[bytes]:
    """The parts of a body, the last of which comes only if the whole is what was signed.

    Raises:
        AddressRefusedError: the body has another length or MD5.
    """
    md5 = hashlib.md5(usedforsecurity=False)
    left_bytes = terms.size_bytes
    while part := body.read(PART_BYTES):
        left_bytes -= len(part)
        if left_bytes < 0:
            break
        md5.update(part)
        yield part
    if left_bytes != 0:
        raise AddressRefusedError(400, "the body has another length")
    if base64.b64encode(md5.digest()).decode() != terms.md5:
        raise AddressRefusedError(400, "the body has another MD5")


def _md5(body: bytes) -> str:
    return base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()


def _notice(key: str) -> str:
    """The part of S3's notice of a new object that the consumer reads."""
    record = {"eventName": "ObjectCreated:Put", "s3": {"object": {"key": quote_plus(key)}}}
    return orjson.dumps({"Records": [record]}).decode()
