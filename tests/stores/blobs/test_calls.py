"""The calls to AWS of each operation on blobs, whatever their size (docs/access-patterns-blobs.md)."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from chalicelib.access.call import Caller, platform_call
from chalicelib.access.policy import CUSTODIANS, DEVICE_LOG_READERS, READERS, UPLOADERS
from chalicelib.blobs import content as blobs_storing
from chalicelib.blobs import device_logs
from chalicelib.blobs import manage as rules
from chalicelib.blobs.blob import Blob, BlobKind, TimeSpan
from chalicelib.blobs.content import md5_base64
from chalicelib.blobs.headers import UploadRequest
from chalicelib.blobs.ports import BlobPorts
from chalicelib.blobs.stores.blobs import StoredBlobs
from chalicelib.blobs.stores.contents import StoredContents
from chalicelib.config import Settings
from chalicelib.engine.aws import s3
from chalicelib.engine.aws.engine import aws_engine
from tests.engine.sent import hooked
from tests.fakes.calls import NO_GRANTS, call_by, no_id

NOW_MS = 1_767_225_600_000
ANNA = Caller("a1b2c3d4e5")
HELLO = b"hello world"
TYPE = {"content-type": "text/plain"}


@dataclass
class World:
    """The stores on AWS, and what was asked of AWS."""

    settings: Settings
    ports: BlobPorts
    calls: Counter[str]

    def cost(self, action: Callable[[], Any]) -> dict[str, int]:
        """The calls that an action makes."""
        self.calls.clear()
        action()
        return dict(self.calls)

    def create(self, number: int, content: bytes = HELLO, query: Any = None, **headers: str) -> Any:
        """A new blob of Anna's."""
        return rules.create(
            call_by(ANNA, UPLOADERS, NO_GRANTS, NOW_MS + number, lambda: f"{number:032x}"),
            str(ANNA.user_id),
            UploadRequest(query or {}, TYPE | headers, content),
            self.ports,
        )


@pytest.fixture
def world(stage: Settings) -> Iterator[World]:
    """An empty stage."""
    calls: Counter[str] = Counter()

    def count(model: Any, **_: Any) -> None:
        calls[model.name] += 1

    def count_sent(operation: str, _request: Any) -> None:
        calls[operation] += 1

    events = s3.client(stage).meta.events
    events.register("before-call", count)
    engine = aws_engine(stage)
    with hooked(count_sent):
        yield World(stage, BlobPorts(StoredBlobs(engine.blobs), StoredContents(engine.objects)), calls)
    events.unregister("before-call", count)


def test_the_calls_of_storing_a_blob(world: World) -> None:
    stored = {"TransactWriteItems": 1, "PutObject": 1, "UpdateItem": 1}
    assert world.cost(lambda: world.create(1)) == stored
    assert world.cost(lambda: world.create(2, b"x" * 4_500_000)) == stored
    assert world.cost(lambda: world.create(3, b"")) == {"TransactWriteItems": 1}


def test_the_calls_of_a_direct_upload(world: World) -> None:
    headers = {"digest": f"MD5={md5_base64(HELLO)}", "x-upload-size": str(len(HELLO))}
    direct = {"upload": ["direct"]}
    assert world.cost(lambda: world.create(1, b"", direct, **headers)) == {"TransactWriteItems": 1}
    key = f"blobs/{ANNA.user_id}/{1:032x}"
    s3.client(world.settings).put_object(Bucket=world.settings.bucket, Key=key, Body=HELLO, Tagging=s3.PENDING_TAG)

    def confirm() -> None:
        blobs_storing.confirm_upload(platform_call(NOW_MS, no_id), key, world.ports)

    # The content itself is never read: what the function needs does not grow with it.
    assert world.cost(confirm) == {"GetItem": 2, "HeadObject": 1, "PutObjectTagging": 1, "UpdateItem": 1}
    assert world.cost(confirm) == {"GetItem": 2}


def test_the_calls_of_reading(world: World) -> None:
    world.create(1)
    call = call_by(ANNA, READERS, NO_GRANTS)
    blob_id = f"{1:032x}"
    assert world.cost(lambda: rules.get(call, blob_id, world.ports)) == {"GetItem": 2}
    assert world.cost(lambda: rules.read(call, blob_id, world.ports)) == {"GetItem": 2, "GetObject": 1}
    assert world.cost(lambda: rules.list_of_user(call, str(ANNA.user_id), {}, world.ports)) == {"Query": 1}
    stored = world.ports.blobs.find(BlobKind.BLOBS, blob_id)
    assert stored is not None
    large = replace(stored, size_bytes=rules.INLINE_BYTES + 1)
    assert world.cost(lambda: rules.download_of(large, world.ports.contents)) == {}


def test_device_logs_of_a_time_span_are_one_query(world: World) -> None:
    for number in range(3):
        span = TimeSpan(NOW_MS + number * 1000, NOW_MS + number * 1000 + 1)
        log = Blob(BlobKind.DEVICE_LOGS, f"{number:032x}", str(ANNA.user_id), "text/plain", NOW_MS, "md5=", 1, span)
        world.ports.blobs.add(log)
        world.ports.blobs.make_available(log.with_content(NOW_MS))
    call = call_by(ANNA, DEVICE_LOG_READERS, NO_GRANTS)
    query = {"startAtTime": ["2026-01-01T00:00:01Z"]}
    found: list[Blob] = []
    cost = world.cost(lambda: found.extend(device_logs.list_of_user(call, str(ANNA.user_id), query, world.ports)))
    assert cost == {"Query": 1}
    assert [log.id for log in found] == [f"{2:032x}", f"{1:032x}"]


def test_the_calls_of_deleting(world: World) -> None:
    call = call_by(ANNA, CUSTODIANS, NO_GRANTS)
    for number in range(61):
        world.create(number)
    assert world.cost(lambda: rules.delete(call, f"{1:032x}", {}, world.ports)) == {
        "GetItem": 2,
        "DeleteObjects": 1,
        "TransactWriteItems": 1,
    }
    assert world.cost(lambda: rules.delete_all(call, str(ANNA.user_id), world.ports)) == {
        "Query": 1,
        "DeleteObjects": 1,
        "TransactWriteItems": 2,
    }
