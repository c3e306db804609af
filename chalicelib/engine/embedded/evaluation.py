"""Conditions and updates, carried out on items in memory."""

from collections import Counter
from typing import Any

from chalicelib.engine.conditions import AllOf, Comparison, Condition, Presence, StartsWith
from chalicelib.engine.embedded.item_bodies import plain
from chalicelib.engine.table import Item, Update


def holds(condition: Condition, item: Item | None) -> bool:
    """Whether a condition holds for an item, or for none."""
    if isinstance(condition, Comparison):
        return _compares(condition, {} if item is None else item)
    if isinstance(condition, Presence):
        is_there = item is not None and (condition.name is None or condition.name in item)
        return is_there is condition.is_there
    if isinstance(condition, StartsWith):
        value = None if item is None else item.get(condition.name)
        return isinstance(value, str) and value.startswith(condition.prefix)
    parts = (holds(part, item) for part in condition.parts)
    return all(parts) if isinstance(condition, AllOf) else any(parts)


def _compares(comparison: Comparison, item: Item) -> bool:
    stored: Any = item.get(comparison.name)
    value: Any = plain(comparison.value)
    if type(stored) is not type(value):
        return comparison.operator == "<>"
    match comparison.operator:
        case "=":
            return bool(stored == value)
        case "<>":
            return bool(stored != value)
        case "<":
            return bool(stored < value)
        case "<=":
            return bool(stored <= value)
        case ">":
            return bool(stored > value)


def updated(update: Update, stored: Item | None) -> Item:
    """The item that an update makes of the stored one, or of none. The stored item itself does not change.

    Raises:
        RuntimeError: the update changes nothing, an attribute twice, or one of the key, or adds to something other
            than a number.
    """
    require_valid(update)
    item: dict[str, Any] = dict(update.key) if stored is None else dict(stored)
    for name, value in update.set_if_absent.items():
        item.setdefault(name, value)
    item |= update.set
    for name, number in update.add.items():
        value = item.get(name, 0)
        if type(value) is not int:
            raise RuntimeError(f"an update adds to {name}, which is not a number")
        item[name] = value + number
    for name in update.remove:
        item.pop(name, None)
    return item


def require_valid(update: Update) -> None:
    """Raise unless DynamoDB would accept the update.

    Raises:
        RuntimeError: as `updated`.
    """
    names = Counter([*update.set, *update.set_if_absent, *update.add, *update.remove])
    if not names:
        raise RuntimeError("an update changes nothing")
    repeated = sorted(name for name, times in names.items() if times > 1 or name in update.key)
    if repeated:
        raise RuntimeError(f"an update changes an attribute twice or one of the key: {', '.join(repeated)}")
