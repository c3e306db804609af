"""The port of tables: items by key, conditional writes, transactions, queries by partition.

An item is a dict of attributes whose values are `str`, `int`, `bytes`, `bool` or lists of `str`; its key is the dict
of its key attributes (`engine/definitions.py`). Reads see all that was written before, unless the caller allows them
to lag: then they cost half. A store, in full:

    class Sessions:
        def __init__(self, accounts: Table) -> None:
            self._accounts = accounts

        def find(self, token_hash: str) -> Session | None:
            item = self._accounts.get(session_key(token_hash))
            return None if item is None else session_from_item(item)

        def refresh(self, session: Session, now_ms: int) -> bool:
            item = session_item(session)
            try:
                self._accounts.put(item, all_of(exists(), less_than("refreshed_ms", now_ms)))
            except ConditionFailedError:
                return False
            return True

        def add(self, session: Session) -> None:
            account = account_key(session.user_id)
            counted = Update(account, add={"sign_ins": 1}, condition=exists(), return_stored=True)
            try:
                self._accounts.transact([counted, Put(session_item(session), absent())])
            except TransactionRefusedError as refused:
                if refused.failed(0):
                    raise UserNotFoundError(session.user_id) from refused
                raise ConflictError from refused

        def of_user(self, user_id: str) -> list[str]:
            query = Query(user_partition(user_id), Prefix("SESSION#"), newest_first=True, attributes=("sk",))
            return [item["sk"] for item in self._accounts.query(query)]

All methods raise `UnavailableError` when the engine throttles, times out or cannot be reached. A write that
raised it may have been carried out.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any, Protocol

from chalicelib.engine.conditions import Condition
from chalicelib.engine.definitions import TableDefinition
from chalicelib.frozen import frozen

Item = dict[str, Any]
"""Attributes by name: `str`, `int`, `bytes`, `bool` or lists of `str`. Engines raise TypeError for other values."""
Key = dict[str, Any]
"""The key attributes of an item: `str`, or `int` in the sort key of an index."""

MAX_TRANSACTION_WRITES = 100
"""Writes of one transaction (a limit of DynamoDB)."""
MAX_ITEM_BYTES = 400 * 1024
"""Names and values of an item together (a limit of DynamoDB)."""


@frozen
class Put:
    """Stores an item in place of any that has its key."""

    item: Item
    condition: Condition | None = None
    return_stored: bool = False
    """True if a failed condition reports the item that is stored. DynamoDB charges a failed write all the same."""


@frozen
class Update:
    """Changes some attributes of an item, and makes one with these where there is none."""

    key: Key
    set: Mapping[str, Any] = field(default_factory=dict)
    set_if_absent: Mapping[str, Any] = field(default_factory=dict)
    add: Mapping[str, int] = field(default_factory=dict)
    """Added to numbers; an absent one counts as 0."""
    remove: Sequence[str] = ()
    condition: Condition | None = None
    return_stored: bool = False


@frozen
class Delete:
    """Removes an item, if it is there. A condition may require that it is."""

    key: Key
    condition: Condition | None = None
    return_stored: bool = False


@frozen
class Check:
    """Writes nothing, and refuses the transaction unless the condition holds."""

    key: Key
    condition: Condition
    return_stored: bool = False


Write = Put | Update | Delete | Check


@frozen
class Prefix:
    """Sort keys that begin with a text."""

    text: str


@frozen
class Range:
    """Sort keys between bounds: one bound of any kind, or `at_least` and `at_most` (all that DynamoDB can query).

    Raises:
        ValueError: for another combination.
    """

    at_least: str | int | None = None
    above: str | int | None = None
    at_most: str | int | None = None
    below: str | int | None = None

    def __post_init__(self) -> None:
        given = {name for name in ("at_least", "above", "at_most", "below") if getattr(self, name) is not None}
        if len(given) != 1 and given != {"at_least", "at_most"}:
            raise ValueError(f"a range needs one bound, or at_least and at_most: {sorted(given)}")


@frozen
class Query:
    """The items of one partition to read, and how much of them."""

    partition: str
    sort_key: Prefix | Range | None = None
    index: str | None = None
    """The name of an index. It holds the items that have its key attributes, and always may lag."""
    where: Condition | None = None
    """Filter of the items to return. DynamoDB charges for those that are left out all the same."""
    newest_first: bool = False
    """From the greatest sort key down."""
    limit: int | None = None
    """Largest number of items to return, counted after `where`."""
    first_page: int | None = None
    """Number of items that the first call looks at, for a caller who mostly leaves early; each further call looks at
    four times as many. None for calls that look at 1 MB each, which DynamoDB charges for even if the caller leaves
    early."""
    attributes: tuple[str, ...] = ()
    """The attributes to return; empty for all that the table or the index has. DynamoDB charges for whole items."""
    may_lag: bool = False


class Table(Protocol):
    """One table. Each method tells what it costs on DynamoDB; on-demand writes cost five times what reads do."""

    def get(self, key: Key, *, may_lag: bool = False) -> Item | None:
        """The item with this key: one call, a read unit for each 4 KB, half of it when it may lag."""

    def batch_get(self, keys: Sequence[Key], *, may_lag: bool = False) -> list[Item | None]:
        """The items with these keys, in the order of the keys, None where there is none: one call for each hundred
        keys or 16 MB, priced as `get`. A call returns what fits, and the rest is asked for again.

        Raises:
            UnavailableError: time after time nothing of what was left was returned.
        """

    def query(self, query: Query) -> Iterator[Item]:
        """The items of a query, in the order of the sort key: one call for each page of 1 MB, made when the iterator
        gets to it. A page costs a read unit for each 4 KB that was looked at, half of it when it may lag."""

    def put(self, item: Item, condition: Condition | None = None, *, return_stored: bool = False) -> None:
        """Store an item in place of any that has its key: one call, a write unit for each KB.

        Raises:
            ConditionFailedError: the condition does not hold; nothing was written.
        """

    def update(self, update: Update) -> None:
        """Change some attributes of an item: one call, a write unit for each KB of the item before or after,
        whichever is larger.

        Raises:
            ConditionFailedError: the condition does not hold; nothing was written.
        """

    def delete(self, key: Key, condition: Condition | None = None, *, return_stored: bool = False) -> None:
        """Remove the item with this key, if there is one: one call, a write unit for each KB of it.

        Raises:
            ConditionFailedError: the condition does not hold; nothing was removed.
        """

    def transact(self, writes: Sequence[Write]) -> None:
        """Carry out all writes or none: one call, twice the price of the same writes alone; a `Check` costs as much
        as a write. At most a hundred writes, of different items, of 4 MB together.

        A transaction that meets another one at an item is sent again after a pause. All attempts have one request
        token, so that one whose answer was lost is not carried out twice.

        Raises:
            TransactionRefusedError: a condition does not hold; nothing was written.
            TransactionConflictError: it met other transactions at each attempt; nothing was written.
        """

    def batch_write(self, writes: Sequence[Put | Delete]) -> None:
        """Carry out writes without conditions, in any order, and not all at once: one call for each 25 writes, priced
        as the writes alone. Writes that DynamoDB holds back are sent again after a pause.

        Raises:
            UnavailableError: some were held back at each attempt; others may have been carried out.
        """


class Tables(Protocol):
    """All tables of a stage."""

    def table(self, definition: TableDefinition) -> Table:
        """The table of a definition."""

    def batch_get(self, keys: Sequence[tuple[TableDefinition, Key]], *, may_lag: bool = False) -> list[Item | None]:
        """As `Table.batch_get`, over several tables in the same call."""
