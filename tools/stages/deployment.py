"""Deploys a stage: first the stack of stateful resources, then the application; the same on the local cloud and AWS."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.packaging.application import Package
from tools.packaging.template import Template
from tools.project import STATEFUL_TEMPLATE, ToolError, step
from tools.stages import application_settings, stacks
from tools.stages.stacks import Plan

if TYPE_CHECKING:
    from boto3.session import Session
    from mypy_boto3_cloudformation import CloudFormationClient

# The parameters that both stacks have, by their name in the application's stack.
SHARED = {"CorsOrigins": "BlobOrigins", "DomainName": "DomainName", "MetricsEnabled": "MetricsEnabled"}
PROTECTION = "DeletionProtection"
KEEPING = ("AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SecretsManager::Secret", "AWS::SQS::Queue")
"""The types of stateful resources, which are retained when their stack is deleted."""


@dataclass(frozen=True, slots=True)
class DeployedStage:
    """The addresses of a deployed stage."""

    api_id: str
    api_stage: str
    api_url: str
    """The API's own address, which is closed if the stage has a domain."""
    base_url: str
    """The configured address of the application; empty for the address of its API."""
    domain_target: str | None
    """The target of the DNS record of its domain; None for a stage without a domain."""
    server_secret_arn: str
    digest_before: str | None
    """The previous package; None if there was none or it was the same."""


def stateful_stack(stage: str) -> str:
    """The name of the stack of a stage's stateful resources."""
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
    agree: Callable[[Plan], bool] = lambda _plan: True,
    poll_s: float = 3,
) -> DeployedStage:
    """Update both stacks of the stage to the package; a stack that is up to date is left alone.

    Parameters that are not given keep their values.

    Raises:
        ToolError: CloudFormation refused or failed, or `agree` returned False.
    """
    cloudformation = session.client("cloudformation")
    kept, app = stateful_stack(package.stage), application_stack(package.stage)
    application = _application_parameters(session, package, application_parameters)
    stateful = _stateful_parameters(cloudformation, package.stage, application, stateful_parameters)

    def bring(parameters: Mapping[str, str], agreed: Callable[[Plan], bool], doing: str) -> None:
        template = STATEFUL_TEMPLATE.read_text()
        if not stacks.holds(cloudformation, kept, template, parameters):
            with step(doing):
                body = {"TemplateBody": template}
                stacks.apply(cloudformation, kept, body, parameters, agree=agreed, poll_s=poll_s)

    making = "creating or changing the tables, the bucket and the secrets"
    if not stacks.is_there(cloudformation, kept) and stateful[PROTECTION] == "true":
        bring({**stateful, PROTECTION: "not-yet"}, agree, making)
        bring(stateful, lambda _plan: True, "protecting the tables from deletion")
    bring(stateful | _still_in_use(cloudformation, package.stage, stateful), agree, making)
    bucket = stacks.outputs(cloudformation, kept)["BucketName"]

    digest_before = _deployed_digest(cloudformation, app)
    template = template_for(package, bucket)
    if not stacks.holds(cloudformation, app, template, application):
        with step("deploying the application"):
            address = _upload(session, package, template, bucket)
            stacks.apply(cloudformation, app, {"TemplateURL": address}, application, agree=agree, poll_s=poll_s)
        application_settings.write(session, app, bucket)
    bring(stateful, agree, "removing what the application does not use any more")
    return _deployed(cloudformation, package, digest_before)


def _deployed(cloudformation: "CloudFormationClient", package: Package, digest_before: str | None) -> DeployedStage:
    """The addresses of the stage, from the outputs of its stacks."""
    kept = stacks.outputs(cloudformation, stateful_stack(package.stage))
    app = application_stack(package.stage)
    outputs = stacks.outputs(cloudformation, app)
    return DeployedStage(
        api_id=outputs["RestAPIId"],
        api_stage=package.template["Resources"]["RestAPI"]["Properties"]["StageName"],
        api_url=outputs["EndpointURL"].rstrip("/"),
        base_url=stacks.deployed_parameters(cloudformation, app).get("BaseUrl", ""),
        domain_target=kept.get("DomainTarget"),
        server_secret_arn=kept["ServerSecretArn"],
        digest_before=digest_before if digest_before != package.digest else None,
    )


def stored_package(session: "Session", stage: str, digest: str) -> Package:
    """An earlier package, from the bucket of the stage.

    Raises:
        ToolError: the bucket has no such package, or the stage has no bucket.
    """
    bucket = stacks.outputs(session.client("cloudformation"), stateful_stack(stage)).get("BucketName")
    if bucket is None:
        raise ToolError(f"stage {stage} has no bucket yet, and so no former package.")
    s3 = session.client("s3")
    try:
        code = s3.get_object(Bucket=bucket, Key=_code_key(digest))["Body"].read()
        template = json.load(s3.get_object(Bucket=bucket, Key=_template_key(digest))["Body"])
    except s3.exceptions.NoSuchKey:
        raise ToolError(f"bucket {bucket} has no package {digest}.") from None
    return Package(stage, digest, code, template)


def template_for(package: Package, bucket: str) -> str:
    """The template's text; it names the package by its digest, so equal texts mean that there is nothing to do."""
    template: Template = json.loads(json.dumps(package.template))
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = {"Bucket": bucket, "Key": _code_key(package.digest)}
    return json.dumps(template, separators=(",", ":"))


def _application_parameters(session: "Session", package: Package, given: Mapping[str, str]) -> dict[str, str]:
    """The given parameters and, for the rest, those of the stage, without those that an earlier version does not know.

    Raises:
        ToolError: the package does not know a given parameter.
    """
    known = package.template["Parameters"]
    if unknown := sorted(set(given) - set(known)):
        raise ToolError(f"package {package.digest} does not know {', '.join(unknown)}.")
    bucket = stacks.outputs(session.client("cloudformation"), stateful_stack(package.stage)).get("BucketName")
    chosen = {**application_settings.read(session, application_stack(package.stage), bucket), **given}
    return {"Stage": package.stage} | {name: value for name, value in chosen.items() if name in known}


def _stateful_parameters(
    cloudformation: "CloudFormationClient", stage: str, application: Mapping[str, str], given: Mapping[str, str]
) -> dict[str, str]:
    """The parameters of the stateful stack, consistent with those of the application."""
    present = stacks.deployed_parameters(cloudformation, stateful_stack(stage))
    shared = {stateful_name: application[name] for name, stateful_name in SHARED.items() if name in application}
    chosen = {**present, **shared, **given, "Stage": stage}
    if chosen.get(PROTECTION, "not-yet") == "not-yet":
        chosen[PROTECTION] = "true"
    known = stacks.declared_parameters(cloudformation, STATEFUL_TEMPLATE.read_text())
    return {name: value for name, value in chosen.items() if name in known}


def _still_in_use(cloudformation: "CloudFormationClient", stage: str, wanted: Mapping[str, str]) -> dict[str, str]:
    """The parameters that the stateful stack must keep until the running application no longer needs them."""
    running = stacks.deployed_parameters(cloudformation, application_stack(stage))
    present = stacks.deployed_parameters(cloudformation, stateful_stack(stage))
    in_use = {}
    if running.get("MetricsEnabled") == "true" and wanted.get("MetricsEnabled") == "false":
        in_use["MetricsEnabled"] = "true"
    if running.get("DomainName") and not wanted.get("DomainName"):
        in_use |= {name: present[name] for name in ("DomainName", "CertificateArn", "HostedZoneId") if name in present}
    return in_use


def _deployed_digest(cloudformation: "CloudFormationClient", stack: str) -> str | None:
    """The name of the package that a stack runs, None if there is no such stack."""
    if not stacks.is_there(cloudformation, stack):
        return None
    resources = stacks.deployed_template(cloudformation, stack)["Resources"]
    key: str = resources["APIHandler"]["Properties"]["CodeUri"]["Key"]
    return key.removeprefix("packages/").removesuffix(".zip")


def _code_key(digest: str) -> str:
    return f"packages/{digest}.zip"


def _template_key(digest: str) -> str:
    return f"packages/{digest}.template.json"


def _upload(session: "Session", package: Package, template: str, bucket: str) -> str:
    """Put code and template into the stage's bucket. Returns the address of the template."""
    s3 = session.client("s3")
    s3.put_object(Bucket=bucket, Key=_code_key(package.digest), Body=package.code)
    s3.put_object(Bucket=bucket, Key=_template_key(package.digest), Body=template.encode())
    return f"{s3.meta.endpoint_url}/{bucket}/{_template_key(package.digest)}"
