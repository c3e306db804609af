"""The expressions of one request: their placeholders are replaced and checked, then they are evaluated."""

from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib.frozen import frozen
from tests.fakes.dynamodb import grammar
from tests.fakes.dynamodb.attributes import ORDERED, AttributeValue, Item, comparable, letter_of, value_size
from tests.fakes.dynamodb.grammar import (
    Action,
    Add,
    AllOf,
    AnyOf,
    BeginsWith,
    Between,
    Comparison,
    Condition,
    Presence,
    Remove,
    Set,
)
from tests.fakes.dynamodb.refusals import UnsupportedError, invalid

Request = Mapping[str, Any]
NAMES, VALUES = "ExpressionAttributeNames", "ExpressionAttributeValues"


class Expressions:
    """The expressions of a request. DynamoDB refuses a placeholder that is missing, and one that none of them uses."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._names = _given(request, NAMES)
        self._values = _given(request, VALUES)
        self._used: set[str] = set()
        for value in self._values.values():
            value_size(value)

    def condition(self, member: str) -> Condition | None:
        """The condition in a member of the request, None where there is none.

        Raises:
            ClientError: DynamoDB refuses it.
            UnsupportedError: it has something that this server does not know.
        """
        text = self._request.get(member)
        return None if text is None else self._bound(grammar.condition(text))

    def update(self) -> tuple[Action, ...]:
        """The actions of the update.

        Raises:
            ClientError, UnsupportedError: see `condition`.
        """
        text = self._request.get("UpdateExpression")
        if text is None:
            raise UnsupportedError("an update without an expression")
        actions = tuple(map(self._bound_action, grammar.update(text)))
        names = [action.name for action in actions]
        if len(set(names)) < len(names):
            raise invalid("Invalid UpdateExpression: Two document paths overlap with each other")
        return actions

    def projection(self) -> tuple[str, ...] | None:
        """The attributes to return, None for all.

        Raises:
            ClientError, UnsupportedError: see `condition`.
        """
        text = self._request.get("ProjectionExpression")
        if text is None:
            return None
        names = tuple(map(self._name, grammar.projection(text)))
        if len(set(names)) < len(names):
            raise invalid("Invalid ProjectionExpression: Two document paths overlap with each other")
        return names

    def require_no_others(self) -> None:
        """Raise unless each placeholder is used.

        Raises:
            ClientError: one is not.
        """
        if unused := (self._names.keys() | self._values.keys()) - self._used:
            raise invalid(f"Value provided in {NAMES} or {VALUES} unused in expressions: keys: {sorted(unused)}")

    def _name(self, placeholder: str) -> str:
        self._used.add(placeholder)
        if placeholder not in self._names:
            raise invalid(f"An expression attribute name used in the document path is not defined: {placeholder}")
        name: str = self._names[placeholder]
        return name

    def _value(self, placeholder: str) -> AttributeValue:
        self._used.add(placeholder)
        if placeholder not in self._values:
            raise invalid(f"An expression attribute value used in expression is not defined: {placeholder}")
        value: AttributeValue = self._values[placeholder]
        return value

    def _ordered(self, placeholder: str, operator: str, letters: frozenset[str] = ORDERED) -> AttributeValue:
        value = self._value(placeholder)
        if letter_of(value) not in letters:
            raise invalid(
                f"Incorrect operand type for operator or function; operator or function: {operator}, operand type: "
                f"{letter_of(value)}"
            )
        return value

    def _bound(self, tree: Condition) -> Condition:
        """A condition with names and values in place of placeholders."""
        if isinstance(tree, AllOf | AnyOf):
            return type(tree)(tuple(map(self._bound, tree.parts)))
        name = self._name(tree.name)
        if isinstance(tree, Presence):
            return Presence(name, tree.is_there)
        if isinstance(tree, BeginsWith):
            return BeginsWith(name, self._ordered(tree.prefix, "begins_with", frozenset({"S", "B"})))
        if isinstance(tree, Comparison):
            value = self._value(tree.value) if tree.sign in ("=", "<>") else self._ordered(tree.value, tree.sign)
            return Comparison(name, tree.sign, value)
        bounds = self._ordered(tree.least, "BETWEEN"), self._ordered(tree.most, "BETWEEN")
        if letter_of(bounds[0]) != letter_of(bounds[1]) or comparable(bounds[0]) > comparable(bounds[1]):
            raise invalid("The BETWEEN operator requires upper bound to be greater than or equal to lower bound")
        return Between(name, *bounds)

    def _bound_action(self, action: Action) -> Action:
        name = self._name(action.name)
        if isinstance(action, Remove):
            return Remove(name)
        if isinstance(action, Add):
            return Add(name, self._ordered(action.value, "ADD", frozenset({"N"})))
        return Set(name, self._value(action.value), None if action.if_absent is None else self._name(action.if_absent))


@frozen
class KeyCondition:
    """The partition that a query reads, and which sort keys."""

    partition: str
    sort: Condition | None


def key_condition(condition: Condition | None, partition_name: str, sort_name: str | None) -> KeyCondition:
    """The parts of a key condition: one value of the partition key, and at most one condition on the sort key.

    Raises:
        ClientError: it has another form.
    """
    parts = condition.parts if isinstance(condition, AllOf) else (condition,)
    partitions = [part for part in parts if isinstance(part, Comparison) and part.name == partition_name]
    others = [part for part in parts if part not in partitions]
    if [part.sign for part in partitions] != ["="] or letter_of(partitions[0].value) != "S" or len(others) > 1:
        raise invalid("Query condition missed key schema element or is not supported")
    for sort in others:
        is_known = isinstance(sort, Between | BeginsWith) or (isinstance(sort, Comparison) and sort.sign != "<>")
        if not is_known or getattr(sort, "name", None) != sort_name:
            raise invalid("Query key condition not supported")
    return KeyCondition(partitions[0].value["S"], others[0] if others else None)


def names_of(condition: Condition | None) -> Iterator[str]:
    """The attributes that a condition looks at."""
    if isinstance(condition, AllOf | AnyOf):
        for part in condition.parts:
            yield from names_of(part)
    elif condition is not None:
        yield condition.name


def holds(condition: Condition | None, item: Item) -> bool:
    """Whether a condition holds for an item, which is empty where there is none. An absent attribute is unequal to any
    value, and neither less nor greater; so are values of different types."""
    if condition is None:
        return True
    if isinstance(condition, AllOf):
        return all(holds(part, item) for part in condition.parts)
    if isinstance(condition, AnyOf):
        return any(holds(part, item) for part in condition.parts)
    stored = item.get(condition.name)
    if isinstance(condition, Presence):
        return (stored is not None) is condition.is_there
    if isinstance(condition, Comparison):
        return _compares(stored, condition.sign, condition.value)
    if isinstance(condition, Between):
        return _compares(stored, ">=", condition.least) and _compares(stored, "<=", condition.most)
    if stored is None or letter_of(stored) != letter_of(condition.prefix):
        return False
    begins: bool = comparable(stored).startswith(comparable(condition.prefix))
    return begins


def updated(actions: tuple[Action, ...], item: Item) -> Item:
    """An item after actions, all of which see it as it was before.

    Raises:
        ClientError: a number is to be added to something else.
    """
    changed = dict(item)
    for action in actions:
        if isinstance(action, Remove):
            changed.pop(action.name, None)
        elif isinstance(action, Add):
            changed[action.name] = _sum(item.get(action.name), action.value)
        else:
            kept = None if action.if_absent is None else item.get(action.if_absent)
            changed[action.name] = action.value if kept is None else kept
    return changed


def _sum(stored: AttributeValue | None, added: AttributeValue) -> AttributeValue:
    if stored is None:
        return added
    if letter_of(stored) != "N":
        raise invalid("An operand in the update expression has an incorrect data type")
    return {"N": str(int(stored["N"]) + int(added["N"]))}


def _compares(stored: AttributeValue | None, sign: str, value: AttributeValue) -> bool:
    if sign in ("=", "<>"):
        return (stored == value) is (sign == "=")
    if stored is None or letter_of(stored) != letter_of(value):
        return False
    first, second = comparable(stored), comparable(value)
    is_less: bool = first < second
    if sign in ("<", ">="):
        return is_less is (sign == "<")
    is_greater: bool = first > second
    return is_greater is (sign == ">")


def _given(request: Request, member: str) -> Mapping[str, Any]:
    given: Mapping[str, Any] | None = request.get(member)
    if given is not None and not given:
        raise invalid(f"{member} must not be empty")
    return given or {}
