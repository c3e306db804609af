"""Exports of a user's data. Source: export 1."""

from chalicelib.access.call import Call
from chalicelib.encoding.file_content import FileContent
from chalicelib.encoding.gzip_splice import RecordArray
from chalicelib.errors import TooLargeError
from chalicelib.export.query import ExportQuery
from chalicelib.reading.ports import ReadingPorts
from chalicelib.reading.read import read_data

MAX_EXCEL_BYTES = 100_000_000
"""The most data of a workbook, as JSON: some 220,000 readings. They take 17 seconds on the API's 0.58 of a CPU."""
MAX_JSON_BYTES = 200_000_000
"""The same in JSON, which takes 10 seconds."""


def export_data(
    call: Call, user_id: str, query: ExportQuery, ports: ReadingPorts, *, is_limited: bool
) -> RecordArray | FileContent:
    """The data of a user: as JSON, or as a workbook in a file.

    The size of the data is known before any of it is decompressed.

    Args:
        is_limited: whether a reply has to be made in the time that the gateway gives.

    Raises:
        UnauthorizedError: the caller may not read this user's data.
        TooLargeError: the gateway would not wait for that much data.
    """
    records = read_data(call, user_id, query.data, ports).records
    limit_bytes = MAX_JSON_BYTES if query.is_json else MAX_EXCEL_BYTES
    if is_limited and records.size_bytes > limit_bytes:
        raise TooLargeError(limit_bytes, "too much data for one file: choose a shorter time, a year for example")
    if query.is_json:
        from chalicelib.export.as_json import flat_records

        return flat_records(records, query.units)
    from chalicelib.export.excel import excel_workbook

    return excel_workbook(records, query.units)
