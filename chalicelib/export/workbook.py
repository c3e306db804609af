"""Writes workbooks of Excel (Office Open XML) row by row, in memory that does not grow with the rows.

Texts are written as texts, whatever they begin with: nothing in a cell is a formula. See docs/adr/0021.
"""

import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import IntEnum
from itertools import chain, count, islice
from typing import IO
from xml.sax.saxutils import escape, quoteattr

from chalicelib.frozen import frozen

MAX_ROWS = 1_048_576
"""The most rows of a sheet, with the header. Further rows go into another sheet."""
MAX_TEXT_LENGTH = 32_767
"""The most characters of a cell, counted in UTF-16; the rest is cut."""
COMPRESSION_LEVEL = 1
"""Of zlib: higher levels take twice the time for a tenth less."""

MAX_EXACT = 2**53
"""The largest integer that a number of a cell holds exactly; larger ones are written as texts."""

Cell = str | float | bool | None
Row = Sequence[Cell]

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_MEDIA = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_UNWRITABLE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)|[\x00-\x08\x0b-\x1f\ufffe\uffff]")
"""Characters that XML cannot hold or would change, and an underscore that Excel would read as such an escape."""
_NEEDS_ESCAPE = re.compile(r"[&<>_\x00-\x08\x0b-\x1f\ufffe\uffff]")


class Style(IntEnum):
    """The format of a cell, by its place among the styles of the workbook."""

    PLAIN = 0
    BOLD = 1
    TIME = 2
    TIME_OF_DAY = 3
    ONE_DECIMAL = 4
    TWO_DECIMALS = 5
    WHOLE = 6
    MINUTES = 7
    DURATION = 8


_FORMATS = {
    Style.TIME: "yyyy-mm-dd hh:mm:ss",
    Style.TIME_OF_DAY: "[$-x-systime]h:mm am/pm",
    Style.ONE_DECIMAL: "0.0",
    Style.TWO_DECIMALS: "0.00",
    Style.WHOLE: "0",
    Style.MINUTES: "0.00;-0.00;0",
    Style.DURATION: "[h]:mm:ss",
}
_FIRST_FORMAT_ID = 164
"""Lower ids are formats of Excel's own."""


@frozen
class SheetColumn:
    """A column: its header, its width in characters, and the style of its numbers."""

    header: str
    width: int
    style: Style = Style.PLAIN
    is_hidden: bool = False


class Workbook:
    """A workbook that is written into a file from its first sheet to its last; `close` completes it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._archive = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=COMPRESSION_LEVEL)
        self._names: list[str] = []

    def add_sheet(self, name: str, columns: Sequence[SheetColumn], rows: Iterator[Row]) -> int:
        """Write a sheet with a header that stays in view, and then the rows; returns their number.

        Rows that do not fit into a sheet are written into further ones, called `name` and a number.
        """
        total, first = 0, next(rows, None)
        for sheet_number in count(1):
            some = () if first is None else chain((first,), islice(rows, MAX_ROWS - 2))
            self._names.append(name if sheet_number == 1 else f"{name} {sheet_number}")
            total += self._write_sheet(columns, some)
            first = next(rows, None)
            if first is None:
                break
        return total

    def close(self) -> None:
        """Write what lists the sheets, and end the file."""
        for path, content in _package_parts(self._names).items():
            self._archive.writestr(path, _DECLARATION + content)
        self._archive.close()

    def _write_sheet(self, columns: Sequence[SheetColumn], rows: Iterable[Row]) -> int:
        letters = [_letters(index) for index in range(len(columns))]
        with self._archive.open(f"xl/worksheets/sheet{len(self._names)}.xml", "w", force_zip64=True) as sheet:
            sheet.write((_DECLARATION + _opening(columns, letters)).encode())
            places = [*zip(letters, (column.style for column in columns), strict=True)]
            number = 1
            for number, row in enumerate(rows, start=2):
                sheet.write(_row(number, row, places).encode())
            sheet.write(b"</sheetData></worksheet>")
        return number - 1


def _opening(columns: Sequence[SheetColumn], letters: Sequence[str]) -> str:
    """A sheet up to its first row of data."""
    widths = "".join(
        f'<col min="{number}" max="{number}" width="{column.width}" customWidth="1" hidden="{column.is_hidden:d}"/>'
        for number, column in enumerate(columns, start=1)
    )
    headers = "".join(
        f'<c r="{letter}1" s="{Style.BOLD}" t="inlineStr"><is><t>{escape(column.header)}</t></is></c>'
        for letter, column in zip(letters, columns, strict=True)
    )
    return (
        f'<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
        f'<cols>{widths}</cols><sheetData><row r="1">{headers}</row>'
    )


def _row(number: int, row: Row, places: Sequence[tuple[str, Style]]) -> str:
    cells = [
        _cell(f"{letter}{number}", style, value)
        for (letter, style), value in zip(places, row, strict=True)
        if value is not None
    ]
    return f'<row r="{number}">{"".join(cells)}</row>'


def _cell(place: str, style: Style, value: str | float | bool) -> str:
    if isinstance(value, bool):
        return f'<c r="{place}" t="b"><v>{value:d}</v></c>'
    if not isinstance(value, str):
        if isinstance(value, float) or -MAX_EXACT <= value <= MAX_EXACT:
            return f'<c r="{place}" s="{style:d}"><v>{value!r}</v></c>'
        value = str(value)
    return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{_escaped(value)}</t></is></c>'


def _escaped(text: str) -> str:
    """A text as XML, cut to what a cell can hold."""
    if len(text) > MAX_TEXT_LENGTH // 2:  # a character may count twice
        text = text.encode("utf-16-le")[: 2 * MAX_TEXT_LENGTH].decode("utf-16-le", errors="ignore")
    if _NEEDS_ESCAPE.search(text) is None:
        return text
    return escape(_UNWRITABLE.sub(lambda found: f"_x{ord(found[0]):04X}_", text))


def _letters(index: int) -> str:
    """The name of a column: A to Z, then AA and so on."""
    above, last = divmod(index, 26)
    return (_letters(above - 1) if above else "") + chr(ord("A") + last)


def _package_parts(names: Sequence[str]) -> dict[str, str]:
    """The files of a workbook beside its sheets, by path."""
    numbers = range(1, len(names) + 1)
    sheets = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{number}" r:id="rId{number}"/>'
        for number, name in zip(numbers, names, strict=True)
    )
    targets = {f"rId{number}": ("worksheet", f"worksheets/sheet{number}.xml") for number in numbers}
    styles_id = f"rId{len(names) + 1}"
    overrides = {f"/xl/worksheets/sheet{number}.xml": "worksheet" for number in numbers}
    overrides |= {"/xl/workbook.xml": "sheet.main", "/xl/styles.xml": "styles"}
    types = "".join(
        f'<Override PartName="{path}" ContentType="{_MEDIA}.{kind}+xml"/>' for path, kind in overrides.items()
    )
    return {
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{sheets}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": _relationships(targets | {styles_id: ("styles", "styles.xml")}),
        "xl/styles.xml": _styles(),
        "_rels/.rels": _relationships({"rId1": ("officeDocument", "xl/workbook.xml")}),
        "[Content_Types].xml": (
            f'<Types xmlns="{_PACKAGE}/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Default Extension="xml" ContentType="application/xml"/>{types}</Types>'
        ),
    }


def _relationships(targets: Mapping[str, tuple[str, str]]) -> str:
    """Relationships by id: their kind and their target."""
    listed = "".join(
        f'<Relationship Id="{id_}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for id_, (kind, target) in targets.items()
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{listed}</Relationships>'


def _styles() -> str:
    formats = "".join(
        f'<numFmt numFmtId="{_FIRST_FORMAT_ID + style}" formatCode={quoteattr(text)}/>'
        for style, text in _FORMATS.items()
    )
    cells = "".join(
        f'<xf numFmtId="{_FIRST_FORMAT_ID + style if style in _FORMATS else 0}" fontId="{int(style is Style.BOLD)}" '
        'fillId="0" borderId="0" xfId="0" applyNumberFormat="1" applyFont="1"/>'
        for style in Style
    )
    return (
        f'<styleSheet xmlns="{_MAIN}"><numFmts count="{len(_FORMATS)}">{formats}</numFmts>'
        '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
        '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
        '<fills count="2"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill></fills>'
        '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
        f'<cellXfs count="{len(Style)}">{cells}</cellXfs>'
        '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
    )
