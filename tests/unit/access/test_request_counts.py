"""The requests of each user, counted within the hour of the clock."""

from threading import Thread

import pytest

from chalicelib.access.quotas import REQUESTS, RequestCounts, near
from chalicelib.durations import HOUR_MS
from chalicelib.errors import RequestQuotaError

NOON_MS = 1_767_225_600_000
ANNA, BEN = "aaaaaaaaaa", "bbbbbbbbbb"
Reports = list[tuple[str, str]]


def counts_of(quota: int, reports: Reports | None = None) -> RequestCounts:
    """Empty counts."""
    told: Reports = [] if reports is None else reports
    return RequestCounts(quota, lambda name, user_id: told.append((name, user_id)))


def made(counts: RequestCounts, user_id: str, now_ms: int = NOON_MS) -> int:
    """The number of further requests of a user that are let through."""
    for number in range(10_000):
        try:
            counts.count(user_id, now_ms)
        except RequestQuotaError:
            return number
    raise AssertionError("there is no limit")


def test_each_user_has_a_quota_of_ones_own() -> None:
    counts = counts_of(10)
    assert [made(counts, user_id) for user_id in (ANNA, ANNA, BEN)] == [10, 0, 10]


@pytest.mark.parametrize(("later_ms", "seconds"), [(0, 3600), (1, 3600), (1000, 3599), (HOUR_MS - 1, 1)])
def test_a_refusal_says_when_the_hour_is_over(later_ms: int, seconds: int) -> None:
    counts = counts_of(1)
    counts.count(ANNA, NOON_MS)
    with pytest.raises(RequestQuotaError) as refusal:
        counts.count(ANNA, NOON_MS + later_ms)
    assert refusal.value.retry_after_s == seconds
    counts.count(ANNA, NOON_MS + later_ms + seconds * 1000)


def test_the_counts_of_an_hour_are_forgotten_with_it() -> None:
    counts = counts_of(3)
    for number in range(100):
        counts.count(f"user {number}", NOON_MS)
    counts.count(ANNA, NOON_MS + HOUR_MS)
    assert made(counts, ANNA, NOON_MS + HOUR_MS) == 2
    assert made(counts, "user 0", NOON_MS + HOUR_MS) == 3


def test_the_operator_is_told_once_an_hour_for_each_user() -> None:
    reports: Reports = []
    counts = counts_of(10, reports)
    for _ in range(near(10) - 1):
        counts.count(ANNA, NOON_MS)
    assert reports == []
    made(counts, ANNA)
    made(counts, BEN)
    assert reports == [(REQUESTS, ANNA), (REQUESTS, BEN)]
    made(counts, ANNA, NOON_MS + HOUR_MS)
    assert reports == [(REQUESTS, ANNA), (REQUESTS, BEN), (REQUESTS, ANNA)]


def test_requests_of_many_threads_are_all_counted() -> None:
    counts = counts_of(1000)

    def make_100_requests() -> None:
        for _ in range(100):
            counts.count(ANNA, NOON_MS)

    threads = [Thread(target=make_100_requests) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made(counts, ANNA) == 200
