"""What the bench sends: all kinds of data, valid, each record once."""

from bench.records import REQUEST_RECORDS, cbg_requests, kind_of, mixed
from chalicelib.model.data import check_data
from chalicelib.model.tables.registry import TYPES


def test_mixed_records_are_of_all_kinds_that_samples_have() -> None:
    records = mixed(REQUEST_RECORDS)
    assert len({kind_of(record) for record in records}) == 30
    # No client at hand sends `water`.
    assert {record["type"] for record in records} == set(TYPES) - {"water"}


def test_they_are_valid() -> None:
    assert len(check_data(mixed(100), lambda: "0" * 32)) >= 100


def test_a_batch_is_the_same_each_time_and_shares_no_origin_with_another() -> None:
    assert mixed(50, batch=1) == mixed(50, batch=1)
    origins = [record["origin"]["id"] for batch in range(3) for record in mixed(50, batch)]
    assert len(set(origins)) == len(origins)


def test_readings_come_by_the_thousand() -> None:
    requests = list(cbg_requests(days=7))
    assert [len(request) for request in requests] == [1000, 1000, 7 * 288 - 2000]
    assert {record["type"] for request in requests for record in request} == {"cbg"}
