"""DynamoDB's expressions, from the values of `engine/conditions.py` and `engine/table.py`.

Attributes and values appear in them by placeholders only, so that no attribute's name is a reserved word.
"""

from collections.abc import Mapping
from typing import Any

from chalicelib.engine.attribute_values import AttributeValue, to_value
from chalicelib.engine.conditions import AllOf, AnyOf, Comparison, Condition, Presence, StartsWith
from chalicelib.engine.table import Prefix, Range, Update

_RANGE_OPERATORS = {"at_least": ">=", "above": ">", "at_most": "<=", "below": "<"}


class Expressions:
    """The expressions of one request, and the placeholders that they share."""

    def __init__(self, partition_name: str) -> None:
        self._partition_name = partition_name
        self._names: dict[str, str] = {}
        self._values: dict[str, AttributeValue] = {}

    def placeholders(self) -> dict[str, Mapping[str, Any]]:
        """What a request needs besides the expressions. DynamoDB refuses a placeholder that no expression uses."""
        placeholders: dict[str, Mapping[str, Any]] = {
            "ExpressionAttributeNames": {placeholder: name for name, placeholder in self._names.items()}
        }
        if self._values:
            placeholders["ExpressionAttributeValues"] = self._values
        return placeholders

    def condition(self, condition: Condition) -> str:
        """A condition of a write, or the filter of a query."""
        match condition:
            case Comparison(name, operator, value):
                return f"{self._name(name)} {operator} {self._value(value)}"
            case Presence(name, is_there):
                function = "attribute_exists" if is_there else "attribute_not_exists"
                return f"{function}({self._name(self._partition_name if name is None else name)})"
            case StartsWith(name, prefix):
                return f"begins_with({self._name(name)}, {self._value(prefix)})"
            case AllOf(parts):
                return " AND ".join(map(self._part, parts))
            case AnyOf(parts):
                return " OR ".join(map(self._part, parts))

    def update(self, update: Update) -> str:
        """What an update does."""
        assigned = [f"{self._name(name)} = {self._value(value)}" for name, value in update.set.items()]
        for name, value in update.set_if_absent.items():
            placeholder = self._name(name)
            assigned.append(f"{placeholder} = if_not_exists({placeholder}, {self._value(value)})")
        added = [f"{self._name(name)} {self._value(number)}" for name, number in update.add.items()]
        removed = [self._name(name) for name in update.remove]
        clauses = (("SET", assigned), ("ADD", added), ("REMOVE", removed))
        return " ".join(f"{word} {', '.join(parts)}" for word, parts in clauses if parts)

    def key_condition(self, partition: tuple[str, str], sort_name: str, sort_key: Prefix | Range | None) -> str:
        """Which part of which partition a query reads.

        Args:
            partition: the name of the partition key and its value.
        """
        name, value = partition
        in_partition = f"{self._name(name)} = {self._value(value)}"
        if sort_key is None:
            return in_partition
        return f"{in_partition} AND {self._sort_condition(self._name(sort_name), sort_key)}"

    def projection(self, attributes: tuple[str, ...]) -> str:
        """The attributes that a query returns."""
        return ", ".join(map(self._name, attributes))

    def _sort_condition(self, name: str, sort_key: Prefix | Range) -> str:
        if isinstance(sort_key, Prefix):
            return f"begins_with({name}, {self._value(sort_key.text)})"
        if sort_key.at_least is not None and sort_key.at_most is not None:
            return f"{name} BETWEEN {self._value(sort_key.at_least)} AND {self._value(sort_key.at_most)}"
        ((operator, bound),) = (
            (operator, bound)
            for field, operator in _RANGE_OPERATORS.items()
            if (bound := getattr(sort_key, field)) is not None
        )
        return f"{name} {operator} {self._value(bound)}"

    def _part(self, condition: Condition) -> str:
        text = self.condition(condition)
        return f"({text})" if isinstance(condition, AllOf | AnyOf) else text

    def _name(self, name: str) -> str:
        placeholder = self._names.get(name)
        if placeholder is None:
            placeholder = self._names[name] = f"#n{len(self._names)}"
        return placeholder

    def _value(self, value: Any) -> str:
        placeholder = f":v{len(self._values)}"
        self._values[placeholder] = to_value(value)
        return placeholder
