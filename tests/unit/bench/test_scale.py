"""The number of people within a limit."""

import pytest

from bench.costs import assumptions as given
from bench.costs.cost_model import duration_s, of_a_day
from bench.costs.scale import as_text, limits
from tests.unit.bench.test_cost_model import STAGE, USAGE


def test_a_limit_allows_the_people_who_reach_it_in_the_busiest_second() -> None:
    found = {limit.name: limit for limit in limits(USAGE, STAGE)}
    asked, _ = of_a_day(USAGE)
    a_second = (asked.requests + given.EVENTS_A_DAY) / 86_400 * given.PEAK_OVER_MEAN
    stage = found["requests that the stage takes (THROTTLING_RATE)"]
    assert (stage.of_a_person, stage.people) == pytest.approx((a_second, 100 / a_second))
    assert found["requests that API Gateway takes of an account"].people == pytest.approx(100 * stage.people)
    written = found["write units of a table"]
    assert written.of_a_person == pytest.approx((2000 + 300) / 86_400 * given.PEAK_OVER_MEAN)


def test_compaction_evens_out_over_the_day() -> None:
    (worker,) = [limit for limit in limits(USAGE, STAGE) if limit.name == "the one worker that compacts"]
    assert worker.people == pytest.approx(0.5 * 86_400 / duration_s(USAGE.compaction, STAGE.task_memory_mb))


def test_the_first_limit_to_be_reached_comes_first() -> None:
    people = [limit.people for limit in limits(USAGE, STAGE)]
    assert people == sorted(people)
    assert as_text(limits(USAGE, STAGE)).splitlines()[1].startswith("requests that the stage takes")
