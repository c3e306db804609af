"""The operations of the task API: for servers only. Source: task-api 1."""

from chalicelib.access.policy import SERVERS
from chalicelib.api.operations.operation import Operation

LIMIT_BYTES = 300_000
"""A task is one item, and an item takes 400 KB. The rest is left for what a run adds to the data."""

LIST_TASKS = Operation("tasks.list", "GET", ("/v1/tasks",), SERVERS, summary="Tasks, newest first")
CREATE_TASK = Operation(
    "tasks.create",
    "POST",
    ("/v1/tasks",),
    SERVERS,
    success_status=201,
    summary="Create a task",
    limit_bytes=LIMIT_BYTES,
)
GET_TASK = Operation("tasks.get", "GET", ("/v1/tasks/{taskId}",), SERVERS, summary="One task")
UPDATE_TASK = Operation(
    "tasks.update",
    "PUT",
    ("/v1/tasks/{taskId}",),
    SERVERS,
    summary="Change priority, data or times of a task",
    limit_bytes=LIMIT_BYTES,
)
DELETE_TASK = Operation("tasks.delete", "DELETE", ("/v1/tasks/{taskId}",), SERVERS, summary="Delete a task")

TASK_OPERATIONS: tuple[Operation, ...] = (LIST_TASKS, CREATE_TASK, GET_TASK, UPDATE_TASK, DELETE_TASK)
