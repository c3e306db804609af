"""The costs of Strandline in US dollars: for a person with a CGM and Loop, by service, and for stages of several sizes.

    python -m bench.costs.cost_model

Measures the use of such a person (`usage`), adds assumptions (`assumptions`) and the fixed use of a stage (`stage`),
and multiplies by the list prices of AWS (`prices`). Quantities are for a month, by the name of their price.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bench.costs import assumptions as given
from bench.costs.prices import Prices, read_prices
from bench.costs.stage import Stage, read_stage
from bench.costs.usage import Usage, Work, measured
from bench.figures import Figure, as_columns, as_json, as_table
from tools.project import run_tool
from tools.stages.idle_cost import HOURS_A_MONTH, IDLE_RUN_READ_UNITS, IDLE_RUN_S, POLLS_A_MONTH
from tools.stages.profiles import PROFILES

GB = 1e9
DYNAMODB_TARGET_USD = 1
BILL_TARGET_USD = 2.50
DAYS_A_MONTH = given.DAYS_A_YEAR / given.MONTHS_A_YEAR
GROUPS = {
    "one person (personal)": (1, "personal"),
    "one person (clinic)": (1, "clinic"),
    "a family of 5 (personal)": (5, "personal"),
    "a clinic of 200 (clinic)": (200, "clinic"),
    "100,000 users (clinic)": (100_000, "clinic"),
}
"""The users of each group, and the profile of its stage."""
SERVICES = {
    "dynamodb": "DynamoDB",
    "api_gateway": "API Gateway",
    "lambda": "Lambda",
    "s3": "S3",
    "transfer_out": "data sent out",
    "cloudwatch": "CloudWatch",
    "kinesis": "Kinesis",
    "secrets_manager": "Secrets Manager",
    "sqs": "SQS",
    "kms": "KMS",
}
"""The services, by the prefix of the names of their prices."""

Quantities = Mapping[str, float]


def of_a_day(usage: Usage) -> tuple[Work, Work]:
    """A day of one person: the requests of the person and their apps, and the compaction of their data."""
    asked = (
        usage.uploads
        + usage.short_read * given.SHORT_READS_A_DAY
        + usage.long_read * given.LONG_READS_A_DAY
        + usage.poll * given.POLLS_A_DAY
    )
    return asked, usage.compaction * given.COMPACTIONS_A_DAY


def of_a_person(usage: Usage, stage: Stage) -> Quantities:
    """A month of one person, as the mean of the first year, in which storage grows from zero."""
    asked, compacted = of_a_day(usage)
    day = asked + compacted
    events = given.EVENTS_A_DAY
    api_s = duration_s(asked, stage.api_memory_mb) + events * given.EVENT_DURATION_S
    logged_bytes = day.logged_bytes + (day.requests + events) * given.LAMBDA_LOG_BYTES
    stored_days = given.DAYS_A_YEAR / 2
    tables_gb = usage.tables_bytes_a_day * stored_days / GB
    daily = {
        "dynamodb_write_request_unit": day.write_units,
        "dynamodb_read_request_unit": day.read_units,
        "api_gateway_rest_request": asked.requests + events,
        "lambda_request": day.requests + events,
        "lambda_gb_s_x86_64": gb_s(api_s, stage.api_memory_mb)
        + gb_s(duration_s(compacted, stage.task_memory_mb), stage.task_memory_mb),
        "s3_put_request": day.s3_puts,
        "s3_get_request": day.s3_gets,
        "transfer_out_gb": day.answer_bytes / GB,
        "cloudwatch_logs_ingested_gb": logged_bytes / GB,
        "kinesis_put_unit": min(1, stage.streams) * events * given.EVENT_PAYLOAD_UNITS,
        "sqs_request": compacted.requests * given.QUEUE_REQUESTS_PER_TASK,
    }
    kept = {
        "dynamodb_storage_gb_month": tables_gb,
        "dynamodb_pitr_gb_month": tables_gb,
        "s3_storage_gb_month": usage.bucket_bytes_a_day * stored_days / GB,
        "cloudwatch_logs_stored_gb_month": logged_bytes * DAYS_A_MONTH * given.LOG_RETENTION_MONTHS / GB,
    }
    return {name: quantity * DAYS_A_MONTH for name, quantity in daily.items()} | kept


def of_a_stage(stage: Stage, users: int) -> Quantities:
    """A month of the shared resources of a stage with `users` users; most of it does not depend on their number."""
    events_a_second = users * given.EVENTS_A_DAY / (24 * 3600) * given.PEAK_OVER_MEAN
    shards = stage.streams * max(1, math.ceil(events_a_second / given.EVENTS_A_SHARD_A_SECOND))
    return {
        "kinesis_shard_hour": shards * HOURS_A_MONTH,
        "secrets_manager_secret_month": stage.secrets,
        "secrets_manager_request": given.SECRET_READS_A_MONTH,
        "cloudwatch_alarm_metric_month": stage.alarm_metrics,
        "cloudwatch_composite_alarm_month": stage.composite_alarms,
        "cloudwatch_dashboard_month": stage.dashboards,
        "sqs_request": stage.polled_queues * POLLS_A_MONTH,
        "lambda_request": given.DISPATCHES_A_MONTH,
        "lambda_gb_s_x86_64": given.DISPATCHES_A_MONTH * gb_s(IDLE_RUN_S, stage.dispatcher_memory_mb),
        "dynamodb_read_request_unit": given.DISPATCHES_A_MONTH * IDLE_RUN_READ_UNITS,
        "cloudwatch_logs_ingested_gb": given.DISPATCHES_A_MONTH * given.LAMBDA_LOG_BYTES / GB,
        "kms_request": given.KMS_REQUESTS_A_MONTH,
    }


def duration_s(work: Work, memory_mb: int) -> float:
    """The time for which a function of that memory runs for some work, cold starts included."""
    core = min(1, memory_mb / given.LAMBDA_MEMORY_MB_OF_A_CORE) * given.CORE_RATIO
    waiting_s = work.dynamodb_calls * given.DYNAMODB_CALL_S + (work.s3_puts + work.s3_gets) * given.S3_CALL_S
    starting_s = work.requests * given.COLD_STARTS_PER_REQUEST * given.COLD_START_S
    return work.cpu_s / core + waiting_s + starting_s


def gb_s(seconds: float, memory_mb: int) -> float:
    """The GB-seconds of a function of that memory."""
    return seconds * memory_mb / 1024


def together(person: Quantities, stage: Quantities, users: int) -> Quantities:
    """A month of a stage with `users` users."""
    total = Counter(dict(stage))
    for name, quantity in person.items():
        total[name] += quantity * users  # type: ignore[assignment]  # a Counter adds fractions too
    return total


def usd_by_service(quantities: Quantities, prices: Prices) -> dict[str, float]:
    """The cost of a month at list price, by service."""
    by_service = dict.fromkeys(SERVICES.values(), 0.0)
    for name, quantity in quantities.items():
        by_service[service_of(name)] += prices[name].of(quantity)
    return by_service


def usd_beyond_free(quantities: Quantities, prices: Prices) -> float:
    """The cost of a month in an account without other use, in which the whole free tier is the stage's."""
    return sum(prices[name].of_month(quantity) for name, quantity in quantities.items())


def service_of(price_name: str) -> str:
    """The service of a price."""
    (service,) = (service for start, service in SERVICES.items() if price_name.startswith(f"{start}_"))
    return service


@dataclass(frozen=True, slots=True)
class Bill:
    """The cost of a group of users: a month at list price, a month after the free tier, and a year for each user."""

    name: str
    month_usd: float
    month_beyond_free_usd: float
    year_of_a_user_usd: float


def bills(usage: Usage, stages: Mapping[str, Stage], prices: Prices) -> list[Bill]:
    """The bills of all groups, with the stages by profile. Each user is a person with a CGM and Loop."""
    groups = []
    for name, (users, profile) in GROUPS.items():
        stage = stages[profile]
        person = of_a_person(usage, stage)
        quantities = together(person, of_a_stage(stage, users), users)
        month_usd = sum(usd_by_service(quantities, prices).values())
        beyond_free = usd_beyond_free(quantities, prices)
        groups.append(Bill(name, month_usd, beyond_free, month_usd * given.MONTHS_A_YEAR / users))
    return groups


def figures(usage: Usage, stage: Stage, prices: Prices) -> list[Figure]:
    """The lines of the bill for a person's year."""
    person = of_a_person(usage, stage)
    year = {name: usd * given.MONTHS_A_YEAR for name, usd in usd_by_service(person, prices).items()}
    table = {
        what: prices[name].of(person[name]) * given.MONTHS_A_YEAR
        for name, what in (
            ("dynamodb_write_request_unit", "writes"),
            ("dynamodb_read_request_unit", "reads"),
            ("dynamodb_storage_gb_month", "storage"),
        )
    }
    others = [Figure(service, usd, "$") for service, usd in year.items() if service != "DynamoDB" and usd > 0]
    return [
        # The target was set for these three; the cost of insurance is shown separately.
        Figure("a CGM + Loop user's first year: DynamoDB", sum(table.values()), "$", target=DYNAMODB_TARGET_USD),
        *(Figure(f"  {what}", usd, "$") for what, usd in table.items()),
        Figure("its point-in-time recovery", year["DynamoDB"] - sum(table.values()), "$"),
        *others,
        Figure("all", sum(year.values()), "$", target=BILL_TARGET_USD),
    ]


@dataclass(frozen=True, slots=True)
class Costs:
    """The measured use, and the costs that follow from it."""

    prices: Prices
    usage: Usage
    figures: Sequence[Figure]
    bills: Sequence[Bill]


def measured_costs() -> Costs:
    """Measure the use of the current code and compute the costs, in less than a minute."""
    usage, prices = measured(), read_prices()
    stages = {profile: read_stage(profile) for profile in PROFILES}
    return Costs(prices, usage, figures(usage, stages["clinic"], prices), bills(usage, stages, prices))


def as_text(costs: Costs) -> str:
    """Both tables as text."""
    prices = costs.prices
    title = f"AWS's list prices in {prices.region} as of {prices.as_of}, in US dollars"
    return f"{title}\n\n{as_table(costs.figures)}\n\n{_as_table_of_bills(costs.bills)}"


def as_document(costs: Costs) -> dict[str, Any]:
    """The costs as JSON values."""
    prices = {"as_of": costs.prices.as_of, "region": costs.prices.region}
    group_bills = [asdict(bill) for bill in costs.bills]
    return {"prices": prices, "usage": asdict(costs.usage), "figures": as_json(costs.figures), "bills": group_bills}


def _as_table_of_bills(group_bills: Sequence[Bill]) -> str:
    rows = [["$", "a month", "beyond what is free", "a user and year"]]
    for bill in group_bills:
        amounts = (bill.month_usd, bill.month_beyond_free_usd, bill.year_of_a_user_usd)
        rows.append([bill.name, *(f"{usd:,.2f}" for usd in amounts)])
    return as_columns(rows, words={0})


def main() -> int:
    """Measure and print the costs."""
    print(as_text(measured_costs()))
    return 0


if __name__ == "__main__":
    run_tool(main)
