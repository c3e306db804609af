"""Slots of task types in the tasks table: one item each, for as long as it is held."""

from contextlib import suppress

from chalicelib.engine.conditions import absent, any_of, equals, less_than
from chalicelib.engine.errors import ConditionFailedError
from chalicelib.engine.table import Table
from chalicelib.tasks.ports import Slot
from chalicelib.tasks.stores.keys import slot_key


class StoredTaskSlots:
    """The port `TaskSlots` on the tasks table."""

    def __init__(self, tasks: Table) -> None:
        self._tasks = tasks

    def take(self, task_type: str, slot_count: int, holder: str, from_ms: int, until_ms: int) -> Slot | None:
        """One conditional write for each slot, until one succeeds."""
        is_free = any_of(absent(), less_than("until_ms", from_ms))
        for number in range(slot_count):
            item = slot_key(task_type, number) | {"holder": holder, "until_ms": until_ms}
            with suppress(ConditionFailedError):
                self._tasks.put(item, is_free)
                return Slot(task_type, number, holder, from_ms, until_ms)
        return None

    def release(self, task_type: str, number: int, holder: str) -> None:
        """One conditional write."""
        with suppress(ConditionFailedError):
            self._tasks.delete(slot_key(task_type, number), equals("holder", holder))
