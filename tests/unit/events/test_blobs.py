"""The consumer of the bucket's notices, with events as AWS sends them."""

import copy
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chalice.test import Client

from app import app
from chalicelib import services as wiring
from chalicelib.blobs.blob import Blob, BlobKind
from chalicelib.blobs.content import md5_base64
from chalicelib.blobs.ports import StoredContent
from chalicelib.errors import UnavailableError
from chalicelib.events.blobs import object_keys
from tests.fakes.services import START_MS, FakeServices

EVENTS = Path(__file__).parents[2] / "data" / "events"
ANNA = "a1b2c3d4e5"
HELLO = b"hello world"


@pytest.fixture
def fakes() -> Iterator[FakeServices]:
    """Services in memory."""
    services = FakeServices()
    wiring.override(services.services)
    yield services
    wiring.override(None)


def recorded(name: str) -> dict[str, Any]:
    """An event as it was recorded."""
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return event


def blob(kind: BlobKind, number: int) -> Blob:
    """A blob that waits for its content."""
    return Blob(kind, f"{number:032x}", ANNA, "text/plain", START_MS, md5_base64(HELLO), len(HELLO))


BLOB, LOG = blob(BlobKind.BLOBS, 1), blob(BlobKind.DEVICE_LOGS, 2)


def deliver(event: dict[str, Any]) -> list[str]:
    """The ids of the messages that are to be delivered again."""
    with Client(app) as client:
        answer = client.lambda_.invoke("on_object_created", event).payload
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def counted(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The names of the metrics that were counted."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    return [line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"] for line in lines]


def test_contents_make_their_blobs_available(fakes: FakeServices, capsys: pytest.CaptureFixture[str]) -> None:
    for content in (BLOB, LOG):
        fakes.blobs.add(content)
        fakes.upload(content.content_key, HELLO)
    event = recorded("sqs_s3_object_created")
    assert deliver(event) == []
    assert deliver(event) == []
    for content in (BLOB, LOG):
        assert fakes.blobs.find(content.kind, content.id) == content.with_content(START_MS)
    assert counted(capsys) == ["UploadedBlobs", "UploadedBlobs"]


def test_contents_of_no_blob_are_counted(fakes: FakeServices, capsys: pytest.CaptureFixture[str]) -> None:
    fakes.blobs.add(BLOB)
    fakes.upload(BLOB.content_key, b"another content")
    fakes.upload(LOG.content_key, HELLO)
    assert deliver(recorded("sqs_s3_object_created")) == []
    assert sorted(counted(capsys)) == ["OtherContents", "StrayContents"]


def test_only_notices_that_fail_are_delivered_again(
    fakes: FakeServices, monkeypatch: pytest.MonkeyPatch, log: io.StringIO
) -> None:
    for content in (BLOB, LOG):
        fakes.blobs.add(content)
        fakes.upload(content.content_key, HELLO)
    describe = fakes.contents.describe

    def fails_for_logs(key: str) -> StoredContent | None:
        if key == LOG.content_key:
            raise UnavailableError
        return describe(key)

    monkeypatch.setattr(fakes.contents, "describe", fails_for_logs)
    event = recorded("sqs_s3_object_created")
    assert deliver(event) == [event["Records"][1]["messageId"]]
    assert fakes.blobs.find(BLOB.kind, BLOB.id) == BLOB.with_content(START_MS)
    assert "UnavailableError" in log.getvalue()
    monkeypatch.undo()
    wiring.override(fakes.services)
    assert deliver(event) == []
    assert fakes.blobs.find(LOG.kind, LOG.id) == LOG.with_content(START_MS)


def test_all_notices_of_a_batch_may_fail(fakes: FakeServices, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(kind: BlobKind, blob_id: str) -> Blob | None:
        raise UnavailableError

    monkeypatch.setattr(fakes.blobs, "find", fails)
    event = recorded("sqs_s3_object_created")
    assert deliver(event) == [record["messageId"] for record in event["Records"]]


def test_an_unreadable_message_fails(fakes: FakeServices) -> None:
    event = recorded("sqs_s3_object_created")
    event["Records"][0]["body"] = "not JSON"
    assert deliver(event) == [event["Records"][0]["messageId"]]


def test_the_bucket_s_test_message_reports_no_content(fakes: FakeServices, capsys: pytest.CaptureFixture[str]) -> None:
    assert deliver(recorded("sqs_s3_test_event")) == []
    assert counted(capsys) == []


def test_keys_are_decoded_and_other_events_are_skipped() -> None:
    body = json.loads(recorded("sqs_s3_object_created")["Records"][0]["body"])
    body["Records"].append(copy.deepcopy(body["Records"][0]))
    body["Records"][0]["s3"]["object"]["key"] = "blobs/a+b%2Fc"
    body["Records"][1]["eventName"] = "ObjectRemoved:Delete"
    assert object_keys(json.dumps(body)) == ["blobs/a b/c"]
