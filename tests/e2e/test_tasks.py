"""Tasks on a platform: the schedule, the dispatcher, the queue and the workers as they are deployed."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.client import Client
from tests.e2e.conftest import aws_client

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

    from tests.e2e.conftest import Platform

ECHO = "strandline.diagnostics.echo"
RUNS_WITHIN_S = 65
SEEDED_WITHIN_S = 90
RECOVERED_WITHIN_S = 240
DISPATCHERS = 8
TASKS = 60
KILLED = 2
PAUSED_AFTER_S = 2
"""By then the engine has taken its last look at the queue."""
SCHEDULED = {
    "version": "0",
    "account": "000000000000",
    "region": "us-east-1",
    "source": "aws.events",
    "id": "an-event",
    "time": "2026-01-01T00:00:00Z",
    "detail-type": "Scheduled Event",
    "detail": {},
    "resources": [],
}


@pytest.fixture(scope="module")
def functions(cloud: "Platform") -> "LambdaClient":
    """The local cloud's Lambda."""
    client: LambdaClient = aws_client(cloud, "lambda")
    return client


def create(server: Client, **members: Any) -> dict[str, Any]:
    """A new echo task."""
    reply = server.request("POST", "/v1/tasks", {"type": ECHO} | members)
    assert reply.status == 201, reply.body
    task: dict[str, Any] = reply.json()
    return task


def get(server: Client, task_id: str) -> dict[str, Any]:
    """The task as it is now."""
    task: dict[str, Any] = server.request("GET", f"/v1/tasks/{task_id}").json()
    return task


def dispatch(functions: "LambdaClient", name: str) -> None:
    """Invoke the dispatcher once more than its schedule does."""
    answer = functions.invoke(FunctionName=name, Payload=json.dumps(SCHEDULED))
    assert "FunctionError" not in answer


def function_name(functions: "LambdaClient", part: str) -> str:
    """The name of the local stage's function that has this part; other tests may leave stages of their own behind."""
    names = [function["FunctionName"] for function in functions.list_functions()["Functions"]]
    (name,) = [name for name in names if f"-local-app-{part}-" in f"-{name}-"]
    return name


def test_tasks_can_be_created_found_changed_and_deleted(server: Client) -> None:
    later = {"availableTime": "2099-02-07T02:37:46.1239+02:00", "name": f"e2e {time.time_ns()}"}
    task = create(server, data={"any": ["thing", None]}, priority=-3, **later)
    assert server.request("POST", "/v1/tasks", {"type": ECHO, "name": task["name"]}).status == 409
    stored = task | {"availableTime": "2099-02-07T00:37:46.123Z"}
    path = f"/v1/tasks/{task['id']}"
    assert get(server, task["id"]) == stored
    assert server.request("GET", f"/v1/tasks?type={ECHO}&state=pending&size=1000").json()[0] == stored
    changed = server.request("PUT", path, {"priority": 4}).json()
    assert changed == stored | {"priority": 4, "modifiedTime": changed["modifiedTime"]}
    for _ in range(2):
        reply = server.request("DELETE", path)
        assert (reply.status, reply.body) == (200, b"")
    assert server.request("GET", path).status == 404
    assert server.request("GET", f"/v1/tasks?name={task['name'].replace(' ', '%20')}").json() == []


@pytest.mark.slow
def test_a_task_runs_within_a_minute_and_its_state_can_be_seen_all_along(server: Client) -> None:
    started = time.monotonic()
    works = create(server, data={"message": {"deep": [1]}})
    fails = create(server, data={"fail": "because"})
    expired = create(server, expirationTime=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
    assert works["state"] == "pending"
    seen = {"pending"}
    while (task := get(server, works["id"]))["state"] != "completed":
        assert time.monotonic() - started < RUNS_WITHIN_S
        seen.add(task["state"])
        time.sleep(0.25)
    assert seen <= {"pending", "running"}
    assert task["data"] == {"message": {"deep": [1]}, "echo": {"deep": [1]}}
    assert task["createdTime"] < task["runTime"] <= task["modifiedTime"]
    assert not task.keys() & {"availableTime", "deadlineTime", "error"}
    while (failed := get(server, fails["id"]))["state"] != "failed":
        assert time.monotonic() - started < RUNS_WITHIN_S
        time.sleep(0.25)
    assert failed["error"] == {"code": "told-to-fail", "detail": "because"}
    assert get(server, expired["id"]) == expired | {"expirationTime": get(server, expired["id"])["expirationTime"]}


@pytest.mark.slow
def test_the_platforms_own_jobs_can_be_seen(server: Client) -> None:
    deadline = time.monotonic() + SEEDED_WITHIN_S
    while not (found := server.request("GET", "/v1/tasks?name=strandline.tasks.adopt").json()):
        assert time.monotonic() < deadline
        time.sleep(1)
    assert (found[0]["type"], found[0]["priority"]) == ("strandline.tasks.adopt", 5)


@pytest.mark.slow
def test_no_task_is_lost_if_workers_die(cloud: "Platform", server: Client, functions: "LambdaClient") -> None:
    tasks = [create(server, data={"message": number}, priority=number % 3) for number in range(TASKS)]
    dispatcher = function_name(functions, "DispatchTasks")
    with no_workers(functions):
        with ThreadPoolExecutor(DISPATCHERS) as pool:
            for tick in [pool.submit(dispatch, functions, dispatcher) for _ in range(DISPATCHERS)]:
                tick.result()
        orphans = running(server)
        lose_messages(cloud)
    assert orphans
    deadline = time.monotonic() + RECOVERED_WITHIN_S
    open_ids = {task["id"] for task in tasks}
    killed = 0
    while open_ids:
        assert time.monotonic() < deadline, len(open_ids)
        if killed < KILLED:
            killed += kill_a_worker(cloud)
        time.sleep(1)
        dispatch(functions, dispatcher)
        completed = server.request("GET", f"/v1/tasks?type={ECHO}&state=completed&size=1000").json()
        open_ids -= {task["id"] for task in completed}
    for number, task in enumerate(tasks):
        done = get(server, task["id"])
        assert done["data"] == {"message": number, "echo": number}
        assert "error" not in done
        assert done["runTime"] != orphans.get(task["id"])


def running(server: Client) -> dict[str, str]:
    """The times at which running echo tasks were claimed, by task id."""
    tasks = server.request("GET", f"/v1/tasks?type={ECHO}&state=running&size=1000").json()
    return {task["id"]: task["runTime"] for task in tasks}


@contextmanager
def no_workers(functions: "LambdaClient") -> Iterator[None]:
    """No message reaches a worker."""
    (mapping,) = functions.list_event_source_mappings(FunctionName=function_name(functions, "RunTask"))[
        "EventSourceMappings"
    ]
    functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    try:
        time.sleep(PAUSED_AFTER_S)
        yield
    finally:
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)


def lose_messages(cloud: "Platform") -> None:
    """All messages that wait now are lost, as if workers had died with them."""
    sqs = aws_client(cloud, "sqs")
    url = sqs.get_queue_url(QueueName="strandline-local-tasks")["QueueUrl"]
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def kill_a_worker(cloud: "Platform") -> int:
    """Ends a worker of this cloud, if one is there, in the midst of whatever it does; how many were ended."""
    listed = subprocess.run(["ps", "-A", "-ww", "-o", "pid=,args="], capture_output=True, text=True, check=True).stdout
    workers = [line for line in listed.splitlines() if f"{cloud.data_dir}/" in line and "-RunTask-" in line]
    if not workers:
        return 0
    with suppress(ProcessLookupError):
        os.kill(int(workers[0].split()[0]), signal.SIGKILL)
    return 1
