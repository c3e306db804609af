"""Writes: of one item, alone or in a transaction."""

from collections.abc import Callable, Mapping
from typing import Any

from chalicelib.frozen import frozen
from tests.fakes.dynamodb.attributes import Item
from tests.fakes.dynamodb.expressions import Expressions, Request, holds, updated
from tests.fakes.dynamodb.grammar import Condition, Remove
from tests.fakes.dynamodb.refusals import CONDITION_FAILED, UnsupportedError, invalid, refused
from tests.fakes.dynamodb.tables import ItemKey, StoredItem, Table

PUT, UPDATE, DELETE, CHECK = "Put", "Update", "Delete", "ConditionCheck"
_CONDITIONAL = frozenset(
    {
        "TableName",
        "ConditionExpression",
        "ExpressionAttributeNames",
        "ExpressionAttributeValues",
        "ReturnValuesOnConditionCheckFailure",
    }
)
MEMBERS: Mapping[str, frozenset[str]] = {
    PUT: _CONDITIONAL | {"Item"},
    UPDATE: _CONDITIONAL | {"Key", "UpdateExpression"},
    DELETE: _CONDITIONAL | {"Key"},
    CHECK: _CONDITIONAL | {"Key"},
}
"""The members of the request of each kind of write."""

Effect = Callable[[StoredItem | None], StoredItem | None]
"""The item after a write, by the one before."""


@frozen
class Write:
    """A write that was read and checked, and that has changed nothing yet."""

    table: Table
    key: ItemKey
    condition: Condition | None
    returns_stored: bool
    effect: Effect

    def after(self) -> StoredItem | None:
        """The item as the write leaves it, None where there is none.

        Raises:
            ClientError: its condition does not hold, or what it would leave is refused.
        """
        stored = self.table.find(self.key)
        if holds(self.condition, {} if stored is None else stored.values):
            return self.effect(stored)
        members = {"Item": stored.values} if self.returns_stored and stored is not None else {}
        raise refused(CONDITION_FAILED, "The conditional request failed", **members)


def read_write(kind: str, request: Request, table: Table) -> Write:
    """The write that a request of a kind asks for.

    Raises:
        ClientError: DynamoDB refuses it whatever is stored.
        UnsupportedError: it has something that this server does not know.
    """
    expressions = Expressions(request)
    if kind == PUT:
        item = table.storable(_member(request, "Item"))
        key, effect = table.key_of(item.values), _always(item)
    else:
        key = table.key(_member(request, "Key"))
        effect = _effect(kind, request["Key"], expressions, table)
    condition = expressions.condition("ConditionExpression")
    if kind == CHECK and condition is None:
        raise invalid("The expression can not be empty")
    expressions.require_no_others()
    return Write(table, key, condition, _returns_stored(request), effect)


def _effect(kind: str, key: Item, expressions: Expressions, table: Table) -> Effect:
    if kind == DELETE:
        return _always(None)
    if kind == CHECK:
        return lambda stored: stored
    actions = expressions.update()
    for action in actions:
        if action.name in table.key_names:
            raise invalid(f"Cannot update attribute {action.name}. This attribute is part of the key")

    def effect(stored: StoredItem | None) -> StoredItem:
        if stored is None and all(isinstance(action, Remove) for action in actions):
            raise UnsupportedError("an update that only removes, of an item that is not there")
        return table.storable(updated(actions, key if stored is None else stored.values))

    return effect


def _always(item: StoredItem | None) -> Effect:
    return lambda _stored: item


def _member(request: Request, name: str) -> Any:
    if name not in request:
        raise invalid(f"The parameter '{name}' must be specified")
    return request[name]


def _returns_stored(request: Request) -> bool:
    asked = request.get("ReturnValuesOnConditionCheckFailure", "NONE")
    if asked not in ("NONE", "ALL_OLD"):
        raise UnsupportedError(f"ReturnValuesOnConditionCheckFailure {asked}")
    return bool(asked == "ALL_OLD")
