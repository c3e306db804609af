"""The tables of a stage as data: keys, indexes, and the attribute by which items expire.

`infra/stateful.yaml` creates the same on AWS, and a test compares the two.
"""

from typing import Literal

from chalicelib.frozen import frozen

KeyType = Literal["S", "N"]
"""Text or number, in DynamoDB's letters."""


@frozen
class KeyAttribute:
    """An attribute that is part of a key."""

    name: str
    type: KeyType = "S"


PK = KeyAttribute("pk")
SK = KeyAttribute("sk")


@frozen
class IndexDefinition:
    """A second order of the items that have both of its key attributes; others are not in it."""

    name: str
    partition: KeyAttribute
    sort: KeyAttribute
    projection: tuple[str, ...] | Literal["all"] = ()
    """Attributes that it holds of an item beside the keys of table and index."""


@frozen
class TableDefinition:
    """A table. Items with the same partition key are ordered by the sort key, if there is one."""

    name: str
    sort: KeyAttribute | None = SK
    partition: KeyAttribute = PK
    indexes: tuple[IndexDefinition, ...] = ()
    expires_at: str | None = None
    """The attribute that holds the second after which an item is removed. It may be removed up to days later, so
    readers look at the time themselves."""


def expires_at_s(time_ms: int) -> int:
    """The value of `expires_at` for an item that is valid until a time: the next whole second."""
    return -(-time_ms // 1000)


ACCOUNTS = TableDefinition("accounts", expires_at="expires_at_s")
"""Users, sessions, grants and metadata: chalicelib/accounts/stores/keys.py."""

DATA = TableDefinition("data", expires_at="expires_at_s")
"""Data sets, the record log and what is derived from it: chalicelib/log/stores/keys.py."""

TASKS = TableDefinition(
    "tasks",
    sort=None,
    indexes=(
        IndexDefinition("due", KeyAttribute("due_pk"), KeyAttribute("due_sk")),
        IndexDefinition(
            "created", KeyAttribute("created_pk"), KeyAttribute("created_sk"), projection=("type", "state")
        ),
    ),
)
"""Tasks, their names and the slots they run in: chalicelib/tasks/stores/keys.py."""

BLOBS = TableDefinition(
    "blobs",
    indexes=(
        IndexDefinition(
            "awaiting-content", KeyAttribute("awaiting"), KeyAttribute("created_time_ms", "N"), projection="all"
        ),
    ),
)
"""Blobs and device logs, without their contents: chalicelib/blobs/stores/keys.py."""

TABLES = (ACCOUNTS, DATA, TASKS, BLOBS)
