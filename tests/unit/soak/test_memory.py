"""Tests the figures of memory: that at rest in the quarters of the longest life of a process, and its growth."""

import os
from pathlib import Path

import pytest

from tools.soak.memory import Sample, at_rest_mb, memory_figures, samples_of


def samples(process_id: int, *resident_mb: float, label: str = "home server", at_s: float = 0) -> list[Sample]:
    """A sample a second."""
    return [Sample(label, process_id, at_s + second, mb) for second, mb in enumerate(resident_mb)]


def test_growth_is_that_after_the_first_half_of_the_longest_life() -> None:
    (figure,) = memory_figures([*samples(1, 1, 2, 3, 4), *samples(2, 10, 20, 100, 100, 105, 105, 120, 130, at_s=10)])
    assert figure.at_rest_mb == (10, 100, 105, 120)
    assert figure.growth_percent == pytest.approx(20)
    assert (figure.peak_mb, figure.life_s, figure.processes) == (130, 7, 1)


def test_memory_that_a_request_needs_for_a_moment_is_no_growth() -> None:
    quiet, busy = [80.0] * 10, [80.0, 80.0, *[210.0] * 8]
    (figure,) = memory_figures(samples(1, *quiet, *quiet, *busy, *busy))
    assert figure.at_rest_mb == (80, 80, 80, 80)
    assert (figure.growth_percent, figure.peak_mb) == (0, 210)


def test_a_leak_raises_the_memory_at_rest() -> None:
    (figure,) = memory_figures(samples(1, *(80.0 + second + 130 * (second % 2) for second in range(80))))
    assert figure.growth_percent > 30
    assert not figure.is_flat


def test_further_processes_are_no_growth() -> None:
    first, second = samples(1, *[50] * 8), samples(2, *[20] * 4, at_s=4)
    (figure,) = memory_figures([*first, *second])
    assert figure.at_rest_mb == (50, 50, 50, 50)
    assert (figure.growth_percent, figure.processes, figure.peak_mb) == (0, 2, 50)


def test_processes_one_after_the_other_have_lives_of_their_own() -> None:
    (figure,) = memory_figures([*samples(1, 30, 31, 31, 31, 31), *samples(2, 70, 70, 70, 70, at_s=10)])
    assert (figure.at_rest_mb, figure.life_s, figure.processes) == ((30, 31, 31, 31), 4, 1)


def test_memory_is_flat_that_fluctuates() -> None:
    flat = samples(1, 90, 90, 100, 100, 103, 103, 104, 104, label="flat")
    growing = samples(2, 1, 1, 10, 10, 10, 10, 11, 11, label="growing")
    assert [figure.is_flat for figure in memory_figures([*flat, *growing])] == [True, False]


def test_what_is_stored_has_the_same_quarters() -> None:
    life = [Sample("engine", 1, second, 50.0, float(second)) for second in range(8)]
    assert memory_figures(life)[0].stored_mb == (0.5, 2.5, 4.5, 6.5)
    assert memory_figures(samples(1, *[50] * 8))[0].stored_mb == ()


def test_a_life_that_is_too_short_has_no_figure() -> None:
    assert memory_figures(samples(1, 1, 2, 3)) == []
    found = [*samples(1, 1), *samples(2, *[2] * 4, label="tasks")]
    assert [figure.label for figure in memory_figures(found)] == ["tasks"]


def test_the_memory_at_rest_is_below_all_but_a_tenth_of_the_samples() -> None:
    assert at_rest_mb(samples(1, *range(100, 0, -1))) == 11
    assert at_rest_mb(samples(1, 5)) == 5


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from Linux's /proc")
def test_the_memory_of_a_running_process_is_found() -> None:
    found = samples_of(os.getpid(), 2_500_000)
    assert os.getpid() in {sample.process_id for sample in found}
    assert all(sample.resident_mb > 1 for sample in found)
    assert {sample.stored_mb for sample in found} == {2.5}
