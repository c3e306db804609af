"""Calls: of clients of AWS, and of functions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.infra.rights.values import NOTHING, Mapped, Value


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a client, with one form of its arguments."""

    service: str
    method: str
    arguments: Mapped
    place: str


@dataclass(slots=True)
class Arguments:
    """What a function is called with."""

    positional: Sequence[Value] = ()
    named: Mapping[str, Value] = field(default_factory=dict)
    more_positional: Value = NOTHING
    """Elements of what was given by `*`."""
    more_named: Value = NOTHING
    """Mappings that were given by `**`."""
