"""Estimates the monthly cost of a stage that nobody uses.

Prices are those of tools/prices.json. Resources that are charged by the GB or by the request cost nothing in an empty,
idle stage, except for the requests that a stage makes by itself: pollers of queues and scheduled functions.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from tools.packaging.template import Template, architecture_of
from tools.project import PRICES

HOURS_A_MONTH = 730
MINUTES = {"minute": 1, "hour": 60, "day": 24 * 60}
# Lambda keeps five long polls of 20 s open on a queue that is empty.
POLLS_A_MONTH = 5 * 3 * 60 * HOURS_A_MONTH
# The duration of a scheduled function that finds nothing to do, and the reads that this takes.
IDLE_RUN_S = 0.2
IDLE_RUN_READ_UNITS = 1


@dataclass(frozen=True, slots=True)
class Cost:
    """One line of the monthly bill."""

    what: str
    usd: float
    usd_beyond_free: float
    """The cost after the free tier, in an account without other use."""


@cache
def price_list() -> dict[str, Any]:
    """The prices, with their date and region."""
    prices: dict[str, Any] = json.loads(PRICES.read_text())
    return prices


def idle_costs(template: Template, deployed_ids: set[str], kept_kinds: Counter[str], shards: int) -> list[Cost]:
    """The bill of a stage that nobody uses, most expensive line first.

    Of the application's `template`, the resources `deployed_ids` exist; `kept_kinds` counts the stateful stack's
    resources by type.
    """
    amounts: Counter[tuple[str, str]] = Counter()
    amounts["kinesis_shard_hour", "shards of the stream of events"] = (
        kept_kinds["AWS::Kinesis::Stream"] * shards * HOURS_A_MONTH
    )
    amounts["secrets_manager_secret_month", "secrets"] = kept_kinds["AWS::SecretsManager::Secret"]
    for name, resource in template["Resources"].items():
        if name in deployed_ids:
            amounts.update(_amounts(resource, architecture_of(template)))
    costs = [_cost(price, what, amount) for (price, what), amount in amounts.items() if amount]
    return sorted(costs, key=lambda cost: -cost.usd)


def _amounts(resource: Mapping[str, Any], architecture: str) -> Counter[tuple[str, str]]:
    """The monthly use of one resource, by the name of its price."""
    properties = resource.get("Properties", {})
    used: Counter[tuple[str, str]] = Counter()
    match resource["Type"]:
        case "AWS::CloudWatch::Alarm":
            metrics = [metric for metric in properties.get("Metrics", []) if "MetricStat" in metric]
            used["cloudwatch_alarm_metric_month", "alarms"] = len(metrics) or 1
        case "AWS::CloudWatch::CompositeAlarm":
            used["cloudwatch_composite_alarm_month", "composite alarms"] = 1
        case "AWS::CloudWatch::Dashboard":
            used["cloudwatch_dashboard_month", "dashboards"] = 1
        case "AWS::WAFv2::WebACL":
            used["waf_web_acl_month", "firewall"] = 1
            used["waf_rule_month", "rules of the firewall"] = len(properties["Rules"])
        case "AWS::Serverless::Function":
            for event in properties.get("Events", {}).values():
                used.update(_amounts_of_event(event, properties["MemorySize"] / 1024, architecture))
    return used


def _amounts_of_event(event: Mapping[str, Any], memory_gb: float, architecture: str) -> Counter[tuple[str, str]]:
    used: Counter[tuple[str, str]] = Counter()
    if event["Type"] == "SQS":
        used["sqs_request", "polls of queues"] = POLLS_A_MONTH
    elif event["Type"] == "Schedule":
        runs = runs_a_month(event["Properties"]["Schedule"])
        used["lambda_request", "starts by the clock"] = runs
        used[f"lambda_gb_s_{architecture}", "time of functions started by the clock"] = round(
            runs * IDLE_RUN_S * memory_gb
        )
        used["dynamodb_read_request_unit", "reads of functions started by the clock"] = runs * IDLE_RUN_READ_UNITS
    return used


def runs_a_month(schedule: str) -> int:
    """The runs of a schedule in a month: `rate(...)` is computed, `cron(...)` counts as once a day."""
    if rate := re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", schedule):
        return HOURS_A_MONTH * 60 // (int(rate[1]) * MINUTES[rate[2]])
    return HOURS_A_MONTH // 24


def _cost(price: str, what: str, amount: float) -> Cost:
    entry = price_list()["prices"][price]
    usd_of_one = entry["usd"] / entry["per"]
    beyond_free = max(0, amount - entry.get("free_a_month", 0))
    return Cost(f"{amount:,.0f} {entry['unit']}: {what}", amount * usd_of_one, beyond_free * usd_of_one)
