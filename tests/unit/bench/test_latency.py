"""Percentiles of few and of many times, and the peak memory of processes."""

import pytest

from bench.latency import p95, percentiles
from bench.memory import Process, peak_kib_in, peaks_mb


@pytest.mark.parametrize(("count", "expected"), [(1, 1), (5, 5), (20, 19), (100, 95)])
def test_one_in_twenty_exceeds_the_95th_percentile(count: int, expected: int) -> None:
    assert p95([float(number) for number in range(count, 0, -1)]) == expected


def test_a_line_has_the_median_and_the_95th_percentile() -> None:
    figure = percentiles("add", [1.0, 9.0, 2.0], floor_ms=0.5)
    assert (figure.value, figure.p95, figure.floor_ms, figure.unit) == (2, 9, 0.5, "ms")


def test_the_peak_is_read_from_the_kernel() -> None:
    assert peak_kib_in("Name:\tpython\nVmPeak:\t 9 kB\nVmHWM:\t  110284 kB\nThreads:\t1\n") == 110284
    assert peak_kib_in("Name:\tkthreadd\nThreads:\t1\n") is None


def test_only_processes_with_the_named_parts_count() -> None:
    processes = iter(
        [Process("x APIHandler /a", 1000), Process("x APIHandler /b", 9000), Process("y APIHandler /a", 2000)]
    )
    assert peaks_mb(processes, "APIHandler", "/a") == [2.048, 1.024]
