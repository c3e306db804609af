"""Test that stored records can be sent again and are stored the same, with all recorded replies of the reference."""

import itertools
import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chalicelib.errors import InvalidFieldsError
from chalicelib.model.data import check_data
from strandline.cli.folder import write_lines
from strandline.cli.record_index import RecordIndex
from strandline.cli.sendable import described, sendable
from tests.golden.datum_vectors import FILES, vectors

ACCEPTED = 1_896
"""The number of recorded records that are accepted again. Others have 1000 mg/dL or year 1, at the edge of a range."""

Bodies = list[dict[str, Any]]


def new_ids() -> Callable[[], str]:
    """A function that makes ids in the format of servers."""
    numbers = itertools.count(1)
    return lambda: f"{next(numbers):032d}"


def stored(items: list[Any]) -> Bodies | None:
    """The data as stored, by id; None if they are refused."""
    try:
        return sorted((datum.body for datum in check_data(items, new_ids())), key=lambda body: str(body["id"]))
    except InvalidFieldsError:
        return None


def sent_again(exported: dict[str, Bodies], folder: Path) -> Iterator[tuple[str, Bodies]]:
    """The records that an import would send, by data set."""
    by_type = defaultdict(list)
    for data_set_id, bodies in exported.items():
        for body in bodies:
            by_type[body["type"]].append(body | {"uploadId": data_set_id, "_deduplicator": {"hash": "x"}})
    (folder / "data").mkdir()
    for name, records in by_type.items():
        write_lines(folder / "data" / f"{name}.jsonl", records)
    index = RecordIndex(folder, folder / "index.sqlite", lambda _: None)
    try:
        for data_set_id in exported:
            yield data_set_id, [sendable(record, {}) for group in index.groups(data_set_id) for record in group]
    finally:
        index.close()


def test_each_stored_record_is_stored_the_same_after_an_import(tmp_path: Path) -> None:
    accepted, refused = 0, set()
    for number, file in enumerate(FILES):
        answers = {f"{file} {v.case}": stored(v.items) for v in vectors(file) if not v.errors}
        exported = {name: bodies for name, bodies in answers.items() if bodies}
        folder = tmp_path / str(number)
        folder.mkdir()
        for name, sent in sent_again(exported, folder):
            again = stored(json.loads(json.dumps(sent)))
            if again is None:
                refused.add(name)
            else:
                assert again == exported[name], name
                accepted += 1
    at_an_edge = ("at-max", "convert-", "time-ok-3", "time-zero")
    assert [name for name in refused if not any(edge in name for edge in at_an_edge)] == []
    assert accepted >= ACCEPTED


def test_a_wizard_embeds_its_own_bolus_again(tmp_path: Path) -> None:
    bolus: dict[str, Any] = {"type": "bolus", "subType": "normal", "normal": 1.0, "time": "2026-01-01T00:00:00Z"}
    wizard: dict[str, Any] = {"type": "wizard", "time": "2026-01-01T00:00:00Z"}
    records = [bolus | {"id": "b" * 32}, bolus | {"id": "c" * 32}, wizard | {"id": "a" * 32, "bolus": "b" * 32}]
    other_records = [wizard | {"id": "d" * 32, "bolus": "c" * 32}]
    sent = dict(sent_again({"a": records, "b": other_records}, tmp_path))
    assert sent["a"] == [records[1], records[2] | {"bolus": records[0]}]
    assert sent["b"] == [wizard | {"id": "d" * 32}], "the bolus is in another data set"


def test_records_of_one_origin_stay_together(tmp_path: Path) -> None:
    reading: dict[str, Any] = {"type": "cbg", "units": "mmol/L", "value": 5, "time": "2026-01-01T00:00:00Z"}
    origins = ["one", "two", None, "one", None]
    records = [reading | {"value": value, "uploadId": "u"} for value in range(5)]
    for record, origin in zip(records, origins, strict=True):
        if origin is not None:
            record["origin"] = {"id": origin}
    (tmp_path / "data").mkdir()
    write_lines(tmp_path / "data" / "cbg.jsonl", records)
    index = RecordIndex(tmp_path, tmp_path / "index.sqlite", lambda _: None)
    assert [[record["value"] for record in group] for group in index.groups("u")] == [[0, 3], [1], [2], [4]]
    assert index.count("u") == 5
    index.close()
    assert not (tmp_path / "index.sqlite").exists()


@pytest.mark.parametrize(
    ("value", "sent"), [(55.50748, (1000, "mg/dL")), (55.0, (55.0, "mmol/L")), (77.0, (77.0, "mmol/L"))]
)
def test_a_reading_above_55_mmol_l_is_sent_in_mg_dl_if_that_is_exact(value: float, sent: tuple[float, str]) -> None:
    reading = sendable({"type": "cbg", "units": "mmol/L", "value": value}, {})
    assert (reading["value"], reading["units"]) == sent


def test_references_to_blobs_use_their_new_ids() -> None:
    record = {"type": "food", "associations": [{"type": "blob", "id": "old"}, {"type": "datum", "id": "other"}]}
    assert sendable(record, {"old": "new"})["associations"] == [
        {"type": "blob", "id": "new"},
        {"type": "datum", "id": "other"},
    ]


def test_the_description_of_a_data_set_has_no_service_fields() -> None:
    shown = {
        "type": "upload",
        "deviceId": "d",
        "deduplicator": {"name": "org.tidepool.deduplicator.none", "version": "1.0.0"},
        "id": "i",
        "uploadId": "i",
        "byUser": "u",
        "createdTime": "2026-01-01T00:00:00Z",
        "_state": "closed",
    }
    assert described(shown) == {
        "type": "upload",
        "deviceId": "d",
        "deduplicator": {"name": "org.tidepool.deduplicator.none"},
    }
