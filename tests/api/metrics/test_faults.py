"""A stream that fails, hangs, drips or is absent: the client gets its 200, and each lost event is counted."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from chalicelib import services as wiring
from chalicelib.engine.aws import kinesis, secrets_manager
from chalicelib.engine.aws.engine import aws_engine
from chalicelib.metrics.stores import stream as metrics_stream
from chalicelib.metrics.stores.stream import StreamedEvents, cached_salt
from tests.api.conftest import ApiClient
from tests.api.metrics.test_metrics import lost
from tests.fakes.metrics import streamed_records
from tests.fakes.metrics_faults import faulty_aws
from tests.fakes.services import FakeServices

SENT = 5
SALT = b'{"SecretString":"salt","VersionId":"1"}'


@pytest.fixture(autouse=True)
def _on_aws(fakes: FakeServices, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The application with the real stream, whose address each test gives."""
    for name, value in {"ACCESS_KEY_ID": "test", "SECRET_ACCESS_KEY": "test", "EC2_METADATA_DISABLED": "true"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    _forget_clients()
    ports = replace(
        fakes.metrics, stream=StreamedEvents(aws_engine(fakes.settings).metrics_stream), salt=lambda: "salt"
    )
    wiring.override(replace(fakes.services, metrics=ports))
    yield
    _forget_clients()


def _forget_clients() -> None:
    kinesis.forget_clients()
    secrets_manager.forget_clients()


def _salt(fakes: FakeServices) -> Callable[[], str]:
    return cached_salt(aws_engine(fakes.settings).secrets, fakes.settings.metrics_salt_name)


def send(api: ApiClient, times: int = SENT) -> None:
    for number in range(times):
        reply = api.request("GET", f"/metrics/user/0123456789/event%20{number}")
        assert (reply.status, reply.body) == (200, b"")


def patiently(monkeypatch: pytest.MonkeyPatch) -> None:
    """Extend the time limit, so that a busy machine loses no events."""
    monkeypatch.setattr(metrics_stream, "LIMIT_S", 60)


def at(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)


def test_nothing_is_lost_when_all_is_well(
    api: ApiClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    patiently(monkeypatch)
    with faulty_aws("200") as server:
        at(monkeypatch, server.url)
        send(api)
    assert server.requests == SENT
    assert lost(capsys.readouterr().out) == 0


@pytest.mark.parametrize(
    ("behavior", "body"),
    [
        ("500", b'{"__type":"InternalFailure"}'),
        ("503", b""),
        ("400", b'{"__type":"ProvisionedThroughputExceededException"}'),
        ("400", b'{"__type":"ResourceNotFoundException"}'),
        ("403", b'{"__type":"AccessDeniedException"}'),
        ("404", b""),
        ("hangs", b""),
        ("drips", b""),
    ],
)
def test_each_event_is_tried_once_and_each_loss_is_counted(
    api: ApiClient,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    behavior: str,
    body: bytes,
) -> None:
    with faulty_aws(behavior, body) as server:
        at(monkeypatch, server.url)
        send(api)
    assert lost(capsys.readouterr().out) == SENT
    assert server.requests == SENT


def test_a_stream_that_cannot_be_reached_loses_events(
    api: ApiClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with faulty_aws("200") as server:
        url = server.url
    at(monkeypatch, url)
    send(api)
    assert lost(capsys.readouterr().out) == SENT


def test_after_a_fault_events_are_taken_again(
    api: ApiClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with faulty_aws("hangs") as server:
        at(monkeypatch, server.url)
        send(api, 1)
        server.ends.set()
        server.behavior = "200"
        patiently(monkeypatch)
        send(api, 1)
    assert lost(capsys.readouterr().out) == 1


def test_a_salt_that_cannot_be_had_loses_events(
    api: ApiClient, fakes: FakeServices, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with faulty_aws("hangs") as server:
        at(monkeypatch, server.url)
        ports = replace(fakes.metrics, salt=_salt(fakes))
        wiring.override(replace(fakes.services, metrics=ports))
        send(api, 2)
    assert lost(capsys.readouterr().out) == 2
    assert streamed_records(fakes.engine) == []


def test_the_stream_gets_the_event(api: ApiClient, fakes: FakeServices, monkeypatch: pytest.MonkeyPatch) -> None:
    patiently(monkeypatch)
    with faulty_aws("200", SALT) as server:
        at(monkeypatch, server.url)
        ports = replace(fakes.metrics, salt=_salt(fakes))
        wiring.override(replace(fakes.services, metrics=ports))
        send(api, 2)
    assert server.requests == 1
    assert [json.loads(record)["user"] for _, record in streamed_records(fakes.engine)] == ["702f0e4953"] * 2
