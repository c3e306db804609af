"""Exports of records of the Uploader, compared with what the tool that makes Tidepool's exports made of them.

`tests/data/golden/export` has the records as the platform shows them, and the output of @tidepool/data-tools 2.5.0
(JSON and Excel, in both units of glucose).
"""

import io
import math
from typing import Any

import openpyxl
import orjson
import pytest
from openpyxl.cell import Cell
from openpyxl.worksheet.worksheet import Worksheet

from chalicelib.encoding.gzip_splice import RecordArray
from chalicelib.export.as_json import flat_records
from chalicelib.export.excel import excel_workbook
from chalicelib.export.query import MG_DL, MMOL_L
from chalicelib.export.sheets import JSON_FIELDS
from tools.project import ROOT

GOLDEN = ROOT / "tests" / "data" / "golden" / "export"
UNITS = {"mmol_l": MMOL_L, "mg_dl": MG_DL}
HIDDEN_ERROR_SHEET = "EXPORT ERROR"
"""A hidden sheet of the reference, for exports that end half-way."""
ADDED_COLUMN = "Schedule Name"
"""In the reference, the first schedule of a sheet decides whether the sheet has this column; here it always has."""


def records() -> RecordArray:
    return RecordArray((tuple(map(orjson.dumps, orjson.loads((GOLDEN / "records.json").read_bytes()))),))


def comparable(value: Any) -> Any:
    """A value, with JSON texts as the values that they hold: the order of members differs."""
    if isinstance(value, dict):
        return {name: comparable(element) for name, element in value.items()}
    if isinstance(value, str) and value.startswith(("[", "{")):
        return orjson.loads(value)
    return value


def rows_of(sheet: Worksheet) -> list[dict[str, Any]]:
    headers, *rows = sheet.iter_rows(values_only=True)
    return [dict(zip(map(str, headers), map(comparable, row), strict=True)) for row in rows]


@pytest.mark.parametrize("name", UNITS)
def test_json_has_the_records_of_the_reference(name: str) -> None:
    expected = orjson.loads((GOLDEN / f"{name}.json").read_bytes())
    found = orjson.loads(flat_records(records(), UNITS[name]).plain())
    assert [record["type"] for record in found] == [record["type"] for record in expected]
    # The reference cuts types without a sheet to the fields that others have.
    compared = [
        (record, wanted) for record, wanted in zip(found, expected, strict=True) if record["type"] in JSON_FIELDS
    ]
    assert len(compared) > 30
    for record, wanted in compared:
        assert comparable(record) == comparable(wanted)


@pytest.mark.parametrize("name", UNITS)
def test_excel_has_the_cells_of_the_reference(name: str) -> None:
    expected = openpyxl.load_workbook(GOLDEN / f"{name}.xlsx")
    found = openpyxl.load_workbook(io.BytesIO(b"".join(excel_workbook(records(), UNITS[name]).parts())))
    assert found.sheetnames == [title for title in expected.sheetnames if title != HIDDEN_ERROR_SHEET]
    compared = 0
    for sheet in found:
        for row, expected_row in zip(rows_of(sheet), rows_of(expected[sheet.title]), strict=True):
            assert row.keys() - expected_row.keys() <= {ADDED_COLUMN}
            for header, value in expected_row.items():
                is_close = isinstance(value, float) and math.isclose(value, row[header])
                assert is_close or row[header] == value, (sheet.title, header)
                compared += 1
    assert compared > 600


def test_columns_have_the_order_and_formats_of_the_reference() -> None:
    expected = openpyxl.load_workbook(GOLDEN / "mg_dl.xlsx")
    found = openpyxl.load_workbook(io.BytesIO(b"".join(excel_workbook(records(), MG_DL).parts())))
    for sheet in found:
        formats = {
            str(cell.value): _number_format(sheet, cell.column) for cell in sheet[1] if cell.value != ADDED_COLUMN
        }
        reference = expected[sheet.title]
        of_reference = {
            str(cell.value): _number_format(reference, cell.column)
            for cell in reference[1]
            if cell.value != ADDED_COLUMN
        }
        assert list(formats) == list(of_reference)
        assert formats == of_reference, sheet.title


def _number_format(sheet: Worksheet, column: int | None) -> str:
    """The format of the numbers in a column; "General" where the first row has none there."""
    assert column is not None
    cell = sheet.cell(2, column)
    assert isinstance(cell, Cell)
    return cell.number_format if isinstance(cell.value, int | float) or cell.is_date else "General"
