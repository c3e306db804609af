"""Tasks over HTTP. Source: task-api 1 to 6."""

from chalicelib.api.messages import Answer, Request
from chalicelib.api.operations.tasks import CREATE_TASK, DELETE_TASK, GET_TASK, LIST_TASKS, UPDATE_TASK
from chalicelib.api.routing import ApiBlueprint
from chalicelib.jobs import TASK_TYPES
from chalicelib.tasks import manage as tasks

blueprint = ApiBlueprint(__name__)


@blueprint.operation(LIST_TASKS)
def list_tasks(request: Request) -> Answer:
    """Tasks by name, type and state, newest first, a page of them."""
    return Answer(tasks.list_tasks(request.caller, request.query, tasks=request.services.tasks))


@blueprint.operation(CREATE_TASK)
def create_task(request: Request) -> Answer:
    """Create a task, of any type."""
    ours = request.services
    created = tasks.create(
        request.caller,
        request.json,
        tasks=ours.tasks,
        queue=ours.task_queue,
        known_types=TASK_TYPES,
        now_ms=request.now_ms,
        new_id=ours.new_id,
    )
    return Answer(created)


@blueprint.operation(GET_TASK)
def get_task(request: Request) -> Answer:
    """One task."""
    return Answer(tasks.get(request.caller, request.path["taskId"], tasks=request.services.tasks))


@blueprint.operation(UPDATE_TASK)
def update_task(request: Request) -> Answer:
    """Change a task, in any state."""
    updated = tasks.update(
        request.caller,
        request.path["taskId"],
        request.json,
        tasks=request.services.tasks,
        known_types=TASK_TYPES,
        now_ms=request.now_ms,
    )
    return Answer(updated)


@blueprint.operation(DELETE_TASK)
def delete_task(request: Request) -> Answer:
    """Delete a task, if it is there."""
    tasks.delete(request.caller, request.path["taskId"], tasks=request.services.tasks)
    return Answer()
