"""`make deploy` and `make destroy`, against the services of the local cloud in place of AWS's own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from chalicelib.config import Settings
from tests.e2e.client import Client, Reply, User, sample
from tests.e2e.conftest import Platform, aws_client
from tools.packaging.application import LAMBDA_RUNTIMES, LOCAL_STAGE, Package, make_package
from tools.project import ROOT, STATEFUL_TEMPLATE, ToolError
from tools.stages import deployment, stacks

if TYPE_CHECKING:
    from boto3.session import Session

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.version_info[:2] not in LAMBDA_RUNTIMES, reason="Lambda has no such Python to package for"),
]

DOMAIN = "data.example.org"
CERTIFICATE_ARN = "arn:aws:acm:us-east-1:000000000000:certificate/11111111-2222-3333-4444-555555555555"
ORIGIN = "https://pages.example.org"
BROKEN = """
  Broken:
    Type: AWS::CloudWatch::Alarm
    DependsOn: [AccountsTable, DataTable, TasksTable, BlobsTable, Bucket, ServerSecret]
    Properties: {Threshold: 1}
"""
NOBODY_TO_ASK = "error: cannot ask without a terminal: add YES=1 to go on without a question.\n"

Tool = Callable[..., "subprocess.CompletedProcess[str]"]


class Patient(User):
    """A user of the stage that has the domain."""

    def request(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Reply:
        return super().request(method, path, body, {"Host": DOMAIN, **(headers or {})})


def at_domain(cloud: Platform, method: str, path: str, headers: Mapping[str, str] | None = None) -> Reply:
    """The reply of the stage with the domain to a request without credentials."""
    return Client(str(cloud.gateway_url)).request(method, path, headers={"Host": DOMAIN, **(headers or {})})


@pytest.fixture
def session(cloud: Platform, monkeypatch: pytest.MonkeyPatch) -> "Session":
    """A session with the local cloud, as the tools have one with AWS."""
    if cloud.gateway_url is None:
        pytest.skip("BASE_URL is not a local cloud of ours")
    monkeypatch.setenv("AWS_ENDPOINT_URL", cloud.gateway_url)
    return boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")


@pytest.fixture
def tool(cloud: Platform) -> Tool:
    """Runs `make deploy` or `make destroy` for a stage; standard input is what a person types."""
    if cloud.gateway_url is None:
        pytest.skip("BASE_URL is not a local cloud of ours")
    credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
    environ = {**os.environ, **credentials, "AWS_ENDPOINT_URL": cloud.gateway_url}

    def run(name: str, stage: str, *arguments: str, typed: str = "") -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", f"tools.{name}", stage, *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=environ, capture_output=True, text=True, input=typed, timeout=240, check=False
        )

    return run


@pytest.fixture
def succeed(tool: Tool) -> Callable[..., str]:
    """The same, for what has to succeed: what it prints."""

    def run(name: str, stage: str, *arguments: str) -> str:
        done = tool(name, stage, "--yes", *arguments)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        return done.stdout

    return run


@pytest.fixture
def e2e_stages(session: "Session") -> Iterator[None]:
    """Takes the domain from whatever stage a test leaves behind, since only one can have it."""
    yield
    gateway = session.client("apigateway")
    if any(domain["domainName"] == DOMAIN for domain in gateway.get_domain_names()["items"]):
        gateway.delete_domain_name(domainName=DOMAIN)


def test_a_stage_is_shown_deployed_left_alone_and_removed_without_its_data(
    cloud: Platform, tool: Tool, succeed: Callable[..., str]
) -> None:
    unanswered = tool("deploy", "e2e")
    assert (unanswered.returncode, unanswered.stderr) == (1, NOBODY_TO_ASK)
    assert "add     AWS::DynamoDB::Table               DataTable\n" in unanswered.stdout

    first = succeed("deploy", "e2e", "BASE_URL=https://data.example.org")
    assert "add     AWS::Lambda::Function              APIHandler\n" in first
    assert "base URL: https://data.example.org\n" in first
    assert "server secret: strandline/e2e/server-secret in Secrets Manager\n" in first
    assert "730 shard-hours, provisioned: shards of the stream of events\n" in first
    assert "4 secret-months: secrets\n" in first
    tables = aws_client(cloud, "dynamodb")
    assert tables.describe_table(TableName="strandline-e2e-data")["Table"]["DeletionProtectionEnabled"] is True
    again = succeed("deploy", "e2e")
    assert "AWS::" not in again
    assert again[again.index("base URL") :] == first[first.index("base URL") :]

    succeed("destroy", "e2e")
    assert {"strandline-e2e-accounts", "strandline-e2e-data"} <= set(tables.list_tables()["TableNames"])
    assert tool("destroy", "e2e", "--yes").stderr.startswith("error: there is no stack strandline-e2e-app")


@pytest.mark.usefixtures("e2e_stages")
def test_data_and_settings_survive_updates_rollbacks_and_a_destroyed_application(
    cloud: Platform, session: "Session", tool: Tool, succeed: Callable[..., str]
) -> None:
    stage = "e2e-life"
    chosen = ("SIGN_UP=open", f"CORS_ORIGINS={ORIGIN}", f"DOMAIN={DOMAIN}", f"CERTIFICATE_ARN={CERTIFICATE_ARN}")
    first = succeed("deploy", stage, *chosen, "METRICS=off", "LOG_RETENTION_DAYS=90", "METRICS_RETENTION_DAYS=30")
    assert f"base URL: https://{DOMAIN}\n" in first
    assert f"make this record: {DOMAIN} CNAME {DOMAIN}.execute-api." in first
    patient = Patient(str(cloud.gateway_url))
    data_set_id = patient.open_data_set(sample("loop/01_create_data_set.json"))
    patient.add(f"/v1/data_sets/{data_set_id}/data", sample("loop/03_glucose.json"))
    records = patient.records()
    assert records

    def stands(version: str) -> None:
        """The version answers; data, session and settings are what they were."""
        assert at_domain(cloud, "GET", "/version").json()["data"]["version"] == version
        assert patient.records() == records
        preflight = {"Origin": ORIGIN, "Access-Control-Request-Method": "GET"}
        allowed = at_domain(cloud, "OPTIONS", "/v1/time", preflight)
        assert allowed.headers["access-control-allow-origin"] == ORIGIN
        assert Patient(str(cloud.gateway_url)).id != patient.id  # sign-up is open
        application = stacks.deployed_parameters(cloudformation, deployment.application_stack(stage))
        stateful = stacks.deployed_parameters(cloudformation, deployment.stateful_stack(stage))
        assert (application["LogRetentionDays"], application["BaseUrl"]) == ("90", f"https://{DOMAIN}")
        assert (stateful["MetricsRetentionDays"], stateful["DeletionProtection"]) == ("30", "true")
        assert (application["MetricsEnabled"], stateful["MetricsEnabled"]) == ("false", "false")

    cloudformation = session.client("cloudformation")
    package = make_package(stage)
    variables = package.template["Globals"]["Function"]["Environment"]["Variables"]
    version = variables.get("STRANDLINE_VERSION", Settings().version)
    stands(version)

    deployment.deploy(session, changed(package, "1" * 32, "1.0.0"), {}, {})
    stands("1.0.0")
    broken = changed(package, "2" * 32, "2.0.0")
    broken.template["Resources"]["Broken"] = {"Type": "AWS::CloudWatch::Alarm", "Properties": {"Threshold": 1}}
    with pytest.raises(ToolError, match="is again as it was before: Broken: "):
        deployment.deploy(session, broken, {}, {"SignUp": "closed"})
    stands("1.0.0")

    back = succeed("deploy", stage, "--package", package.digest)
    assert f"to go back: make deploy STAGE={stage} PACKAGE={'1' * 32}\n" in back
    stands(version)
    assert tool("deploy", stage, "--yes", "--package", "3" * 32).stderr.endswith(f"has no package {'3' * 32}.\n")

    succeed("destroy", stage)
    assert at_domain(cloud, "GET", "/version").status != 200
    again = succeed("deploy", stage)
    assert first[first.index("base URL") :] == again[again.index("base URL") :]
    stands(version)


@pytest.mark.usefixtures("e2e_stages")
def test_metrics_and_the_domain_can_be_switched_on_and_off(
    cloud: Platform, succeed: Callable[..., str], session: "Session"
) -> None:
    stage = "e2e-options"
    streams, functions = session.client("kinesis"), session.client("lambda")
    stream = f"strandline-{stage}-metrics"

    def mappings() -> int:
        found = functions.list_event_source_mappings()["EventSourceMappings"]
        return sum(mapping["EventSourceArn"].endswith(f"stream/{stream}") for mapping in found)

    with_domain = (f"DOMAIN={DOMAIN}", f"CERTIFICATE_ARN={CERTIFICATE_ARN}")
    zone = session.client("route53").create_hosted_zone(Name="example.org", CallerReference=stage)["HostedZone"]["Id"]
    zone_id = zone.removeprefix("/hostedzone/")
    first = succeed("deploy", stage, *with_domain, f"HOSTED_ZONE_ID={zone_id}")
    assert "make this record" not in first
    found = session.client("route53").list_resource_record_sets(HostedZoneId=zone_id)["ResourceRecordSets"]
    (record,) = [candidate for candidate in found if candidate["Type"] == "A"]
    assert record["Name"].rstrip(".") == DOMAIN
    assert record["AliasTarget"]["DNSName"].startswith(f"{DOMAIN}.execute-api.")
    assert (stream in streams.list_streams()["StreamNames"], mappings()) == (True, 1)

    off = succeed("deploy", stage, "METRICS=off")
    assert (stream in streams.list_streams()["StreamNames"], mappings()) == (False, 0)
    assert "shard-hours" not in off
    assert at_domain(cloud, "GET", "/metrics/user/somebody/opened").status == 200
    succeed("deploy", stage, "METRICS=on")
    assert (stream in streams.list_streams()["StreamNames"], mappings()) == (True, 1)
    assert at_domain(cloud, "GET", "/metrics/user/somebody/opened").status == 200

    moved = succeed("deploy", stage, "DOMAIN=other.example.org")
    assert "base URL: https://other.example.org\n" in moved
    assert at_domain(cloud, "GET", "/v1/time").status != 200
    assert at_domain(cloud, "GET", "/v1/time", {"Host": "other.example.org"}).status == 200
    without = succeed("deploy", stage, "DOMAIN=")
    assert "base URL: https://" in without
    assert "example.org" not in without[without.index("base URL") :]
    assert session.client("apigateway").get_domain_names()["items"] == []


def test_data_are_deleted_only_after_a_confirmation(
    cloud: Platform, tool: Tool, succeed: Callable[..., str], session: "Session"
) -> None:
    stage = "e2e-gone"
    succeed("deploy", stage)
    tables, buckets, secrets = (aws_client(cloud, name) for name in ("dynamodb", "s3", "secretsmanager"))
    bucket = f"strandline-{stage}-000000000000-us-east-1"
    for content in (b"content", b"another"):
        buckets.put_object(Bucket=bucket, Key="blobs/one", Body=content)
    buckets.delete_object(Bucket=bucket, Key="blobs/one")
    assert len(buckets.list_object_versions(Bucket=bucket)["DeleteMarkers"]) == 1

    def names() -> tuple[list[str], list[str], list[str]]:
        """The names of the stage's tables, buckets and secrets."""
        return (
            [name for name in tables.list_tables()["TableNames"] if stage in name],
            [bucket["Name"] for bucket in buckets.list_buckets()["Buckets"] if stage in bucket["Name"]],
            [
                secret["Name"]
                for secret in secrets.list_secrets(MaxResults=100)["SecretList"]
                if stage in secret["Name"]
            ],
        )

    before = names()
    assert all(before)
    for refused in (
        tool("destroy", stage, "--yes", "--data", "delete"),
        tool("destroy", stage, "--yes", "--data", "delete", typed="y\n"),
        tool("destroy", stage, "--yes", "--data", "delete", "--confirm", "another"),
    ):
        assert refused.returncode == 1, refused.stdout
        assert f"AWS::DynamoDB::Table         strandline-{stage}-data\n" in refused.stdout
    assert names() == before
    assert stacks.is_there(session.client("cloudformation"), deployment.application_stack(stage))

    done = tool("destroy", stage, "--data", "delete", typed=f"{stage}\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert names() == ([], [], [])
    queues = session.client("sqs").list_queues(QueueNamePrefix=f"strandline-{stage}-")
    assert queues.get("QueueUrls", []) == []
    assert tool("destroy", stage, "--data", "delete", "--confirm", stage).stderr.startswith("error: there is no stage")
    succeed("deploy", stage)
    assert names() == before
    succeed("destroy", stage, "--data", "delete", "--confirm", stage)


def test_a_stage_can_be_deployed_after_its_first_deployment_failed(
    cloud: Platform,
    session: "Session",
    succeed: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    stage = "e2e-again"
    broken = tmp_path / "stateful.yaml"
    broken.write_text(STATEFUL_TEMPLATE.read_text().replace("\nOutputs:\n", BROKEN + "\nOutputs:\n"))
    monkeypatch.setattr("tools.stages.deployment.STATEFUL_TEMPLATE", broken)
    with pytest.raises(ToolError, match="-stateful ended as ROLLBACK_COMPLETE: Broken: "):
        deployment.deploy(session, make_package(stage), {}, {"SignUp": "open"})
    tables = aws_client(cloud, "dynamodb")
    assert [table for table in tables.list_tables()["TableNames"] if stage in table] == []

    succeed("deploy", stage)
    table = tables.describe_table(TableName=f"strandline-{stage}-data")["Table"]
    assert table["DeletionProtectionEnabled"] is True
    succeed("destroy", stage, "--data", "delete", "--confirm", stage)


def changed(package: Package, digest: str, version: str) -> Package:
    """A package as of other sources: it has another name and says another version."""
    template = json.loads(json.dumps(package.template))
    template["Globals"]["Function"]["Environment"]["Variables"]["STRANDLINE_VERSION"] = version
    return replace(package, digest=digest, template=template)


def test_the_stage_of_make_run_is_not_deployed(tool: Tool) -> None:
    assert tool("deploy", LOCAL_STAGE).stderr.startswith("error: the stage `local` is what `make run` makes")
