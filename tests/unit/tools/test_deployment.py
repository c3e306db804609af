"""In which order a stage's stacks change, and that what is not said stays."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws
from moto.backends import get_backend

from tools.packaging.application import Package
from tools.project import ToolError
from tools.stages import application_settings, aws_account, stacks
from tools.stages.deployment import application_stack, deploy, stateful_stack, stored_package

STAGE = "prod"
KEPT, APP = stateful_stack(STAGE), application_stack(STAGE)
BUCKET = "a-bucket"
TEMPLATE = {
    "Parameters": {name: {} for name in ("Stage", "SignUp", "MetricsEnabled", "DomainName", "CorsOrigins", "BaseUrl")},
    "Resources": {
        "APIHandler": {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": "./deployment.zip"}},
        "RestAPI": {"Type": "AWS::Serverless::Api", "Properties": {"StageName": "api"}},
    },
}
API_URL = "https://an-id.execute-api.cn-north-1.amazonaws.com.cn/api"
OUTPUTS = {
    KEPT: {"BucketName": BUCKET, "ServerSecretArn": "an-arn"},
    APP: {"RestAPIId": "an-id", "EndpointURL": f"{API_URL}/"},
}


@dataclass
class CloudFormation:
    """CloudFormation's stacks, without its transform, which moto does not have; and what was done, in order."""

    templates: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, dict[str, str]] = field(default_factory=dict)
    done: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def apply(self, _: Any, stack: str, template: Mapping[str, str], parameters: Mapping[str, str], **__: Any) -> None:
        s3 = boto3.client("s3", region_name="us-east-1")
        if address := template.get("TemplateURL"):
            body = s3.get_object(Bucket=BUCKET, Key=address.split(f"/{BUCKET}/")[1])["Body"].read().decode()
        else:
            body = template["TemplateBody"]
            if KEPT not in self.templates:
                s3.create_bucket(Bucket=BUCKET)
        changed = {
            name: value for name, value in parameters.items() if self.parameters.get(stack, {}).get(name) != value
        }
        self.done.append((stack, changed))
        self.templates[stack], self.parameters[stack] = body, dict(parameters)

    def destroy(self, stack: str) -> None:
        del self.templates[stack], self.parameters[stack]


@pytest.fixture
def cloudformation(monkeypatch: pytest.MonkeyPatch) -> Iterator[CloudFormation]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    fake = CloudFormation()
    monkeypatch.setattr(stacks, "apply", fake.apply)
    monkeypatch.setattr(stacks, "is_there", lambda _, stack: stack in fake.templates)
    monkeypatch.setattr(stacks, "outputs", lambda _, stack: OUTPUTS[stack] if stack in fake.templates else {})
    monkeypatch.setattr(stacks, "deployed_parameters", lambda _, stack: dict(fake.parameters.get(stack, {})))
    monkeypatch.setattr(stacks, "deployed_template", lambda _, stack: json.loads(fake.templates[stack]))
    monkeypatch.setattr(
        stacks,
        "holds",
        lambda _, stack, template, wanted: (
            fake.templates.get(stack) == template and wanted.items() <= fake.parameters[stack].items()
        ),
    )
    names = {"Stage", "DeletionProtection", "MetricsEnabled", "DomainName", "CertificateArn", "BlobOrigins"}
    monkeypatch.setattr(stacks, "declared_parameters", lambda *_: names)
    with mock_aws():
        get_backend("s3").reset()  # another module of this process may hold the same mock open
        yield fake


def package(digest: str = "1" * 32, **parameters: Any) -> Package:
    template = {**TEMPLATE, "Parameters": parameters or TEMPLATE["Parameters"]}
    return Package(STAGE, digest, digest.encode(), template)


def run(given: Package | None = None, stateful: Mapping[str, str] | None = None, **application: str) -> str | None:
    """Deploy; the package that ran before."""
    session = boto3.Session(region_name="us-east-1")
    return deploy(session, given or package(), stateful or {}, application, poll_s=0).digest_before


def test_a_new_stage_is_protected_after_its_creation(cloudformation: CloudFormation) -> None:
    run()
    assert cloudformation.done == [
        (KEPT, {"Stage": STAGE, "DeletionProtection": "not-yet"}),
        (KEPT, {"DeletionProtection": "true"}),
        (APP, {"Stage": STAGE}),
    ]


def test_a_deployment_interrupted_before_the_protection_is_protected_by_the_next(
    cloudformation: CloudFormation,
) -> None:
    run()
    cloudformation.parameters[KEPT]["DeletionProtection"] = "not-yet"
    cloudformation.done.clear()
    run()
    assert cloudformation.done == [(KEPT, {"DeletionProtection": "true"})]


def test_a_stage_whose_owner_wants_no_protection_has_none(cloudformation: CloudFormation) -> None:
    run(stateful={"DeletionProtection": "false"})
    run()
    assert [changed.get("DeletionProtection") for stack, changed in cloudformation.done if stack == KEPT] == ["false"]


def test_settings_that_are_not_given_stay_and_nothing_is_done_twice(cloudformation: CloudFormation) -> None:
    run(SignUp="open", CorsOrigins="https://a.example.org", MetricsEnabled="false")
    before = json.loads(json.dumps(cloudformation.parameters))
    cloudformation.done.clear()
    run()
    assert (cloudformation.done, cloudformation.parameters) == ([], before)
    run(package("2" * 32))
    assert (cloudformation.done, cloudformation.parameters) == ([(APP, {})], before)
    assert before[KEPT]["BlobOrigins"] == "https://a.example.org"
    assert before[KEPT]["MetricsEnabled"] == "false"


def test_a_destroyed_application_is_deployed_with_its_settings(cloudformation: CloudFormation) -> None:
    run(SignUp="open", BaseUrl="https://a.example.org")
    before = cloudformation.parameters[APP]
    cloudformation.destroy(APP)
    run()
    assert cloudformation.parameters[APP] == before


def test_settings_that_an_earlier_version_does_not_know_are_kept_for_a_later_one(
    cloudformation: CloudFormation,
) -> None:
    run(SignUp="open", BaseUrl="https://a.example.org")
    run(package("0" * 32, Stage={}, SignUp={}))
    assert cloudformation.parameters[APP] == {"Stage": STAGE, "SignUp": "open"}
    run()
    assert cloudformation.parameters[APP]["BaseUrl"] == "https://a.example.org"


def test_settings_of_the_stack_take_precedence_over_those_in_the_bucket(cloudformation: CloudFormation) -> None:
    run(SignUp="open")
    cloudformation.parameters[APP]["SignUp"] = "closed"  # by hand, in the console
    session = boto3.Session(region_name="us-east-1")
    assert application_settings.read(session, APP, BUCKET)["SignUp"] == "closed"
    application_settings.write(session, APP, BUCKET)
    cloudformation.destroy(APP)
    assert application_settings.read(session, APP, BUCKET)["SignUp"] == "closed"


def test_a_setting_that_the_version_does_not_know_is_reported(cloudformation: CloudFormation) -> None:
    with pytest.raises(ToolError, match="does not know AlarmEmail"):
        run(AlarmEmail="ada@example.org")
    assert cloudformation.done == []


def test_the_application_is_updated_before_the_stream_and_the_domain_are_removed(
    cloudformation: CloudFormation,
) -> None:
    on = {"MetricsEnabled": "true", "DomainName": "a.example.org"}
    off = {"MetricsEnabled": "false", "DomainName": ""}
    certificate = {"CertificateArn": "a-certificate"}
    run(None, certificate, MetricsEnabled="true", DomainName="a.example.org")
    cloudformation.done.clear()
    run(MetricsEnabled="false", DomainName="")
    assert cloudformation.done == [(APP, off), (KEPT, off)]
    cloudformation.done.clear()
    run(MetricsEnabled="true", DomainName="a.example.org")
    assert cloudformation.done == [(KEPT, on), (APP, on)]


def test_an_earlier_package_can_be_deployed_again(cloudformation: CloudFormation) -> None:
    assert run() is None
    assert run() is None
    assert run(package("2" * 32)) == "1" * 32
    session = boto3.Session(region_name="us-east-1")
    former = stored_package(session, STAGE, "1" * 32)
    assert former.code == b"1" * 32
    assert run(former) == "2" * 32
    assert f"packages/{'1' * 32}.zip" in cloudformation.templates[APP]
    with pytest.raises(ToolError, match="has no package 333"):
        stored_package(session, STAGE, "3" * 32)


def test_a_stage_without_a_bucket_has_no_earlier_package(cloudformation: CloudFormation) -> None:
    with pytest.raises(ToolError, match="has no bucket yet"):
        stored_package(boto3.Session(region_name="us-east-1"), STAGE, "1" * 32)
    assert cloudformation.done == []


def test_an_error_of_aws_is_printed_as_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    client = boto3.client("s3", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")

    def refused() -> int:
        with Stubber(client) as stubber:
            stubber.add_client_error("list_buckets", "AccessDenied", "not for you")
            client.list_buckets()
        return 0

    with pytest.raises(SystemExit) as ended:
        aws_account.run_aws_tool(refused)
    assert ended.value.code == 1
    complaint = capsys.readouterr().err
    assert complaint.startswith("error: AWS refuses: An error occurred (AccessDenied)")
    assert complaint.count("\n") == 1
