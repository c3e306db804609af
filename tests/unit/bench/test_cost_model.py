"""The arithmetic of the cost model (quantities of a month, times, dollars), and the files that it reads."""

from dataclasses import replace
from typing import Any

import pytest

from bench.costs import assumptions as given
from bench.costs.cost_model import (
    GROUPS,
    SERVICES,
    bills,
    duration_s,
    figures,
    gb_s,
    of_a_person,
    of_a_stage,
    service_of,
    together,
    usd_beyond_free,
    usd_by_service,
)
from bench.costs.prices import Price, Prices, parse_prices, read_prices
from bench.costs.stage import Stage, parse_stage, read_stage
from bench.costs.usage import Usage, Work
from tools.stages.profiles import PROFILES

MONTH = 365 / 12
STAGE = Stage(
    api_memory_mb=1024,
    task_memory_mb=2048,
    dispatcher_memory_mb=512,
    alarm_metrics=5,
    composite_alarms=1,
    dashboards=0,
    secrets=4,
    polled_queues=2,
    streams=1,
    requests_a_second=100,
    compacting_share=0.5,
)
USAGE = Usage(
    uploads=Work(requests=288, cpu_s=1, dynamodb_calls=576, read_units=576, write_units=2000, logged_bytes=60_000),
    short_read=Work(requests=1, read_units=400, answer_bytes=4e6),
    long_read=Work(requests=1, read_units=2000, s3_puts=1, s3_gets=1, answer_bytes=20e6),
    poll=Work(requests=1, read_units=3),
    compaction=Work(requests=1, cpu_s=0.5, write_units=300, s3_puts=2),
    tables_bytes_a_day=250_000,
    bucket_bytes_a_day=500_000,
)


def test_work_adds_up() -> None:
    total = Work(requests=1, write_units=2) + Work(requests=3, cpu_s=0.5) * 2
    assert total == Work(requests=7, write_units=2, cpu_s=1)


class TestPerson:
    def test_units_are_those_of_uploads_reads_polls_and_compaction(self) -> None:
        month = of_a_person(USAGE, STAGE)
        assert month["dynamodb_write_request_unit"] == pytest.approx((2000 + 300) * MONTH)
        assert month["dynamodb_read_request_unit"] == pytest.approx((576 + 400 + 2000 + 288 * 3) * MONTH)

    def test_the_gateway_counts_what_comes_from_outside_and_lambda_compaction_too(self) -> None:
        month = of_a_person(USAGE, STAGE)
        from_outside = 288 + 1 + 1 + 288 + given.EVENTS_A_DAY
        assert month["api_gateway_rest_request"] == pytest.approx(from_outside * MONTH)
        assert month["lambda_request"] == pytest.approx((from_outside + 1) * MONTH)

    def test_storage_is_the_mean_of_a_year_that_begins_with_nothing(self) -> None:
        month = of_a_person(USAGE, STAGE)
        assert month["dynamodb_storage_gb_month"] == pytest.approx(250_000 * 365 / 2 / 1e9)
        assert month["dynamodb_pitr_gb_month"] == month["dynamodb_storage_gb_month"]
        assert month["s3_storage_gb_month"] == pytest.approx(500_000 * 365 / 2 / 1e9)

    def test_what_goes_out_is_what_was_answered_and_fetched(self) -> None:
        assert of_a_person(USAGE, STAGE)["transfer_out_gb"] == pytest.approx(0.024 * MONTH)

    def test_s3_is_asked_by_large_answers_and_compaction(self) -> None:
        month = of_a_person(USAGE, STAGE)
        assert (month["s3_put_request"], month["s3_get_request"]) == pytest.approx((3 * MONTH, MONTH))


class TestTime:
    def test_a_function_has_a_part_of_a_core_by_its_memory(self) -> None:
        assert duration_s(Work(cpu_s=1), 1769) == pytest.approx(1)
        assert duration_s(Work(cpu_s=1), 1024) == pytest.approx(1769 / 1024)
        assert duration_s(Work(cpu_s=1), 4096) == pytest.approx(1)

    def test_it_waits_for_calls_and_starts(self) -> None:
        work = Work(requests=100, dynamodb_calls=10, s3_puts=1, s3_gets=1)
        starts_s = 100 * given.COLD_STARTS_PER_REQUEST * given.COLD_START_S
        assert duration_s(work, 1024) == pytest.approx(10 * given.DYNAMODB_CALL_S + 2 * given.S3_CALL_S + starts_s)

    def test_gb_s_are_by_the_memory_that_was_ordered(self) -> None:
        assert gb_s(10, 512) == 5


class TestStage:
    def test_what_is_paid_by_the_month_does_not_depend_on_use(self) -> None:
        for_one_user, for_many_users = of_a_stage(STAGE, 1), of_a_stage(STAGE, 100_000)
        assert for_one_user == for_many_users
        assert for_one_user["kinesis_shard_hour"] == 730
        assert for_one_user["secrets_manager_secret_month"] == 4
        assert for_one_user["sqs_request"] == 2 * 15 * 60 * 730

    def test_shards_follow_the_events(self) -> None:
        users = 2_000_000
        events_a_second = users * given.EVENTS_A_DAY / 86_400 * given.PEAK_OVER_MEAN
        shards = of_a_stage(STAGE, users)["kinesis_shard_hour"] / 730
        assert (shards - 1) * 1000 < events_a_second <= shards * 1000
        assert of_a_stage(replace(STAGE, streams=0), users)["kinesis_shard_hour"] == 0

    def test_it_is_read_from_the_templates(self) -> None:
        overlay: dict[str, Any] = {
            "Parameters": {"ThrottlingRate": {"Default": 100}},
            "Resources": {
                "A": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"MetricName": "Errors"}},
                "B": {
                    "Type": "AWS::CloudWatch::Alarm",
                    "Properties": {"Metrics": [{"Expression": "a/b"}, {"MetricStat": {}}, {"MetricStat": {}}]},
                },
                "C": {"Properties": {"Events": {"CSqsEventSource": {}, "Schedule": {}}}},
            },
        }
        stateful = {"Resources": {"S": {"Type": "AWS::SecretsManager::Secret"}, "K": {"Type": "AWS::Kinesis::Stream"}}}
        memory = {"api_handler": 1024, "run_task": 2048, "dispatch_tasks": 512}
        chalice = {"lambda_functions": {name: {"lambda_memory_size": mb} for name, mb in memory.items()}}
        found = parse_stage(chalice, overlay, stateful)
        wanted = Stage(
            1024, 2048, 512, 3, 0, 0, 1, 1, 1, requests_a_second=100, compacting_share=found.compacting_share
        )
        assert found == wanted
        assert 0 < found.compacting_share < 1

    def test_the_stage_of_the_templates_has_secrets_alarms_queues_and_a_stream(self) -> None:
        stage, personal = read_stage(), read_stage("personal")
        assert (personal.streams, personal.dashboards) == (0, 0)
        assert (personal.secrets, personal.polled_queues) == (stage.secrets, stage.polled_queues)
        assert 0 < personal.alarm_metrics < stage.alarm_metrics
        assert min(stage.secrets, stage.alarm_metrics, stage.polled_queues, stage.streams, stage.api_memory_mb) >= 1


class TestDollars:
    prices = Prices("2026-01-01", "us-east-1", {"sqs_request": Price(0.4, 1e6, 1e6), "lambda_request": Price(0.2, 1e6)})

    def test_a_price_is_for_so_many_units(self) -> None:
        assert usd_by_service({"sqs_request": 3e6, "lambda_request": 1e6}, self.prices) | {} == dict.fromkeys(
            SERVICES.values(), 0.0
        ) | {"SQS": pytest.approx(1.2), "Lambda": pytest.approx(0.2)}

    def test_the_free_tier_is_used_once(self) -> None:
        assert usd_beyond_free({"sqs_request": 3e6, "lambda_request": 1e6}, self.prices) == pytest.approx(0.8 + 0.2)
        assert usd_beyond_free({"sqs_request": 5}, self.prices) == 0

    def test_use_grows_with_the_number_of_users(self) -> None:
        assert together({"a": 2, "b": 1}, {"b": 5, "c": 1}, 10) == {"a": 20, "b": 15, "c": 1}

    def test_every_quantity_has_a_price_and_a_service(self) -> None:
        prices = read_prices()
        for name in (*of_a_person(USAGE, STAGE), *of_a_stage(STAGE, 1)):
            assert prices[name].usd >= 0
            assert service_of(name) in SERVICES.values()

    def test_the_file_says_what_is_free(self) -> None:
        document = {
            "as_of": "2026-01-01",
            "region": "us-east-1",
            "prices": {"sqs_request": {"usd": 0.4, "per": 1000000, "free_a_month": 1000000}, "x": {"usd": 1, "per": 1}},
        }
        found = parse_prices(document)
        assert found["sqs_request"] == Price(0.4, 1e6, 1e6)
        assert found["x"] == Price(1, 1)

    def test_the_lines_of_a_person_add_up(self) -> None:
        first, *others, total = figures(USAGE, STAGE, read_prices())
        of_dynamodb = [figure.value for figure in others if figure.name.startswith("  ")]
        of_services = [figure.value for figure in others if not figure.name.startswith("  ")]
        assert first.value == pytest.approx(sum(of_dynamodb))
        assert total.value == pytest.approx(first.value + sum(of_services))
        assert first.target == 1

    def test_a_person_pays_at_most_five_dollars_a_month_with_the_profile_for_one(self) -> None:
        # The use of one person, about a quarter of a dollar, is measured by the model itself.
        stages = {profile: read_stage(profile) for profile in PROFILES}
        personal, clinic, *_ = bills(USAGE, stages, read_prices())
        assert personal.month_usd <= 5 < clinic.month_usd
        assert personal.month_beyond_free_usd < personal.month_usd

    def test_a_bill_is_the_stage_and_its_people(self) -> None:
        prices = read_prices()
        first, *_, many = bills(USAGE, dict.fromkeys(PROFILES, STAGE), prices)
        person = 12 * sum(usd_by_service(of_a_person(USAGE, STAGE), prices).values())
        stage = 12 * sum(usd_by_service(of_a_stage(STAGE, 1), prices).values())
        assert first.year_of_a_user_usd == pytest.approx(person + stage)
        assert many.year_of_a_user_usd == pytest.approx(person + stage / GROUPS[many.name][0])
        assert first.month_beyond_free_usd <= first.month_usd == pytest.approx((person + stage) / 12)
