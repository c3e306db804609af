"""The engine in one process: SQLite and files in a data folder, or all of it in memory."""

import secrets
from collections.abc import Callable
from pathlib import Path

from chalicelib.engine.at_once import in_turn
from chalicelib.engine.embedded import files, rows, sqlite_queue, sqlite_stream
from chalicelib.engine.embedded.contents import FolderContents, MemoryContents
from chalicelib.engine.embedded.database import Database
from chalicelib.engine.embedded.errors import FolderError
from chalicelib.engine.embedded.faults import Faults
from chalicelib.engine.embedded.files import FileObjects
from chalicelib.engine.embedded.folder import (
    DATABASE_NAME,
    OBJECTS_FOLDER,
    SECRETS_FOLDER,
    incomplete,
    prepare_folder,
    require_data,
)
from chalicelib.engine.embedded.secret_files import SecretFiles
from chalicelib.engine.embedded.signed_addresses import AddressSigner
from chalicelib.engine.embedded.sqlite import SqliteTables
from chalicelib.engine.embedded.sqlite_queue import QUEUES, SqliteQueue
from chalicelib.engine.embedded.sqlite_stream import SqliteStream
from chalicelib.engine.engine import Engine
from chalicelib.engine.mail import Mail, NoMail
from chalicelib.frozen import frozen

SCHEMA = (*rows.SCHEMA, *files.SCHEMA, *sqlite_queue.SCHEMA, *sqlite_stream.SCHEMA)
SIGNING_SECRET = "object-addresses"  # noqa: S105  its name
"""Names the secret with which addresses of objects are signed."""


@frozen
class EmbeddedEngine(Engine):
    """The ports, and what the process around them needs: consumers, sweeps, a clean end."""

    tables: SqliteTables
    objects: FileObjects
    secrets: SecretFiles
    task_queue: SqliteQueue
    metrics_failures: SqliteQueue
    metrics_stream: SqliteStream
    blob_events: SqliteQueue
    """Takes the notices of new objects."""
    task_failures: SqliteQueue
    blob_event_failures: SqliteQueue
    """The dead letters of the two queues that have consumers."""
    database: Database
    now_ms: Callable[[], int]

    def sweep(self) -> None:
        """Remove what has expired: items, objects, messages, records of the stream."""
        self.tables.sweep(self.now_ms())
        self.objects.sweep()
        queues = (
            self.task_queue,
            self.task_failures,
            self.blob_events,
            self.blob_event_failures,
            self.metrics_failures,
        )
        for queue in queues:
            queue.sweep()
        self.metrics_stream.sweep()

    def close(self) -> None:
        """Write what waits in memory, and close the database."""
        self.metrics_stream.flush()
        self.database.close()


def embedded_engine(
    folder: Path | None,
    now_ms: Callable[[], int],
    *,
    base_url: str = "http://127.0.0.1:8000",
    faults: Faults | None = None,
    read_only: bool = False,
    mail: Mail | None = None,
) -> EmbeddedEngine:
    """The engine of a data folder, which is created if there is none; or an empty one in memory.

    Args:
        folder: the data folder; None for an engine in memory, which is gone when it is closed.
        base_url: begins the signed addresses of objects.
        faults: what calls of the tables meet, for tests.
        mail: sends mail; None for an engine that sends no mail.
        read_only: whether every write is refused, and a folder that is not there or has no data as well.

    Raises:
        FolderError: the folder cannot be used.
    """
    if folder is not None and read_only:
        require_data(folder)
    elif folder is not None:
        prepare_folder(folder)
    database = Database(None if folder is None else folder / DATABASE_NAME, SCHEMA, read_only=read_only)
    queues = {queue.name: SqliteQueue(database, queue, now_ms) for queue in QUEUES}
    secret_files = SecretFiles(None if folder is None else folder / SECRETS_FOLDER, database)
    try:
        if folder is not None:
            _require_whole(folder, database, secret_files)
        new_secret = secrets.token_hex(32)
        signing_secret = new_secret if read_only else secret_files.create(SIGNING_SECRET, new_secret).text
    except BaseException:
        database.close()
        raise
    signer = AddressSigner(bytes.fromhex(signing_secret), base_url, now_ms)
    contents = MemoryContents() if folder is None else FolderContents(folder / OBJECTS_FOLDER)
    return EmbeddedEngine(
        tables=SqliteTables(database, faults),
        objects=FileObjects(database, contents, signer, queues["blob-events"], now_ms),
        secrets=secret_files,
        task_queue=queues["tasks"],
        task_failures=queues["tasks-failures"],
        blob_events=queues["blob-events"],
        blob_event_failures=queues["blob-events-failures"],
        metrics_failures=queues["metrics-failures"],
        metrics_stream=SqliteStream(database, now_ms),
        at_once=in_turn,
        mail=mail or NoMail(),
        database=database,
        now_ms=now_ms,
    )


def _require_whole(folder: Path, database: Database, secret_files: SecretFiles) -> None:
    """Raise if the database has data and the files that belong to it are missing altogether.

    A single missing file is not a reason to refuse the rest: `strandline doctor` finds it.

    Raises:
        FolderError: there are no files of objects, or no secrets.
    """
    with database.reading() as connection:
        has_items, has_objects = connection.execute(
            "SELECT EXISTS (SELECT 1 FROM items), EXISTS (SELECT 1 FROM objects)"
        ).fetchone()
    if has_objects and next((folder / OBJECTS_FOLDER).iterdir(), None) is None:
        raise FolderError(incomplete(folder, OBJECTS_FOLDER))
    if (has_items or has_objects) and secret_files.find(SIGNING_SECRET) is None:
        raise FolderError(incomplete(folder, SECRETS_FOLDER))
