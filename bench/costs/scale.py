"""Computes how many people with a CGM and Loop a stage can serve before it reaches a default quota of its account.

    python -m bench.costs.scale

Their use is measured (`usage`); the load of the busiest second and the quotas are assumed (`assumptions`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.costs import assumptions as given
from bench.costs.cost_model import duration_s, of_a_day
from bench.costs.stage import Stage, read_stage
from bench.costs.usage import Usage, measured
from bench.figures import as_columns
from tools.project import run_tool

SECONDS_A_DAY = 24 * 3600


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit for a second, and the share that one person takes in the busiest second."""

    name: str
    limit: float
    of_a_person: float

    @property
    def people(self) -> float:
        """The number of people within the limit."""
        return self.limit / self.of_a_person


def limits(usage: Usage, stage: Stage) -> list[Limit]:
    """The limits, in the order in which they are reached."""
    asked, compacted = of_a_day(usage)
    requests = asked.requests + given.EVENTS_A_DAY
    running_s = duration_s(asked, stage.api_memory_mb) + duration_s(compacted, stage.task_memory_mb)
    written, read = (asked + compacted).write_units, (asked + compacted).read_units
    of_a_day_ = [
        ("requests that the stage takes (THROTTLING_RATE)", stage.requests_a_second, requests),
        ("requests that API Gateway takes of an account", given.API_GATEWAY_REQUESTS, requests),
        ("functions of an account at once", given.LAMBDA_CONCURRENCY, running_s),
        ("write units of a new table", given.NEW_TABLE_WRITE_UNITS, written),
        ("read units of a new table", given.NEW_TABLE_READ_UNITS, read),
        ("write units of a table", given.TABLE_UNITS, written),
        ("read units of a table", given.TABLE_UNITS, read),
        ("events of a shard", given.EVENTS_A_SHARD_A_SECOND, given.EVENTS_A_DAY),
    ]
    ranked = [Limit(name, limit, a_day / SECONDS_A_DAY * given.PEAK_OVER_MEAN) for name, limit, a_day in of_a_day_]
    # Work that does not fit into one run of the job waits for the next, so peaks even out.
    compacting_s = duration_s(compacted, stage.task_memory_mb) / SECONDS_A_DAY
    ranked.append(Limit("the one worker that compacts", stage.compacting_share, compacting_s))
    return sorted(ranked, key=lambda limit: limit.people)


def as_text(ranked: Sequence[Limit]) -> str:
    """The limits as a text table."""
    rows = [["limit a second", "", "a person takes", "people"]]
    rows += [[limit.name, f"{limit.limit:,g}", f"{limit.of_a_person:.3g}", f"{limit.people:,.0f}"] for limit in ranked]
    return as_columns(rows, words={0})


def main() -> int:
    """Measure and print the limits."""
    print(as_text(limits(measured(), read_stage())))
    return 0


if __name__ == "__main__":
    run_tool(main)
