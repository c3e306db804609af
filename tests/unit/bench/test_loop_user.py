"""The day of a person with Loop, on which the cost model is based."""

from collections import Counter

from bench.costs.assumptions import RECORDS_A_DAY, UPLOADS_A_DAY
from bench.costs.loop_user import backlog, uploads
from bench.records import REQUEST_RECORDS
from chalicelib.model.data import check_data


def test_a_day_has_the_assumed_records_and_requests() -> None:
    day = list(uploads(3))
    assert len(day) == UPLOADS_A_DAY == 288
    assert Counter(record["type"] for upload in day for record in upload) == RECORDS_A_DAY
    assert sum(RECORDS_A_DAY.values()) == 1039
    assert all("2026-01-04" in record["time"] for upload in day for record in upload)


def test_each_record_is_valid_and_has_its_own_origin() -> None:
    records = [record for day in (0, 1) for upload in uploads(day) for record in upload]
    assert len({(record["type"], record["origin"]["id"]) for record in records}) == len(records)
    assert len(check_data(records, lambda: "0" * 32)) >= len(records)


def test_a_backlog_has_the_same_records_in_large_requests() -> None:
    requests = list(backlog(range(2)))
    assert [len(request) for request in requests] == [REQUEST_RECORDS, REQUEST_RECORDS, 2 * 1039 - 2 * REQUEST_RECORDS]
    assert [record for request in requests for record in request] == [
        record for day in (0, 1) for upload in uploads(day) for record in upload
    ]
