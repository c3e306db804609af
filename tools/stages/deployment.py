"""A stage in its two stacks: what it keeps first, then the application; the same steps locally and on AWS."""

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

# What both stacks have to know, by the application's name for it.
SHARED = {"CorsOrigins": "BlobOrigins", "DomainName": "DomainName", "MetricsEnabled": "MetricsEnabled"}
PROTECTION = "DeletionProtection"
KEEPING = ("AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SecretsManager::Secret", "AWS::SQS::Queue")
"""The types of what holds something in the stateful stack, and is retained when that goes."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """Where a deployed stage is."""

    api_id: str
    api_stage: str
    base_url: str
    """The address that the application was told; empty for its API's own."""
    domain_target: str | None
    """Where the record of its domain has to lead to; None for a stage without a domain."""
    server_secret_arn: str
    digest_before: str | None
    """The package that ran before; None when there was none, or it was this one."""


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
    agree: Callable[[Plan], bool] = lambda _plan: True,
    poll_s: float = 3,
) -> Deployed:
    """Bring both stacks of the package's stage to what the sources say; what says so already is left alone.

    A parameter that is not given stays as it is.

    Raises:
        ToolError: CloudFormation refused or failed, or `agree` did not agree.
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
    found = stacks.outputs(cloudformation, kept)
    return Deployed(
        api_id=stacks.outputs(cloudformation, app)["RestAPIId"],
        api_stage=package.template["Resources"]["RestAPI"]["Properties"]["StageName"],
        base_url=stacks.deployed_parameters(cloudformation, app).get("BaseUrl", ""),
        domain_target=found.get("DomainTarget"),
        server_secret_arn=found["ServerSecretArn"],
        digest_before=digest_before if digest_before != package.digest else None,
    )


def stored_package(session: "Session", stage: str, digest: str) -> Package:
    """A package that was deployed before, as the stage's bucket keeps it.

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
    """The template's text; it names the package by its digest, so that equal texts mean that nothing is to be done."""
    template: Template = json.loads(json.dumps(package.template))
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = {"Bucket": bucket, "Key": _code_key(package.digest)}
    return json.dumps(template, separators=(",", ":"))


def _application_parameters(session: "Session", package: Package, given: Mapping[str, str]) -> dict[str, str]:
    """What was given, and for the rest what the stage has; a former version is not told what it does not know.

    Raises:
        ToolError: something was given that the package does not know.
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
    """The same of the stateful stack, in step with the application's."""
    present = stacks.deployed_parameters(cloudformation, stateful_stack(stage))
    shared = {theirs: application[ours] for ours, theirs in SHARED.items() if ours in application}
    chosen = {**present, **shared, **given, "Stage": stage}
    if chosen.get(PROTECTION, "not-yet") == "not-yet":
        chosen[PROTECTION] = "true"
    known = stacks.declared_parameters(cloudformation, STATEFUL_TEMPLATE.read_text())
    return {name: value for name, value in chosen.items() if name in known}


def _still_in_use(cloudformation: "CloudFormationClient", stage: str, wanted: Mapping[str, str]) -> dict[str, str]:
    """What the stateful stack must not give up before the application that runs now has let go of it."""
    running = stacks.deployed_parameters(cloudformation, application_stack(stage))
    present = stacks.deployed_parameters(cloudformation, stateful_stack(stage))
    in_use = {}
    if running.get("MetricsEnabled") == "true" and wanted.get("MetricsEnabled") == "false":
        in_use["MetricsEnabled"] = "true"
    if running.get("DomainName") and not wanted.get("DomainName"):
        in_use |= {name: present[name] for name in ("DomainName", "CertificateArn", "HostedZoneId") if name in present}
    return in_use


def _deployed_digest(cloudformation: "CloudFormationClient", stack: str) -> str | None:
    """The name of the package that a stack runs, None when there is no such stack."""
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
    """Put code and template into the stage's bucket; the template's address, since it is too long for a request."""
    s3 = session.client("s3")
    s3.put_object(Bucket=bucket, Key=_code_key(package.digest), Body=package.code)
    s3.put_object(Bucket=bucket, Key=_template_key(package.digest), Body=template.encode())
    return f"{s3.meta.endpoint_url}/{bucket}/{_template_key(package.digest)}"
