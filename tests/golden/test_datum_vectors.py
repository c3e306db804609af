"""Test that checking data gives the reference's result: the same errors in the same order, or the same stored data."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from chalicelib.errors import InvalidFieldsError
from chalicelib.model.checks.interpreter import interpret_datum
from chalicelib.model.checks.report import DataReport
from chalicelib.model.compiled.compiler import read_datum
from chalicelib.model.data import Datum, check_data
from chalicelib.model.datum import FastPathMiss
from chalicelib.model.times import parse_time
from tests.golden.conftest import DATA
from tests.golden.datum_vectors import FILES, Vector, as_compared, counting_ids, vectors

_SHOWN = 3


def _difference(vector: Vector) -> str | None:
    try:
        data = check_data(vector.items, counting_ids().__next__)
    except InvalidFieldsError as error:
        return _unequal("errors", list(error.errors), vector.errors)
    if vector.errors:
        return f"accepted, not refused with {vector.errors}"
    return (
        _unequal("stored", as_compared(data, vector.bodies), vector.bodies)
        or _unequal("time", [datum.time_ms for datum in data], [_time_ms(body["time"]) for body in vector.bodies])
        or _unequal("sent time", [datum.sent_time for datum in data], _expected_sent_times(vector, data))
    )


def _time_ms(stored: str) -> int:
    moment = parse_time(stored)
    assert moment is not None
    return moment.epoch_ms


def _expected_sent_times(vector: Vector, data: list[Datum]) -> list[str]:
    return [sent or datum.sent_time for sent, datum in zip(vector.sent_times, data, strict=True)]


def _unequal(what: str, got: object, expected: object) -> str | None:
    return None if got == expected else f"{what}\n    got      {got}\n    expected {expected}"


@pytest.mark.parametrize("file", FILES)
def test_data_are_refused_or_stored_as_recorded(file: str, record_property: Callable[[str, object], None]) -> None:
    tried = [(vector.case, _difference(vector)) for vector in vectors(file)]
    differences = [f"{case}: {difference}" for case, difference in tried if difference]
    assert not differences, "\n".join([f"{len(differences)} differ", *differences[:_SHOWN]])
    record_property(DATA, len(tried))


def test_the_expected_number_of_vectors_is_present() -> None:
    all_vectors = [vector for file in FILES for vector in vectors(file)]
    assert len(all_vectors) == 5476
    assert sum(not vector.errors for vector in all_vectors) == 1917


@pytest.mark.parametrize("file", FILES)
def test_the_fast_path_agrees_with_the_interpreter(file: str) -> None:
    """A datum that the fast path accepts is valid for the interpreter too, and both store the same."""
    accepted = 0
    for vector in vectors(file):
        for item in vector.items:
            embedded: list[Datum] = []
            try:
                datum = read_datum(item, counting_ids().__next__, embedded)
            except FastPathMiss:
                assert not embedded, vector.case
                continue
            accepted += 1
            embedded_too: list[Datum] = []
            report = DataReport()
            interpreted = interpret_datum(item, "/0", report, counting_ids().__next__, embedded_too)
            assert not report.errors, vector.case
            assert (datum, embedded) == (interpreted, embedded_too), vector.case
    assert accepted or file == "_dispatch.jsonl"


@pytest.mark.parametrize("file", FILES)
def test_the_fast_path_accepts_what_clients_send(file: str) -> None:
    """The fast path misses only the zero time, which is valid in some fields and never stored."""
    missed = []
    for vector in vectors(file):
        for item in filter(None, [] if vector.errors else vector.items):
            try:
                read_datum(item, counting_ids().__next__, [])
            except FastPathMiss:
                missed.append(item)
    assert [item for item in missed if '"0001-01-01T00:00:00Z"' not in json.dumps(item)] == []
