"""Numbers and times at the edge at every place of every type of data: refused or taken, never a defect."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from chalicelib import json_text
from chalicelib.errors import InvalidFieldsError
from chalicelib.log.entry import encode_data, read_records
from chalicelib.log.identity_hash import identity_hash
from chalicelib.model.data import check_data
from chalicelib.model.glucose import to_mmol_l
from tests.extremes import EXTREME_NUMBERS, EXTREME_TIMES
from tests.golden.datum_vectors import FILES, counting_ids, vectors

EXAMPLES_OF_A_TYPE = 2
MAX_BYTES = 4_000
VALUES = (*EXTREME_NUMBERS[3::2], EXTREME_NUMBERS[-2], *EXTREME_TIMES[1::11])


def examples(file: str) -> list[Any]:
    """Recorded data of a type that are valid, those with the most places."""
    valid = [item for vector in vectors(file) if not vector.errors for item in vector.items if isinstance(item, dict)]
    small = [item for item in valid if len(json_text.encode(item)) < MAX_BYTES]
    return sorted(small, key=lambda item: len(list(_paths(item))), reverse=True)[:EXAMPLES_OF_A_TYPE]


def variants(example: Any) -> Iterator[Any]:
    """The example with each value at each of its places."""
    for path in list(_paths(example)):
        for value in VALUES:
            variant = deepcopy(example)
            *steps, last = path
            place = variant
            for step in steps:
                place = place[step]
            place[last] = value
            yield variant


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    members = value.items() if isinstance(value, dict) else enumerate(value[:1]) if isinstance(value, list) else ()
    for name, member in members:
        yield (*path, name)
        yield from _paths(member, (*path, name))


@pytest.mark.parametrize("file", [file for file in FILES if not file.startswith("_")])
def test_no_datum_makes_a_defect(file: str) -> None:
    tried = accepted = 0
    for example in examples(file):
        for variant in variants(example):
            tried += 1
            try:
                data = check_data([json_text.decode_sent(json.dumps(variant).encode())], counting_ids().__next__)
            except InvalidFieldsError as refused:
                json_text.encode([error.detail for error in refused.errors])
                continue
            accepted += 1
            hashes = [identity_hash(datum, "owner", "scope") for datum in data]
            records = read_records(encode_data(data, "upload", hashes, None), 1)
            assert len(records.texts) == len(records.times_ms) == len(data)
    assert 0 < accepted < tried


@pytest.mark.parametrize("value", EXTREME_NUMBERS)
def test_a_converted_number_is_finite_and_near(value: float) -> None:
    converted = to_mmol_l(value)
    assert abs(converted) <= 1.7976931348623157e308
    assert converted == pytest.approx(value / 18.01559, rel=1e-12, abs=1e-5)
