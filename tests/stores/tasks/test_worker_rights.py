"""The worker of tasks may do what its jobs do, no less and no more: their calls of AWS against its policy."""

import base64
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from chalice.test import Client

from app import app
from chalicelib import services as wiring
from chalicelib.blobs.blob import Collection
from chalicelib.config import Settings
from chalicelib.engine import dynamodb, s3, secrets_manager, sqs
from chalicelib.jobs import TASK_TYPES
from chalicelib.json_text import decode
from chalicelib.services import Services, build_services
from chalicelib.tasks.dispatch import seed_jobs, tick
from chalicelib.tasks.ports import RunOrder
from chalicelib.tasks.task import Place, Task
from chalicelib.tasks.worker import Result, carry_out
from chalicelib.tiles.compact import compact
from chalicelib.tiles.jobs import compaction_ports
from tests.api.conftest import ApiClient, Reply
from tests.infra.rights.given import given, policy
from tests.stores.conftest import SERVER_SECRET
from tests.stores.tasks.tasks_table import create_tasks_table

Right = tuple[str, str]
"""An action, and what it is done to: the last part of an ARN."""

TOKEN = "x-tidepool-session-token"
PASSWORD = "a-good-one?"
CONTENT = b"hello world"
LARGE = 1000
DAYS_LATER_MS = 2 * 86_400_000
ECHO = "strandline.diagnostics.echo"
REBUILD = "strandline.data.rebuild"
TRANSACTED = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}
OF_LAMBDA = frozenset({"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"})
"""Lambda brings messages with the function's own rights."""
OF_LOGS = frozenset({"logs:CreateLogStream", "logs:PutLogEvents"})


class Calls:
    """The rights that calls of AWS need, and by which type of task they were needed first."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.by: str | None = None
        self.rights: dict[Right, str] = {}

    def __call__(self, params: Mapping[str, Any], model: Any, **_: Any) -> None:
        """What botocore calls before it makes a request."""
        if self.by is not None:
            for right in self._needed(model.service_model.service_name, model.name, params):
                self.rights.setdefault(right, self.by)

    def _needed(self, service: str, name: str, params: Mapping[str, Any]) -> Iterator[Right]:
        match service, name:
            case "dynamodb", "TransactWriteItems":
                for each in params["TransactItems"]:
                    ((kind, write),) = each.items()
                    yield f"dynamodb:{TRANSACTED[kind]}", f"table/{write['TableName']}"
            case "dynamodb", "BatchGetItem" | "BatchWriteItem":
                for table in params["RequestItems"]:
                    yield f"dynamodb:{name}", f"table/{table}"
            case "dynamodb", _:
                index = f"/index/{params['IndexName']}" if "IndexName" in params else ""
                yield f"dynamodb:{name}", f"table/{params['TableName']}{index}"
            case "s3", "ListObjectsV2":
                yield "s3:ListBucket", self._settings.bucket
            case "s3", "DeleteObjects":
                for each in params["Delete"]["Objects"]:
                    yield "s3:DeleteObject", self._objects(each["Key"])
            case "s3", "HeadObject":
                yield "s3:GetObject", self._objects(params["Key"])
            case "s3", _:
                yield f"s3:{name}", self._objects(params["Key"])
            case "sqs", _:
                yield f"sqs:{name}", self._settings.tasks_queue

    def _objects(self, key: str) -> str:
        return f"{self._settings.bucket}/{key.partition('/')[0]}/*"


def allowed(settings: Settings) -> set[Right]:
    """What the policy of the worker lets it do."""
    return {(right.action, _resource(right.resource, settings)) for right in given(policy("run_task"))}


def _resource(arn: str, settings: Settings) -> str:
    named = {
        "Stage": settings.stage,
        "AWS::AccountId": settings.account_id,
        "AWS::Partition": "aws",
        "AWS::Region": settings.region,
    }
    for name, value in named.items():
        arn = arn.replace("${" + name + "}", value)
    return arn.split(":", 5)[5]


@pytest.fixture
def calls(stage: Settings) -> Iterator[Calls]:
    """What is called by clients that are made from now on."""
    import boto3

    counted = Calls(stage)
    _start_anew()
    session = boto3.DEFAULT_SESSION
    assert session is not None
    session.events.register("before-parameter-build", counted)
    yield counted
    _start_anew()


def _start_anew() -> None:
    import boto3

    boto3.setup_default_session()
    for adapter in (dynamodb, s3, secrets_manager, sqs):
        adapter.forget_clients()


@pytest.fixture
def services(stage: Settings, calls: Calls) -> Iterator[Services]:
    """The services of a stage with nothing in it, which the application has, too."""
    import boto3

    create_tasks_table(stage)
    boto3.client("sqs", region_name=stage.region).create_queue(QueueName=stage.tasks_queue)
    built = build_services(replace(stage, sign_up="open", takes_metrics=False))
    wiring.override(built)
    yield built
    wiring.override(None)


@pytest.fixture
def api(services: Services) -> Iterator[ApiClient]:
    """The application on these services."""
    with Client(app) as client:
        yield ApiClient(client)


def sign_up(api: ApiClient, name: str) -> tuple[str, str]:
    """Id and token of a new user."""
    email = f"{name}@example.org"
    reply = api.request("POST", "/auth/user", {"username": email, "emails": [email], "password": PASSWORD})
    return reply.json()["userid"], reply.headers[TOKEN]


def done(reply: Reply) -> Reply:
    """The reply, which tells of a success."""
    assert reply.status in (200, 201, 204), reply.body
    return reply


def everything(api: ApiClient, user_id: str, token: str, other_id: str) -> None:
    """All that a user can have, of which a part is deleted or never came."""
    done(api.request("GET", "/auth/login", token=token))
    done(api.request("POST", f"/v1/users/{user_id}/restricted_tokens", {}, token=token))
    done(api.request("POST", f"/access/{user_id}/{other_id}", {"view": {}}, token=token))
    done(api.request("PUT", f"/metadata/{user_id}/profile", {"fullName": "A"}, token=token))
    headers = {"X-Tidepool-Server-Name": "a-server", "X-Tidepool-Server-Secret": SERVER_SECRET}
    server = done(api.request("POST", "/auth/serverlogin", **headers)).headers[TOKEN]
    source = {"providerType": "oauth", "providerName": "test"}
    done(api.request("POST", f"/v1/users/{user_id}/data_sources", source, token=server))
    for is_deleted in (True, False):
        opening = f"/v1/users/{user_id}/data_sets"
        data_set = done(api.request("POST", opening, {"type": "upload", "dataSetType": "continuous"}, token=token))
        path = f"/v1/data_sets/{data_set.json()['data']['id']}"
        for count in (1, LARGE):
            done(api.request("POST", f"{path}/data", [_cbg(number) for number in range(count)], token=token))
        assert api.request("POST", f"{path}/data", [{"type": "none"}], token=token).status == 400
        if is_deleted:
            done(api.request("DELETE", path, token=token))
    _blobs(api, f"/v1/users/{user_id}/blobs", token, **{"Content-Type": "text/plain"})
    span = {"X-Logs-Start-At-Time": "2026-01-01T00:00:00Z", "X-Logs-End-At-Time": "2026-01-01T01:00:00Z"}
    json = {"Content-Type": "application/json; charset=utf-8"}
    _blobs(api, f"/v1/users/{user_id}/device_logs", token, **span, **json)


def _blobs(api: ApiClient, path: str, token: str, **headers: str) -> None:
    """One with its content, and two whose content is to come."""
    digest = base64.b64encode(hashlib.md5(CONTENT, usedforsecurity=False).digest()).decode()
    headers |= {"Digest": f"MD5={digest}"}
    done(api.request("POST", path, CONTENT, token=token, **headers))
    for _ in range(2):
        sized = headers | {"X-Upload-Size": str(len(CONTENT))}
        done(api.request("POST", f"{path}?upload=direct", b"", token=token, **sized))


def _cbg(number: int) -> dict[str, Any]:
    """A record that does not compress well."""
    payload = {"note": hashlib.sha512(str(number).encode()).hexdigest()}
    return {"type": "cbg", "units": "mg/dL", "value": 100, "time": "2026-01-01T00:00:00Z", "payload": payload}


def _arrive(services: Services, user_id: str) -> None:
    """Some of the contents that blobs wait for are there, and their notices were lost."""
    for collection in Collection:
        waiting = [blob for blob in services.blobs.of_user(collection, user_id) if not blob.is_available]
        services.contents.put(waiting[0].content_key, CONTENT, waiting[0].media_type)


def _orders(services: Services, later: Services, user_id: str) -> list[RunOrder]:
    """The orders to the workers, of a later tick that finds all types of tasks."""
    import boto3

    echo = Task("e" * 32, ECHO, services.now_ms(), place=Place.READY)
    services.tasks.add(echo)
    services.tasks.add(replace(echo, id="f" * 32, place=Place.UNKNOWN))
    services.tasks.add(replace(echo, id="d" * 32, type=REBUILD, data={"userId": user_id}))
    seed_jobs(services, TASK_TYPES)
    tick(later, TASK_TYPES)
    client = boto3.client("sqs", region_name=services.settings.region)
    url = client.get_queue_url(QueueName=services.settings.tasks_queue)["QueueUrl"]
    received = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    return [RunOrder(**decode(message["Body"].encode())) for message in received]


def test_the_worker_may_do_what_its_jobs_do_and_nothing_else(
    services: Services, api: ApiClient, calls: Calls, stage: Settings
) -> None:
    (gone, gone_token), (stays, stays_token) = sign_up(api, "gone"), sign_up(api, "stays")
    everything(api, gone, gone_token, stays)
    everything(api, stays, stays_token, gone)
    _arrive(services, stays)
    compact(gone, compaction_ports(services), lambda: None)
    done(api.request("DELETE", f"/auth/user/{gone}", {"password": PASSWORD}, token=gone_token))

    later = replace(services, now_ms=lambda: services.now_ms() + DAYS_LATER_MS)
    orders = _orders(services, later, stays)
    assert sorted(order.task_type for order in orders) == sorted(TASK_TYPES)
    sqs.forget_clients()  # a worker's first order asks for the queue's address
    # The one that was adopted stands in line then, and the worker sends it on.
    for order in sorted(orders, key=lambda order: order.task_type == ECHO):
        calls.by = order.task_type
        ran = carry_out(order, later, TASK_TYPES)
        calls.by = None
        assert ran.error is None
        assert ran.result in (Result.COMPLETED, Result.AGAIN), order.task_type

    of_platform = {right for right in allowed(stage) if right[0] in OF_LAMBDA | OF_LOGS}
    assert {action for action, _ in of_platform} == OF_LAMBDA | OF_LOGS
    assert {right: by for right, by in calls.rights.items() if right not in allowed(stage)} == {}
    assert allowed(stage) - of_platform - calls.rights.keys() == set()
