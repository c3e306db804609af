"""The engine of a stage: what stores keep everything in."""

from typing import TYPE_CHECKING

from chalicelib.engine.definitions import ACCOUNTS, BLOBS, DATA, TASKS, TableDefinition
from chalicelib.engine.read_ahead import TableReadingAhead
from chalicelib.frozen import frozen

if TYPE_CHECKING:
    from chalicelib.engine.at_once import AtOnce
    from chalicelib.engine.mail import Mail
    from chalicelib.engine.objects import Objects
    from chalicelib.engine.queue import Queue
    from chalicelib.engine.secrets import Secrets
    from chalicelib.engine.stream import Stream
    from chalicelib.engine.table import Table, Tables


@frozen
class Engine:
    """One of each port, and a queue for each purpose."""

    tables: "Tables"
    objects: "Objects"
    secrets: "Secrets"
    task_queue: "Queue"
    """Takes the dispatcher's messages to the workers of tasks."""
    metrics_failures: "Queue"
    """Takes the records of the metrics stream that are not events."""
    metrics_stream: "Stream"
    at_once: "AtOnce"
    """Lets calls wait at the same time."""
    mail: "Mail"

    @property
    def accounts(self) -> "Table":
        """Users, sessions, grants and metadata."""
        return self._table(ACCOUNTS)

    @property
    def data(self) -> "Table":
        """Data sets, the record log and what is derived from it."""
        return self._table(DATA)

    @property
    def tasks(self) -> "Table":
        """Tasks, their names and the slots they run in."""
        return self._table(TASKS)

    @property
    def blobs(self) -> "Table":
        """Blobs and device logs, without their contents."""
        return self._table(BLOBS)

    def _table(self, definition: TableDefinition) -> "Table":
        return TableReadingAhead(self.tables.table(definition), definition)
