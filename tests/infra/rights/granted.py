"""The rights that the policies grant, and how they differ from those that are needed."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.infra.rights.right import Right, arn
from tools.project import ROOT

Policy = Mapping[str, Any]
Template = Mapping[str, Any]

FOR_LOG = ("logs:CreateLogStream", "logs:PutLogEvents")
FOR_QUEUE = ("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage")
"""Lambda receives messages with the rights of the function."""
FOR_STREAM = (
    "kinesis:DescribeStream",
    "kinesis:DescribeStreamSummary",
    "kinesis:GetRecords",
    "kinesis:GetShardIterator",
    "kinesis:ListShards",
)
"""The same for records of a stream."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A difference between a policy and the needed rights."""

    function: str
    is_missing: bool
    right: Right
    cause: str
    """The use case that needs the right, or the statement that grants it."""

    def __str__(self) -> str:
        what = f"{self.right.action} on {self.right.resource}"
        if self.is_missing:
            return f"policy-{self.function}.json lacks {what}, which is needed for {self.cause}"
        return f"policy-{self.function}.json grants {what} in its statement {self.cause}, and it is not needed"


def policy(function: str) -> Policy:
    """The policy of a function, as it is written."""
    found: Policy = json.loads((ROOT / ".chalice" / f"policy-{function}.json").read_text())
    return found


def granted(policy: Policy) -> dict[Right, str]:
    """The rights that a policy grants, each with the name of its statement."""
    return {right: statement["Sid"] for statement in policy["Statement"] for right in granted_by(statement)}


def granted_by(statement: Mapping[str, Any]) -> Iterator[Right]:
    """The rights that a statement grants."""
    for action in listed(statement["Action"]):
        for resource in listed(statement["Resource"]):
            yield Right(action, resource if isinstance(resource, str) else resource["Fn::Sub"])


def listed(value: Any) -> list[Any]:
    """One or several, as a list."""
    return value if isinstance(value, list) else [value]


def for_events_and_log(template: Template, function: str) -> dict[Right, str]:
    """The rights that a function needs beside those of its calls, by the packaged template."""
    logical = "APIHandler" if function == "api_handler" else function.title().replace("_", "")
    resources = template["Resources"]
    properties = resources[logical]["Properties"]
    group = resources[properties["LoggingConfig"]["LogGroup"]["Ref"]]["Properties"]["LogGroupName"]["Fn::Sub"]
    rights = {Right(action, arn("logs", f"log-group:{group}:*")): "its log" for action in FOR_LOG}
    for event in properties.get("Events", {}).values():
        if event["Type"] == "SQS":
            queue = _arn(template, event["Properties"]["Queue"])
            rights |= {Right(action, queue): "the delivery of messages" for action in FOR_QUEUE}
    for source in _sources(template, logical):
        stream = _arn(template, source["EventSourceArn"])
        rights |= {Right(action, stream): "the delivery of records" for action in FOR_STREAM}
    for source in (properties.get("EventInvokeConfig", {}), *_sources(template, logical)):
        if "DestinationConfig" in source:
            failures = _arn(template, source["DestinationConfig"]["OnFailure"]["Destination"])
            rights[Right("sqs:SendMessage", failures)] = "the delivery of events, for those that failed"
    return rights


def _arn(template: Template, place: Mapping[str, Any]) -> str:
    """An ARN that is written as such, or that of a queue of the template."""
    if "Fn::Sub" in place:
        return str(place["Fn::Sub"])
    logical, _ = place["Fn::GetAtt"]
    return arn("sqs", template["Resources"][logical]["Properties"]["QueueName"]["Fn::Sub"])


def _sources(template: Template, logical: str) -> list[Mapping[str, Any]]:
    mappings = [
        resource["Properties"]
        for resource in template["Resources"].values()
        if resource["Type"].endswith("SourceMapping")
    ]
    return [mapping for mapping in mappings if mapping["FunctionName"] == {"Ref": logical}]


def findings(function: str, needed: Mapping[Right, str], policy: Policy) -> Sequence[Finding]:
    """The rights that a policy lacks, then those that it grants without need. `needed` says what for."""
    has = granted(policy)
    missing = [Finding(function, True, right, needed[right]) for right in sorted(needed.keys() - has.keys())]
    return missing + [Finding(function, False, right, has[right]) for right in sorted(has.keys() - needed.keys())]
