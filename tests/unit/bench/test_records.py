"""The records that the benchmarks send: all kinds of data, valid, each once."""

from bench.records import REQUEST_RECORDS, cbg_requests, kind_of, mixed
from chalicelib.model.data import check_data
from chalicelib.model.tables.registry import TYPES


def test_mixed_records_have_all_kinds_of_the_samples() -> None:
    records = mixed(REQUEST_RECORDS)
    assert len({kind_of(record) for record in records}) == 30
    # No client at hand sends `water`.
    assert {record["type"] for record in records} == set(TYPES) - {"water"}


def test_mixed_records_are_valid() -> None:
    assert len(check_data(mixed(100), lambda: "0" * 32)) >= 100


def test_a_batch_is_deterministic_and_shares_no_origin_with_another() -> None:
    assert mixed(50, batch=1) == mixed(50, batch=1)
    origins = [record["origin"]["id"] for batch in range(3) for record in mixed(50, batch)]
    assert len(set(origins)) == len(origins)


def test_readings_come_in_requests_of_a_thousand() -> None:
    requests = list(cbg_requests(days=7))
    assert [len(request) for request in requests] == [1000, 1000, 7 * 288 - 2000]
    assert {record["type"] for request in requests for record in request} == {"cbg"}
