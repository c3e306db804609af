"""The bodies and queries of the task API. Source: task-api 2, 4 and 5; errors 2.5 and 3."""

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.errors import InvalidFieldsError, MalformedJsonError
from chalicelib.frozen import frozen
from chalicelib.model.checks.bodies import OBJECT_MISSING
from chalicelib.model.checks.parse import parse
from chalicelib.model.checks.report import Report
from chalicelib.model.errors import NESTED_TOO_DEEPLY, NOT_PARSED, VALUE_EMPTY, Fault, type_not, value_not_after
from chalicelib.model.fields import Integer, Kind, Text, Time
from chalicelib.model.free_form import is_too_deep
from chalicelib.model.json_values import member
from chalicelib.model.query import PAGING, QueryField, TextField, check_query
from chalicelib.model.rendering import render
from chalicelib.model.times import Moment
from chalicelib.tasks.ports import TaskFilter
from chalicelib.tasks.task import State, TaskChanges

NOW_TOLERANCE_MS = 1000
"""The tolerance for times that must not lie in the past. Source: errors 2.3."""

_DATA = "data"
_CHANGEABLE: Mapping[str, Kind | None] = {
    "priority": Integer(),
    _DATA: None,
    "availableTime": Time(),
    "expirationTime": Time(),
}
"""Fields in the order of checking; `data` is an object of any content, including nulls."""
_CREATION: Mapping[str, Kind | None] = {"name": Text(), "type": Text(), **_CHANGEABLE}

_LIST: Mapping[str, QueryField] = {
    "name": TextField(),
    "type": TextField(),
    "state": TextField(allowed=tuple(State)),
    **PAGING,
}


@frozen
class NewTask:
    """A new task as a client describes it. `sent_times` holds the times as they were sent, by field name, for the
    reply. Source: task-api 3."""

    type: str
    name: str | None
    changes: TaskChanges
    sent_times: Mapping[str, str]


@frozen
class TaskList:
    """Selects a page of a list of tasks."""

    task_filter: TaskFilter
    page: int
    size: int


def read_new_task(body: object, now_ms: int) -> NewTask:
    """The new task of a body.

    Raises:
        MalformedJsonError: the body is not an object.
        InvalidFieldsError: fields break rules; the error names each.
    """
    values = _parsed(body, _CREATION)
    report = Report()
    if values.get("name") == "":
        report.add(VALUE_EMPTY, "/name")
    if not values.get("type"):
        report.add(VALUE_EMPTY, "/type")
    _check_expiration(values, now_ms, report)
    _refuse(report)
    times = {name: value.sent for name, value in values.items() if isinstance(value, Moment)}
    return NewTask(values["type"], values.get("name"), _changes(values), times)


def read_changes(body: object, now_ms: int) -> TaskChanges:
    """The changes of a body. Times are compared only with times of the same body.

    Raises:
        MalformedJsonError: the body is not an object.
        InvalidFieldsError: fields break rules; the error names each.
    """
    values = _parsed(body, _CHANGEABLE)
    report = Report()
    _check_expiration(values, now_ms, report)
    _refuse(report)
    return _changes(values)


def read_list(parameters: Mapping[str, Sequence[str]]) -> TaskList:
    """The list that query parameters select.

    Raises:
        InvalidFieldsError: parameters break rules; the error names each.
    """
    values = check_query(parameters, _LIST)
    state = values.get("state")
    task_filter = TaskFilter(values.get("name"), values.get("type"), None if state is None else State(state))
    return TaskList(task_filter, values["page"], values["size"])


def _parsed(body: object, kinds: Mapping[str, Kind | None]) -> dict[str, Any]:
    if body is None:
        raise InvalidFieldsError((OBJECT_MISSING,))
    if not isinstance(body, dict):
        raise MalformedJsonError
    report = Report()
    values: dict[str, Any] = {}
    for name, kind in kinds.items():
        if body.get(name) is not None:
            value = _any_object(body[name], report) if kind is None else parse(kind, body[name], f"/{name}", report)
            if value is not None:
                values[name] = value
    for name in sorted(body.keys() - kinds.keys()):
        report.add(NOT_PARSED, member("", name))
    _refuse(report)
    return values


def _any_object(value: object, report: Report) -> dict[str, Any] | None:
    if not isinstance(value, dict):
        report.add(type_not("object", value), f"/{_DATA}")
        return None
    if is_too_deep(value):
        report.add(NESTED_TOO_DEEPLY, f"/{_DATA}")
        return None
    return value


def _check_expiration(values: Mapping[str, Any], now_ms: int, report: Report) -> None:
    expiration: Moment | None = values.get("expirationTime")
    available: Moment | None = values.get("availableTime")
    if expiration is None:
        return
    if expiration.epoch_ms < now_ms - NOW_TOLERANCE_MS:
        title = "value is not after the specified time"
        report.add(
            Fault("value-not-after", title, f"value {render(expiration.sent)} is not after now"), "/expirationTime"
        )
    if available is not None and expiration[:2] < available[:2]:
        report.add(value_not_after(expiration.sent, available.sent), "/expirationTime")


def _changes(values: Mapping[str, Any]) -> TaskChanges:
    available: Moment | None = values.get("availableTime")
    expiration: Moment | None = values.get("expirationTime")
    return TaskChanges(
        priority=values.get("priority"),
        data=values.get(_DATA),
        available_time_ms=None if available is None else available.epoch_ms,
        expiration_time_ms=None if expiration is None else expiration.epoch_ms,
    )


def _refuse(report: Report) -> None:
    if report.errors:
        raise InvalidFieldsError(report.errors)
