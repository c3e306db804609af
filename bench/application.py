"""The application in this process, as Lambda runs it: from the gateway's event to its answer, with DynamoDB's client.

DynamoDB is a process of its own on loopback (`dynamodb_stub`), so that its work is not in this one's CPU time.
"""

import base64
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.project import ROOT

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TOKEN = "the token of a session"  # noqa: S105  of the table that is started here
OWNER_ID = "0123456789"
DATA_SET_ID = "a" * 32
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "us-east-1",
    "STRANDLINE_STAGE": "bench",
}

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Application:
    """The packaged function's entry, and the client it speaks to DynamoDB with."""

    dynamodb: "DynamoDBClient"

    def answer(self, event: Event) -> bytes:
        """The body of the answer, which has to be 200."""
        from app import app

        answer = app(event, None)
        if answer["statusCode"] != 200:
            raise SystemExit(f"error: {event['path']} answered {answer['statusCode']}: {answer['body'][:500]!r}")
        body = answer["body"]
        return base64.b64decode(body) if answer.get("isBase64Encoded") else str(body).encode()


@contextmanager
def running() -> Iterator[Application]:
    """The application with one data set of one user, whose session is at hand; its log goes nowhere."""
    with _dynamodb() as port, Path(os.devnull).open("w") as nowhere:
        os.environ |= ENVIRONMENT | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}
        with redirect_stdout(nowhere):  # before the import: the logger keeps the stream that it finds
            yield Application(_with_a_data_set())


def add_event(body: bytes) -> Event:
    """A request to add data, as the gateway hands it on: bodies come as base64, since any media type may be binary."""
    path = {"dataSetId": DATA_SET_ID}
    return _event("POST", "/v1/data_sets/{dataSetId}/data", path) | {
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }


def read_event(query: dict[str, str], *, accepts_gzip: bool) -> Event:
    """A request to read data."""
    event = _event("GET", "/data/{userId}", {"userId": OWNER_ID})
    if accepts_gzip:
        event["headers"]["Accept-Encoding"] = "gzip"
        event["multiValueHeaders"]["Accept-Encoding"] = ["gzip"]
    return event | {"multiValueQueryStringParameters": {name: [value] for name, value in query.items()}}


def _event(method: str, resource: str, path_parameters: dict[str, str]) -> Event:
    path = resource.format(**path_parameters)
    headers = {"Accept": "*/*", "Content-Type": "application/json", "X-Tidepool-Session-Token": TOKEN}
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


def _with_a_data_set() -> "DynamoDBClient":
    from chalicelib.adapters import dynamodb
    from chalicelib.adapters.accounts_sessions import session_item
    from chalicelib.adapters.data_sets import DynamoDataSets
    from chalicelib.config import Settings
    from chalicelib.domain.access import Session, token_hash
    from chalicelib.domain.data_set import DataSet
    from chalicelib.wiring import system_now_ms

    settings, now_ms = Settings.from_env(), system_now_ms()
    description = {
        "id": DATA_SET_ID,
        "uploadId": DATA_SET_ID,
        "type": "upload",
        "dataSetType": "continuous",
        "time": "2026-01-01T00:00:00Z",
        "deduplicator": {"name": "org.tidepool.deduplicator.dataset.delete.origin", "version": "1.0.0"},
    }
    DynamoDataSets(settings).create(DataSet(DATA_SET_ID, OWNER_ID, 0, now_ms, now_ms, description))
    session = Session(token_hash(TOKEN), OWNER_ID, is_server=False, created_time_ms=now_ms, expires_time_ms=now_ms * 2)
    client = dynamodb.client(settings)
    client.put_item(TableName=settings.accounts_table, Item=session_item(session))
    return client


@contextmanager
def _dynamodb() -> Iterator[int]:
    command = [sys.executable, "-m", "bench.dynamodb_stub"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the stub has no pipes")
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()
            process.wait()
