"""Tests of the steps in which compaction reads a tail: their size, whole logs, and truncated entries."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import pytest

from chalicelib.log.data_set import DataSet
from chalicelib.log.entry import Entry, EntryKind
from chalicelib.model.deduplicators import DEVICE_TRUNCATE_DATASET
from chalicelib.tiles import tail_steps as reading
from chalicelib.tiles.tail import Tail
from chalicelib.tiles.tail_steps import tail_steps

PHONE, WATCH, METER = "phone", "watch", "meter"
ENTRY_BYTES = 10


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps of two entries."""
    monkeypatch.setattr(reading, "STEP_BYTES", 2 * ENTRY_BYTES)


def data_set(data_set_id: str, data_set_type: str = "continuous") -> DataSet:
    return DataSet(
        id=data_set_id,
        owner_id="anna",
        epoch=0,
        created_time_ms=0,
        modified_time_ms=0,
        description={"dataSetType": data_set_type, "deduplicator": {"name": "org.tidepool.deduplicator.none"}},
    )


def closed(data_set_id: str, close_sequence: int, truncates: Mapping[str, int] | None = None) -> DataSet:
    """A closed upload; with `truncates`, one that truncated the open data sets at these numbers."""
    upload = replace(data_set(data_set_id, "normal"), close_sequence=close_sequence, truncated_at_close=truncates or {})
    if truncates is None:
        return upload
    named = {"deduplicator": {"name": DEVICE_TRUNCATE_DATASET}, "deviceId": "pump"}
    return replace(upload, description={**upload.description, **named})


class FakeLogs:
    """Logs whose entries and data sets a test changes while they are read."""

    def __init__(self, *data_sets: DataSet, **last_numbers: int) -> None:
        self.known = list(data_sets)
        self.last_numbers = {name.replace("_", "-"): number for name, number in last_numbers.items()}
        self.normal_ids = [data_set.id for data_set in data_sets if not data_set.is_continuous]
        self.taken: list[tuple[str, int]] = []

    def data_sets(self) -> Sequence[DataSet]:
        return list(self.known)

    def entries(self, after: Mapping[str, int]) -> Iterator[Entry]:
        after = dict(after)
        for data_set_id in list(self.last_numbers):
            number = after.get(data_set_id, 0)
            while number < self.last_numbers[data_set_id]:
                number += 1
                self.taken.append((data_set_id, number))
                yield Entry(data_set_id, number, EntryKind.ADD, 0, bytes(ENTRY_BYTES))


def addresses(step: Tail) -> list[tuple[str, int]]:
    return [(entry.data_set_id, entry.number) for entry in step.entries]


def test_a_step_is_read_when_it_is_asked_for() -> None:
    logs = FakeLogs(data_set(PHONE), phone=100)
    steps = tail_steps(logs, {PHONE: 3})
    assert addresses(next(steps)) == [(PHONE, 4), (PHONE, 5)]
    assert logs.taken == [(PHONE, 4), (PHONE, 5), (PHONE, 6)]
    assert addresses(next(steps)) == [(PHONE, 6), (PHONE, 7)]
    assert len(list(steps)) == 47


def test_a_large_entry_is_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "STEP_BYTES", 1)
    assert [addresses(step) for step in tail_steps(FakeLogs(data_set(PHONE), phone=2), {})] == [
        [(PHONE, 1)],
        [(PHONE, 2)],
    ]


def test_there_is_a_step_without_entries() -> None:
    """Changes of data sets alone change tiles, too."""
    logs = FakeLogs(data_set(PHONE), closed(METER, 1), phone=3)
    (step,) = tail_steps(logs, {PHONE: 3})
    assert (addresses(step), step.whole_ids, step.data_sets) == ([], frozenset({METER}), logs.known)


def test_the_last_step_of_an_upload_marks_its_log_as_whole() -> None:
    logs = FakeLogs(data_set(PHONE), closed("x", 1), closed("y", 2), closed("z", 3), phone=1, x=3, y=2)
    assert [(addresses(step), set(step.whole_ids)) for step in tail_steps(logs, {})] == [
        ([(PHONE, 1), ("x", 1)], set()),
        ([("x", 2), ("x", 3)], {"x"}),
        ([("y", 1), ("y", 2)], {"y", "z"}),
    ]


def test_truncated_entries_of_a_log_are_in_one_step() -> None:
    logs = FakeLogs(data_set(PHONE), closed(METER, 1, {PHONE: 4}), phone=7)
    assert [addresses(step) for step in tail_steps(logs, {PHONE: 1})] == [
        [(PHONE, 2), (PHONE, 3), (PHONE, 4)],
        [(PHONE, 5), (PHONE, 6)],
        [(PHONE, 7)],
    ]


def test_entries_that_are_added_and_truncated_after_their_log_was_read_are_in_the_next_step() -> None:
    logs = FakeLogs(data_set(PHONE), data_set(WATCH), phone=2, watch=5)
    steps = tail_steps(logs, {})
    assert addresses(next(steps)) == [(PHONE, 1), (PHONE, 2)]
    assert addresses(next(steps)) == [(WATCH, 1), (WATCH, 2)]
    logs.last_numbers[PHONE] = 5
    logs.known.append(closed(METER, 1, {PHONE: 4}))
    step = next(steps)
    assert addresses(step) == [(PHONE, 3), (PHONE, 4), (WATCH, 3), (WATCH, 4)]
    assert step.data_sets == logs.known
    assert [addresses(step) for step in steps] == [[(WATCH, 5)]]


def test_truncated_entries_of_a_log_in_tiles_are_in_the_first_step() -> None:
    """The first step folds all tiles of data sets that have changed, so it must know what the truncation follows."""
    logs = FakeLogs(data_set(PHONE), data_set(WATCH), closed(METER, 1, {WATCH: 4}), phone=3, watch=6)
    assert [addresses(step) for step in tail_steps(logs, {WATCH: 2})] == [
        [(PHONE, 1), (PHONE, 2), (WATCH, 3), (WATCH, 4)],
        [(PHONE, 3), (WATCH, 5)],
        [(WATCH, 6)],
    ]


def test_truncated_entries_that_were_purged_are_looked_for_once() -> None:
    logs = FakeLogs(data_set(PHONE), data_set(WATCH), closed(METER, 1, {PHONE: 9}), phone=3, watch=5)
    reads: list[Mapping[str, int]] = []
    read = logs.entries

    def counted(after: Mapping[str, int]) -> Iterator[Entry]:
        reads.append(dict(after))
        return read(after)

    logs.entries = counted  # type: ignore[method-assign]
    assert [addresses(step) for step in tail_steps(logs, {PHONE: 1})] == [
        [(PHONE, 2), (PHONE, 3)],
        [(WATCH, 1), (WATCH, 2)],
        [(WATCH, 3), (WATCH, 4)],
        [(WATCH, 5)],
    ]
    assert reads == [{PHONE: 1}, {PHONE: 3}]
