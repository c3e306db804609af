"""Frozen data classes that are cheap to define.

`dataclass(frozen=True, slots=True)` compiles seven methods for each class, which took a third of a cold start. `frozen`
compiles `__init__` alone, and its classes share the other methods (docs/adr/0011-frozen-data-classes.md).
"""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[T]) -> type[T]:
    """Make a data class with slots. Its instances are compared, hashed and represented by their fields.

    mypy refuses assignments to fields. Nothing refuses them at run time, so making an instance is fast.
    """
    made: Any = dataclass(slots=True, eq=False, repr=False)(cls)
    made.__eq__ = _equals
    made.__hash__ = _hash_of
    made.__repr__ = _representation
    return made  # type: ignore[no-any-return]  # the data class that was made of `cls`


def _equals(self: object, other: object) -> Any:  # a bool, or NotImplemented
    if type(other) is not type(self):
        return NotImplemented
    return _compared_values(self) == _compared_values(other)


def _hash_of(self: object) -> int:
    return hash(_compared_values(self))


def _representation(self: Any) -> str:
    shown = ", ".join(f"{member.name}={getattr(self, member.name)!r}" for member in fields(self) if member.repr)
    return f"{type(self).__qualname__}({shown})"


def _compared_values(instance: object) -> tuple[object, ...]:
    cls: Any = type(instance)
    return _getter_of_compared_values(cls)(instance)


@cache
def _getter_of_compared_values(cls: Any) -> Callable[[object], tuple[object, ...]]:
    names = [member.name for member in fields(cls) if member.compare]
    if len(names) > 1:
        return attrgetter(*names)
    return lambda instance: tuple(getattr(instance, name) for name in names)
