"""A stage on moto and on the small DynamoDB, the application on top of it, and a record of the rights that its
functions need. Moto would copy and sort whole tables at each transaction and query, which took nine tenths of the time.
"""

import io
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from inspect import isfunction
from typing import Any

import boto3
import pytest
from cfnlint.decode.cfn_yaml import load
from chalice.test import Client
from moto import mock_aws
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.ses.models import ses_backends

from app import app
from chalicelib import services as wiring
from chalicelib.config import Settings
from chalicelib.engine.aws import clients, sqs
from chalicelib.engine.aws.engine import aws_engine
from chalicelib.metrics.stores import stream as metrics_stream
from chalicelib.observability import logger
from chalicelib.services import Services, build_services
from chalicelib.tasks.stores import queue as tasks_queue
from tests.api.conftest import ApiClient, Reply
from tests.engine.sent import hooked
from tests.fakes.dynamodb.server import dynamo_server
from tests.fakes.passwords import FakePasswords
from tests.infra.rights.declared import API
from tests.infra.rights.recorder import Recorder, UnknownRequestError
from tools.project import STATEFUL_TEMPLATE

BASE_URL = "https://strandline.example.org"
PASSWORD = "a-good-one?"
SECRET = "what Secrets Manager generated"
TOKEN = "x-tidepool-session-token"
SUCCESSES = range(200, 400)
SETTINGS = Settings(
    stage="rights",
    base_url=BASE_URL,
    sign_up="invitation",
    mail_from="strandline@example.org",
    partner_sectors={"twiist": ("https://twiist.example.org",)},
)


@dataclass(frozen=True, slots=True)
class User:
    """Someone who signed up."""

    id: str
    token: str
    email: str


class Stage:
    """The functions of a stage whose requests to AWS are recorded."""

    def __init__(self, recorder: Recorder, client: Client, log: io.StringIO) -> None:
        self.recorder = recorder
        self._client = client
        self._api = ApiClient()
        self._log = log
        self._passed_ms = 0
        self._server: str | None = None
        self._acted_last = ""
        self.use_case = ""
        built = build_services(SETTINGS, aws_engine(SETTINGS))
        tiles = replace(built.tiles, now_ms=self.now_ms)
        tasks = replace(built.tasks, now_ms=self.now_ms)
        self.services: Services = replace(built, now_ms=self.now_ms, tiles=tiles, tasks=tasks)

    def now_ms(self) -> int:
        """The clock of the functions."""
        return wiring.system_now_ms() + self._passed_ms

    def pass_time(self, hours: float) -> None:
        """Sets the clock of the functions forward; a server has to sign in again then."""
        self._server = None
        self._passed_ms += int(hours * 3_600_000)

    def request(self, method: str, path: str, body: Any = None, *, token: str | None = None, **headers: str) -> Reply:
        """The reply of `api_handler`, which has to be a success."""
        reply = self._request(method, path, body, token, headers)
        assert reply.status in SUCCESSES, (method, path, reply)
        return reply

    def request_for(
        self, status: int, method: str, path: str, body: Any = None, *, token: str | None = None, **headers: str
    ) -> Reply:
        """The reply of `api_handler`, which has to have this status."""
        reply = self._request(method, path, body, token, headers)
        assert reply.status == status, (method, path, reply)
        return reply

    def _request(self, method: str, path: str, body: Any, token: str | None, headers: Mapping[str, str]) -> Reply:
        with self._acting_as(API):
            return self._api.request(method, path, body, token=token, **headers)

    def send(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        """The reply of `api_handler` with any status, as the apps of `tests.fakes.oidc_app` ask for it."""
        with self._acting_as(API):
            return self._api.request(method, path, body, **headers)

    def invoke(self, function: str, event: Any) -> Any:
        """The reply of a function to an event."""
        with self._acting_as(function):
            return self._client.lambda_.invoke(function, event).payload

    def invoke_with_messages(self, function: str, queue: str, bodies: list[str]) -> Any:
        """The reply of a function to messages of a queue."""
        return self.invoke(function, self._client.events.generate_sqs_event(bodies, queue))

    def tick(self) -> None:
        """Run the dispatcher once."""
        self.invoke("dispatch_tasks", self._client.events.generate_cw_event("aws.events", "Scheduled Event", {}, []))

    def take_messages(self) -> list[dict[str, Any]]:
        """Takes the messages to the workers out of their queue."""
        queues = boto3.client("sqs", region_name=SETTINGS.region)
        url = queues.get_queue_url(QueueName=SETTINGS.tasks_queue)["QueueUrl"]
        messages = []
        while received := queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in received:
                queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                messages.append(json.loads(message["Body"]))
        return messages

    def run_tasks(self) -> None:
        """Lets workers take the messages in their queue, and those that follow from them."""
        while messages := self.take_messages():
            for message in messages:
                self.invoke_with_messages("run_task", SETTINGS.tasks_queue, [json.dumps(message)])

    def mailed_key(self, page: str) -> str:
        """The key in the last mail with a link to this page."""
        sent = ses_backends[DEFAULT_ACCOUNT_ID][SETTINGS.region].sent_messages
        texts = [str(vars(message)) for message in sent if f"/{page}?key=" in str(vars(message))]
        return texts[-1].partition(f"/{page}?key=")[2][:32]

    def sign_up(self, name: str) -> User:
        """A new user."""
        email = f"{name}@example.org"
        body = {"username": email, "emails": [email], "password": PASSWORD, "invitationCode": SECRET}
        reply = self.request("POST", "/auth/user", body)
        return User(reply.json()["userid"], reply.headers[TOKEN], email)

    def prove_address(self, user: User) -> None:
        """Marks the address of a user as proven, as a mailed link or the owner of the stage does."""
        accounts = self.services.accounts.accounts
        account = accounts.find(user.id)
        assert account is not None
        accounts.replace(account, replace(account, email_proven=True, version=account.version + 1))

    @property
    def server(self) -> str:
        """The token of a server, which is called `a-server`."""
        if self._server is None:
            headers = {"X-Tidepool-Server-Name": "a-server", "X-Tidepool-Server-Secret": SECRET}
            self._server = self.request("POST", "/auth/serverlogin", **headers).headers[TOKEN]
        return self._server

    def logged(self, message: str) -> list[dict[str, Any]]:
        """The lines of the log that have this message."""
        lines = [json.loads(line) for line in self._log.getvalue().splitlines()]
        return [line for line in lines if line["message"] == message]

    @contextmanager
    def _acting_as(self, function: str) -> Iterator[None]:
        if function != self._acted_last:  # each function has processes of its own, which ask for addresses of queues
            sqs.forget_clients()
            self._acted_last = function
        with self.recorder.acting_as(function, self.use_case):
            yield
        if self.recorder.unknown:
            raise UnknownRequestError("; ".join(self.recorder.unknown))


@contextmanager
def observed_stage() -> Iterator[Stage]:
    """An empty stage, which the application uses meanwhile."""
    log = io.StringIO()
    with mock_aws() as mock, pytest.MonkeyPatch.context() as patch, Client(app) as client:
        mock.reset()
        patch.setattr(logger.registered_handler, "stream", log)
        patch.setattr(wiring, "Argon2Passwords", FakePasswords)  # costs little, and calls nobody either
        patch.setattr(tasks_queue, "WAKE_AFTER_S", 0)
        patch.setattr(metrics_stream, "LIMIT_S", 60)  # no event is lost because this machine is busy
        forget_clients()
        create_resources()
        recorder = Recorder(SETTINGS)
        for owner, name, method in store_methods():
            patch.setattr(owner, name, recorder.counted(method))
        clients.session().get_component("event_emitter").register("before-parameter-build", recorder)
        stage = Stage(recorder, client, log)
        wiring.override(stage.services)
        tables = dynamo_server(SETTINGS)

        def reply(operation: str, request: dict[str, Any]) -> Mapping[str, Any]:
            recorder.sent(operation, request)
            return tables.send(operation, request)

        try:
            with hooked(reply):
                yield stage
        finally:
            wiring.override(None)
            forget_clients()


def store_methods() -> Iterator[tuple[type, str, Callable[..., Any]]]:
    """The public methods of the stores that `services.py` imports, each with its class and name."""
    for name, module in sorted(sys.modules.items()):
        if name.startswith("chalicelib.") and ".stores." in name:
            for owner in vars(module).values():
                if isinstance(owner, type) and owner.__module__ == name:
                    for attribute, value in vars(owner).items():
                        if isfunction(value) and not attribute.startswith("_"):
                            yield owner, attribute, value


def forget_clients() -> None:
    """Lets the application make its clients again, as a new process does."""
    boto3.setup_default_session()
    clients.forget_session()
    for name, module in list(sys.modules.items()):
        if name.startswith("chalicelib.") and hasattr(module, "forget_clients"):
            module.forget_clients()


def create_resources() -> None:
    """Creates what `infra/stateful.yaml` has of tables, queues, streams, secrets and buckets, and a verified sender."""
    region = SETTINGS.region
    boto3.client("sesv2", region_name=region).create_email_identity(EmailIdentity=SETTINGS.mail_from)
    for kind, properties in _resources():
        match kind:
            case "AWS::DynamoDB::Table":
                names = ("TableName", "AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes", "KeySchema")
                given = {name: properties[name] for name in names if name in properties}
                boto3.client("dynamodb", region_name=region).create_table(**given)
            case "AWS::SQS::Queue":
                boto3.client("sqs", region_name=region).create_queue(QueueName=properties["QueueName"])
            case "AWS::Kinesis::Stream":
                boto3.client("kinesis", region_name=region).create_stream(StreamName=properties["Name"], ShardCount=1)
            case "AWS::SecretsManager::Secret":
                secrets = boto3.client("secretsmanager", region_name=region)
                secrets.create_secret(Name=properties["Name"], SecretString=SECRET)
            case "AWS::S3::Bucket":
                boto3.client("s3", region_name=region).create_bucket(Bucket=properties["BucketName"])


@cache
def _resources() -> list[tuple[str, Any]]:
    """Type and properties of the template's resources, with the names of the stage."""
    template = load(str(STATEFUL_TEMPLATE))
    return [
        (resource["Type"], _substituted(resource.get("Properties", {}))) for resource in template["Resources"].values()
    ]


def _substituted(value: Any) -> Any:
    match value:
        case {"Fn::Sub": str(text)}:
            variables = {
                "Stage": SETTINGS.stage,
                "AWS::AccountId": SETTINGS.account_id,
                "AWS::Region": SETTINGS.region,
            }
            for name, variable in variables.items():
                text = text.replace("${" + name + "}", variable)
            return text
        case dict():
            return {str(name): _substituted(member) for name, member in value.items()}
        case list():
            return [_substituted(member) for member in value]
        case _:
            return value
