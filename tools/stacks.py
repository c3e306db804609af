"""CloudFormation stacks, the same for the local cloud and AWS: create or update, wait, say what failed."""

import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tools.project import ToolError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

NO_CHANGE = "No updates are to be performed"


def outputs(cloudformation: "CloudFormationClient", stack: str) -> dict[str, str]:
    """The outputs of a stack that is there."""
    described = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}


def status(cloudformation: "CloudFormationClient", stack: str) -> str | None:
    """The status of a stack, None when there is none."""
    from botocore.exceptions import ClientError

    try:
        return cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise


def holds(cloudformation: "CloudFormationClient", stack: str, template: str, parameters: Mapping[str, str]) -> bool:
    """Whether the stack was made of exactly this template and these parameters, and stands."""
    if status(cloudformation, stack) not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        return False
    described = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    deployed = {pair["ParameterKey"]: pair.get("ParameterValue", "") for pair in described.get("Parameters", [])}
    if any(deployed.get(key) != value for key, value in parameters.items()):
        return False
    body: Any = cloudformation.get_template(StackName=stack, TemplateStage="Original")["TemplateBody"]
    # botocore parses a template that is JSON.
    return bool(body == (template if isinstance(body, str) else json.loads(template)))


def apply(
    cloudformation: "CloudFormationClient",
    stack: str,
    template: Mapping[str, str],
    parameters: Mapping[str, str],
    *,
    poll_s: float,
) -> None:
    """Create the stack or update it, and wait for the end. `template` is the argument TemplateBody or TemplateURL.

    Raises:
        ToolError: with the first reason that CloudFormation gives.
    """
    from botocore.exceptions import ClientError

    request: dict[str, Any] = {
        "StackName": stack,
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        **template,
    }
    before = status(cloudformation, stack)
    if before in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"):
        # What a failed creation leaves holds nothing and cannot be updated.
        cloudformation.delete_stack(StackName=stack)
        _wait(cloudformation, stack, poll_s)
        before = None
    try:
        if before is None:
            cloudformation.create_stack(**request)
        else:
            cloudformation.update_stack(**request)
    except ClientError as error:
        if NO_CHANGE in str(error):
            return
        raise ToolError(f"stack {stack}: {error}") from error
    after = _wait(cloudformation, stack, poll_s)
    if after not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        raise ToolError(f"stack {stack} ended as {after}: {_first_failure(cloudformation, stack)}")


def _wait(cloudformation: "CloudFormationClient", stack: str, poll_s: float) -> str | None:
    while (now := status(cloudformation, stack)) is not None and now.endswith("_IN_PROGRESS"):
        time.sleep(poll_s)
    return now


def _first_failure(cloudformation: "CloudFormationClient", stack: str) -> str:
    """Of the last run: events come newest first, and a run starts with an event of the stack itself."""
    failures = []
    for event in cloudformation.describe_stack_events(StackName=stack)["StackEvents"]:
        if event.get("ResourceStatus", "").endswith("_FAILED"):
            failures.append(f"{event.get('LogicalResourceId')}: {event.get('ResourceStatusReason', 'no reason given')}")
        if event.get("LogicalResourceId") == stack and event.get("ResourceStatusReason") == "User Initiated":
            break
    return failures[-1] if failures else "no reason given"
