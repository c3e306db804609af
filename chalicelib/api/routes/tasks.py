"""Tasks over HTTP. Source: task-api 1 to 6."""

from chalicelib.api.messages import Reply, Request
from chalicelib.api.operations.tasks import CREATE_TASK, DELETE_TASK, GET_TASK, LIST_TASKS, UPDATE_TASK
from chalicelib.api.routing import ApiBlueprint
from chalicelib.jobs import TASK_TYPES
from chalicelib.tasks import manage as tasks

blueprint = ApiBlueprint(__name__)


@blueprint.operation(LIST_TASKS)
def list_tasks(request: Request) -> Reply:
    """Tasks by name, type and state, newest first, a page of them."""
    return Reply(tasks.list_tasks(request.caller, request.query, tasks=request.services.tasks.tasks))


@blueprint.operation(CREATE_TASK)
def create_task(request: Request) -> Reply:
    """Create a task, of any type."""
    ours = request.services
    created = tasks.create(
        request.caller,
        request.json,
        tasks=ours.tasks.tasks,
        queue=ours.tasks.queue,
        known_types=TASK_TYPES,
        now_ms=request.now_ms,
        new_id=ours.new_id,
    )
    return Reply(created)


@blueprint.operation(GET_TASK)
def get_task(request: Request) -> Reply:
    """One task."""
    return Reply(tasks.get(request.caller, request.path["taskId"], tasks=request.services.tasks.tasks))


@blueprint.operation(UPDATE_TASK)
def update_task(request: Request) -> Reply:
    """Change a task, in any state."""
    updated = tasks.update(
        request.caller,
        request.path["taskId"],
        request.json,
        tasks=request.services.tasks.tasks,
        known_types=TASK_TYPES,
        now_ms=request.now_ms,
    )
    return Reply(updated)


@blueprint.operation(DELETE_TASK)
def delete_task(request: Request) -> Reply:
    """Delete a task, if it is there."""
    tasks.delete(request.caller, request.path["taskId"], tasks=request.services.tasks.tasks)
    return Reply()
