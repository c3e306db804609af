"""The seam between stores and engine, where a test lets calls fail or other requests come in between.

Each call of a port passes a `Seam`, which knows its name (`data.PutItem`, `objects.put`) and asks its plan for the
fault that the call meets. On DynamoDB the tables are wrapped below the engine, at each request, and fail with
botocore's own errors; on SQLite, which has no requests, at each call of the port.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from chalicelib.engine.conditions import Condition
from chalicelib.engine.definitions import TableDefinition
from chalicelib.engine.errors import ConditionFailedError, TransactionConflictError, TransactionRefusedError
from chalicelib.engine.table import Delete, Item, Key, Put, Query, Table, Tables, Update, Write
from chalicelib.errors import NoSpaceError, UnavailableError
from tests.fakes.processes import DiedError

Result = TypeVar("Result")

SINGLE_WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem"})
OTHER_WRITES = frozenset({"put", "send", "delete", "keep", "replace"})
"""The methods of the other ports that change something."""
BATCHES = frozenset({"BatchWriteItem", "BatchGetItem", "delete"})


class FaultKind(StrEnum):
    """The fault that a call meets."""

    THROTTLED = "throttled"
    REFUSED = "connection refused"
    TIMED_OUT_BEFORE = "timed out before the effect"
    TIMED_OUT_AFTER = "timed out after the effect"
    LATE = "late"
    """It is carried out, and its answer comes after `LATE_MS`."""
    SENT_TWICE = "sent twice"
    """The engine's client gets no answer, sends the request again, and reports what the second one met."""
    CONFLICT = "conflict"
    PARTIAL = "partial batch"
    """Half of a batch is carried out."""
    DISK_FULL = "disk full"
    DIED_BEFORE = "died before the call"
    DIED_AFTER = "died after the call"
    STEPPED_BACK = "clock set back"
    STEPPED_AHEAD = "clock set ahead"


DEADLY = frozenset({FaultKind.DIED_BEFORE, FaultKind.DIED_AFTER})
CLOCK_STEPS = (FaultKind.STEPPED_BACK, FaultKind.STEPPED_AHEAD)
LATE_MS = 3_000
STEP_MS = 30 * 60_000
PASSED_MS = {FaultKind.LATE: LATE_MS, FaultKind.STEPPED_BACK: -STEP_MS, FaultKind.STEPPED_AHEAD: STEP_MS}
"""Change of the clock by a call that is carried out."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a port."""

    port: str
    operation: str

    @property
    def is_write(self) -> bool:
        """Whether it changes something."""
        return self.is_single_write or self.operation in {"TransactWriteItems", "BatchWriteItem", *OTHER_WRITES}

    @property
    def is_single_write(self) -> bool:
        """Whether it writes one item, without the token that makes a repeated transaction harmless."""
        return self.operation in SINGLE_WRITES

    def __str__(self) -> str:
        return f"{self.port}.{self.operation}"


def kinds_of(call: Call, *, has_disk: bool) -> list[FaultKind]:
    """The faults that a call may meet; on a disk or, without one, on the other side of a network."""
    kinds = [FaultKind.THROTTLED, FaultKind.TIMED_OUT_BEFORE, FaultKind.LATE, FaultKind.DIED_BEFORE]
    if not has_disk:
        kinds.append(FaultKind.REFUSED)
    if call.is_write:
        kinds += [FaultKind.TIMED_OUT_AFTER, FaultKind.DIED_AFTER]
        kinds += [FaultKind.DISK_FULL] if has_disk else []
    if call.is_single_write:
        kinds.append(FaultKind.SENT_TWICE)
    if call.is_single_write or call.operation == "TransactWriteItems":
        kinds.append(FaultKind.CONFLICT)
    if call.operation in BATCHES:
        kinds.append(FaultKind.PARTIAL)
    return kinds


def no_faults(_call: Call) -> FaultKind | None:
    """The plan without faults."""
    return None


def port_error(kind: FaultKind) -> Exception:
    """The error that a port raises for a fault."""
    if kind is FaultKind.DISK_FULL:
        return NoSpaceError()
    return TransactionConflictError() if kind is FaultKind.CONFLICT else UnavailableError()


class Seam:
    """The calls of all ports, and what they meet."""

    def __init__(self, let_time_pass: Callable[[int], None]) -> None:
        self._let_time_pass = let_time_pass
        self.plan: Callable[[Call], FaultKind | None] = no_faults
        self.calls: list[Call] = []
        self.met: Counter[FaultKind] = Counter()
        self.is_dead = False
        """Whether the process that calls has died: then none of its later code reaches the engine."""

    def carry_out(
        self,
        call: Call,
        effect: Callable[[], Result],
        part: Callable[[], Result] | None = None,
        error: Callable[[FaultKind], Exception] = port_error,
    ) -> Result:
        """The result of a call, or the fault that it meets.

        Args:
            part: carries out half of a batch, and raises or returns what the engine does then.
            error: the error of a fault.
        """
        if self.is_dead:
            raise DiedError
        self.calls.append(call)
        kind = self.plan(call)
        if kind is None:
            return effect()
        self.met[kind] += 1
        if kind in PASSED_MS:
            result = effect()
            self._let_time_pass(PASSED_MS[kind])
            return result
        if kind is FaultKind.PARTIAL and part is not None:
            return part()
        if kind in (FaultKind.SENT_TWICE, FaultKind.TIMED_OUT_AFTER, FaultKind.DIED_AFTER):
            with suppress(ConditionFailedError, TransactionRefusedError, TransactionConflictError):
                effect()
        if kind is FaultKind.SENT_TWICE:
            return effect()
        if kind in DEADLY:
            self.is_dead = True
            raise DiedError
        raise error(kind)


class SeamTables:
    """The port `Tables` behind a seam."""

    def __init__(self, tables: Tables, seam: Seam) -> None:
        self._tables = tables
        self._seam = seam

    def table(self, definition: TableDefinition) -> Table:
        """See `Tables.table`."""
        return SeamTable(definition.name, self._tables.table(definition), self._seam)

    def batch_get(self, keys: Sequence[tuple[TableDefinition, Key]], *, may_lag: bool = False) -> list[Item | None]:
        """See `Tables.batch_get`."""
        call = Call("tables", "BatchGetItem")
        return self._seam.carry_out(call, lambda: self._tables.batch_get(keys, may_lag=may_lag))


class SeamTable:
    """The port `Table` behind a seam."""

    def __init__(self, name: str, table: Table, seam: Seam) -> None:
        self._name = name
        self._table = table
        self._seam = seam

    def get(self, key: Key, *, may_lag: bool = False) -> Item | None:
        """See `Table.get`."""
        return self._carry_out("GetItem", lambda: self._table.get(key, may_lag=may_lag))

    def batch_get(self, keys: Sequence[Key], *, may_lag: bool = False) -> list[Item | None]:
        """See `Table.batch_get`."""
        return self._carry_out("BatchGetItem", lambda: self._table.batch_get(keys, may_lag=may_lag))

    def query(self, query: Query) -> Iterator[Item]:
        """See `Table.query`. The call is made when the iterator is first asked."""
        yield from self._carry_out("Query", lambda: list(self._table.query(query)))

    def put(self, item: Item, condition: Condition | None = None, *, return_stored: bool = False) -> None:
        """See `Table.put`."""
        self._carry_out("PutItem", lambda: self._table.put(item, condition, return_stored=return_stored))

    def update(self, update: Update) -> None:
        """See `Table.update`."""
        self._carry_out("UpdateItem", lambda: self._table.update(update))

    def delete(self, key: Key, condition: Condition | None = None, *, return_stored: bool = False) -> None:
        """See `Table.delete`."""
        self._carry_out("DeleteItem", lambda: self._table.delete(key, condition, return_stored=return_stored))

    def transact(self, writes: Sequence[Write]) -> None:
        """See `Table.transact`."""
        self._carry_out("TransactWriteItems", lambda: self._table.transact(writes))

    def batch_write(self, writes: Sequence[Put | Delete]) -> None:
        """See `Table.batch_write`."""

        def write_half() -> None:
            if half := writes[: len(writes) // 2]:
                self._table.batch_write(half)
            raise UnavailableError

        call = Call(self._name, "BatchWriteItem")
        self._seam.carry_out(call, lambda: self._table.batch_write(writes), write_half)

    def _carry_out(self, operation: str, effect: Callable[[], Result]) -> Result:
        return self._seam.carry_out(Call(self._name, operation), effect)


class SeamPort:
    """Another port behind a seam. What makes no call, such as a signature, passes it."""

    CALLS = frozenset({"put", "get", "get_range", "head", "keys", "delete", "keep", "send", "replace"})

    def __init__(self, name: str, port: Any, seam: Seam) -> None:
        self._name, self._port, self._seam = name, port, seam

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)
        if name not in self.CALLS:
            return method

        def call(*arguments: Any, **named: Any) -> Any:
            if name == "keys":
                return self._keys(*arguments)
            if name == "delete":
                return self._delete(list(*arguments))
            return self._seam.carry_out(Call(self._name, name), lambda: method(*arguments, **named))

        return call

    def _keys(self, prefix: str) -> Iterator[str]:
        yield from self._seam.carry_out(Call(self._name, "keys"), lambda: list(self._port.keys(prefix)))

    def _delete(self, keys: Sequence[str]) -> None:
        def delete_half() -> None:
            self._port.delete(keys[: len(keys) // 2])
            raise UnavailableError

        self._seam.carry_out(Call(self._name, "delete"), lambda: self._port.delete(keys), delete_half)
