"""The query of the lists of data sets. Source: data-api 6."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chalicelib.domain.data_set import DataSet
from chalicelib.domain.errors import InvalidFieldsError
from chalicelib.model.errors import (
    NOT_PARSED,
    VALUE_EMPTY,
    Fault,
    FieldError,
    between,
    type_not,
    value_out_of_range,
)

DEFAULT_SIZE = 100
MAX_SIZE = 1000

TRUE_WORDS = frozenset({"1", "t", "T", "TRUE", "true", "True"})
FALSE_WORDS = frozenset({"0", "f", "F", "FALSE", "false", "False"})

_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class ListQuery:
    """Which data sets to list: `page` counts from 0. A filter that is None lets everything through."""

    page: int = 0
    size: int = DEFAULT_SIZE
    includes_deleted: bool = False
    client_name: str | None = None
    device_id: str | None = None

    @property
    def first(self) -> int:
        """How many data sets stand before the page."""
        return self.page * self.size

    def selects(self, data_set: DataSet) -> bool:
        """Whether the data set is in the list; `deleted=true` adds the deleted ones to it."""
        return (
            data_set.is_active
            and (self.includes_deleted or data_set.deleted_time_ms is None)
            and (self.client_name is None or self.client_name == _client_name(data_set))
            and (self.device_id is None or self.device_id == data_set.device_id)
        )


def parse_list_query(parameters: Mapping[str, Sequence[str]], *, has_filters: bool) -> ListQuery:
    """The query that a client's parameters ask for.

    Args:
        parameters: all values of each parameter.
        has_filters: whether the route knows `client.name` and `deviceId`.

    Raises:
        InvalidFieldsError: a value is of the wrong form or out of range, a parameter is unknown or given twice.
    """
    reading = _Reading(parameters)
    client_name = reading.text("client.name") if has_filters else None
    deleted = reading.boolean("deleted")
    device_id = reading.text("deviceId") if has_filters else None
    page = reading.integer("page", 0, None)
    size = reading.integer("size", 1, MAX_SIZE)
    reading.finish()
    return ListQuery(
        page=0 if page is None else page,
        size=DEFAULT_SIZE if size is None else size,
        includes_deleted=bool(deleted),
        client_name=client_name,
        device_id=device_id,
    )


class _Reading:
    """Takes parameters one by one, and notes what is wrong with them."""

    def __init__(self, parameters: Mapping[str, Sequence[str]]) -> None:
        self._once = {name: values[0] for name, values in parameters.items() if len(values) == 1}
        self._unread = set(parameters)
        self._errors: list[FieldError] = []

    def text(self, name: str) -> str | None:
        value = self._take(name)
        if value == "":
            self._note(name, VALUE_EMPTY)
        return value

    def boolean(self, name: str) -> bool | None:
        value = self._take(name)
        if value is not None and value not in TRUE_WORDS | FALSE_WORDS:
            self._note(name, type_not("bool", value))
        return None if value is None else value in TRUE_WORDS

    def integer(self, name: str, low: int, high: int | None) -> int | None:
        value = self._take(name)
        if value is None:
            return None
        if _INTEGER.fullmatch(value) is None:
            self._note(name, type_not("int", value))
            return None
        number = int(value)
        if number < low or (high is not None and number > high):
            self._note(name, value_out_of_range(number, between(low, high)))
        return number

    def finish(self) -> None:
        self._errors.extend(NOT_PARSED.at(parameter=name) for name in sorted(self._unread))
        if self._errors:
            raise InvalidFieldsError(tuple(self._errors))

    def _take(self, name: str) -> str | None:
        if name in self._once:
            self._unread.discard(name)
        return self._once.get(name)

    def _note(self, name: str, fault: Fault) -> None:
        self._errors.append(fault.at(parameter=name))


def _client_name(data_set: DataSet) -> str | None:
    name: str | None = (data_set.description.get("client") or {}).get("name")
    return name
