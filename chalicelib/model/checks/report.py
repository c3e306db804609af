"""Collects the faults of a body, and of posted data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from chalicelib.errors import MAX_LISTED_ERRORS, FieldError, InvalidFieldsError, more_errors
from chalicelib.frozen import frozen
from chalicelib.model.errors import Fault


@dataclass(slots=True)
class Report:
    """The faults found so far, in order. `meta` is attached to each fault that is added."""

    errors: list[FieldError] = field(default_factory=list)
    meta: Mapping[str, str] | None = None

    def add(self, fault: Fault, pointer: str) -> None:
        """Add a fault.

        Raises:
            InvalidFieldsError: there are `MAX_LISTED_ERRORS` already; the rest of the body is not checked.
        """
        if len(self.errors) == MAX_LISTED_ERRORS:
            raise InvalidFieldsError([*self.errors, more_errors("there are more errors: checking has stopped")])
        self.errors.append(fault.at(pointer or None, meta=self.meta))


@frozen
class DataReport:
    """The faults of posted data: a datum with faults of parsing is not validated."""

    parsing: Report = field(default_factory=Report)
    validation: Report = field(default_factory=Report)

    @property
    def errors(self) -> list[FieldError]:
        """The faults to answer: those of parsing or, if there are none, those of validation."""
        return self.parsing.errors or self.validation.errors
