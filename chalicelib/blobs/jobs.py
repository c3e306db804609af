"""The job of blobs. Source: blob-api 4."""

from collections.abc import Callable
from typing import Protocol

from chalicelib.access.call import platform_call
from chalicelib.blobs.content import CleanupOutcome, remove_abandoned
from chalicelib.blobs.ports import BlobPorts
from chalicelib.tasks.types import TaskRun

METRICS = {CleanupOutcome.REMOVED: "AbandonedBlobs", CleanupOutcome.RECOVERED: "RecoveredBlobs"}


class BlobServices(Protocol):
    """The services that the tasks of blobs use."""

    @property
    def new_id(self) -> Callable[[], str]: ...

    @property
    def count(self) -> Callable[[str, int], None]: ...

    @property
    def blobs(self) -> BlobPorts: ...


def remove_abandoned_blobs(run: TaskRun, services: BlobServices) -> None:
    """Remove blobs whose content has not arrived for a day; `data` counts removed and recovered ones."""
    run.data.update({outcome.value: 0 for outcome in CleanupOutcome})
    for outcome in remove_abandoned(platform_call(run.now_ms(), services.new_id), services.blobs):
        run.data[outcome.value] += 1
        services.count(METRICS[outcome], 1)
        run.check_time()
