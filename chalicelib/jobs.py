"""The task types of the platform. A new one is a function and a line in `TASK_TYPES`.

The function takes a `TaskRun` and the services that it uses, and belongs to the package of its feature. With
`job=Job(every_s=…)` it is a job of the platform: the first tick after a deployment adds its task, which the API shows
under the name of the type.
"""

from typing import Protocol

from chalicelib.blobs.jobs import BlobServices, remove_abandoned_blobs
from chalicelib.conflicts import WriteConflictError
from chalicelib.erasure import ErasureServices, erase_deleted_users
from chalicelib.tasks.ports import TaskPorts
from chalicelib.tasks.task import with_schedule_state
from chalicelib.tasks.types import Job, Registry, TaskFailedError, TaskRun, TaskType, registry
from chalicelib.tiles.jobs import compact_marked, rebuild_tiles, verify_tiles
from chalicelib.tiles.ports import TileServices
from chalicelib.tiles.purge import purge
from chalicelib.unanswered_sign_ups import SignUpServices, delete_unanswered


class AdoptionServices(Protocol):
    """The services that the adoption of tasks uses."""

    @property
    def tasks(self) -> TaskPorts: ...


class JobServices(AdoptionServices, BlobServices, TileServices, ErasureServices, SignUpServices, Protocol):
    """The services that the functions of all task types use."""


def echo(run: TaskRun, _services: object) -> None:
    """Copy `data.message` to `data.echo`, or fail if `data.fail` is a text or true: a task for testing a stage.

    Raises:
        TaskFailedError: `data.fail` asks for it; a text becomes the detail of the error.
    """
    fail = run.data.get("fail")
    if fail:
        raise TaskFailedError(fail if isinstance(fail, str) else "told to fail", code="told-to-fail")
    if "message" in run.data:
        run.data["echo"] = run.data["message"]


def adopt_tasks(run: TaskRun, services: AdoptionServices) -> None:
    """Schedule the tasks that were created before their type was registered; `data.adopted` counts them."""
    ports = services.tasks
    run.data["adopted"] = 0
    for type_name in TASK_TYPES:
        for task_id in ports.tasks.unknown_ids(type_name):
            run.check_time()
            task = ports.tasks.find(task_id)
            if task is None:
                continue
            adopted = with_schedule_state(task, TASK_TYPES, run.now_ms())
            if adopted.schedule_state is not task.schedule_state:
                try:
                    ports.tasks.replace(adopted)
                except WriteConflictError:
                    continue  # the other writer has put it on the schedule
                run.data["adopted"] += 1


TASK_TYPES: Registry[JobServices] = registry(
    (
        TaskType("strandline.diagnostics.echo", echo, typical_s=20, max_concurrency=5),
        TaskType("strandline.accounts.erase", erase_deleted_users, typical_s=60, job=Job(every_s=900)),
        TaskType("strandline.accounts.delete_unanswered", delete_unanswered, typical_s=60, job=Job(every_s=86_400)),
        TaskType("strandline.blobs.remove_abandoned", remove_abandoned_blobs, typical_s=120, job=Job(every_s=3600)),
        TaskType("strandline.data.compact", compact_marked, typical_s=300, job=Job(every_s=600)),
        TaskType("strandline.data.rebuild", rebuild_tiles, typical_s=360),
        TaskType("strandline.data.verify", verify_tiles, typical_s=300, max_concurrency=2, job=Job(every_s=86_400)),
        TaskType("strandline.data.purge", purge, typical_s=240, job=Job(every_s=3600)),
        TaskType("strandline.tasks.adopt", adopt_tasks, typical_s=60, job=Job(every_s=3600)),
    )
)
"""All task types that this version of the platform runs."""
