"""The memory and the CPU time of processes, from the texts of `/proc`."""

import os

import pytest

from tools.processes import Process, cpu_s, peaks_mb, process_of, resident_mb, running

STAT = "7 (a (name) x) S 3 7 7 0 -1 4194560 9 0 0 0 1 2 3 4 20 0 1 0 1 9 9 9"
TICKS = os.sysconf("SC_CLK_TCK")


def test_the_memory_of_a_process_is_read_from_the_kernel() -> None:
    status = "Name:\tpython\nPid:\t7\nPPid:\t3\nVmPeak:\t 9 kB\nVmHWM:\t  110284 kB\nVmRSS:\t 90000 kB\nThreads:\t1\n"
    assert process_of("x", status, STAT) == Process("x", 110284, 90000, 7, 3, cpu_s=10 / TICKS)
    assert process_of("x", "Name:\tkthreadd\nPid:\t2\nPPid:\t0\nThreads:\t1\n", STAT) is None


def test_the_memory_of_a_process_includes_all_that_it_started() -> None:
    tree = [(1, 0, 5000), (7, 1, 1000), (8, 7, 200), (9, 8, 30), (10, 1, 4)]
    processes = [Process("x", 0, resident_kib, id_, parent_id) for id_, parent_id, resident_kib in tree]
    assert resident_mb(iter(processes), 7) == pytest.approx(1230 * 1024 / 1e6)


def test_the_cpu_time_of_a_process_includes_all_that_it_started() -> None:
    tree = [(1, 0, 50.0), (7, 1, 1.0), (8, 7, 0.25), (9, 8, 0.5), (10, 1, 4.0)]
    processes = [Process("x", 0, id=id_, parent_id=parent_id, cpu_s=time_s) for id_, parent_id, time_s in tree]
    assert cpu_s(iter(processes), 7) == 1.75


def test_the_cpu_time_of_this_process_is_found() -> None:
    assert cpu_s(running(), os.getpid()) > 0


def test_only_processes_with_the_named_parts_count() -> None:
    processes = iter(
        [Process("x APIHandler /a", 1000), Process("x APIHandler /b", 9000), Process("y APIHandler /a", 2000)]
    )
    assert peaks_mb(processes, "APIHandler", "/a") == [2.048, 1.024]
