"""Workbooks as another program reads them: what was written, and nothing of it as a formula."""

import io
import zipfile
from collections.abc import Iterable
from typing import Any

import openpyxl
import pytest

from chalicelib.export import workbook as workbooks
from chalicelib.export.workbook import Row, SheetColumn, Style, Workbook

FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    '=HYPERLINK("http://example.org","a")',
    "\t=1",
    "{=1}",
    "=cmd|' /C calc'!A0",
]
TEXTS = ["", " spaces ", "a\nb", "<&>\"'", "\u00e4\U0001f600", "true", "1.50", "2026-01-01", "#REF!", "]]>"]


def written(rows: Iterable[Row], columns: tuple[SheetColumn, ...] = (SheetColumn("A", 10),)) -> bytes:
    file = io.BytesIO()
    book = Workbook(file)
    book.add_sheet("Sheet", columns, iter(rows))
    book.close()
    return file.getvalue()


def cells(content: bytes, name: str = "Sheet") -> list[list[Any]]:
    """The rows of a sheet, without the header."""
    sheet = openpyxl.load_workbook(io.BytesIO(content))[name]
    return [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)]


@pytest.mark.parametrize("text", FORMULAS)
def test_what_looks_like_a_formula_is_a_text(text: str) -> None:
    content = written([[text]])
    cell = openpyxl.load_workbook(io.BytesIO(content))["Sheet"]["A2"]
    assert (cell.data_type, cell.value) == ("s", text)
    xml = zipfile.ZipFile(io.BytesIO(content)).read("xl/worksheets/sheet1.xml")
    assert b"<f>" not in xml
    assert b"<f " not in xml


@pytest.mark.parametrize("text", TEXTS)
def test_texts_come_back(text: str) -> None:
    assert cells(written([[text, 1]], (SheetColumn("A", 10), SheetColumn("B", 10)))) == [[text, 1]]


@pytest.mark.parametrize("code", [0, 8, 11, 13, 31, 0xFFFE, 0xFFFF])
def test_a_character_that_xml_cannot_hold_is_written_as_excel_writes_it(code: int) -> None:
    xml = zipfile.ZipFile(io.BytesIO(written([[f"a{chr(code)}b"]]))).read("xl/worksheets/sheet1.xml").decode()
    assert f">a_x{code:04X}_b<" in xml
    assert cells(written([[f"a{chr(code)}b"]])) != []


def test_a_text_that_looks_like_such_an_escape_is_not_one() -> None:
    xml = zipfile.ZipFile(io.BytesIO(written([["_x000D_ a_b"]]))).read("xl/worksheets/sheet1.xml").decode()
    assert ">_x005F_x000D_ a_b<" in xml


@pytest.mark.parametrize(("text", "kept"), [("a" * 40_000, 32_767), ("\U0001f600" * 20_000, 16_383)])
def test_a_text_is_cut_to_what_a_cell_holds(text: str, kept: int) -> None:
    assert cells(written([[text]])) == [[text[:kept]]]


@pytest.mark.parametrize("value", [0, -1, 1.5, 1e-9, -1e300, 2**53, True, False, None])
def test_numbers_booleans_and_nothing_come_back(value: Any) -> None:
    ((found, last),) = cells(written([[value, 1]], (SheetColumn("A", 10), SheetColumn("B", 10))))
    assert (found, type(found), last) == (value, type(value), 1)


def test_an_integer_with_more_digits_than_a_cell_keeps_is_a_text() -> None:
    assert cells(written([[2**53 + 1], [-(2**63)]])) == [[str(2**53 + 1)], [str(-(2**63))]]


def test_columns_have_headers_widths_formats_and_may_be_hidden() -> None:
    columns = (SheetColumn("Zulu <Time>", 18, Style.TIME), SheetColumn("Model", 22, is_hidden=True))
    sheet = openpyxl.load_workbook(io.BytesIO(written([[45_000.5, "x"]], columns)))["Sheet"]
    assert [cell.value for cell in sheet[1]] == ["Zulu <Time>", "Model"]
    assert [cell.font.bold for cell in sheet[1]] == [True, True]
    assert sheet.freeze_panes == "A2"
    assert sheet["A2"].number_format == "yyyy-mm-dd hh:mm:ss"
    assert (sheet["A2"].is_date, sheet["A2"].value.isoformat()) == (True, "2023-03-15T12:00:00")
    assert (sheet.column_dimensions["A"].width, sheet.column_dimensions["A"].hidden) == (18, False)
    assert (sheet.column_dimensions["B"].width, sheet.column_dimensions["B"].hidden) == (22, True)


def test_there_are_more_columns_than_letters() -> None:
    columns = tuple(SheetColumn(str(number), 10) for number in range(60))
    sheet = openpyxl.load_workbook(io.BytesIO(written([range(60)], columns)))["Sheet"]
    assert (sheet["Z2"].value, sheet["AA2"].value, sheet["AZ2"].value, sheet["BA2"].value) == (25, 26, 51, 52)


@pytest.mark.parametrize(
    ("count", "sheets"),
    [
        (0, {"S": 0}),
        (1, {"S": 1}),
        (2, {"S": 2}),
        (3, {"S": 2, "S 2": 1}),
        (4, {"S": 2, "S 2": 2}),
        (5, {"S": 2, "S 2": 2, "S 3": 1}),
    ],
)
def test_rows_beyond_a_sheet_go_on_in_another_one(
    monkeypatch: pytest.MonkeyPatch, count: int, sheets: dict[str, int]
) -> None:
    monkeypatch.setattr(workbooks, "MAX_ROWS", 3)
    file = io.BytesIO()
    book = Workbook(file)
    assert book.add_sheet("S", (SheetColumn("A", 10),), iter([[number] for number in range(count)])) == count
    book.close()
    read = openpyxl.load_workbook(file)
    assert {sheet.title: sheet.max_row - 1 for sheet in read} == sheets
    assert [row[0] for sheet in read for row in sheet.iter_rows(min_row=2, values_only=True)] == [*range(count)]
