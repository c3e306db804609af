"""Tests that the address of DynamoDB is the one that botocore's own client takes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import EndpointProviderError
from botocore.session import Session

from chalicelib.engine.aws.endpoints import Endpoint, endpoint_of

CONFIG = """
[profile of-a-file]
services = of-a-stage
[services of-a-stage]
dynamodb =
  endpoint_url = http://of-a-file:8000
"""


class _SentError(Exception):
    """A request would be sent now."""


def of_client(region: str) -> str:
    """The address to which botocore's own client sends a request."""
    session = Session()
    session.set_credentials("an-id", "a-key")
    client: Any = session.create_client("dynamodb", region_name=region)
    urls: list[str] = []

    def refuse(request: Any, **_: Any) -> None:
        urls.append(request.url)
        raise _SentError

    client.meta.events.register("before-send", refuse)
    with pytest.raises(_SentError):
        client.list_tables()
    return urls[0].removesuffix("/")


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "us-gov-west-1", "cn-north-1"])
@pytest.mark.parametrize("variable", ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT", "NO_VARIANT"])
def test_the_endpoint_is_that_of_botocores_client(region: str, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "true")
    assert endpoint_of(Session(), "dynamodb", region).url == of_client(region)


@pytest.mark.parametrize(
    ("variables", "url"),
    [
        ({"AWS_ENDPOINT_URL": "http://all:1"}, "http://all:1"),
        ({"AWS_ENDPOINT_URL": "http://all:1", "AWS_ENDPOINT_URL_DYNAMODB": "http://one:2"}, "http://one:2"),
        (
            {"AWS_ENDPOINT_URL": "http://all:1", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
            "https://dynamodb.eu-west-1.amazonaws.com",
        ),
        ({"AWS_PROFILE": "of-a-file"}, "http://of-a-file:8000"),
    ],
)
def test_a_configured_endpoint_wins(
    variables: Mapping[str, str], url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "config").write_text(CONFIG)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert endpoint_of(Session(), "dynamodb", "eu-west-1") == Endpoint(url, "eu-west-1")


def test_requests_to_an_emulator_are_signed_for_its_region() -> None:
    assert endpoint_of(Session(), "dynamodb", "local") == Endpoint("http://localhost:8000", "us-east-1")


def test_variants_that_exclude_each_other_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "true")
    with pytest.raises(EndpointProviderError):
        endpoint_of(Session(), "dynamodb", "local")
