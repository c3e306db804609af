"""The application in this process, as on Lambda: from the gateway's event to the reply, with the DynamoDB client.

DynamoDB and S3 run in a process of their own on loopback (`aws_stub`), so that the measured CPU time excludes them.
"""

import base64
import gzip
import io
import os
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from bench.stubs.aws_requests import Stub
from tools.project import ROOT

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "us-east-1",
    "STRANDLINE_STAGE": "bench",
}

INVOCATION = SimpleNamespace(function_name="bench", aws_request_id="an invocation")
"""Context that Lambda passes beside the event; by it the application knows that it runs there."""

Event = dict[str, Any]

_LOG = io.StringIO()


@dataclass(frozen=True, slots=True)
class Person:
    """A user with a session token and a continuous data set."""

    id: str
    data_set_id: str
    token: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The reply to the gateway, and the bytes logged for it."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    logged_bytes: int

    @property
    def content(self) -> bytes:
        """The body, decompressed if it is compressed; small bodies are not."""
        return gzip.decompress(self.body) if self.headers.get("content-encoding") == "gzip" else self.body


@dataclass(frozen=True, slots=True)
class Application:
    """The entry point of the function, the stub that it calls, and the buffer of its log."""

    stub: Stub
    log: io.StringIO

    def answer(self, event: Event, statuses: Collection[int] = (200,)) -> Answer:
        """The reply to an event. Exits unless the status is one of `statuses`."""
        from app import app

        self.log.seek(0)
        self.log.truncate()
        answer = app(event, INVOCATION)
        if answer["statusCode"] not in statuses:
            raise SystemExit(f"error: {event['path']} replied {answer['statusCode']}: {answer['body'][:500]!r}")
        body = base64.b64decode(answer["body"]) if answer.get("isBase64Encoded") else str(answer["body"]).encode()
        headers = {name.lower(): str(value) for name, value in answer["headers"].items()}
        return Answer(answer["statusCode"], headers, body, self.log.tell())


@contextmanager
def running() -> Iterator[Application]:
    """Run the application with empty tables."""
    with stub_running() as address:
        os.environ |= ENVIRONMENT | {"AWS_ENDPOINT_URL": f"http://{address}"}
        with redirect_stdout(_LOG):  # before the import: the logger keeps its first stream
            forget_what_ran_before()
            yield Application(Stub(address), _LOG)


def forget_what_ran_before() -> None:
    """Make services and clients be built again from the current environment."""
    from chalicelib import services as wiring
    from chalicelib.engine.aws import dynamodb, s3

    wiring.override(None)
    dynamodb.forget_clients()
    s3.forget_clients()


def add_event(person: Person, body: bytes) -> Event:
    """A request to add data as the gateway sends it: with a Base64 body, because all media types are binary."""
    path = {"dataSetId": person.data_set_id}
    return _event(person, "POST", "/v1/data_sets/{dataSetId}/data", path) | {
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }


def read_event(person: Person, query: Mapping[str, str], headers: Mapping[str, str] | None = None) -> Event:
    """A request to read data in gzip."""
    event = _event(person, "GET", "/data/{userId}", {"userId": person.id})
    for name, value in {"Accept-Encoding": "gzip", **(headers or {})}.items():
        event["headers"][name] = value
        event["multiValueHeaders"][name] = [value]
    return event | {"multiValueQueryStringParameters": {name: [value] for name, value in query.items()}}


def summary_event(person: Person, summary_type: str) -> Event:
    """A request for a summary."""
    path = {"summaryType": summary_type, "userId": person.id}
    return _event(person, "GET", "/v1/summaries/{summaryType}/{userId}", path)


def profile_event(person: Person, days: int) -> Event:
    """A request for an ambulatory glucose profile."""
    event = _event(person, "GET", "/v1/users/{userId}/agp", {"userId": person.id})
    return event | {"multiValueQueryStringParameters": {"days": [str(days)]}}


def _event(person: Person, method: str, resource: str, path_parameters: dict[str, str]) -> Event:
    path = resource.format(**path_parameters)
    headers = {"Accept": "*/*", "Content-Type": "application/json", "X-Tidepool-Session-Token": person.token}
    return {
        "resource": resource,
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": path_parameters,
        "stageVariables": None,
        "requestContext": {
            "httpMethod": method,
            "resourcePath": resource,
            "path": f"/api{path}",
            "identity": {"sourceIp": "127.0.0.1"},
        },
        "body": None,
        "isBase64Encoded": False,
    }


def new_person(number: int) -> Person:
    """Add a person with a session and an open data set to the tables."""
    from chalicelib.access.call import Session, token_hash
    from chalicelib.accounts.stores.sessions import session_item
    from chalicelib.config import Settings
    from chalicelib.engine.aws.engine import aws_engine
    from chalicelib.log.data_set import DataSet
    from chalicelib.log.stores.data_sets import StoredDataSets
    from chalicelib.services import system_now_ms

    settings, now_ms = Settings.from_env(), system_now_ms()
    person = Person(f"{number:010d}", f"{number:032x}", f"the token of session {number}")
    description = {
        "id": person.data_set_id,
        "uploadId": person.data_set_id,
        "type": "upload",
        "dataSetType": "continuous",
        "time": "2026-01-01T00:00:00Z",
        "deduplicator": {"name": "org.tidepool.deduplicator.dataset.delete.origin", "version": "1.0.0"},
    }
    StoredDataSets(aws_engine(settings).data).create(
        DataSet(person.data_set_id, person.id, 0, now_ms, now_ms, description)
    )
    session = Session(
        token_hash(person.token), person.id, is_server=False, created_time_ms=now_ms, expires_time_ms=now_ms * 2
    )
    aws_engine(settings).accounts.put(session_item(session))
    return person


@contextmanager
def stub_running() -> Iterator[str]:
    """Run a stub with empty tables and an empty bucket; yields its address."""
    command = [sys.executable, "-m", "bench.stubs.aws_stub"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the stub has no pipes")
        try:
            yield f"127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.stdin.close()
            process.wait()
