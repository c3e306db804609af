"""Tests the cost of a stage that nobody uses."""

from collections import Counter

import pytest

from tools.packaging.template import Template, for_architecture
from tools.stages.idle_cost import idle_costs, price_list, runs_a_month

KEPT = Counter({"AWS::Kinesis::Stream": 1, "AWS::SecretsManager::Secret": 4, "AWS::DynamoDB::Table": 4})
EVENTS = {
    "Queue": {"Type": "SQS", "Properties": {}},
    "Clock": {"Type": "Schedule", "Properties": {"Schedule": "rate(1 minute)"}},
}
METRIC_MATH = [{"Id": "a", "MetricStat": {}}, {"Id": "b", "MetricStat": {}}, {"Id": "c", "Expression": "a + b"}]
APPLICATION = {
    "Resources": {
        "Function": {"Type": "AWS::Serverless::Function", "Properties": {"MemorySize": 512, "Events": EVENTS}},
        "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"MetricName": "Errors"}},
        "AlarmOfTwo": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"Metrics": METRIC_MATH}},
        "Dashboard": {"Type": "AWS::CloudWatch::Dashboard", "Properties": {}},
        "Firewall": {"Type": "AWS::WAFv2::WebACL", "Properties": {"Rules": [{}, {}, {}]}},
        "Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {}},
    }
}


def costs(application: Template, *, without: str = "", kept: Counter[str] = KEPT, shards: int = 1) -> dict[str, float]:
    """The dollars of each thing, by what it is."""
    there = set(application["Resources"]) - {without}
    return {cost.what.split(": ")[1]: cost.usd for cost in idle_costs(application, there, kept, shards)}


def usd(price: str) -> float:
    entry = price_list()["prices"][price]
    return float(entry["usd"] / entry["per"])


def test_deployed_resources_are_charged() -> None:
    assert costs(APPLICATION) == pytest.approx(
        {
            "shards of the stream of events": 730 * usd("kinesis_shard_hour"),
            "secrets": 4 * usd("secrets_manager_secret_month"),
            "dashboards": usd("cloudwatch_dashboard_month"),
            "firewall": usd("waf_web_acl_month"),
            "rules of the firewall": 3 * usd("waf_rule_month"),
            "alarms": 3 * usd("cloudwatch_alarm_metric_month"),
            "polls of queues": 657_000 * usd("sqs_request"),
            "starts by the clock": 43_800 * usd("lambda_request"),
            "time of functions started by the clock": 43_800 * 0.2 * 0.5 * usd("lambda_gb_s_x86_64"),
            "reads of functions started by the clock": 43_800 * usd("dynamodb_read_request_unit"),
        }
    )


def test_absent_resources_are_not_charged() -> None:
    without_metrics = KEPT - Counter({"AWS::Kinesis::Stream": 1})
    assert "shards of the stream of events" not in costs(APPLICATION, kept=without_metrics)
    assert "dashboards" not in costs(APPLICATION, without="Dashboard")
    assert costs(APPLICATION, shards=2)["shards of the stream of events"] == 1460 * usd("kinesis_shard_hour")


def test_free_amounts_are_shown_separately_and_the_most_expensive_line_is_first() -> None:
    found = idle_costs(APPLICATION, set(APPLICATION["Resources"]), KEPT, 1)
    beyond_free = {cost.what.split(": ")[1]: cost.usd_beyond_free for cost in found}
    assert (beyond_free["dashboards"], beyond_free["alarms"], beyond_free["polls of queues"]) == (0, 0, 0)
    assert beyond_free["secrets"] == 4 * usd("secrets_manager_secret_month")
    assert [cost.usd for cost in found] == sorted((cost.usd for cost in found), reverse=True)


def test_functions_are_charged_by_their_architecture() -> None:
    what = "time of functions started by the clock"
    on_arm = for_architecture(APPLICATION | {"Parameters": {"Architecture": {}}}, "arm64")
    assert costs(on_arm)[what] == pytest.approx(43_800 * 0.2 * 0.5 * usd("lambda_gb_s_arm64"))
    assert costs(on_arm)[what] / costs(APPLICATION)[what] == pytest.approx(0.8, rel=1e-4)


@pytest.mark.parametrize(
    ("schedule", "runs"),
    [("rate(1 minute)", 43_800), ("rate(5 minutes)", 8_760), ("rate(1 hour)", 730), ("rate(1 day)", 30)],
)
def test_the_runs_of_a_schedule_are_counted(schedule: str, runs: int) -> None:
    assert runs_a_month(schedule) == runs
    assert runs_a_month("cron(0 3 * * ? *)") == 30


def test_each_price_names_its_page() -> None:
    prices = price_list()
    assert (prices["region"], prices["currency"]) == ("us-east-1", "USD")
    for name, entry in prices["prices"].items():
        assert entry["usd"] >= 0, name
        assert entry["per"] >= 1, name
        assert entry["source"].startswith("https://aws.amazon.com/"), name
