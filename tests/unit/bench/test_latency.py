"""Percentiles of few and of many times, and the peak memory of processes."""

import pytest

from bench.latency import p95, percentiles
from bench.memory import Process, peaks_mb, process_of, resident_mb


@pytest.mark.parametrize(("count", "expected"), [(1, 1), (5, 5), (20, 19), (100, 95)])
def test_one_in_twenty_exceeds_the_95th_percentile(count: int, expected: int) -> None:
    assert p95([float(number) for number in range(count, 0, -1)]) == expected


def test_a_line_has_the_median_and_the_95th_percentile() -> None:
    figure = percentiles("add", [1.0, 9.0, 2.0], floor_ms=0.5)
    assert (figure.value, figure.p95, figure.floor_ms, figure.unit) == (2, 9, 0.5, "ms")


def test_the_memory_of_a_process_is_read_from_the_kernel() -> None:
    status = "Name:\tpython\nPid:\t7\nPPid:\t3\nVmPeak:\t 9 kB\nVmHWM:\t  110284 kB\nVmRSS:\t 90000 kB\nThreads:\t1\n"
    assert process_of("x", status) == Process("x", 110284, 90000, 7, 3)
    assert process_of("x", "Name:\tkthreadd\nPid:\t2\nPPid:\t0\nThreads:\t1\n") is None


def test_the_memory_of_a_process_includes_all_that_it_started() -> None:
    tree = [(1, 0, 5000), (7, 1, 1000), (8, 7, 200), (9, 8, 30), (10, 1, 4)]
    processes = [Process("x", 0, resident_kib, id_, parent_id) for id_, parent_id, resident_kib in tree]
    assert resident_mb(iter(processes), 7) == pytest.approx(1230 * 1024 / 1e6)


def test_only_processes_with_the_named_parts_count() -> None:
    processes = iter(
        [Process("x APIHandler /a", 1000), Process("x APIHandler /b", 9000), Process("y APIHandler /a", 2000)]
    )
    assert peaks_mb(processes, "APIHandler", "/a") == [2.048, 1.024]
