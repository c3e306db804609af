"""Writes the Python source of a table's fast path (see `compiler`).

The code is straight-line: no tree is walked and no condition is interpreted while a datum is read. For this table

>>> from chalicelib.model.fields import Choice, Has, Number, Range, Text, Time, only_with, required
>>> table = Object(
...     (
...         required("units", Choice(("mmol/L", "mg/dL"), stored={"mg/dL": "mmol/L"})),
...         required("value", Number(ByUnits("units", {"mg/dL": Range(0, 1000)}), converted_by="units")),
...         Field("meal", Text(max_length=100)),
...         only_with("eaten", Time(), Has(("meal",))),
...     )
... )

it writes

>>> generator = CodeGenerator(names={}, nested_reader=lambda model, replace: None)
>>> generator.write_nested_object(table)
>>> print(generator.source)
def read(d, units):
    if type(d) is not dict:
        raise FastPathMiss
    out = {}
    if type(units_units := d.get('units')) is not str:
        units_units = None
    v1 = d['units']
    if type(v1) is not str or v1 not in k1:
        raise FastPathMiss
    v1 = 'mmol/L'
    out['units'] = v1
    v2 = d['value']
    if type(v2) is not float and type(v2) is not int:
        raise FastPathMiss
    if units_units in k2:
        low, high = k2[units_units]
        if not low <= v2 <= high:
            raise FastPathMiss
    if units_units in CONVERTED_UNITS:
        v2 = int(v2 / 18.01559 * 100000 + 0.5) / 100000 if 0 <= v2 <= 1000000 else to_mmol_l(v2)
    out['value'] = v2
    if 'meal' in d and (v3 := d['meal']) is not None:
        if type(v3) is not str or not v3 or len(v3) > 100:
            raise FastPathMiss
        out['meal'] = v3
    if 'eaten' in d and (v4 := d['eaten']) is not None:
        if not ('meal' in d and d['meal'] is not None):
            raise FastPathMiss
        v4 = stored_time(v4)
        out['eaten'] = v4
    elif 'meal' in d and d['meal'] is not None:
        raise FastPathMiss
    return out

where `d` is the object as sent, `out` the object to store, `units` the units that the datum declares for its parts,
`units_x` the units that the object declares in its field `x`, `v1`, `v2`, … the values being checked, and `k1`, `k2`, …
constants: here `k1` is the set of allowed units and `k2` the limits by units. A required member is read without asking
for it first, so one that is missing is a `KeyError`, which `compiler.read_datum` takes for a miss.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from typing import Any

from chalicelib.model import fields
from chalicelib.model.fields import ByUnits, Condition, Field, Kind, Object, OneOfByUnits, Range, Recursive
from chalicelib.model.glucose import MG_DL_PER_MMOL_L, PRECISION

_INDENT = "    "
MAX_COMMON_MG_DL = 1_000_000
"""Far above any glucose, and far below the numbers that have no fraction."""

NestedReader = Callable[[Object | Recursive, Callable[[Any], None]], Any]
"""Makes the reader of a nested object. Its second argument puts another reader in the place of the first."""


class CodeGenerator:
    """Writes one function, named `read`. `names` holds what the function may call, by name."""

    def __init__(self, names: Mapping[str, Any], nested_reader: NestedReader) -> None:
        self._names = dict(names)
        self._nested_reader = nested_reader
        self._lines: list[str] = []
        self._depth = 0
        self._comparisons: list[str] = []
        self._value_numbers, self._constant_numbers = count(1), count(1)

    @property
    def source(self) -> str:
        """The Python source written so far."""
        return "\n".join(self._lines)

    def compile(self) -> Any:
        """The function, compiled from its source."""
        code = compile(self.source, "<compiled table>", "exec")
        exec(code, self._names)  # noqa: S102  the source comes from the project's own tables
        return self._names["read"]

    def write_nested_object(self, model: Object) -> None:
        """Write `read(d, units)` for an object inside a datum."""
        with self._block("def read(d, units):"):
            self._bail_if("type(d) is not dict")
            self._line("out = {}")
            self._object(model)
            self._line("return out")

    def write_datum(self, model: Object, discriminators: Mapping[str, str]) -> None:
        """Write `read(d, new_id, embedded)` for a datum."""
        with self._block("def read(d, new_id, embedded):"):
            path = datum_units_path(model)
            self._line(f"units = units_in(d, {', '.join(map(repr, path))})" if path else "units = None")
            self._line(f"out = {dict(discriminators)!r}")
            self._line("out['time'], time_ms, sent_time = read_time(d['time'])")
            self._object(model, done=("time",))
            with self._block("if 'id' not in out:"):
                self._line("out['id'] = new_id()")
            self._line("return Datum(out, time_ms, sent_time)")

    def _line(self, text: str) -> None:
        self._lines.append(_INDENT * self._depth + text)

    @contextmanager
    def _block(self, head: str) -> Iterator[None]:
        self._line(head)
        self._depth += 1
        yield
        self._depth -= 1

    def _bail_if(self, condition: str) -> None:
        with self._block(f"if {condition}:"):
            self._line("raise FastPathMiss")

    def _constant(self, value: Any) -> str:
        name = f"k{next(self._constant_numbers)}"
        self._names[name] = value
        return name

    def _reader(self, model: Object | Recursive) -> str:
        name = self._constant(None)
        self._names[name] = self._nested_reader(model, lambda reader: self._names.update({name: reader}))
        return name

    def _object(self, model: Object, done: tuple[str, ...] = ()) -> None:
        """Write the checks of the fields of `d` and the assignments to `out`.

        Comparisons between fields follow the checks of each field alone. Embedded data come last, because reading one
        has an effect beyond `out`.
        """
        paths = {path for field in model.fields for path in _own_units_paths(field.kind)}
        for name in sorted(path for path in paths if not path.startswith("/")):
            with self._block(f"if type({_units_name(name)} := d.get({name!r})) is not str:"):
                self._line(f"{_units_name(name)} = None")
        embedded_fields = [field for field in model.fields if isinstance(field.kind, fields.Embedded)]
        for field in model.fields:
            if field.name not in done and field not in embedded_fields:
                self._field(field)
        for line in self._comparisons:
            self._line(line)
        for rule in (*model.first, *model.last):
            self._rule(rule)
        for field in embedded_fields:
            self._field(field)

    def _field(self, field: Field) -> None:
        value = f"v{next(self._value_numbers)}"
        if field.required is True:
            self._line(f"{value} = d[{field.name!r}]")
            self._value(field, value)
            return
        with self._block(f"if {field.name!r} in d and ({value} := d[{field.name!r}]) is not None:"):
            if field.forbidden is not None:
                self._bail_if(_holds(field.forbidden))
            self._value(field, value)
        if field.required is not False:
            condition = _holds(field.required)
            is_implied = isinstance(field.forbidden, fields.Not) and field.forbidden.condition == field.required
            if field.forbidden is not None and not is_implied:
                condition = f"({condition}) and not ({_holds(field.forbidden)})"
            with self._block(f"elif {condition}:"):
                self._line("raise FastPathMiss")

    def _value(self, field: Field, value: str) -> None:
        self._kind(field.kind, value)
        self._compare(field)
        store = f"out[{field.stored_as or field.name!r}] = {value}"
        may_be_dropped = isinstance(field.kind, fields.Embedded) or _is_dropped_when_empty(field.kind)
        self._line(f"if {value}: {store}" if may_be_dropped else store)

    def _compare(self, field: Field) -> None:
        """Keep the comparisons with siblings for the end of the object, where each field has been checked alone."""
        name = field.name
        match field.kind:
            case fields.Integer(Range() as limits) | fields.Number(Range() as limits):
                for sibling, order in ((limits.at_least, "<"), (limits.at_most, ">")):
                    if sibling:
                        both = f"{name!r} in out and {sibling!r} in out"
                        is_wrong = f"{both} and out[{name!r}] {order} out[{sibling!r}]"
                        self._comparisons.append(f"if {is_wrong}: raise FastPathMiss")
            case fields.Time(not_before=sibling) if sibling:
                both = f"{name!r} in out and {sibling!r} in out"
                self._comparisons.append(f"if {both}: require_not_before(d[{name!r}], d[{sibling!r}])")

    def _rule(self, rule: fields.Rule) -> None:
        match rule:
            case fields.AnyOf(names):
                self._bail_if(f"not ({_holds(fields.Has(names))})")
            case fields.OneOf(names, unless):
                self._bail_if(f"not ({_holds(fields.Has((*names, *unless)))})")
            case fields.GlucoseTarget(path):
                self._line(f"require_target(d, {_units_name(path)})")

    def _kind(self, kind: Kind, value: str) -> None:
        """Write the check of a value and its conversion to the stored form."""
        match kind:
            case fields.Text():
                self._text(kind, value)
            case fields.Choice(values, stored):
                self._bail_if(f"type({value}) is not str or {value} not in {self._constant(frozenset(values))}")
                spellings = {stored.get(word, word) for word in values}
                if len(spellings) == 1:
                    self._line(f"{value} = {spellings.pop()!r}")
                elif stored:
                    self._line(f"{value} = {self._constant(dict(stored))}.get({value}, {value})")
            case fields.Constant(constant):
                self._bail_if(f"{value} != {constant!r}")
            case fields.Boolean():
                self._bail_if(f"type({value}) is not bool")
            case fields.Integer(limits, allowed):
                self._whole(value, limits)
                if allowed:
                    self._bail_if(f"{value} not in {self._constant(frozenset(allowed))}")
            case fields.Start(latest_ms):
                self._whole(value, Range(0, latest_ms))
            case fields.Number():
                self._number(kind, value)
            case fields.Time(is_local):
                self._line(f"{value} = {'stored_local_time' if is_local else 'stored_time'}({value})")
            case _:
                self._structure(kind, value)

    def _structure(self, kind: Kind, value: str) -> None:
        match kind:
            case fields.FreeForm(max_bytes):
                self._line(f"{value} = free_form({value}, {max_bytes})")
            case fields.TextList():
                self._texts(kind, value)
            case fields.ObjectList(item):
                self._count(kind, value)
                if isinstance(item, Recursive):
                    self._line(f"require_shallow({value})")
                if isinstance(item, fields.FreeForm):
                    self._line(f"{value} = [free_form(e, {item.max_bytes}) for e in {value}]")
                else:
                    self._line(f"{value} = [{self._reader(item)}(e, units) for e in {value}]")
                if kind.is_schedule:
                    self._line(f"require_schedule({value})")
            case fields.ObjectMap(item):
                self._bail_if(f"type({value}) is not dict")
                entry = f"{value}e"
                self._line(f"{value}n, {value} = {value}, {{}}")
                with self._block(f"for n, {entry} in {value}n.items():"):
                    self._kind(item, entry)
                    self._line(f"{value}[n] = {entry}")
            case fields.Object() | fields.Recursive():
                if isinstance(kind, Recursive):
                    self._line(f"require_shallow({value})")
                self._line(f"{value} = {self._reader(kind)}({value}, units)")
            case fields.Variant():
                self._line(f"{value} = read_variant({self._constant(kind)}, {value}, units)")
            case fields.Embedded():
                self._line(f"{value} = read_embedded({self._constant(kind)}, {value}, new_id, embedded)")

    def _text(self, kind: fields.Text, value: str) -> None:
        misses = [f"type({value}) is not str"]
        is_empty = kind.format.is_empty if kind.format else operator.not_
        if is_empty is operator.not_:
            is_empty = None
            misses += [] if kind.may_be_empty else [f"not {value}"]
        if kind.max_length is not None:
            misses.append(f"len({value}) > {kind.max_length}")
        if kind.min_length is not None:
            misses.append(f"len({value}) < {kind.min_length}")
        if kind.format is not None:
            misses += [f"{self._constant(is_empty)}({value})"] if is_empty else []
            misses.append(f"not {self._constant(kind.format.accepts)}({value})")
        if kind.known:
            misses.append(f"{value} not in {self._constant(frozenset(kind.known))}")
        misses += [f"len({value}.encode()) > {kind.max_bytes}"] if kind.max_bytes else []
        self._bail_if(" or ".join(misses))

    def _whole(self, value: str, limits: Range) -> None:
        if limits.high is None:
            # Without limits of its own a number is still limited to 64 bits.
            self._line(f"{value} = whole({value})")
        else:
            with self._block(f"if type({value}) is not int:"):
                self._line(f"{value} = whole({value})")
        self._range(value, limits)

    def _number(self, kind: fields.Number, value: str) -> None:
        self._bail_if(f"type({value}) is not float and type({value}) is not int")
        match kind.limits:
            case Range() as limits:
                self._range(value, limits)
            case ByUnits(path, ranges):
                limits_of = self._constant({units: (limits.low, limits.high) for units, limits in ranges.items()})
                with self._block(f"if {_units_name(path)} in {limits_of}:"):
                    self._line(f"low, high = {limits_of}[{_units_name(path)}]")
                    self._bail_if(f"not low <= {value} <= high")
            case OneOfByUnits(path, allowed):
                allowed_of = self._constant(dict(allowed))
                units = _units_name(path)
                self._bail_if(f"{units} in {allowed_of} and {value} not in {allowed_of}[{units}]")
        if kind.converted_by:
            with self._block(f"if {_units_name(kind.converted_by)} in CONVERTED_UNITS:"):
                # Written out, since it is the most frequent conversion; the function has the rare values.
                in_mmol_l = f"int({value} / {MG_DL_PER_MMOL_L} * {PRECISION} + 0.5) / {PRECISION}"
                self._line(f"{value} = {in_mmol_l} if 0 <= {value} <= {MAX_COMMON_MG_DL} else to_mmol_l({value})")

    def _range(self, value: str, limits: Range) -> None:
        low = "" if limits.low is None else f"{limits.low!r} <= "
        high = "" if limits.high is None else f" <= {limits.high!r}"
        if low or high:
            self._bail_if(f"not {low}{value}{high}")

    def _count(self, kind: fields.TextList | fields.ObjectList, value: str) -> None:
        misses = [f"type({value}) is not list"]
        if not kind.may_be_empty and not _is_dropped_when_empty(kind):
            misses.append(f"not {value}")
        if kind.max_items is not None:
            misses.append(f"len({value}) > {kind.max_items}")
        self._bail_if(" or ".join(misses))

    def _texts(self, kind: fields.TextList, value: str) -> None:
        self._count(kind, value)
        with self._block(f"for {value}e in {value}:"):
            self._kind(kind.item, f"{value}e")
        if kind.is_unique:
            self._bail_if(f"len(set({value})) < len({value})")
        if kind.is_sorted:
            self._line(f"{value} = sorted({value})")


def datum_units_path(model: Object) -> tuple[str, ...]:
    """The path to the units that a datum declares for its parts, as names; empty if it declares none."""
    path = next((path for path in _units_paths(model, set()) if path.startswith("/")), "")
    return tuple(path.split("/")[1:])


def _units_paths(kind: Kind, seen: set[int]) -> Iterator[str]:
    """The paths to units of all numbers in a structure."""
    if id(kind) in seen:
        return
    seen.add(id(kind))
    match kind:
        case fields.Number():
            yield from _own_units_paths(kind)
        case fields.Object():
            for field in kind.fields:
                yield from _units_paths(field.kind, seen)
        case fields.Recursive():
            yield from _units_paths(kind.object(), seen)
        case fields.ObjectList(item) | fields.ObjectMap(item):
            yield from _units_paths(item, seen)


def _own_units_paths(kind: Kind) -> Iterator[str]:
    if isinstance(kind, fields.Number):
        if isinstance(kind.limits, ByUnits | OneOfByUnits):
            yield kind.limits.units
        if kind.converted_by:
            yield kind.converted_by


def _units_name(path: str) -> str:
    return "units" if path.startswith("/") else f"units_{path}"


def _is_dropped_when_empty(kind: Kind) -> bool:
    return isinstance(kind, fields.TextList) and kind.empty_is_absent


def _holds(condition: Condition) -> str:
    """The expression of a condition on `d`."""
    match condition:
        case fields.Has(names):
            present = [f"{name!r} in d and d[{name!r}] is not None" for name in names]
            return present[0] if len(present) == 1 else " or ".join(f"({test})" for test in present)
        case fields.Is(name, values):
            return f"d.get({name!r}) in {values!r}"
        case fields.IsZero(name):
            return f"d.get({name!r}) == 0"
        case fields.Not(inner):
            return f"not ({_holds(inner)})"
        case fields.Either(conditions):
            return " or ".join(f"({_holds(inner)})" for inner in conditions)
