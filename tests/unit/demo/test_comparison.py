"""The demo's comparison of what was sent with what is read: it must find whatever a server does wrong."""

import copy
import itertools
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from tools.demo import generator
from tools.demo.comparison import differences, mmol_l

Record = dict[str, Any]

UPLOAD_ID = "0123456789abcdef0123456789abcdef"
START = datetime(2026, 3, 1, tzinfo=generator.LOCAL_TIME)


@pytest.fixture
def sent() -> list[Record]:
    return generator.records(2, 1, START)


@pytest.fixture
def shown(sent: list[Record]) -> list[Record]:
    """The data that a server shows that does everything right; written out here on purpose, field by field."""
    ids = (f"{number:032x}" for number in itertools.count(1))
    records = []
    for record in copy.deepcopy(sent):
        match record["type"]:
            case "cbg" | "smbg":
                record |= {"value": mmol_l(record["value"]), "units": "mmol/L"}
            case "wizard":
                bolus = _stored(record["bolus"], next(ids))
                records.append(bolus)
                record |= {
                    "bolus": bolus["id"],
                    "bgInput": mmol_l(record["bgInput"]),
                    "insulinSensitivity": 2.49784,
                    "bgTarget": {"low": 5.27321, "high": 6.38336},
                    "units": "mmol/L",
                }
            case "pumpSettings":
                starts = [0, 14_400_000, 32_400_000, 75_600_000]
                record["bgTargets"] = {"Everyday": [{"start": start, "target": 5.82829} for start in starts]}
                record["insulinSensitivities"] = {"Everyday": [{"start": start, "amount": 2.49784} for start in starts]}
                record["units"]["bg"] = "mmol/L"
        records.append(_stored(record, next(ids)))
    return records


def _stored(record: Record, id_: str) -> Record:
    return record | {"id": id_, "uploadId": UPLOAD_ID, "time": record["time"].replace(".000Z", "Z")}


def _first(records: list[Record], type_: str) -> Record:
    return next(record for record in records if record["type"] == type_)


@pytest.mark.parametrize(
    ("mg_dl", "mmol"), [(39, 2.16479), (70, 3.88552), (119, 6.60539), (120, 6.6609), (400, 22.20299), (-3, -0.16652)]
)
def test_conversion_is_the_published_one(mg_dl: float, mmol: float) -> None:
    assert mmol_l(mg_dl) == mmol


def test_nothing_to_report_when_all_is_right(sent: list[Record], shown: list[Record]) -> None:
    assert differences(sent, shown, UPLOAD_ID) == []


def test_order_does_not_matter(sent: list[Record], shown: list[Record]) -> None:
    assert differences(sent, reversed(shown), UPLOAD_ID) == []


@pytest.mark.parametrize("type_", ["cbg", "smbg", "basal", "bolus", "wizard", "food", "pumpSettings"])
def test_a_lost_record_is_found(sent: list[Record], shown: list[Record], type_: str) -> None:
    lost = _first(shown, type_)
    shown.remove(lost)
    problems = differences(sent, shown, UPLOAD_ID)
    assert f"{type_} with origin id {lost['origin']['id']!r} is lost" in problems


def test_a_doubled_record_is_found(sent: list[Record], shown: list[Record]) -> None:
    doubled = _first(shown, "cbg")
    shown.append(doubled | {"id": "f" * 32})
    assert differences(sent, shown, UPLOAD_ID) == [f"cbg with origin id {doubled['origin']['id']!r} is there 2 times"]


def test_a_record_that_was_never_sent_is_found(sent: list[Record], shown: list[Record]) -> None:
    shown.append(_first(shown, "cbg") | {"id": "f" * 32, "origin": {"id": "other"}})
    assert differences(sent, shown, UPLOAD_ID) == ["cbg with origin id 'other' was never sent"]


CHANGES: dict[str, tuple[str, Callable[[Record], None]]] = {
    "value by a hair": ("cbg", lambda record: record.update(value=record["value"] + 0.00001)),
    "not converted": ("cbg", lambda record: record.update(units="mg/dL")),
    "time": ("basal", lambda record: record.update(time="2026-03-01T07:00:01Z")),
    "other data set": ("food", lambda record: record.update(uploadId="f" * 32)),
    "a field more": ("bolus", lambda record: record.update(expectedNormal=9)),
    "a field less": ("basal", lambda record: record.pop("duration")),
    "nested": ("pumpSettings", lambda record: record["bgTargets"]["Everyday"][0].update(target=105)),
    "link to the bolus": ("wizard", lambda record: record.update(bolus="f" * 32)),
    "bolus still inside": ("wizard", lambda record: record.update(bolus={"type": "bolus"})),
    "no link": ("wizard", lambda record: record.pop("bolus")),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_record_is_found(sent: list[Record], shown: list[Record], change: str) -> None:
    type_, spoil = CHANGES[change]
    record = _first(shown, type_)
    spoil(record)
    (problem,) = differences(sent, shown, UPLOAD_ID)
    assert problem.startswith(f"{type_} with origin id {record['origin']['id']!r} is changed: ")


def test_an_id_on_two_records_is_found(sent: list[Record], shown: list[Record]) -> None:
    first, second = [record for record in shown if record["type"] == "cbg"][:2]
    second["id"] = first["id"]
    assert differences(sent, shown, UPLOAD_ID) == [f"id {first['id']!r} is on 2 records"]
