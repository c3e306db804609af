"""A stage in its two stacks: what it keeps first, then the application; the same steps locally and on AWS."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools import stacks
from tools.packaging import Package
from tools.project import STATEFUL_TEMPLATE, step
from tools.template import Template

if TYPE_CHECKING:
    from boto3.session import Session


@dataclass(frozen=True, slots=True)
class Deployed:
    """Where a deployed stage is."""

    api_id: str
    api_stage: str
    server_secret_arn: str


def stateful_stack(stage: str) -> str:
    """The name of the stack of what a stage keeps."""
    return f"strandline-{stage}-stateful"


def application_stack(stage: str) -> str:
    """The name of the stack of a stage's functions and API."""
    return f"strandline-{stage}-app"


def deploy(
    session: "Session",
    package: Package,
    stateful_parameters: Mapping[str, str],
    application_parameters: Mapping[str, str],
    *,
    agree: Callable[[str, list[stacks.Change]], bool] = lambda _stack, _changes: True,
    poll_s: float = 3,
) -> Deployed:
    """Bring both stacks of the package's stage to what the sources say; what says so already is left alone.

    Raises:
        ToolError: CloudFormation refused or failed, or `agree` did not agree.
    """
    stage = package.stage
    cloudformation = session.client("cloudformation")
    stack, template = stateful_stack(stage), STATEFUL_TEMPLATE.read_text()
    # The bucket takes uploads from the pages that may call the API.
    origins = {"BlobOrigins": application_parameters.get("CorsOrigins", "")}
    parameters = {"Stage": stage, **origins, **stateful_parameters}
    if not stacks.holds(cloudformation, stack, template, parameters):
        with step("creating the tables, the bucket and the server secret"):
            stacks.apply(cloudformation, stack, {"TemplateBody": template}, parameters, agree=agree, poll_s=poll_s)
    kept = stacks.outputs(cloudformation, stack)

    stack, template = application_stack(stage), template_for(package, kept["BucketName"])
    parameters = {"Stage": stage, **application_parameters}
    if not stacks.holds(cloudformation, stack, template, parameters):
        with step("deploying the application"):
            address = _upload(session, package, template, kept["BucketName"])
            stacks.apply(cloudformation, stack, {"TemplateURL": address}, parameters, agree=agree, poll_s=poll_s)
    api_id = stacks.outputs(cloudformation, stack)["RestAPIId"]
    api_stage = package.template["Resources"]["RestAPI"]["Properties"]["StageName"]
    return Deployed(api_id, api_stage, kept["ServerSecretArn"])


def template_for(package: Package, bucket: str) -> str:
    """The template's text; it names the package by its digest, so that equal texts mean that nothing is to be done."""
    template: Template = json.loads(json.dumps(package.template))
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = {"Bucket": bucket, "Key": _code_key(package)}
    return json.dumps(template, separators=(",", ":"))


def _code_key(package: Package) -> str:
    return f"packages/{package.digest}.zip"


def _upload(session: "Session", package: Package, template: str, bucket: str) -> str:
    """Put code and template into the stage's bucket; the template's address, since it is too long for a request."""
    s3 = session.client("s3")
    s3.put_object(Bucket=bucket, Key=_code_key(package), Body=package.code)
    key = f"packages/{package.digest}.template.json"
    s3.put_object(Bucket=bucket, Key=key, Body=template.encode())
    return f"{s3.meta.endpoint_url}/{bucket}/{key}"
