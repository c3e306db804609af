"""Contents that arrive and are removed: twice, late, out of order, or interrupted."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pytest

from chalicelib.access.call import Call, platform_call
from chalicelib.blobs.blob import Blob, BlobKind, kind_and_id
from chalicelib.blobs.content import (
    CleanupOutcome,
    UploadOutcome,
    confirm_upload,
    erase_user,
    md5_base64,
    open_upload,
    remove_abandoned,
    store,
    store_under_new_id,
)
from chalicelib.blobs.jobs import remove_abandoned_blobs
from chalicelib.blobs.ports import BlobPorts
from chalicelib.blobs.stores.blobs import StoredBlobs
from chalicelib.durations import DAY_MS
from chalicelib.errors import UnavailableError, UnequalDigestsError
from chalicelib.tasks.task import Task
from chalicelib.tasks.types import TaskRun, TimeLimitError
from tests.fakes.calls import no_id
from tests.fakes.engine import go_on, pending_keys, refuse
from tests.fakes.services import FakeServices

NOW_MS = 1_767_225_600_000
ANNA = "a1b2c3d4e5"
HELLO = b"hello world"


@dataclass
class World:
    """Both stores, and what is asked of them."""

    fakes: FakeServices
    blobs: StoredBlobs

    @property
    def ports(self) -> BlobPorts:
        """The stores as the rules see them."""
        return BlobPorts(self.blobs, self.fakes.contents)

    @property
    def pending(self) -> list[str]:
        """The keys of the contents that would expire."""
        return pending_keys(self.fakes.engine)

    def confirm(self, key: str) -> UploadOutcome:
        return confirm_upload(platform_call(NOW_MS + 5, no_id), key, self.ports)

    def sweep(self, now_ms: int) -> Counter[CleanupOutcome]:
        return Counter(remove_abandoned(platform_call(now_ms, no_id), self.ports))

    def open(self, new_blob: Blob) -> None:
        open_upload(platform_call(NOW_MS, no_id), new_blob, self.ports)

    def store(self, new_blob: Blob, content: bytes = HELLO) -> Blob:
        return store(platform_call(NOW_MS, no_id), new_blob, content, self.ports)

    @property
    def is_empty(self) -> bool:
        return not self.fakes.blob_items() and not self.fakes.object_keys()


@pytest.fixture
def world(fakes: FakeServices) -> World:
    """Empty stores."""
    return World(fakes, StoredBlobs(fakes.engine.blobs))


def blob(number: int = 1, content: bytes | None = HELLO, kind: BlobKind = BlobKind.BLOBS) -> Blob:
    """A blob that announces a content."""
    announced = (None, None) if content is None else (md5_base64(content), len(content))
    return Blob(kind, f"{number:032x}", ANNA, "text/plain", NOW_MS, *announced)


def test_a_content_key_leads_to_its_blob_and_nothing_else_does() -> None:
    assert kind_and_id(blob().content_key) == (BlobKind.BLOBS, blob().id)
    for key in ("blobs/x", "metrics/2026/1", f"blobs/{ANNA}/{blob().id}/more", f"answers/{ANNA}/{blob().id}", ""):
        assert kind_and_id(key) is None


def test_a_blob_is_available_once_it_is_stored_with_its_content(world: World) -> None:
    stored = world.store(replace(blob(), digest_md5=None, size_bytes=None))
    assert (stored.status, stored.revision, stored.digest_md5, stored.size_bytes) == (
        "available",
        1,
        "XrY7u+Ae7tCTyyK7j1rNww==",
        11,
    )
    assert world.blobs.find(BlobKind.BLOBS, stored.id) == stored
    assert world.fakes.object_keys() == [stored.content_key]
    assert world.fakes.contents.read(stored.content_key) == HELLO
    assert world.fakes.download(world.fakes.contents.download_url(stored)).media_type == "text/plain"
    assert world.pending == []


def test_another_content_than_announced_leaves_nothing_behind(world: World) -> None:
    with pytest.raises(UnequalDigestsError) as refused:
        world.store(blob(), b"something else")
    assert (refused.value.announced, refused.value.calculated) == (md5_base64(HELLO), md5_base64(b"something else"))
    assert world.is_empty


@pytest.mark.parametrize("call", ["objects.put", "UpdateItem"])
def test_a_store_that_fails_leaves_nothing_of_a_blob_with_an_id_of_its_own(world: World, call: str) -> None:
    world.fakes.calls.watch = refuse(call)
    with pytest.raises(UnavailableError):
        store_under_new_id(platform_call(NOW_MS, no_id), blob(), HELLO, world.ports)
    assert world.is_empty


@pytest.mark.parametrize("call", ["objects.put", "UpdateItem"])
def test_a_repeated_request_stores_what_is_left(world: World, call: str) -> None:
    world.fakes.calls.watch = refuse(call)
    with pytest.raises(UnavailableError):
        world.store(blob())
    world.fakes.calls.watch = go_on
    assert world.store(blob()).is_available
    assert world.fakes.contents.read(blob().content_key) == HELLO


class LosesAnswers(StoredBlobs):
    """A store whose answer that a blob is available is lost, and that does not answer afterwards."""

    def make_available(self, blob: Blob) -> bool:
        """See `BlobStore.make_available`."""
        super().make_available(blob)
        raise UnavailableError

    def remove(self, blobs: Sequence[Blob]) -> None:
        """See `BlobStore.remove`."""
        raise UnavailableError


@pytest.mark.parametrize("storing", [store, store_under_new_id])
def test_a_blob_that_is_available_though_its_request_failed_keeps_its_content(
    world: World, storing: Callable[[Call, Blob, bytes, BlobPorts], Blob]
) -> None:
    ports = BlobPorts(LosesAnswers(world.fakes.engine.blobs), world.fakes.contents)
    with pytest.raises(UnavailableError):
        storing(platform_call(NOW_MS, no_id), blob(), HELLO, ports)
    assert world.store(blob()).is_available
    assert world.fakes.contents.read(blob().content_key) == HELLO


def test_a_notice_may_make_a_blob_available_before_its_request_does(world: World) -> None:
    def put_and_tell(call: str) -> None:
        if call == "objects.put":
            world.fakes.calls.watch = go_on
            world.fakes.contents.put(blob().content_key, HELLO, "text/plain")
            assert world.confirm(blob().content_key) is UploadOutcome.AVAILABLE

    world.fakes.calls.watch = put_and_tell
    stored = world.store(blob())
    found = world.blobs.find(BlobKind.BLOBS, stored.id)
    assert found is not None
    assert (found.status, found.revision) == ("available", 1)


@pytest.mark.parametrize("kind", list(BlobKind))
def test_an_uploaded_content_makes_its_blob_available_once(world: World, kind: BlobKind) -> None:
    pending = blob(kind=kind)
    world.open(pending)
    world.fakes.upload(pending.content_key, HELLO)
    assert [world.confirm(pending.content_key) for _ in range(3)] == [
        UploadOutcome.AVAILABLE,
        UploadOutcome.KNOWN,
        UploadOutcome.KNOWN,
    ]
    assert world.blobs.find(kind, pending.id) == pending.with_content(NOW_MS + 5)
    assert world.pending == []


def test_a_notice_of_an_absent_content_changes_nothing(world: World) -> None:
    world.open(blob())
    assert world.confirm(blob().content_key) is UploadOutcome.ABSENT
    assert world.blobs.find(BlobKind.BLOBS, blob().id) == blob()


@pytest.mark.parametrize("content", [b"HELLO WORLD", b"hello", b""])
def test_another_content_changes_nothing_and_expires(world: World, content: bytes) -> None:
    world.open(blob())
    world.fakes.upload(blob().content_key, content)
    assert world.confirm(blob().content_key) is UploadOutcome.OTHER
    assert world.blobs.find(BlobKind.BLOBS, blob().id) == blob()
    assert world.pending == [blob().content_key]


def test_a_blob_without_announced_content_does_not_become_available(world: World) -> None:
    pending = blob(content=None)
    world.blobs.add(pending)
    world.fakes.upload(pending.content_key, b"")
    assert world.confirm(pending.content_key) is UploadOutcome.OTHER


@pytest.mark.parametrize("key", [blob(9).content_key, f"blobs/0123456789/{blob().id}", "blobs/nonsense"])
def test_contents_of_no_blob_are_left_to_expire(world: World, key: str) -> None:
    world.open(blob())
    world.fakes.upload(key, HELLO)
    assert world.confirm(key) is UploadOutcome.STRAY
    assert world.pending == [key]


class DeletesMeanwhile(StoredBlobs):
    """Blobs of which the one in question is deleted just before it would become available."""

    def make_available(self, blob: Blob) -> bool:
        self.remove([blob])
        return super().make_available(blob)


class ConfirmsMeanwhile(StoredBlobs):
    """Blobs of which the one in question becomes available by another notice, just before."""

    def make_available(self, blob: Blob) -> bool:
        super().make_available(blob)
        return super().make_available(blob)


def test_the_content_of_a_blob_that_is_deleted_during_the_notice_is_deleted(fakes: FakeServices) -> None:
    world = World(fakes, DeletesMeanwhile(fakes.engine.blobs))
    world.open(blob())
    world.fakes.upload(blob().content_key, HELLO)
    assert world.confirm(blob().content_key) is UploadOutcome.STRAY
    assert world.is_empty


def test_of_two_simultaneous_notices_one_makes_the_blob_available(fakes: FakeServices) -> None:
    world = World(fakes, ConfirmsMeanwhile(fakes.engine.blobs))
    world.open(blob())
    world.fakes.upload(blob().content_key, HELLO)
    assert world.confirm(blob().content_key) is UploadOutcome.KNOWN
    found = world.blobs.find(BlobKind.BLOBS, blob().id)
    assert found is not None
    assert found.revision == 1


def test_blobs_without_content_are_removed_after_a_day(world: World) -> None:
    world.store(blob(1))
    world.open(blob(2))
    world.blobs.add(blob(3, content=None))
    assert world.sweep(NOW_MS + DAY_MS) == {}
    assert world.sweep(NOW_MS + DAY_MS + 1) == {CleanupOutcome.REMOVED: 2}
    assert [found.id for found in world.blobs.of_user(BlobKind.BLOBS, ANNA)] == [blob(1).id]


def test_a_blob_whose_notice_was_lost_becomes_available_after_a_day(world: World) -> None:
    world.open(blob(1))
    world.fakes.upload(blob(1).content_key, HELLO)
    world.open(blob(2))
    world.fakes.upload(blob(2).content_key, b"another content")
    assert world.sweep(NOW_MS + DAY_MS + 1) == {CleanupOutcome.REMOVED: 1, CleanupOutcome.RECOVERED: 1}
    assert world.fakes.object_keys() == [blob(1).content_key]
    assert world.pending == []


def test_erasing_a_user_removes_all_blobs_and_contents(world: World) -> None:
    for number in range(120):
        world.store(blob(number))
    world.store(blob(1, kind=BlobKind.DEVICE_LOGS))
    world.open(blob(200))
    world.fakes.upload(blob(300).content_key, HELLO)
    for _ in range(2):
        erase_user(ANNA, world.ports)
        assert world.is_empty


def test_the_task_counts_what_it_removed_and_recovered(fakes: FakeServices) -> None:
    for number in (1, 2, 3):
        fakes.blobs.add(blob(number))
    fakes.upload(blob(1).content_key, HELLO)
    fakes.now_ms = NOW_MS + DAY_MS + 1
    run = task_run(fakes, limit_ms=fakes.now_ms + 60_000)
    remove_abandoned_blobs(run, fakes.services)
    assert run.data == {"removed": 2, "recovered": 1}
    assert fakes.counted == {"AbandonedBlobs": 2, "RecoveredBlobs": 1}
    remove_abandoned_blobs(run, fakes.services)
    assert run.data == {"removed": 0, "recovered": 0}


def test_the_task_stops_at_its_time_limit_and_keeps_its_counts(fakes: FakeServices) -> None:
    for number in (1, 2):
        fakes.blobs.add(blob(number))
    fakes.now_ms = NOW_MS + DAY_MS + 1
    run = task_run(fakes, limit_ms=fakes.now_ms)
    with pytest.raises(TimeLimitError):
        remove_abandoned_blobs(run, fakes.services)
    assert run.data == {"removed": 1, "recovered": 0}
    assert fakes.counted["AbandonedBlobs"] == 1
    assert len(list(fakes.blobs.of_user(BlobKind.BLOBS, ANNA))) == 1


@pytest.fixture
def fakes() -> FakeServices:
    """Services in memory."""
    return FakeServices()


def task_run(fakes: FakeServices, *, limit_ms: int) -> TaskRun:
    """A run of the task that has to end at `limit_ms`."""
    task = Task("1" * 32, "strandline.blobs.remove_abandoned", NOW_MS)
    return TaskRun(task, {}, limit_ms, lambda: fakes.now_ms, lambda: None)
