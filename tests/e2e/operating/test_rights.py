"""Tests the policies in use: without a statement, the step that needs it fails; with it, the step succeeds.

The engine looks a role's policy up at each request, so one local cloud is enough for all: a statement is taken away
and put back by IAM. That the policies grant what the functions need is proved in tests/infra.
"""

import base64
import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import pytest

from chalicelib.config import Settings
from tests.e2e.client import PASSWORD, Client, User
from tests.e2e.conftest import aws_client
from tests.e2e.test_blobs import HELLO, open_upload, put, store
from tests.e2e.test_tasks import SCHEDULED

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

    from tests.e2e.conftest import Platform

ECHO = "strandline.diagnostics.echo"
STAGE = Settings()
RUN_WITHIN_S = 60


class Stage:
    """A stage as the steps use it: an account, a server, and the functions."""

    def __init__(self, cloud: "Platform", server: Client) -> None:
        self.user = User(cloud.base_url)
        self.server = server
        self._functions: LambdaClient = aws_client(cloud, "lambda")
        self._iam = aws_client(cloud, "iam")
        functions = self._functions.list_functions()["Functions"]
        self._roles = {function["FunctionName"]: function["Role"].rpartition("/")[2] for function in functions}

    def invoke(self, function: str, event: Mapping[str, Any]) -> str:
        """Invoke a function with an event; return `done`, or why the event must be delivered again."""
        reply = self._functions.invoke(FunctionName=self._name(function), Payload=json.dumps(event))
        answer = json.loads(reply["Payload"].read())
        if "FunctionError" in reply:
            return str(answer["errorMessage"])
        return "again" if answer and answer["batchItemFailures"] else "done"

    def _name(self, function: str) -> str:
        logical = "APIHandler" if function == "api_handler" else function.title().replace("_", "")
        (name,) = [role for role in self._roles if f"-local-app-{logical}-" in f"-{role}-"]
        return str(name)

    @contextmanager
    def without(self, function: str, statement: str) -> Iterator[None]:
        """A statement of a function's policy is not there."""
        role = self._roles[self._name(function)]
        (name,) = self._iam.list_role_policies(RoleName=role)["PolicyNames"]
        whole: Any = self._iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        rest = [kept for kept in whole["Statement"] if kept["Sid"] != statement]
        assert len(rest) == len(whole["Statement"]) - 1
        changed = json.dumps({**whole, "Statement": rest})
        self._iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=changed)
        try:
            yield
        finally:
            self._iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(whole))


@pytest.fixture(scope="module")
def stage(cloud: "Platform", server: Client) -> Stage:
    """The stage of the local cloud."""
    return Stage(cloud, server)


# The steps: each tells what came of it.


def sign_in(stage: Stage) -> str:
    """A user signs in."""
    credentials = base64.b64encode(f"{stage.user.email}:{PASSWORD}".encode()).decode()
    headers = {"Authorization": f"Basic {credentials}"}
    return str(Client(stage.user.base_url).request("POST", "/auth/login", headers=headers).status)


def open_data_set(stage: Stage) -> str:
    """A user opens a data set."""
    description = {"type": "upload", "dataSetType": "continuous"}
    return str(stage.user.request("POST", f"/v1/users/{stage.user.id}/data_sets", description).status)


def store_blob(stage: Stage) -> str:
    """A user sends a small blob."""
    return str(store(stage.user, HELLO).status)


def upload(stage: Stage) -> str:
    """A user sends a content to an address that the API signed: S3 asks for the rights of who signed it."""
    opened = open_upload(stage.user, HELLO)
    assert opened.status == 201, opened.body
    return str(put(opened.json()["upload"], HELLO).status)


def list_tasks(stage: Stage) -> str:
    """A server lists tasks."""
    return str(stage.server.request("GET", f"/v1/tasks?type={ECHO}").status)


def create_task(stage: Stage) -> str:
    """A server creates a task."""
    task = {"type": ECHO, "availableTime": "2099-01-01T00:00:00Z"}
    return str(stage.server.request("POST", "/v1/tasks", task).status)


def confirm(stage: Stage) -> str:
    """A notice comes of a content that is not there yet: its blob is looked up, and the object is looked for."""
    opened = open_upload(stage.user, HELLO).json()
    key = unquote(urlsplit(opened["upload"]["url"]).path).partition(f"/{STAGE.bucket}/")[2]
    notice = {"Records": [{"eventName": "ObjectCreated:Put", "s3": {"object": {"key": key}}}]}
    return stage.invoke("on_object_created", message(json.dumps(notice), STAGE.blob_events_queue))


def keep_events(stage: Stage) -> str:
    """A shard delivers an event: it is archived and counted."""
    event = {
        "type": "metrics:create",
        "id": secrets.token_hex(16),
        "time": "2026-02-11T06:29:59.100Z",
        "user": "a-hash",
        "eventName": f"rights {secrets.token_hex(4)}",
        "event": {},
        "params": {},
        "url": "/",
        "method": "GET",
    }
    data = base64.b64encode(json.dumps(event).encode()).decode()
    record = {
        "eventID": f"shardId-{secrets.token_hex(4)}:1",
        "eventSource": "aws:kinesis",
        "kinesis": {"sequenceNumber": "1", "data": data, "partitionKey": "a"},
    }
    return stage.invoke("on_metrics", {"Records": [record]})


def dispatch(stage: Stage) -> str:
    """A tick comes: tasks that are due are looked for."""
    return stage.invoke("dispatch_tasks", SCHEDULED)


def wake(stage: Stage) -> str:
    """A worker is to start what stands in the line of a type."""
    return stage.invoke("run_task", message(json.dumps({"wake": ECHO}), STAGE.tasks_queue))


def run_late_message(stage: Stage) -> str:
    """A worker gets a late run message: it looks at the task, which is gone."""
    claimed_ms = time.time_ns() // 1_000_000
    order = {"task_id": "gone", "task_type": ECHO, "run_time_ms": claimed_ms, "slot_number": 0, "slot_holder": "nobody"}
    return stage.invoke("run_task", message(json.dumps(order), STAGE.tasks_queue))


def erase(stage: Stage) -> str:
    """A worker runs the job that erases deleted users."""
    return run_task(stage, "strandline.accounts.erase", {})


def rebuild(stage: Stage) -> str:
    """A worker rebuilds a user's tiles from archive and log, and archives the entries that it read from the log."""
    data_set = stage.user.open_data_set({"type": "upload", "dataSetType": "continuous"})
    record = {"type": "cbg", "units": "mmol/L", "value": 5.5, "time": "2026-01-01T00:00:00Z"}
    stage.user.add(f"/v1/data_sets/{data_set}/data", [record])
    return run_task(stage, "strandline.data.rebuild", {"userId": stage.user.id})


def run_task(stage: Stage, task_type: str, data: Mapping[str, Any]) -> str:
    """A worker starts a task, which another one runs; what came of the run."""
    task = stage.server.request("POST", "/v1/tasks", {"type": task_type, "priority": 9, "data": data}).json()
    assert stage.invoke("run_task", message(json.dumps({"wake": task_type}), STAGE.tasks_queue)) == "done"
    deadline = time.monotonic() + RUN_WITHIN_S
    while True:
        found = stage.server.request("GET", f"/v1/tasks/{task['id']}").json()
        if "duration" in found:
            stage.server.request("DELETE", f"/v1/tasks/{task['id']}")
            return "done" if "error" not in found else str(found["error"]["meta"]["error"])
        assert time.monotonic() < deadline, found
        time.sleep(0.1)


def message(body: str, queue: str) -> dict[str, Any]:
    """An event of a queue."""
    record = {"messageId": secrets.token_hex(8), "receiptHandle": "a", "body": body, "attributes": {}}
    arn = f"arn:aws:sqs:{STAGE.region}:{STAGE.account_id}:{queue}"
    return {"Records": [record | {"eventSource": "aws:sqs", "eventSourceARN": arn, "awsRegion": STAGE.region}]}


@dataclass(frozen=True, slots=True)
class Proof:
    """A statement, the step that needs it, and what comes of the step with it and without."""

    function: str
    statement: str
    step: Callable[[Stage], str]
    with_it: str
    without_it: str

    def __str__(self) -> str:
        return f"{self.function}: {self.statement}"


DENIED = "RuntimeError"
"""A refusal by AWS is a defect of the deployment; a function tells nobody but its log which."""
PROOFS = (
    Proof("api_handler", "Accounts", sign_in, "200", "500"),
    Proof("api_handler", "Data", open_data_set, "201", "500"),
    Proof("api_handler", "Blobs", store_blob, "201", "500"),
    Proof("api_handler", "Contents", upload, "200", "403"),
    Proof("api_handler", "ListOfTasks", list_tasks, "200", "500"),
    Proof("api_handler", "Tasks", create_task, "201", "500"),
    Proof("on_object_created", "Blobs", confirm, "done", "again"),
    Proof("on_object_created", "Contents", confirm, "done", "again"),
    Proof("on_metrics", "Archive", keep_events, "done", DENIED),
    Proof("on_metrics", "CountsAndLedgers", keep_events, "done", DENIED),
    Proof("dispatch_tasks", "DueTasks", dispatch, "done", DENIED),
    Proof("run_task", "DueTasks", wake, "done", DENIED),
    Proof("run_task", "Tasks", run_late_message, "done", DENIED),
    Proof("run_task", "AccountsOfDeletedUsersAndOfMail", erase, "done", DENIED),
    Proof("run_task", "LogArchive", rebuild, "done", DENIED),
)


@pytest.mark.parametrize("proof", PROOFS, ids=str)
def test_a_step_is_refused_without_its_statement_and_done_with_it(stage: Stage, proof: Proof) -> None:
    with stage.without(proof.function, proof.statement):
        assert proof.step(stage) == proof.without_it
    assert proof.step(stage) == proof.with_it
