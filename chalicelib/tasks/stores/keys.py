"""The keys of the tasks table: every item of it is named here and nowhere else. See docs/access-patterns-tasks.md.

| item | pk |
| --- | --- |
| task | `TASK#<id>` |
| name of a task | `NAME#<SHA-256 of the name>` |
| slot of a type | `SLOT#<type>#<number>` |

| index | partition | sort key |
| --- | --- | --- |
| due | `due` | `r#<type>#<inverted priority>#<time>#<id>` for a ready task, `t#<time of next action>#<id>` for one whose time is to come |
| due | `unknown` | `<hash of the type>#<id>` for a pending task of a type that nothing runs |
| created | `tasks` | `<time of creation>#<id>` for every task |
"""  # noqa: E501  a table

import hashlib

from chalicelib.engine.table import Item, Key
from chalicelib.tasks.task import ScheduleState, Task

DUE_INDEX = "due"
DUE = "due"
UNKNOWN = "unknown"
CREATED_INDEX = "created"
CREATED = "tasks"

FIRST_READY = "r#"
FIRST_TIMED = "t#"
_AFTER_SEPARATOR = "$"
"""The character after `#`."""
_HIGHEST_PRIORITY = 2**63 - 1
MAX_ID_BYTES = 1024
"""Ids come from paths, and a key has at most 2048 bytes; no task is stored under a longer id."""


def task_key(task_id: str) -> Key:
    """The key of a task."""
    return {"pk": f"TASK#{task_id}"}


def task_id_of(item: Item) -> str:
    """The id of a task, from its key."""
    return str(item["pk"]).removeprefix("TASK#")


def name_key(name: str) -> Key:
    """The key of the item that reserves a name for one task; names may be longer than keys."""
    return {"pk": f"NAME#{_digest(name)}"}


def slot_key(task_type: str, number: int) -> Key:
    """The key of a slot."""
    return {"pk": f"SLOT#{task_type}#{number}"}


def created_attributes(task: Task) -> Item:
    """The attributes that put a task into the list of all tasks."""
    return {"created_pk": CREATED, "created_sk": f"{_time(task.created_time_ms)}#{task.id}"}


def due_attributes(task: Task) -> Item:
    """The attributes by which the runner finds a task; none for an unscheduled one."""
    match task.schedule_state:
        case ScheduleState.READY:
            since_ms = task.created_time_ms if task.available_time_ms is None else task.available_time_ms
            rank = f"{_HIGHEST_PRIORITY - task.priority:020d}#{_time(since_ms)}#{task.id}"
            return _due(DUE, ready_prefix(task.type) + rank)
        case ScheduleState.LATER:
            return _due(DUE, f"{FIRST_TIMED}{_time(task.available_time_ms or 0)}#{task.id}")
        case ScheduleState.RUNNING:
            return _due(DUE, f"{FIRST_TIMED}{_time(task.deadline_time_ms or 0)}#{task.id}")
        case ScheduleState.UNKNOWN:
            return _due(UNKNOWN, unknown_prefix(task.type) + task.id)
        case ScheduleState.UNSCHEDULED:
            return {}


def ready_prefix(task_type: str) -> str:
    """The prefix of the line of a type."""
    return f"{FIRST_READY}{task_type}#"


def unknown_prefix(task_type: str) -> str:
    """The prefix of tasks of an unregistered type. Clients choose types, of any length."""
    return f"{_digest(task_type)}#"


def timed_until(now_ms: int) -> str:
    """The sort key between the tasks that are due for their next action and the others."""
    return f"{FIRST_TIMED}{_time(now_ms)}{_AFTER_SEPARATOR}"


def _due(pk: str, sk: str) -> Item:
    return {"due_pk": pk, "due_sk": sk}


def _time(time_ms: int) -> str:
    """A time that sorts as text; times before 1970 are all the same."""
    return f"{max(time_ms, 0):015d}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
