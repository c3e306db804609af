"""A user's data as a workbook of Excel: a sheet for each type, a row for each record. Source: export 3."""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import chain, groupby
from operator import itemgetter
from typing import Any

import orjson

from chalicelib import json_text
from chalicelib.durations import DAY_MS
from chalicelib.encoding.file_content import FileContent
from chalicelib.encoding.gzip_splice import RecordArray
from chalicelib.export.records import PUMP_SETTINGS, SCHEDULES, Record, Schedule, converted
from chalicelib.export.sheets import BASAL, BOLUS, SHEETS, Column, Content, Sheet
from chalicelib.export.workbook import Cell, Row, SheetColumn, Workbook

ALWAYS = (BASAL, BOLUS)
"""The sheets that readers of exports count on, also when they have no rows."""
NO_DATA = "NO DATA"
NO_DATA_TEXT = "Data is not available within the specified date range."
_FIRST_DAY = datetime(1899, 12, 30)  # noqa: DTZ001  Excel's times have no zone
_EPOCH_DAY = 25_569
"""The number that Excel has for the first day of 1970."""
_LAST_DAY = 2_958_466
_DAY = timedelta(days=1)

Convert = Callable[[Record], Cell]


def excel_workbook(records: RecordArray, units: str) -> FileContent:
    """The workbook, as a temporary file.

    Only one tile's records and the settings of pumps are in memory at a time. Types without a sheet are left out.
    """
    file = tempfile.TemporaryFile()  # noqa: SIM115  the content closes it
    workbook = Workbook(file)
    written: set[str] = set()
    total = 0
    for type_, texts in groupby(_typed(records), key=itemgetter(0)):
        for sheet, rows in _sheets(type_, (text for _, text in texts)):
            total += workbook.add_sheet(sheet.name, _columns(sheet, units), _rows(sheet, rows, units))
            written.add(sheet.name)
    for sheet in ALWAYS:
        if sheet.name not in written:
            workbook.add_sheet(sheet.name, _columns(sheet, units), iter(()))
    if not total:
        workbook.add_sheet(NO_DATA, (SheetColumn(NO_DATA_TEXT, 60),), iter(()))
    workbook.close()
    return FileContent(file)


def _typed(records: RecordArray) -> Iterator[tuple[str, Record]]:
    """The records with their types, in the order of the array: all of a type come together."""
    for text in records.texts():
        record = orjson.loads(text)
        yield str(record.get("type")), record


def _sheets(type_: str, records: Iterator[Record]) -> Iterator[tuple[Sheet, Iterator[Record]]]:
    """The sheets of a type, each with what its rows are made of."""
    if type_ == PUMP_SETTINGS:
        yield from _schedule_sheets([json_text.encode(settings) for settings in records])
    elif type_ in SHEETS:
        yield SHEETS[type_], records


def _schedule_sheets(settings: Sequence[bytes]) -> Iterator[tuple[Sheet, Iterator[Record]]]:
    """A sheet for each kind of schedule that any of the settings has."""
    by_sheet: dict[str, list[Schedule]] = {}
    for schedule in SCHEDULES:
        by_sheet.setdefault(SHEETS[schedule.type].name, []).append(schedule)
    for schedules in by_sheet.values():
        entries = _entries(settings, schedules)
        first = next(entries, None)
        if first is not None:
            yield SHEETS[schedules[0].type], chain((first,), entries)


def _entries(settings: Sequence[bytes], schedules: Sequence[Schedule]) -> Iterator[Record]:
    for text in settings:
        for schedule in schedules:
            yield from schedule.entries(orjson.loads(text))


def _columns(sheet: Sheet, units: str) -> tuple[SheetColumn, ...]:
    return tuple(column.sheet_column(units) for column in sheet.columns)


def _rows(sheet: Sheet, records: Iterable[Record], units: str) -> Iterator[Row]:
    cells = [_cell_of(column) for column in sheet.columns]
    for record in records:
        shown = converted(record, units)
        yield [cell(shown) for cell in cells]


def _cell_of(column: Column) -> Convert:
    """The function that makes the cell of this column from a record."""
    if column.content is Content.LOCAL_TIME:
        return _local_time
    name, _, inner = column.field.partition(".")
    convert = _CONVERSIONS.get(column.content, _as_cell)
    if inner:
        return lambda record: convert(value.get(inner)) if isinstance(value := record.get(name), dict) else None
    return lambda record: convert(record.get(name))


def _as_cell(value: Any) -> Cell:
    """A value as it is; objects and arrays as JSON."""
    return json_text.encode(value).decode() if isinstance(value, dict | list) else value


def _time(value: Any) -> Cell:
    """A time as Excel counts days; what it cannot count stays a text."""
    days = _days(value)
    return value if days is None else days


def _local_time(record: Record) -> Cell:
    """The time of a record on the device's clock."""
    days, offset_minutes = _days(record.get("time")), record.get("timezoneOffset", 0)
    if days is None:
        return None
    return days + offset_minutes / 1_440 if isinstance(offset_minutes, int | float) else days


def _time_of_day(value: Any) -> Cell:
    return _EPOCH_DAY + value / DAY_MS if isinstance(value, int | float) else _as_cell(value)


def _days(value: Any) -> float | None:
    """A time as the number of days since Excel's first one; None for a time that Excel does not have."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    offset = moment.utcoffset()
    days = (moment.replace(tzinfo=None) - (offset or timedelta()) - _FIRST_DAY) / _DAY
    return days if 1 <= days < _LAST_DAY else None


_CONVERSIONS = {Content.TIME: _time, Content.TIME_OF_DAY: _time_of_day}
