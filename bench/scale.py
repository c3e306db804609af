"""How many people with a CGM and Loop a stage can have before it meets a limit that an account has at first.

    python -m bench.scale

What they ask for is measured (`usage`); how much busier the busiest second is than the mean one, and the limits, are
taken for given (`assumptions`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bench import assumptions as given
from bench.cost_model import duration_s, of_a_day
from bench.figures import as_columns
from bench.stage import Stage, read_stage
from bench.usage import Usage, measured
from tools.project import run_tool

SECONDS_A_DAY = 24 * 3600


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit a second, and what one person takes of it in the busiest one."""

    name: str
    limit: float
    of_a_person: float

    @property
    def people(self) -> float:
        """How many there can be."""
        return self.limit / self.of_a_person


def limits(usage: Usage, stage: Stage) -> list[Limit]:
    """The limits, the first to be met first."""
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
    found = [Limit(name, limit, a_day / SECONDS_A_DAY * given.PEAK_OVER_MEAN) for name, limit, a_day in of_a_day_]
    # What does not fit into one run of the job is there for the next: peaks even out.
    compacting_s = duration_s(compacted, stage.task_memory_mb) / SECONDS_A_DAY
    found.append(Limit("the one worker that compacts", stage.compacting_share, compacting_s))
    return sorted(found, key=lambda limit: limit.people)


def as_text(found: Sequence[Limit]) -> str:
    """The limits as lines of equal columns."""
    rows = [["limit a second", "", "a person takes", "people"]]
    rows += [[each.name, f"{each.limit:,g}", f"{each.of_a_person:.3g}", f"{each.people:,.0f}"] for each in found]
    return as_columns(rows, words={0})


def main() -> int:
    """Measure, then print."""
    print(as_text(limits(measured(), read_stage())))
    return 0


if __name__ == "__main__":
    run_tool(main)
