"""Tests what a tool says when AWS refuses, is not reached, or is not set up."""

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from tools.project import ToolError
from tools.stages.aws_account import in_words, run_aws_tool, session_of_caller


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name, value in (("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b"), ("AWS_REGION", "us-east-1")):
        monkeypatch.setenv(name, value)


def unreached() -> BotoCoreError:
    """The error of a request to a port where nobody listens."""
    config = Config(retries={"total_max_attempts": 1}, connect_timeout=1)
    client = boto3.client("sts", region_name="us-east-1", endpoint_url="http://127.0.0.1:9", config=config)
    with pytest.raises(BotoCoreError) as raised:
        client.get_caller_identity()
    return raised.value


def test_a_machine_that_is_offline_is_told_so() -> None:
    told = in_words(unreached(), "AWS refuses")
    assert told.startswith("AWS cannot be reached; this machine may be offline")
    assert "AWS refuses" not in told


def test_a_refusal_is_told_with_the_words_of_aws() -> None:
    refusal = ClientError({"Error": {"Code": "AccessDenied", "Message": "not you"}}, "CreateStack")
    for error in (refusal, NoCredentialsError()):
        assert in_words(error, "AWS refuses") == f"AWS refuses: {error}"


def test_an_unknown_profile_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "not-there")
    with pytest.raises(ToolError, match=r"AWS_PROFILE names no profile of this machine: .*not-there"):
        session_of_caller("prod")


def test_a_tool_that_loses_the_network_ends_with_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    def main() -> int:
        raise unreached()

    with pytest.raises(SystemExit, match="1"):
        run_aws_tool(main)
    said = capsys.readouterr().err
    assert said.startswith("error: AWS cannot be reached; this machine may be offline")
    assert said.count("\n") == 1
