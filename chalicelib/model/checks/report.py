"""Collects the faults of a body, and of posted data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from chalicelib.errors import FieldError
from chalicelib.model.errors import Fault


@dataclass(slots=True)
class Report:
    """The faults found so far, in order. `meta` is attached to each fault that is added."""

    errors: list[FieldError] = field(default_factory=list)
    meta: Mapping[str, str] | None = None

    def add(self, fault: Fault, pointer: str) -> None:
        self.errors.append(fault.at(pointer or None, meta=self.meta))


@dataclass(frozen=True, slots=True)
class DataReport:
    """The faults of posted data: a datum with faults of parsing is not validated."""

    parsing: Report = field(default_factory=Report)
    validation: Report = field(default_factory=Report)

    @property
    def errors(self) -> list[FieldError]:
        """The faults to answer: those of parsing or, if there are none, those of validation."""
        return self.parsing.errors or self.validation.errors
