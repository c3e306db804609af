"""DynamoDB's expressions, from the values of `engine/conditions.py` and `engine/table.py`.

Attributes and values appear in expressions by placeholders, numbered as they come, so that no attribute's name is a
reserved word. The text of an expression then depends on the shape of a condition or an update only, not on its names
and values: it is made once for a shape and remembered.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import count, islice
from typing import Any

from chalicelib.engine.aws.attribute_values import to_value
from chalicelib.engine.conditions import AllOf, Comparison, Condition, Presence, StartsWith
from chalicelib.engine.table import Prefix, Range, Update

MAX_TEXTS = 256
"""Texts that are remembered; the stores have a few dozen shapes."""

_OPERATORS = {"at_least": ">=", "above": ">", "at_most": "<=", "below": "<"}

Shape = tuple[Any, ...]
"""A condition without its names and values: an operator or a function, or a word and the shapes that it joins."""
_EXISTS: Shape = ("attribute_exists",)
_NOT_EXISTS: Shape = ("attribute_not_exists",)
_BEGINS_WITH: Shape = ("begins_with",)


class Expressions:
    """The expressions of one request, and the placeholders that they share."""

    __slots__ = ("_names", "_partition_name", "_values")

    def __init__(self, partition_name: str) -> None:
        self._partition_name = partition_name
        self._names: list[str] = []
        self._values: list[Any] = []

    def placeholders(self) -> dict[str, Mapping[str, Any]]:
        """The members that expressions need of a request. DynamoDB refuses a placeholder that no expression uses."""
        placeholders: dict[str, Mapping[str, Any]] = {
            "ExpressionAttributeNames": {f"#n{place}": name for place, name in enumerate(self._names)}
        }
        if self._values:
            placeholders["ExpressionAttributeValues"] = {
                f":v{place}": to_value(value) for place, value in enumerate(self._values)
            }
        return placeholders

    def condition(self, condition: Condition) -> str:
        """A condition of a write, or the filter of a query."""
        first_name, first_value = len(self._names), len(self._values)
        return _condition_text(self._shape(condition), first_name, first_value)

    def update(self, update: Update) -> str:
        """The expression of an update."""
        first_name, first_value = len(self._names), len(self._values)
        for changes in (update.set, update.set_if_absent, update.add):
            if changes:
                self._names += changes
                self._values += changes.values()
        self._names += update.remove
        counts = len(update.set), len(update.set_if_absent), len(update.add), len(update.remove)
        return _update_text(counts, first_name, first_value)

    def key_condition(self, partition: tuple[str, str], sort_name: str, sort_key: Prefix | Range | None) -> str:
        """The expression of the part of a partition that a query reads. It comes first in a request.

        Args:
            partition: the name of the partition key and its value.
        """
        self._names.append(partition[0])
        self._values.append(partition[1])
        if sort_key is None:
            return "#n0 = :v0"
        self._names.append(sort_name)
        if isinstance(sort_key, Prefix):
            self._values.append(sort_key.text)
            return "#n0 = :v0 AND begins_with(#n1, :v1)"
        bounds = [
            (word, bound) for field, word in _OPERATORS.items() if (bound := getattr(sort_key, field)) is not None
        ]
        self._values += (bound for _, bound in bounds)
        return f"#n0 = :v0 AND #n1 {bounds[0][0]} :v1" if len(bounds) == 1 else "#n0 = :v0 AND #n1 BETWEEN :v1 AND :v2"

    def projection(self, attributes: tuple[str, ...]) -> str:
        """The attributes that a query returns."""
        first_name = len(self._names)
        self._names += attributes
        return ", ".join(f"#n{first_name + place}" for place in range(len(attributes)))

    def _shape(self, condition: Condition) -> Shape:
        """The shape of a condition, whose names and values are noted on the way."""
        if isinstance(condition, Comparison):
            self._names.append(condition.name)
            self._values.append(condition.value)
            return (condition.operator,)
        if isinstance(condition, Presence):
            self._names.append(self._partition_name if condition.name is None else condition.name)
            return _EXISTS if condition.is_there else _NOT_EXISTS
        if isinstance(condition, StartsWith):
            self._names.append(condition.name)
            self._values.append(condition.prefix)
            return _BEGINS_WITH
        return ("AND" if isinstance(condition, AllOf) else "OR", *map(self._shape, condition.parts))


@lru_cache(MAX_TEXTS)
def _condition_text(shape: Shape, first_name: int, first_value: int) -> str:
    return _text(shape, count(first_name), count(first_value))


def _text(shape: Shape, names: Iterator[int], values: Iterator[int]) -> str:
    word = shape[0]
    if word in ("AND", "OR"):
        parts = (_text(part, names, values) for part in shape[1:])
        return f" {word} ".join(
            f"({text})" if part[0] in ("AND", "OR") else text for part, text in zip(shape[1:], parts, strict=True)
        )
    if shape in (_EXISTS, _NOT_EXISTS):
        return f"{word}(#n{next(names)})"
    if shape == _BEGINS_WITH:
        return f"{word}(#n{next(names)}, :v{next(values)})"
    return f"#n{next(names)} {word} :v{next(values)}"


@lru_cache(MAX_TEXTS)
def _update_text(counts: tuple[int, int, int, int], first_name: int, first_value: int) -> str:
    """The text of an update that sets, sets where absent, adds and removes these numbers of attributes."""
    names, values = count(first_name), count(first_value)
    set_count, set_if_absent_count, add_count, remove_count = counts
    assigned = [f"#n{next(names)} = :v{next(values)}" for _ in range(set_count)]
    assigned += [f"#n{name} = if_not_exists(#n{name}, :v{next(values)})" for name in islice(names, set_if_absent_count)]
    added = [f"#n{next(names)} :v{next(values)}" for _ in range(add_count)]
    removed = [f"#n{name}" for name in islice(names, remove_count)]
    clauses = (("SET", assigned), ("ADD", added), ("REMOVE", removed))
    return " ".join(f"{word} {', '.join(parts)}" for word, parts in clauses if parts)
