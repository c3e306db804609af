"""Creates, updates and deletes CloudFormation stacks, on the local cloud and on AWS, and reports failures."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from tools.project import ToolError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import ResourceChangeTypeDef, StackTypeDef

NO_CHANGE = ("No updates are to be performed", "didn't contain changes")
# The creation of the stack failed: it has no resources and cannot be updated.
NEVER_WAS = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED")
# A change set was made for a stack that does not exist yet, and was not executed.
IN_REVIEW = "REVIEW_IN_PROGRESS"
BUCKET, BUCKET_NAME = "AWS::S3::Bucket", "BucketName"


def outputs(cloudformation: "CloudFormationClient", stack: str) -> dict[str, str]:
    """The outputs of a stack; empty if there is no such stack."""
    described = _described(cloudformation, stack)
    found = described.get("Outputs", []) if described else []
    return {output["OutputKey"]: output["OutputValue"] for output in found}


def status(cloudformation: "CloudFormationClient", stack: str) -> str | None:
    """The status of a stack; None if there is no such stack."""
    described = _described(cloudformation, stack)
    return described["StackStatus"] if described else None


def is_there(cloudformation: "CloudFormationClient", stack: str) -> bool:
    """Whether a stack was created, in any state."""
    return status(cloudformation, stack) not in (None, IN_REVIEW, *NEVER_WAS)


def deployed_parameters(cloudformation: "CloudFormationClient", stack: str) -> dict[str, str]:
    """The current parameters of a stack; empty if there is no such stack or it was never created."""
    described = _described(cloudformation, stack)
    if described is None or described["StackStatus"] in (IN_REVIEW, *NEVER_WAS):
        return {}
    found = described.get("Parameters", [])
    return {parameter["ParameterKey"]: parameter.get("ParameterValue", "") for parameter in found}


def declared_parameters(cloudformation: "CloudFormationClient", template: str) -> set[str]:
    """The names of the parameters that a template takes."""
    summary = cloudformation.get_template_summary(TemplateBody=template)
    return {parameter["ParameterKey"] for parameter in summary.get("Parameters", [])}


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource that a stack has."""

    logical_id: str
    physical_id: str
    kind: str


def resources(cloudformation: "CloudFormationClient", stack: str) -> list[Resource]:
    """The resources of a stack, in the order of its template; empty if there is no such stack."""
    if status(cloudformation, stack) is None:
        return []
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    return [
        Resource(resource["LogicalResourceId"], resource.get("PhysicalResourceId", ""), resource["ResourceType"])
        for page in pages
        for resource in page["StackResourceSummaries"]
        if resource["ResourceStatus"] != "DELETE_COMPLETE"
    ]


def _described(cloudformation: "CloudFormationClient", stack: str) -> "StackTypeDef | None":
    from botocore.exceptions import ClientError

    try:
        return cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise


def delete(cloudformation: "CloudFormationClient", stack: str, *, poll_s: float) -> None:
    """Delete a stack and wait until it is gone.

    Raises:
        ToolError: a resource could not be deleted.
    """
    cloudformation.delete_stack(StackName=stack)
    after = _wait(cloudformation, stack, poll_s)
    if after is not None and after != "DELETE_COMPLETE":
        raise ToolError(f"stack {stack} ended as {after}: {_first_failure(cloudformation, stack)}")


def holds(cloudformation: "CloudFormationClient", stack: str, template: str, parameters: Mapping[str, str]) -> bool:
    """Whether the stack is complete and was made from exactly this template and these parameters."""
    if status(cloudformation, stack) not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        return False
    deployed = deployed_parameters(cloudformation, stack)
    if any(deployed.get(key) != value for key, value in parameters.items()):
        return False
    body = deployed_template(cloudformation, stack)
    return bool(body == (template if isinstance(body, str) else json.loads(template)))


def deployed_template(cloudformation: "CloudFormationClient", stack: str) -> Any:
    """The template of a stack, as text or, if it is JSON, as parsed by botocore."""
    return cloudformation.get_template(StackName=stack, TemplateStage="Original")["TemplateBody"]


class Replacement(StrEnum):
    """The replacement of a resource by a change, which loses the content of the old one."""

    NO = "False"
    PERHAPS = "Conditional"
    YES = "True"


@dataclass(frozen=True, slots=True)
class Change:
    """One resource that a deployment would touch."""

    action: str
    resource: str
    kind: str
    replacement: Replacement = Replacement.NO


@dataclass(frozen=True, slots=True)
class Plan:
    """The changes of a deployment to one stack."""

    stack: str
    changes: list[Change]
    parameters: dict[str, tuple[str | None, str]]
    """The changed parameters: the current value (None: not there yet) and the new one."""


def apply(
    cloudformation: "CloudFormationClient",
    stack: str,
    template: Mapping[str, str],
    parameters: Mapping[str, str],
    *,
    agree: Callable[[Plan], bool],
    poll_s: float,
) -> None:
    """Create or update the stack if `agree` accepts the changes, and wait for the end.

    `template` is the argument TemplateBody or TemplateURL.

    Raises:
        ToolError: with the first reason of CloudFormation; or the changes were not accepted.
    """
    is_new = _settle(cloudformation, stack, poll_s) in (None, IN_REVIEW)
    name = f"deploy-{time.time_ns()}"
    request = {
        "StackName": stack,
        "ChangeSetName": name,
        "ChangeSetType": "CREATE" if is_new else "UPDATE",
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        **template,
    }
    _create_change_set(cloudformation, request)
    changes = _changes(cloudformation, stack, name, poll_s)
    if changes is None:
        cloudformation.delete_change_set(StackName=stack, ChangeSetName=name)
        return
    present = deployed_parameters(cloudformation, stack)
    changed = {name: (present.get(name), value) for name, value in parameters.items() if present.get(name) != value}
    is_agreed = False
    try:
        is_agreed = agree(Plan(stack, changes, changed))
    finally:
        if not is_agreed:
            cloudformation.delete_change_set(StackName=stack, ChangeSetName=name)
            if is_new:
                cloudformation.delete_stack(StackName=stack)
    if not is_agreed:
        raise ToolError(f"stack {stack} was left as it was.")
    _execute_change_set(cloudformation, stack, name, poll_s)


def _settle(cloudformation: "CloudFormationClient", stack: str, poll_s: float) -> str | None:
    """Finish or delete what an interrupted deployment left, and return the status; None if there is no stack.

    Raises:
        ToolError: the stack cannot be updated.
    """
    before = status(cloudformation, stack)
    if before is not None and before.endswith("_IN_PROGRESS") and before != IN_REVIEW:
        before = _wait(cloudformation, stack, poll_s)  # an interrupted deployment continues there
    if before in (*NEVER_WAS, "DELETE_FAILED"):
        delete(cloudformation, stack, poll_s=poll_s)
        before = None
    if before == "UPDATE_ROLLBACK_FAILED":
        raise ToolError(
            f"stack {stack} could be neither changed nor set back: {_first_failure(cloudformation, stack)}. Put that "
            f"right, then run: aws cloudformation continue-update-rollback --stack-name {stack}"
        )
    return before


def _create_change_set(cloudformation: "CloudFormationClient", request: Mapping[str, Any]) -> None:
    from botocore.exceptions import ClientError

    try:
        cloudformation.create_change_set(**request)
    except ClientError as error:
        message = error.response["Error"].get("Message", error)
        raise ToolError(f"stack {request['StackName']}: {message}") from error


def _execute_change_set(cloudformation: "CloudFormationClient", stack: str, name: str, poll_s: float) -> None:
    """Carry out a change set, and wait until the stack is as it says."""
    cloudformation.execute_change_set(StackName=stack, ChangeSetName=name)
    after = _wait(cloudformation, stack, poll_s)
    if after == "UPDATE_ROLLBACK_COMPLETE":
        reason = _first_failure(cloudformation, stack)
        raise ToolError(f"stack {stack} could not be changed and is again as it was before: {reason}")
    if after not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        raise ToolError(f"stack {stack} ended as {after}: {_first_failure(cloudformation, stack)}")


def _changes(cloudformation: "CloudFormationClient", stack: str, name: str, poll_s: float) -> list[Change] | None:
    """The changes of a change set; None if there are none."""
    while True:
        described = cloudformation.describe_change_set(StackName=stack, ChangeSetName=name)
        if not described["Status"].endswith(("_PENDING", "_IN_PROGRESS")):
            break
        time.sleep(poll_s)
    if described["Status"] == "FAILED":
        reason = described.get("StatusReason", "no reason given")
        if any(text in reason for text in NO_CHANGE):
            return None
        raise ToolError(f"stack {stack}: {reason}")
    pages = cloudformation.get_paginator("describe_change_set").paginate(StackName=stack, ChangeSetName=name)
    found = [change["ResourceChange"] for page in pages for change in page.get("Changes", [])]
    return [
        Change(
            change["Action"],
            change["LogicalResourceId"],
            change["ResourceType"],
            replacement(change),
        )
        for change in found
    ]


def replacement(change: "ResourceChangeTypeDef") -> Replacement:
    """The replacement of a resource by a change. A bucket is replaced when its name changes, and never otherwise.

    The local cloud calls each change of a bucket conditional, since ministack does not know the properties of buckets.
    The second sentence can go when it does.
    """
    targets = {detail.get("Target", {}).get("Name") for detail in change.get("Details", [])}
    if change["ResourceType"] == BUCKET and targets and BUCKET_NAME not in targets:
        return Replacement.NO
    return Replacement(change.get("Replacement") or Replacement.NO)


def _wait(cloudformation: "CloudFormationClient", stack: str, poll_s: float) -> str | None:
    """Wait until no operation is in progress and return the status; None if the stack is gone."""
    while (now := status(cloudformation, stack)) is not None and now.endswith("_IN_PROGRESS"):
        time.sleep(poll_s)
    return now


def _first_failure(cloudformation: "CloudFormationClient", stack: str) -> str:
    """The first failure of the last operation. Events come newest first, back to the stack's own event."""
    failures = []
    pages = cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack)
    for event in (event for page in pages for event in page["StackEvents"]):
        if event.get("ResourceStatus", "").endswith("_FAILED"):
            failures.append(f"{event.get('LogicalResourceId')}: {event.get('ResourceStatusReason', 'no reason given')}")
        if event.get("LogicalResourceId") == stack and event.get("ResourceStatusReason") == "User Initiated":
            break
    return failures[-1] if failures else "no reason given"
