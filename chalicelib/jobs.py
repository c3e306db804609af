"""The task types of the platform. To add one: a function, and a line in `TASK_TYPES`.

The function takes a `TaskRun` and the services that it uses, and belongs to
the module of its feature when it has one. `job=Job(every_s=…)` makes it a job of the platform, seeded by the first tick
after a deployment and visible in the API under its type's name.
"""

from typing import Protocol

from chalicelib.blobs.jobs import BlobServices, remove_abandoned_blobs
from chalicelib.conflicts import WriteConflictError
from chalicelib.erasure import ErasureServices, erase_deleted_users
from chalicelib.tasks.ports import TaskServices
from chalicelib.tasks.task import with_schedule_state
from chalicelib.tasks.types import Job, Registry, TaskFailedError, TaskRun, TaskType, registry
from chalicelib.tiles.jobs import compact_marked, rebuild_tiles, verify_tiles
from chalicelib.tiles.ports import TileServices
from chalicelib.tiles.purge import purge


class JobServices(TaskServices, BlobServices, TileServices, ErasureServices, Protocol):
    """The services that the functions of all task types use."""


def echo(run: TaskRun, _services: object) -> None:
    """Copies `data.message` to `data.echo`, or fails when `data.fail` is a text or true: to try a stage with.

    Raises:
        TaskFailedError: `data.fail` says so; a text is the error's detail.
    """
    fail = run.data.get("fail")
    if fail:
        raise TaskFailedError(fail if isinstance(fail, str) else "told to fail", code="told-to-fail")
    if "message" in run.data:
        run.data["echo"] = run.data["message"]


def adopt_tasks(run: TaskRun, services: TaskServices) -> None:
    """Lets tasks run that were created before their type was registered; `data.adopted` counts them."""
    adopted = 0
    run.data["adopted"] = 0
    for type_name in TASK_TYPES:
        for task_id in services.tasks.tasks.unknown_ids(type_name):
            run.check_time()
            task = services.tasks.tasks.find(task_id)
            if task is None:
                continue
            known = with_schedule_state(task, TASK_TYPES, services.now_ms())
            if known.schedule_state is not task.schedule_state:
                try:
                    services.tasks.tasks.replace(known)
                except WriteConflictError:
                    continue  # whoever was first has put it into its place
                adopted += 1
                run.data["adopted"] = adopted


TASK_TYPES: Registry[JobServices] = registry(
    (
        TaskType("strandline.diagnostics.echo", echo, typical_s=20, max_concurrency=5),
        TaskType("strandline.accounts.erase", erase_deleted_users, typical_s=60, job=Job(every_s=900)),
        TaskType("strandline.blobs.remove_abandoned", remove_abandoned_blobs, typical_s=120, job=Job(every_s=3600)),
        TaskType("strandline.data.compact", compact_marked, typical_s=300, job=Job(every_s=600)),
        TaskType("strandline.data.rebuild", rebuild_tiles, typical_s=360),
        TaskType("strandline.data.verify", verify_tiles, typical_s=300, max_concurrency=2, job=Job(every_s=86_400)),
        TaskType("strandline.data.purge", purge, typical_s=240, job=Job(every_s=3600)),
        TaskType("strandline.tasks.adopt", adopt_tasks, typical_s=60, job=Job(every_s=3600)),
    )
)
"""Every type that this version of the platform runs."""
