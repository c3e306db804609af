"""A user's data as an array of flat records in JSON. Source: export 4."""

from collections.abc import Iterator
from itertools import islice

import orjson

from chalicelib import json_text
from chalicelib.encoding.gzip_splice import DeflatedLines, RecordArray, deflated_lines
from chalicelib.export.records import converted, divided, flat

CHUNK_RECORDS = 2_000
COMPRESSION_LEVEL = 1


def flat_records(records: RecordArray, units: str) -> RecordArray:
    """The records in the form of an export, in their order, compressed as they are made."""
    return RecordArray(tuple(_chunks(_texts(records, units))))


def _texts(records: RecordArray, units: str) -> Iterator[bytes]:
    for text in records.texts():
        for part in divided(orjson.loads(text)):
            yield json_text.encode(flat(converted(part, units)))


def _chunks(texts: Iterator[bytes]) -> Iterator[DeflatedLines]:
    while some := list(islice(texts, CHUNK_RECORDS)):
        yield deflated_lines(some, COMPRESSION_LEVEL)
