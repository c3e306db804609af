"""Tasks over HTTP. Source: task-api 1 to 6."""

from chalicelib.access.idempotency import once
from chalicelib.api.messages import Reply, Request, idempotency_key
from chalicelib.api.operations.tasks import CREATE_TASK, DELETE_TASK, GET_TASK, LIST_TASKS, UPDATE_TASK
from chalicelib.api.routing import ApiBlueprint
from chalicelib.jobs import TASK_TYPES
from chalicelib.tasks import manage as tasks

blueprint = ApiBlueprint(__name__)


@blueprint.operation(LIST_TASKS)
def list_tasks(request: Request) -> Reply:
    """A page of tasks by name, type and state, newest first."""
    return Reply(tasks.list_tasks(request.call, request.query, request.services.tasks))


@blueprint.operation(CREATE_TASK)
def create_task(request: Request) -> Reply:
    """The new task, of any type."""
    call = once(request.call, "task", request.caller.user_id or "", idempotency_key(request))
    return Reply(tasks.create(call, request.json, TASK_TYPES, request.services.tasks))


@blueprint.operation(GET_TASK)
def get_task(request: Request) -> Reply:
    """One task."""
    return Reply(tasks.get(request.call, request.path["taskId"], request.services.tasks))


@blueprint.operation(UPDATE_TASK)
def update_task(request: Request) -> Reply:
    """The task after the change, in any state."""
    changed = tasks.update(request.call, request.path["taskId"], request.json, TASK_TYPES, request.services.tasks)
    return Reply(changed)


@blueprint.operation(DELETE_TASK)
def delete_task(request: Request) -> Reply:
    """Empty, once the task is deleted, or if there was none."""
    tasks.delete(request.call, request.path["taskId"], request.services.tasks)
    return Reply()
