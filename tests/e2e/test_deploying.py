"""`make deploy` and `make destroy`, against the services of the local cloud in place of AWS's own."""

import os
import subprocess
import sys

import boto3
import pytest

from tests.e2e.conftest import Cloud
from tools.packaging import LAMBDA_RUNTIMES
from tools.project import ROOT

STAGE = "e2e"


def _environ(cloud: Cloud) -> dict[str, str]:
    if cloud.gateway_url is None:
        pytest.skip("BASE_URL is not a local cloud of ours")
    credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
    return {**os.environ, **credentials, "AWS_ENDPOINT_URL": cloud.gateway_url}


def _tool(cloud: Cloud, name: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", f"tools.{name}", STAGE, *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=_environ(cloud), capture_output=True, text=True, input="", timeout=240, check=False
    )


@pytest.mark.skipif(sys.version_info[:2] not in LAMBDA_RUNTIMES, reason="Lambda has no such Python to package for")
def test_a_stage_is_shown_deployed_left_alone_and_removed_without_its_data(cloud: Cloud) -> None:
    unanswered = _tool(cloud, "deploy")
    assert unanswered.returncode == 1
    assert "add     AWS::DynamoDB::Table               DataTable\n" in unanswered.stdout
    assert unanswered.stderr == "error: there is nobody to ask: say YES=1 to go on without a question.\n"

    first = _tool(cloud, "deploy", "--yes", "BASE_URL=https://data.example.org")
    assert (first.returncode, first.stderr) == (0, "")
    assert "add     AWS::Lambda::Function              APIHandler\n" in first.stdout
    again = _tool(cloud, "deploy", "--yes")
    assert (again.returncode, again.stderr) == (0, "")
    assert "AWS::" not in again.stdout
    assert again.stdout.splitlines()[-1] == first.stdout.splitlines()[-1]

    removed = _tool(cloud, "destroy", "--yes")
    assert (removed.returncode, removed.stderr) == (0, "")
    client = boto3.client(
        "dynamodb",
        endpoint_url=cloud.gateway_url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    assert {f"strandline-{STAGE}-accounts", f"strandline-{STAGE}-data"} <= set(client.list_tables()["TableNames"])
    assert _tool(cloud, "destroy", "--yes").stderr.startswith(f"error: there is no stack strandline-{STAGE}-app")
