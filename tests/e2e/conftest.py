"""Fixtures: the platform under test, which is a home server, a local cloud, or the server at `BASE_URL`.

A test that takes `platform` runs on a home server and on a local cloud of the run's own. It runs on one of them if it
takes `home` or `cloud`, or is marked `only_on` with the reason. `pytest -m home` and `pytest -m cloud` choose one.

With `-n 2 --dist loadgroup` the home server's tests run beside those of the local cloud: each of them waits for its
server most of the time.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.client import Client

if TYPE_CHECKING:
    from chalicelib.services import Services
    from tests.e2e.storage import Storage

PAGE_ORIGIN = "https://pages.example.org"
"""The origin whose pages may call the platforms of the tests."""
KINDS = ("home", "cloud")


@dataclass(frozen=True, slots=True)
class Platform:
    """The server. Values that only a platform of the run's own has are None for others, unless the environment gives
    them."""

    base_url: str
    server_secret: str | None
    data_dir: Path | None
    gateway_url: str | None = None
    """The address of a local cloud's services; None for a home server."""


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers of this folder."""
    config.addinivalue_line("markers", "home: runs on a home server")
    config.addinivalue_line("markers", "cloud: runs on a local cloud")
    config.addinivalue_line("markers", "only_on(kind, reason): runs on a `home` server or a local `cloud`, not on both")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test that takes a platform on every kind that it fits, on the home server first: it is faster."""
    if "platform" in metafunc.fixturenames:
        kinds = _kinds(metafunc)
        values = [pytest.param(kind, marks=getattr(pytest.mark, kind)) for kind in kinds]
        if "BASE_URL" in os.environ:
            is_of_home = pytest.mark.skipif(kinds == ("home",), reason="needs a home server of the run's own")
            values = [pytest.param("address", marks=is_of_home)]
        metafunc.parametrize("platform", values, indirect=True, scope="session")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of one server in one process, so that each server is started once, and the others by module."""
    for item in items:
        kinds = [kind for kind in KINDS if item.get_closest_marker(kind)]
        group = kinds[0] if kinds else item.nodeid.partition("::")[0]
        item.add_marker(pytest.mark.xdist_group(group))


def _kinds(metafunc: pytest.Metafunc) -> tuple[str, ...]:
    marks = {mark.args[0] for mark in metafunc.definition.iter_markers("only_on")}
    return tuple(kind for kind in KINDS if kind in (marks | (set(KINDS) & set(metafunc.fixturenames)) or KINDS))


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A home server on a fresh data folder, as `strandline serve` starts one."""
    if "BASE_URL" in os.environ:
        pytest.skip("needs a home server of the run's own")
    from strandline.home.launching import home_server

    folder = tmp_path_factory.mktemp("home") / "data"
    with home_server(folder, options=["--cors-origins", PAGE_ORIGIN, "--allow-local-web-apps"]) as running:
        yield Platform(running.base_url, running.server_secret, running.data_dir)


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """The packaged application, deployed on a local cloud on free ports, as `make run` does."""
    if "BASE_URL" in os.environ:
        pytest.skip("needs a local cloud of the run's own")
    from tools.local_cloud.launcher import local_cloud

    with local_cloud(tmp_path_factory.mktemp("local-cloud"), port=0, cors_origins=PAGE_ORIGIN) as running:
        yield Platform(running.base_url, running.server_secret, running.data_dir, running.gateway_url)


@pytest.fixture(scope="session")
def platform(request: pytest.FixtureRequest) -> Platform:
    """The home server, the local cloud, or the server at `BASE_URL`."""
    if request.param == "address":
        return Platform(os.environ["BASE_URL"].rstrip("/"), os.environ.get("SERVER_SECRET"), None)
    running: Platform = request.getfixturevalue(request.param)
    return running


@pytest.fixture
def storage(platform: Platform) -> "Iterator[Storage]":
    """The storage of the platform, opened beside it."""
    if platform.data_dir is None:
        pytest.skip("needs a platform of the run's own")
    from tests.e2e import storage

    opened = storage.of_cloud(platform) if platform.gateway_url else storage.of_home(platform)
    with opened as opened_storage:
        yield opened_storage


@pytest.fixture
def services(storage: "Storage") -> "Services":
    """The services of the platform, as its worker has them."""
    from chalicelib.services import build_services

    return build_services(storage.settings, storage.engine)


@pytest.fixture(scope="session")
def server(platform: Platform) -> Client:
    """A client with the token of a server."""
    if platform.server_secret is None:
        pytest.skip("needs SERVER_SECRET")
    return server_client(platform)


def server_client(platform: Platform) -> Client:
    """A client that signs in with the secret of servers."""
    headers = {"X-Tidepool-Server-Name": "e2e-test", "X-Tidepool-Server-Secret": str(platform.server_secret)}
    reply = Client(platform.base_url).request("POST", "/auth/serverlogin", headers=headers)
    assert reply.status == 200, reply.body
    return Client(platform.base_url, reply.headers["x-tidepool-session-token"])


def aws_client(cloud: Platform, service: Any) -> Any:
    """A client of the local cloud itself."""
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


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Send the measurements of a process to the one that prints them."""
    sent: dict[str, list[str]] | None = getattr(session.config, "workeroutput", None)
    if sent is not None:
        sent["figures"] = session.config.stash.get(_FIGURES, [])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Receive the measurements of another process."""
    sent = getattr(node, "workeroutput", {})
    node.config.stash.setdefault(_FIGURES, []).extend(sent.get("figures", []))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the measurements."""
    lines = config.stash.get(_FIGURES, [])
    if lines:
        terminalreporter.section("figures")
        for line in lines:
            terminalreporter.write_line(line)
