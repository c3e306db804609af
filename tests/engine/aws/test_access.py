"""Tests that addresses and credentials are those that botocore's own client takes."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.endpoint_provider import EndpointProvider
from botocore.exceptions import EndpointProviderError
from botocore.session import Session

from chalicelib.engine.aws.access import Access, access_by_environment
from chalicelib.engine.aws.session_access import RULES, Endpoint, endpoint_of
from chalicelib.engine.aws.signatures import Credentials
from tests.engine.aws.wire_server import Answer, running
from tools.project import ROOT

IN_ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "an-id", "AWS_SECRET_ACCESS_KEY": "a-key"}
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


def by_environment(region: str = "eu-west-1", **variables: str) -> Access | None:
    """The access by these variables and credentials."""
    nowhere = {"AWS_CONFIG_FILE": "/nowhere", "AWS_SHARED_CREDENTIALS_FILE": "/nowhere"}
    return access_by_environment("dynamodb", region, nowhere | IN_ENVIRONMENT | variables)


def test_in_each_region_the_environment_leads_where_the_rules_lead() -> None:
    session = Session()
    regions = [
        region
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("dynamodb", partition)
    ]
    assert len(regions) > 30
    loader = session.get_component("data_loader")
    rules = EndpointProvider(loader.load_service_model("dynamodb", RULES), loader.load_data("partitions"))
    for region in regions:
        access = by_environment(region)
        assert access is not None
        url = rules.resolve_endpoint(Region=region, UseFIPS=False, UseDualStack=False).url
        assert (access.url, access.signing_region) == (f"{url}/", region)


def test_the_environment_may_name_address_token_and_certificates() -> None:
    access = by_environment(
        AWS_ENDPOINT_URL="http://all:1",
        AWS_ENDPOINT_URL_DYNAMODB="http://one:2/",
        AWS_SESSION_TOKEN="a-token",
        AWS_CA_BUNDLE="/a-file",
    )
    assert access is not None
    assert access.credentials() == Credentials("an-id", "a-key", "a-token")
    assert (access.url, access.ca_bundle, access.reply_instead) == ("http://one:2/", "/a-file", None)
    ignoring = by_environment(AWS_ENDPOINT_URL="http://all:1", AWS_IGNORE_CONFIGURED_ENDPOINT_URLS="true")
    assert ignoring is not None
    assert ignoring.url == "https://dynamodb.eu-west-1.amazonaws.com/"


@pytest.mark.parametrize(
    "variables",
    [
        {"AWS_ACCESS_KEY_ID": ""},
        {"AWS_SECRET_ACCESS_KEY": ""},
        {"AWS_CREDENTIAL_EXPIRATION": "2026-01-01T00:00:00Z"},
        {"AWS_USE_FIPS_ENDPOINT": "true"},
        {"AWS_USE_DUALSTACK_ENDPOINT": "true"},
        {"AWS_CONFIG_FILE": __file__},
        {"AWS_SHARED_CREDENTIALS_FILE": __file__},
    ],
)
def test_anything_more_is_left_to_botocore(variables: Mapping[str, str]) -> None:
    assert by_environment(**variables) is None
    assert by_environment("nowhere") is None


ONE_REQUEST = """
import sys
from chalicelib.config import Settings
from chalicelib.engine.aws.dynamodb import sender
print(sender(Settings())("GetItem", {}), "botocore.session" in sys.modules, "urllib3" in sys.modules)
"""


def test_a_process_with_all_in_its_environment_needs_no_session_of_botocore() -> None:
    with running() as wire:
        wire.answers.append(Answer({"n": 1}))
        environ = {"AWS_ENDPOINT_URL": wire.url, "HOME": "/nowhere", **IN_ENVIRONMENT}
        run = subprocess.run(
            [sys.executable, "-c", ONE_REQUEST], cwd=ROOT, env=environ, capture_output=True, text=True, check=False
        )
    assert run.stdout == "{'n': 1} False False\n", run.stderr
