"""The fixed resources of a stage and the settings of its functions, read from the templates."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.jobs import TASK_TYPES
from chalicelib.tasks.types import TaskType
from tools.packaging.overlay import read_overlay
from tools.project import ROOT
from tools.stages.conditions import existing, stateful_template
from tools.stages.options import PROFILE, read_choice
from tools.stages.profiles import SHARED_PARAMETERS

CHALICE_CONFIG = ROOT / ".chalice" / "config.json"


@dataclass(frozen=True, slots=True)
class Stage:
    """The memory of the functions in MB, and the counts of resources that are paid by the month."""

    api_memory_mb: int
    task_memory_mb: int
    dispatcher_memory_mb: int
    alarm_metrics: int
    composite_alarms: int
    dashboards: int
    secrets: int
    polled_queues: int
    streams: int
    requests_a_second: int
    """The requests that the API accepts from all clients together, unless the owner of the stage sets another limit."""
    compacting_share: float
    """The share of time for which the compaction job may run."""


def read_stage(profile: str = "clinic") -> Stage:
    """The stage as deployed with the settings of a profile."""
    settings = [f"{PROFILE}={profile}"]
    choice = read_choice(settings, region="")
    overlay, stateful = read_overlay(), stateful_template()
    application = {"Stage": "a-stage", **choice.application}
    shared = {name: choice.application[name] for name in SHARED_PARAMETERS}
    return parse_stage(
        json.loads(CHALICE_CONFIG.read_bytes()),
        {**overlay, "Resources": existing(overlay, application)},
        {**stateful, "Resources": existing(stateful, {**choice.stateful, **shared})},
    )


def parse_stage(chalice: Mapping[str, Any], overlay: Mapping[str, Any], stateful: Mapping[str, Any]) -> Stage:
    """The stage that the three documents describe; all resources of the two templates exist."""
    functions = chalice["lambda_functions"]
    resources = [
        (resource.get("Type", ""), resource.get("Properties", {})) for resource in overlay["Resources"].values()
    ]
    kinds = [kind for kind, _ in resources] + [resource["Type"] for resource in stateful["Resources"].values()]
    return Stage(
        api_memory_mb=functions["api_handler"]["lambda_memory_size"],
        task_memory_mb=functions["run_task"]["lambda_memory_size"],
        dispatcher_memory_mb=functions["dispatch_tasks"]["lambda_memory_size"],
        alarm_metrics=sum(_metrics_of(alarm) for kind, alarm in resources if kind == "AWS::CloudWatch::Alarm"),
        composite_alarms=kinds.count("AWS::CloudWatch::CompositeAlarm"),
        dashboards=kinds.count("AWS::CloudWatch::Dashboard"),
        secrets=kinds.count("AWS::SecretsManager::Secret"),
        polled_queues=sum(
            "SqsEventSource" in name for _, properties in resources for name in properties.get("Events", {})
        ),
        streams=kinds.count("AWS::Kinesis::Stream"),
        requests_a_second=int(overlay["Parameters"]["ThrottlingRate"]["Default"]),
        compacting_share=_share(TASK_TYPES["strandline.data.compact"]),
    )


def _share(job: TaskType[Any]) -> float:
    """The share of time for which a job may run: its time limit alternates with its pause."""
    pause_s = job.job.every_s if job.job else 0
    return job.time_limit_s * job.max_concurrency / (job.time_limit_s + pause_s)


def _metrics_of(alarm: Mapping[str, Any]) -> int:
    """The number of metrics of an alarm; each is paid."""
    return sum("MetricStat" in metric for metric in alarm["Metrics"]) if "Metrics" in alarm else 1
