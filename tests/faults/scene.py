"""The stage on which use cases run: the application on an engine behind a seam, its clock, and clients that repeat a
request that got no answer.
"""

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs

from app import app
from chalicelib import services as wiring
from chalicelib.access.call import Session, token_hash
from chalicelib.config import Settings
from chalicelib.engine import backoff
from chalicelib.events.blobs import on_object_created
from chalicelib.events.metrics import on_metrics
from chalicelib.events.tasks import dispatch_tasks, run_task
from chalicelib.jobs import TASK_TYPES
from chalicelib.observability import FunctionFailedError, logger
from chalicelib.services import Services, Surroundings, build_services
from chalicelib.tasks.ports import TaskFilter
from chalicelib.tasks.task import with_schedule_state
from strandline.home.http.resources import Resources
from strandline.home.work.records import SCHEDULED, failed_ids, kinesis_event, sqs_event
from tests.api.conftest import Reply, joined
from tests.fakes.passwords import FakePasswords
from tests.fakes.processes import DiedError
from tests.fakes.services import INVITATION_CODE, SALT, SERVER_SECRET, START_MS, signing_key
from tests.faults.dynamo_servers import SERVERS, MemoryServer
from tests.faults.engines import DynamoEngine, EngineUnderTest, SqliteEngine
from tests.faults.issued import Issued
from tests.faults.seam import Seam, no_faults

BASE_URL = "https://strandline.example.org"
SETTINGS = replace(
    Settings(),
    base_url=BASE_URL,
    has_gateway=False,
    mail_from="strandline@example.org",
    partner_sectors={"twiist": ("https://twiist.example.org",)},
)
MAX_REPEATS = 6
"""Number of times that a client sends a request again; from the third time on, all is well."""
FAULTY_REPEATS = 3
TO_REPEAT = frozenset({500, 502, 503, 504, 507})
MAX_RECORDS = 1_000
DAY_MS = 24 * 3_600_000
SESSION_MS = 60 * DAY_MS
SERVER = "server"
ECHO = "strandline.diagnostics.echo"
RESOURCES = Resources(app.routes)


class DefectError(Exception):
    """Something that must not happen, in a sentence."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer that a client got in the end for a request."""

    request: str
    status: int
    content: str
    """The JSON of an answer to a reader, without ids and times; empty for pages and answers to writers."""
    repeats: int = 0


@dataclass
class Saved:
    """A state of the stage."""

    engine: Any
    now_ms: int
    issued: int
    names: dict[str, str]


class Scene:
    """The application, its state and its clients. `names` has what requests name: ids, keys and tokens."""

    def __init__(self, make_engine: Callable[[Seam, Callable[[], int]], EngineUnderTest]) -> None:
        self.now_ms = START_MS
        self.issued = Issued()
        self.names: dict[str, str] = {}
        self.answers: list[Answer] = []
        self.seam = Seam(self.let_time_pass)
        self.under_test = make_engine(self.seam, lambda: self.now_ms)
        for name, text in (
            (SETTINGS.server_secret_name, SERVER_SECRET),
            (SETTINGS.invitation_secret_name, INVITATION_CODE),
            (SETTINGS.metrics_salt_name, SALT),
            (SETTINGS.oidc_keys_name, json.dumps({"keys": [signing_key()]})),
        ):
            self.under_test.embedded.secrets.create(name, text)
        self.services = self.start()

    def let_time_pass(self, duration_ms: int) -> None:
        """Set the clock forward."""
        self.now_ms += duration_ms

    def start(self) -> Services:
        """Start a process, which knows nothing of the one before."""
        self.seam.is_dead = False
        around = Surroundings(
            lambda: self.now_ms,
            self.issued.new_id,
            self.issued.new_token,
            lambda _name, _value: None,
            FakePasswords(),
            lambda: None,
        )
        self.services = build_services(SETTINGS, self.under_test.engine, around)
        wiring.override(self.services)
        return self.services

    def save(self) -> Saved:
        """The state."""
        return Saved(self.under_test.save(), self.now_ms, self.issued.count, dict(self.names))

    def restore(self, saved: Saved) -> None:
        """Put a state back, and start a process on it."""
        self.under_test.restore(saved.engine)
        self.now_ms = saved.now_ms
        self.issued.go_back_to(saved.issued)
        self.names = dict(saved.names)
        self.answers = []
        self.seam.plan = no_faults
        self.seam.calls = []
        self.seam.met.clear()
        self.start()

    def end_process_if_dead(self) -> None:
        """Start a process in place of one that died."""
        if self.seam.is_dead:
            self.start()

    # Clients.

    def token(self, user_id: str) -> str:
        """A session token of a user, or of a server, that is valid from now on for two months."""
        token = f"token-of-{user_id}"
        ends_ms = self.now_ms + SESSION_MS
        session = Session(token_hash(token), user_id, user_id == SERVER, self.now_ms, ends_ms)
        self.services.accounts.sessions.add(session)
        return token

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """The answer to a request that is sent again until there is one."""
        repeats = 0
        while True:
            reply = self._sent_once(method, path, body, headers)
            if reply is not None and reply.status not in TO_REPEAT:
                break
            if reply is not None and reply.status == 500:
                raise DefectError(f"{method} {path} is answered 500 after {self._last_calls()}")
            repeats += 1
            self._calm(repeats, f"{method} {path}")
        is_read = method == "GET" and reply.body.startswith((b"[", b"{"))
        content = self.issued.without(reply.body.decode(errors="replace")) if is_read else ""
        self.answers.append(Answer(f"{method} {path.partition('?')[0]}", reply.status, content, repeats))
        return reply

    def send(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        """The same, as apps of OpenID Connect send their requests."""
        return self.ask(method, path, body, **headers)

    def request(self, method: str, target: str, body: Any = None, **headers: str) -> Reply:
        """The answer to one request. A body that is not bytes is sent as JSON, headers may use underscores."""
        path, _, query = target.partition("?")
        resource, parameters = RESOURCES.find(path)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        payload = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        if payload is not None and "Content-Type" not in sent:
            sent["Content-Type"] = "application/json"
        event = {
            "resource": resource,
            "path": path,
            "httpMethod": method,
            "headers": sent,
            "multiValueHeaders": {name: [value] for name, value in sent.items()},
            "multiValueQueryStringParameters": _query(query) or None,
            "queryStringParameters": None,
            "pathParameters": dict(parameters) or None,
            "stageVariables": None,
            "requestContext": {
                "resourcePath": resource,
                "httpMethod": method,
                "path": path,
                "identity": {"sourceIp": "203.0.113.7"},
            },
            "body": payload or None,
            "isBase64Encoded": False,
        }
        answer = app(event, None)
        received = {name.lower(): joined(value) for name, value in answer["headers"].items()}
        received |= {name.lower(): joined(value) for name, value in answer.get("multiValueHeaders", {}).items()}
        content = answer["body"]
        if isinstance(content, str):
            return Reply(answer["statusCode"], received, content.encode())
        return Reply(answer["statusCode"], received, b"".join(map(bytes, getattr(content, "parts", (content,)))))

    # Background work.

    def tick(self) -> None:
        """Let the dispatcher run, again and again until it comes to its end."""
        self._until_done(lambda: dispatch_tasks(SCHEDULED, None), "the dispatcher")

    def run_messages(self) -> None:
        """Let workers take all messages of the queue of tasks. A message whose worker failed or died comes again."""
        self._consume(self.under_test.embedded.task_queue, run_task)

    def hear_of_contents(self) -> None:
        """Let the notices of new contents arrive."""
        self._consume(self.under_test.embedded.blob_events, on_object_created)

    def keep_events(self) -> None:
        """Let the records of the stream arrive, again from the first that was not kept."""
        failures = 0
        records = self.under_test.embedded.metrics_stream.read(MAX_RECORDS)
        while records:
            try:
                failed = failed_ids(on_metrics(kinesis_event(records), None))
            except (DiedError, FunctionFailedError):
                failed = [str(records[0].sequence_number)]
            if not failed:
                return
            records = [record for record in records if record.sequence_number >= int(failed[0])]
            failures += 1
            self._calm(failures, "a batch of events")

    def work(self, hours: float) -> None:
        """Let time pass, and run what is due then, with what follows from it."""
        self.let_time_pass(int(hours * 3_600_000))
        for _ in range(3):
            self.tick()
            self.run_messages()
            self.let_time_pass(61_000)

    def put_off_all_jobs_but(self, name: str) -> None:
        """Let no other job be due for a month."""
        tasks = self.services.tasks.tasks
        for task in tasks.listed(TaskFilter(), 0, 1000):
            if task.name != name and task.type != ECHO:
                later = replace(task, available_time_ms=self.now_ms + 30 * DAY_MS)
                tasks.replace(with_schedule_state(later, TASK_TYPES, self.now_ms))

    def bring_forward_all_jobs(self) -> None:
        """Let all jobs be due, those that were put off too."""
        tasks = self.services.tasks.tasks
        for task in tasks.listed(TaskFilter(), 0, 1000):
            if task.type != ECHO and (task.available_time_ms or 0) > self.now_ms:
                due = replace(task, available_time_ms=self.now_ms)
                tasks.replace(with_schedule_state(due, TASK_TYPES, self.now_ms))

    def without_faults(self, act: Callable[[], Any]) -> None:
        """Do something that meets no fault, and of whose calls nobody knows."""
        plan, calls = self.seam.plan, self.seam.calls
        self.seam.plan, self.seam.calls = no_faults, []
        try:
            act()
        finally:
            self.seam.plan, self.seam.calls = plan, calls

    def _consume(self, queue: Any, function: Callable[[Any, None], Any]) -> None:
        failures = 0
        while messages := queue.receive(1):
            try:
                failed = function(sqs_event(messages), None)
                is_done = not (failed or {}).get("batchItemFailures")
            except (DiedError, FunctionFailedError):
                is_done = False
            if is_done:
                queue.delete(messages)
                continue
            failures += 1
            self._calm(failures, f"the message {messages[0].body[:80]}")
            queue.release(messages)

    def _until_done(self, act: Callable[[], Any], name: str) -> None:
        failures = 0
        while True:
            try:
                act()
            except (DiedError, FunctionFailedError):
                failures += 1
                self._calm(failures, name)
            else:
                return

    def _sent_once(self, method: str, path: str, body: Any, headers: Mapping[str, str]) -> Reply | None:
        try:
            return self.request(method, path, body, **headers)
        except DiedError:
            return None

    def _calm(self, repeats: int, name: str) -> None:
        """Start the process again if it died, and end all faults after some repeats."""
        if self.seam.is_dead:
            self.start()
        if repeats >= FAULTY_REPEATS:
            self.seam.plan = no_faults
        if repeats > MAX_REPEATS:
            raise DefectError(f"{name} gets no answer, without faults, after {self._last_calls()}")

    def _last_calls(self) -> str:
        return ", ".join(map(str, self.seam.calls[-4:]))


def _query(query: str) -> dict[str, list[str]]:
    return parse_qs(query, keep_blank_values=True)


@contextmanager
def scene(engine: str = SqliteEngine.name, server: str = MemoryServer.name) -> Iterator[Scene]:
    """An empty stage, which the application uses until the block ends. It writes no log, and never pauses.

    Args:
        server: the server of DynamoDB.
    """
    level = logging.getLogger(logger.name).level
    logging.getLogger(logger.name).setLevel(logging.CRITICAL + 1)
    with ExitStack() as stack:
        stack.callback(logging.getLogger(logger.name).setLevel, level)
        stack.callback(wiring.override, None)
        stack.enter_context(patch.object(backoff, "pause_after", lambda _attempt: None))
        if engine == DynamoEngine.name:
            dynamodb = stack.enter_context(SERVERS[server](SETTINGS))
            yield Scene(lambda seam, now_ms: DynamoEngine(seam, now_ms, SETTINGS, dynamodb))
        else:
            yield Scene(SqliteEngine)
