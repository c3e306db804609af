"""Keys, items and writes of the log in DynamoDB's form, for stores that do not speak `engine/table.py` yet."""

from collections.abc import Callable, Mapping
from typing import Any, ParamSpec

from chalicelib.engine.attribute_values import from_values, to_values
from chalicelib.engine.backoff import TRIES, pause_after
from chalicelib.engine.errors import TransactionConflictError
from chalicelib.engine.expressions import Expressions
from chalicelib.engine.table import Check, Key, Update
from chalicelib.errors import UnavailableError
from chalicelib.log.data_set import DataSetHead, OwnerState
from chalicelib.log.stores import data_sets, keys, owner

Arguments = ParamSpec("Arguments")
Item = Mapping[str, Any]


def _in_values(make: Callable[Arguments, Key]) -> Callable[Arguments, dict[str, Any]]:
    def make_in_values(*args: Arguments.args, **kwargs: Arguments.kwargs) -> dict[str, Any]:
        return to_values(make(*args, **kwargs))

    return make_in_values


head_key = _in_values(keys.head_key)
owner_key = _in_values(keys.owner_key)
data_set_key = _in_values(keys.data_set_key)
entry_key = _in_values(keys.entry_key)
part_key = _in_values(keys.part_key)
refusal_key = _in_values(keys.refusal_key)
source_key = _in_values(keys.source_key)
source_list_key = _in_values(keys.source_list_key)
source_session_key = _in_values(keys.source_session_key)
source_link_key = _in_values(keys.source_link_key)
source_place_key = _in_values(keys.source_place_key)


def owner_from_item(owner_id: str, item: Item | None) -> OwnerState:
    """See `owner.owner_from_item`."""
    return owner.owner_from_item(owner_id, None if item is None else from_values(item))


def head_from_item(item: Item) -> DataSetHead:
    """See `data_sets.head_from_item`."""
    return data_sets.head_from_item(from_values(item))


def owner_change(table: str, owner_id: str, *, set_to: Item | None = None) -> Any:
    """See `owner.owner_change`: an update whatever the owner's counters are."""
    return _request(table, owner.owner_change(owner_id, seen={}, set_to=from_values(set_to or {})))


def without_conflict(write: Callable[[], None]) -> None:
    """Carry out a write that may meet a transaction, and repeat it when it does.

    Raises:
        UnavailableError: it met one each time.
    """
    for attempt in range(TRIES):
        try:
            return write()
        except TransactionConflictError:
            pause_after(attempt)
    raise UnavailableError


def _request(table: str, write: Check | Update) -> dict[str, Any]:
    expressions = Expressions("pk")
    request: dict[str, Any] = {"TableName": table, "Key": to_values(write.key)}
    if isinstance(write, Update):
        request["UpdateExpression"] = expressions.update(write)
    if write.condition is not None:
        request["ConditionExpression"] = expressions.condition(write.condition)
    return request | expressions.placeholders()
