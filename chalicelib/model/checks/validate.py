"""Validates a parsed body: limits, text formats, and relations between fields.

Runs only on bodies that parsed without faults.

Source: data-model 3 to 5; errors 2.3 and 2.5.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.frozen import frozen
from chalicelib.model import errors, fields
from chalicelib.model.checks.parse import TypedObject
from chalicelib.model.checks.report import Report
from chalicelib.model.fields import Condition, Field, Kind, Object, Range, resolved
from chalicelib.model.free_form import size_bytes
from chalicelib.model.glucose_target import target_faults
from chalicelib.model.json_values import member
from chalicelib.model.times import Moment


@frozen
class _Scope:
    """The surroundings of a value: the datum, the enclosing object, and that object's model. `earliest_ms` is the
    least start that an element of a schedule may have, 0 for the first element."""

    datum: Mapping[str, Any]
    values: Mapping[str, Any]
    model: Object
    earliest_ms: int = 0

    def units(self, path: str) -> str | None:
        """The units at a path (see `fields`)."""
        units = units_at(path, self.values, self.datum)
        return units if isinstance(units, str) else None


def units_at(path: str, values: Mapping[str, Any], datum: Mapping[str, Any]) -> Any:
    """The value at a path: a sibling's name or, with a leading slash, a path from the datum."""
    if not path.startswith("/"):
        return values.get(path)
    value: Any = datum
    for name in path[1:].split("/"):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def validate_datum(typed: TypedObject, pointer: str, report: Report) -> None:
    """Report every fault of a parsed datum."""
    validate_object(typed.model, typed.values, pointer, report)


def validate_object(model: Object, values: Mapping[str, Any], pointer: str, report: Report) -> None:
    """Report every fault of a parsed object that no other encloses, in the order of its model's fields."""
    _validate_fields(pointer, _Scope(values, values, model), report)


def _validate_fields(pointer: str, scope: _Scope, report: Report) -> None:
    for rule in scope.model.first:
        _apply(rule, pointer, scope, report)
    moved = [field for field in scope.model.fields if field.checked_after and field.name in scope.values]
    for field in scope.model.fields:
        if _is_to_be_checked(field, pointer, scope, report) and not field.checked_after:
            _validate_value(field, pointer, scope, report)
        for other in moved:
            if other.checked_after == field.name:
                _validate_value(other, pointer, scope, report)
    for rule in scope.model.last:
        _apply(rule, pointer, scope, report)


def _holds(condition: Condition, values: Mapping[str, Any]) -> bool:
    """Whether a condition holds for the fields of an object."""
    match condition:
        case fields.Has(names):
            return any(values.get(name) is not None for name in names)
        case fields.Is(name, allowed):
            return values.get(name) in allowed
        case fields.IsZero(name):
            return bool(values.get(name) == 0)
        case fields.Not(inner):
            return not _holds(inner, values)
        case fields.Either(conditions):
            return any(_holds(inner, values) for inner in conditions)


def _is_to_be_checked(field: Field, pointer: str, scope: _Scope, report: Report) -> bool:
    """Whether a field has a value to check. Report it if it is missing or forbidden."""
    value = scope.values.get(field.name)
    if field.forbidden is not None and _holds(field.forbidden, scope.values):
        if value is not None:
            report.add(errors.VALUE_EXISTS, member(pointer, field.name))
        return False
    if value is None:
        if field.required is True or (field.required and _holds(field.required, scope.values)):
            report.add(errors.VALUE_NOT_EXISTS, member(pointer, field.name))
        return False
    return field.checked_if is None or _holds(field.checked_if, scope.values)


def _validate_value(field: Field, pointer: str, scope: _Scope, report: Report) -> None:
    _validate(field.kind, scope.values[field.name], member(pointer, field.name), scope, report)


def _validate(kind: Kind, value: Any, pointer: str, scope: _Scope, report: Report) -> None:
    match kind:
        case fields.Text():
            _validate_text(kind, value, pointer, report)
        case fields.Choice(allowed):
            if value not in allowed:
                report.add(errors.value_not_allowed(value, allowed), pointer)
        case fields.Constant(constant):
            _check_equal(value, constant, pointer, report)
        case fields.Integer(limits, allowed):
            if allowed and value not in allowed:
                report.add(errors.value_not_allowed(value, allowed), pointer)
            _check_range(value, _narrowed(limits, scope.model, scope.values), pointer, report)
        case fields.Start(latest_ms):
            if not scope.earliest_ms:
                _check_equal(value, 0, pointer, report)
            else:
                _check_range(value, Range(scope.earliest_ms, latest_ms), pointer, report)
        case fields.Number(limits):
            _validate_number(limits, value, pointer, scope, report)
        case fields.Time():
            _validate_time(kind, value, pointer, scope, report)
        case fields.FreeForm(max_bytes):
            if not value and not kind.may_be_empty:
                report.add(errors.VALUE_EMPTY, pointer)
            elif (size := size_bytes(value)) > max_bytes:
                report.add(errors.size_out_of_range(size, errors.between(None, max_bytes)), pointer)
        case fields.TextList():
            _validate_texts(kind, value, pointer, scope, report)
        case fields.ObjectList():
            _validate_elements(kind, value, pointer, scope, report)
        case fields.ObjectMap(item):
            for name, entry in value.items():
                if entry is None:
                    report.add(errors.VALUE_NOT_EXISTS, member(pointer, name))
                else:
                    _validate(item, entry, member(pointer, name), scope, report)
        case fields.Object():
            _validate_fields(pointer, _Scope(scope.datum, value, kind), report)
        case fields.Recursive():
            _validate_fields(pointer, _Scope(scope.datum, value, kind.object()), report)
        case fields.Variant():
            _validate_fields(pointer, _Scope(scope.datum, value.values, value.model), report)
        case fields.Embedded():
            validate_datum(value, pointer, report)


def _validate_text(kind: fields.Text, value: str, pointer: str, report: Report) -> None:
    is_empty = kind.format.is_empty if kind.format else operator.not_
    length = len(value)
    if is_empty and is_empty(value) and not kind.may_be_empty:
        report.add(errors.VALUE_EMPTY, pointer)
    elif kind.max_length is not None and length > kind.max_length:
        report.add(errors.length_out_of_range(length, errors.between(None, kind.max_length)), pointer)
    elif kind.min_length is not None and length < kind.min_length:
        low = kind.min_length
        relation = errors.greater_than(low - 1) if kind.is_told_exclusively else errors.between(low, None)
        report.add(errors.length_out_of_range(length, relation), pointer)
    elif kind.format and not kind.format.accepts(value):
        report.add(errors.value_not_valid(value, kind.format.wording), pointer)
    elif kind.known and value not in kind.known:
        report.add(errors.value_not_allowed(value, kind.known), pointer)
    elif kind.max_bytes is not None and (size := len(value.encode())) > kind.max_bytes:
        report.add(errors.length_out_of_range(size, errors.between(None, kind.max_bytes)), pointer)


def _narrowed(limits: Range, model: Object, values: Mapping[str, Any]) -> Range:
    """The limits, narrowed by the siblings that they name."""
    low, high = limits.low, limits.high
    if limits.at_least and (sibling := _valid_sibling(limits.at_least, model, values)) is not None:
        low = sibling
    if limits.at_most and (sibling := _valid_sibling(limits.at_most, model, values)) is not None:
        high = sibling
    return Range(low, high)


def _valid_sibling(name: str, model: Object, values: Mapping[str, Any]) -> float | None:
    """The sibling's number if it is present and within its own limits."""
    value = values.get(name)
    kind = next(field.kind for field in model.fields if field.name == name)
    if value is None or not isinstance(kind, fields.Integer | fields.Number) or not isinstance(kind.limits, Range):
        return None
    return value if _is_within(value, kind.limits) else None


def _is_within(value: float, limits: Range) -> bool:
    """Whether a number is within limits."""
    return (limits.low is None or value >= limits.low) and (limits.high is None or value <= limits.high)


def _check_range(value: float, limits: Range, pointer: str, report: Report) -> None:
    """Report a number outside limits."""
    if not _is_within(value, limits):
        report.add(errors.value_out_of_range(value, errors.between(limits.low, limits.high)), pointer)


def _check_equal(value: str | float, expected: str | float, pointer: str, report: Report) -> None:
    """Report a value other than the only one allowed."""
    if value != expected:
        report.add(errors.value_out_of_range(value, errors.equal_to(expected)), pointer)


def _validate_number(
    limits: Range | fields.ByUnits | fields.OneOfByUnits, value: float, pointer: str, scope: _Scope, report: Report
) -> None:
    match limits:
        case Range():
            _check_range(value, _narrowed(limits, scope.model, scope.values), pointer, report)
        case fields.ByUnits(path, ranges):
            _check_range(value, ranges.get(scope.units(path) or "", fields.ANY), pointer, report)
        case fields.OneOfByUnits(path, allowed_by_units):
            allowed = allowed_by_units.get(scope.units(path) or "")
            if allowed and value not in allowed:
                report.add(errors.value_not_allowed(value, allowed), pointer)


def _validate_time(kind: fields.Time, value: Moment, pointer: str, scope: _Scope, report: Report) -> None:
    limit = scope.values.get(kind.not_before) if kind.not_before else None
    if value.is_zero and not kind.may_be_zero:
        report.add(errors.VALUE_EMPTY, pointer)
    elif limit is not None and value[:2] < limit[:2]:
        report.add(errors.value_not_after(value.sent, limit.sent), pointer)


def _validate_count(kind: fields.TextList | fields.ObjectList, count: int, pointer: str, report: Report) -> None:
    if not count and not kind.may_be_empty:
        report.add(errors.VALUE_EMPTY, pointer)
    elif kind.max_items is not None and count > kind.max_items:
        report.add(errors.length_out_of_range(count, errors.between(None, kind.max_items)), pointer)


def _validate_texts(kind: fields.TextList, value: Sequence[str], pointer: str, scope: _Scope, report: Report) -> None:
    if not value and kind.empty_is_absent:
        return
    _validate_count(kind, len(value), pointer, report)
    for index, text in enumerate(value):
        _validate(kind.item, text, member(pointer, index), scope, report)
    if kind.is_unique:
        seen: set[str] = set()
        for index, text in enumerate(value):
            if text in seen:
                report.add(errors.VALUE_DUPLICATE, member(pointer, index))
            seen.add(text)


def _validate_elements(
    kind: fields.ObjectList, value: Sequence[Any], pointer: str, scope: _Scope, report: Report
) -> None:
    _validate_count(kind, len(value), pointer, report)
    earliest_ms = 0
    for index, element in enumerate(value):
        at = member(pointer, index)
        if element is None:
            report.add(errors.VALUE_NOT_EXISTS, at)
        elif isinstance(kind.item, fields.FreeForm):
            _validate(kind.item, element, at, scope, report)
        else:
            _validate_fields(at, _Scope(scope.datum, element, resolved(kind.item), earliest_ms), report)
            if kind.is_schedule:
                earliest_ms = _earliest_next_ms(index, element.get("start"), earliest_ms)


def _earliest_next_ms(index: int, start_ms: int | None, earliest_ms: int) -> int:
    """The least start of the element after the one at `index`. The first has to start at 0, so 1 follows it whatever it
    says; an element without a start leaves the limit as it was."""
    if index == 0:
        return 1
    return earliest_ms if start_ms is None else start_ms + 1


def _apply(rule: fields.Rule, pointer: str, scope: _Scope, report: Report) -> None:
    match rule:
        case fields.AnyOf(names):
            if not _holds(fields.Has(names), scope.values):
                report.add(errors.values_not_exist_for_any(names), pointer)
        case fields.OneOf(names, unless):
            if not _holds(fields.Has((*names, *unless)), scope.values):
                report.add(errors.values_not_exist_for_one(names), pointer)
        case fields.GlucoseTarget(units):
            for fault, name in target_faults(scope.values, scope.units(units)):
                report.add(fault, member(pointer, name))
