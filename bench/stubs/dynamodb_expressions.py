"""Interprets the expressions of the measured requests: the keys that a query selects, and the effect of an update."""

import re
from collections.abc import Callable, Mapping
from typing import Any

Item = dict[str, Any]
Names = Mapping[str, str]

_PARTITION = re.compile(r"(\S+) = (:\w+)(?: AND (.+))?", re.DOTALL)
_PREFIX = re.compile(r"begins_with\(\s*\S+\s*,\s*(:\w+)\s*\)")
_BETWEEN = re.compile(r"\S+ BETWEEN (:\w+) AND (:\w+)")
_COMPARED = re.compile(r"\S+ (=|<|<=|>|>=) (:\w+)")
_FILTERED = re.compile(r"(#\w+) (=|<|<=|>|>=) (:\w+)")
_CLAUSE = re.compile(r"\b(SET|REMOVE|ADD) ")
_TERM = re.compile(r"if_not_exists\(\s*(\S+?)\s*,\s*(:\w+)\s*\)|(:?[#\w]+)")
_COMMA = re.compile(r",\s*(?![^()]*\))")

_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": lambda key, value: key == value,
    "<": lambda key, value: key < value,
    "<=": lambda key, value: key <= value,
    ">": lambda key, value: key > value,
    ">=": lambda key, value: key >= value,
}


def key_condition(expression: str, values: Item) -> tuple[str, Callable[[str], bool]]:
    """The partition that a query reads, and a predicate that selects sort keys.

    Raises:
        NotImplementedError: the expression has a form that is not known here.
    """
    partition = _PARTITION.fullmatch(expression.strip())
    if partition is None:
        raise NotImplementedError(expression)
    _, pk, of_sort_key = partition.groups()
    return values[pk]["S"], _sort_key_condition((of_sort_key or "").strip(), values)


def _sort_key_condition(expression: str, values: Item) -> Callable[[str], bool]:
    if not expression:
        return lambda _: True
    if found := _PREFIX.fullmatch(expression):
        prefix = values[found[1]]["S"]
        return lambda key: key.startswith(prefix)
    if found := _BETWEEN.fullmatch(expression):
        first, last = (values[name]["S"] for name in found.groups())
        return lambda key: first <= key <= last
    if found := _COMPARED.fullmatch(expression):
        compare, value = _COMPARISONS[found[1]], values[found[2]]["S"]
        return lambda key: compare(key, value)
    raise NotImplementedError(expression)


def filter_condition(expression: str, names: Names, values: Item) -> Callable[[Item], bool]:
    """A predicate that filters items by attributes, each compared with a value of its type and joined with `AND`.

    Raises:
        NotImplementedError: the expression has a form that is not known here.
    """
    terms = [_FILTERED.fullmatch(term.strip()) for term in expression.split(" AND ")]
    if not all(terms):
        raise NotImplementedError(expression)
    compared = [(names[term[1]], _COMPARISONS[term[2]], values[term[3]]) for term in terms if term]

    def is_selected(item: Item) -> bool:
        return all(name in item and compare(_plain(item[name]), _plain(value)) for name, compare, value in compared)

    return is_selected


def _plain(value: Item) -> Any:
    """A number or text of DynamoDB, to be compared."""
    ((kind, content),) = value.items()
    return float(content) if kind == "N" else content


def updated(item: Item, expression: str, names: Names, values: Item) -> Item:
    """The item after an update with `SET`, `ADD` of numbers and `REMOVE`."""
    pieces = _CLAUSE.split(expression.strip())
    if pieces[0]:
        raise NotImplementedError(expression)
    changed = dict(item)
    for clause, actions in zip(pieces[1::2], pieces[2::2], strict=True):
        for action in _COMMA.split(actions.strip()):
            if clause == "REMOVE":
                changed.pop(names.get(action, action), None)
            elif clause == "ADD":
                name, value = action.split()
                name = names.get(name, name)
                changed[name] = _sum(changed.get(name, {"N": "0"}), values[value])
            else:
                name, _, value = action.partition("=")
                changed[names.get(name.strip(), name.strip())] = _value(value.strip(), item, names, values)
    return changed


def _value(expression: str, item: Item, names: Names, values: Item) -> Item:
    """The value of an operand, or the sum or difference of two."""
    for sign, factor in ((" + ", 1), (" - ", -1)):
        first, found, second = expression.partition(sign)
        if found:
            other = _operand(second, item, names, values)
            return _sum(_operand(first, item, names, values), {"N": str(factor * int(other["N"]))})
    return _operand(expression, item, names, values)


def _operand(expression: str, item: Item, names: Names, values: Item) -> Item:
    found = _TERM.fullmatch(expression.strip())
    if found is None:
        raise NotImplementedError(expression)
    name, otherwise, plain = found.groups()
    if name is not None:
        plain = name if names.get(name, name) in item else otherwise
    value: Item = values[plain] if plain.startswith(":") else item[names.get(plain, plain)]
    return value


def _sum(augend: Item, addend: Item) -> Item:
    return {"N": str(int(augend["N"]) + int(addend["N"]))}
