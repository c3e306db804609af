"""Fixtures: the server under test, which is a local cloud of its own or the one at `BASE_URL`."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.client import Client

if TYPE_CHECKING:
    from chalicelib.services import Services

PAGE_ORIGIN = "https://pages.example.org"
"""The origin whose pages may call the local cloud of the tests."""


@dataclass(frozen=True, slots=True)
class Cloud:
    """The server. Values that only a local cloud has are None for others, unless the environment gives them."""

    base_url: str
    server_secret: str | None
    data_dir: Path | None
    gateway_url: str | None = None


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """The packaged application, deployed on a local cloud on free ports, as `make run` does; or that of `BASE_URL`."""
    if base_url := os.environ.get("BASE_URL"):
        yield Cloud(base_url.rstrip("/"), os.environ.get("SERVER_SECRET"), None)
        return
    from tools.local_cloud.launcher import local_cloud

    with local_cloud(tmp_path_factory.mktemp("local-cloud"), port=0, cors_origins=PAGE_ORIGIN) as running:
        yield Cloud(running.base_url, running.server_secret, running.data_dir, running.gateway_url)


@pytest.fixture
def services(cloud: "Cloud", monkeypatch: pytest.MonkeyPatch) -> Iterator["Services"]:
    """The services of the stage, as its worker has them."""
    if cloud.gateway_url is None:
        pytest.skip("needs the local cloud")
    from chalicelib.config import Settings
    from chalicelib.engine.aws import clients, dynamodb, s3
    from chalicelib.engine.aws.engine import aws_engine
    from chalicelib.services import build_services

    for name, value in (("ACCESS_KEY_ID", "test"), ("SECRET_ACCESS_KEY", "test"), ("ENDPOINT_URL", cloud.gateway_url)):
        monkeypatch.setenv(f"AWS_{name}", value)
    clients.forget_session()
    dynamodb.forget_clients()
    s3.forget_clients()
    settings = Settings(s3_path_style=True)
    yield build_services(settings, aws_engine(settings))
    clients.forget_session()
    dynamodb.forget_clients()
    s3.forget_clients()


@pytest.fixture(scope="session")
def server(cloud: Cloud) -> Client:
    """A client with the token of a server."""
    if cloud.server_secret is None:
        pytest.skip("needs SERVER_SECRET")
    headers = {"X-Tidepool-Server-Name": "e2e-test", "X-Tidepool-Server-Secret": cloud.server_secret}
    reply = Client(cloud.base_url).request("POST", "/auth/serverlogin", headers=headers)
    assert reply.status == 200, reply.body
    return Client(cloud.base_url, reply.headers["x-tidepool-session-token"])


def aws_client(cloud: Cloud, service: Any) -> Any:
    """A client of the local cloud itself."""
    if cloud.gateway_url is None:
        pytest.skip("needs the local cloud")
    import boto3

    return boto3.client(
        service,
        endpoint_url=cloud.gateway_url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


_FIGURES = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def figure(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Keeps a line of what was measured for the end of the run; nothing is asserted about it."""
    return request.config.stash.setdefault(_FIGURES, []).append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the measurements."""
    lines = config.stash.get(_FIGURES, [])
    if lines:
        terminalreporter.section("figures")
        for line in lines:
            terminalreporter.write_line(line)
