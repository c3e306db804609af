"""Writes the data of the version whose sources are in the current folder: a home server's folder, or tables and bucket.

    python tools/version_data/writer.py home|tables FILE

FILE gets a `tar.gz` of the folder, or JSON of all items and objects, and FILE.answers.json what the version answers.
It is run by `make version-data`, with the sources of any version as its folder.
"""

import base64
import gzip
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path.cwd()), str(Path(__file__).parent)]

from traffic import Answer, Traffic  # type: ignore[import-not-found]  # noqa: E402  beside this file, in any version

STAGE, REGION = "versions", "us-east-1"
SECRET = "the secret of a stage that does not exist"  # noqa: S105
START_S = 30


def write_home(file: Path) -> dict[str, Any]:
    """Write the folder of a home server that is stopped as its owner stops it."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "data"
        with _served(folder) as (send, server_secret):
            traffic = Traffic(send, server_secret, lambda: time.sleep(0.5))
            answers = _answers(traffic)
        with tarfile.open(file, "w:gz", compresslevel=9) as archive:
            for path in sorted(folder.rglob("*")):
                if path.name != "lock":
                    archive.add(path, path.relative_to(folder), recursive=False, filter=_anonymous)
    return answers


def write_tables(file: Path) -> dict[str, Any]:
    """Write the items of all tables, the objects of the bucket, and the secrets of a stage on moto."""
    os.environ.update(
        STRANDLINE_STAGE=STAGE,
        AWS_DEFAULT_REGION=REGION,
        AWS_REGION=REGION,
        AWS_ACCESS_KEY_ID="none",
        AWS_SECRET_ACCESS_KEY="none",  # noqa: S106  it opens nothing
        STRANDLINE_SIGN_UP="open",
        STRANDLINE_BASE_URL="https://strandline.example.org",
        AWS_LAMBDA_FUNCTION_NAME="api_handler",
    )
    from chalice.test import Client
    from moto import mock_aws

    with mock_aws():
        _create_resources()
        from app import app

        with Client(app) as client:
            traffic = Traffic(_sender(app, client), SECRET, lambda: _run_tasks(client))
            answers = _answers(traffic)
        stored = {"tables": _tables(), "objects": _objects(), "secrets": _secrets()}
    file.write_bytes(gzip.compress(json.dumps(stored, separators=(",", ":")).encode(), 9, mtime=0))
    return answers


def _answers(traffic: Traffic) -> dict[str, Any]:
    traffic.write()
    read_ms = int(time.time() * 1000)
    return {
        "read_time_ms": read_ms,
        "given": traffic.given,
        "skipped": traffic.skipped,
        "answers": traffic.read(),
    }


@contextmanager
def _served(folder: Path) -> Iterator[tuple[Callable[..., Answer], str]]:
    """A home server on a folder, and the secret with which servers sign in."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    command = [sys.executable, "-m", "strandline.cli", "serve", "--data-dir", str(folder), "--port", str(port)]
    server = subprocess.Popen([*command, "--sign-up", "open"], stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    try:
        _wait_for(port, server)
        yield _http_sender(port), _server_secret(folder / "secrets")
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=START_S)


def _server_secret(folder: Path) -> str:
    """The secret with which servers sign in. A server may take connections a moment before it has written it."""
    for _ in range(START_S * 10):
        with suppress(OSError, StopIteration, ValueError):
            secret = next(path for path in folder.iterdir() if "server-secret" in path.name)
            return str(json.loads(secret.read_text())["text"])
        time.sleep(0.1)
    raise RuntimeError("the server has written no secret")


def _wait_for(port: int, server: "subprocess.Popen[bytes]") -> None:
    for _ in range(START_S * 10):
        if server.poll() is not None:
            raise RuntimeError(f"the server ended with {server.returncode}")
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise RuntimeError("the server does not start")


def _http_sender(port: int) -> Callable[..., Answer]:
    def send(method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.request(method, path, body, dict(headers))
            reply = connection.getresponse()
            return Answer(reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read())
        finally:
            connection.close()

    return send


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry


def _sender(app: Any, client: Any) -> Callable[..., Answer]:
    router: Any = None
    with suppress(ImportError):  # an earlier version has none
        from chalicelib.api import routing

        router = getattr(routing, "ROUTER", None)

    def send(method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        bare, _, query = path.partition("?")
        if router is not None and router.find(method, bare) is not None:
            return _routed(app, (method, bare, query), body, headers)
        reply = client.http.request(method, path, dict(headers), body)
        received = {name.lower(): _first(value) for name, value in reply.headers.items()}
        return Answer(reply.status_code, received, reply.body)

    return send


def _routed(app: Any, target: tuple[str, str, str], body: bytes, headers: Mapping[str, str]) -> Answer:
    """The reply to what reaches the application by `/{proxy+}`."""
    from urllib.parse import parse_qs

    method, path, query = target
    event = {
        "requestContext": {"httpMethod": method, "resourcePath": "/{proxy+}"},
        "path": path,
        "headers": dict(headers),
        "multiValueQueryStringParameters": parse_qs(query, keep_blank_values=True) or None,
        "body": base64.b64encode(body).decode() if body else None,
        "isBase64Encoded": bool(body),
    }
    reply = app(event, None)
    content = base64.b64decode(reply["body"]) if reply.get("isBase64Encoded") else reply["body"].encode()
    return Answer(reply["statusCode"], {name.lower(): value for name, value in reply["headers"].items()}, content)


def _first(value: Any) -> str:
    return value if isinstance(value, str) else str(value[0])


def _run_tasks(client: Any) -> None:
    """Run the dispatcher, then what it and others have put into the queue."""
    client.lambda_.invoke("dispatch_tasks", client.events.generate_cw_event("aws.events", "Scheduled Event", {}, []))
    queues = _client("sqs")
    url = next(url for url in queues.list_queues()["QueueUrls"] if url.endswith(f"{STAGE}-tasks"))
    while received := queues.receive_message(QueueUrl=url, MaxNumberOfMessages=1).get("Messages"):
        for message in received:
            queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            name = url.rpartition("/")[2]
            client.lambda_.invoke("run_task", client.events.generate_sqs_event([message["Body"]], name))


def _client(service: str) -> Any:
    import boto3

    make: Any = boto3.client
    return make(service, region_name=REGION)


def _create_resources() -> None:
    """Create what `infra/stateful.yaml` of these sources has."""
    from cfnlint.decode.cfn_yaml import load

    template = load("infra/stateful.yaml")
    for resource in template["Resources"].values():
        properties = _substituted(resource.get("Properties", {}))
        match resource["Type"]:
            case "AWS::DynamoDB::Table":
                names = ("TableName", "AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes", "KeySchema")
                _client("dynamodb").create_table(**{name: properties[name] for name in names if name in properties})
            case "AWS::SQS::Queue":
                _client("sqs").create_queue(QueueName=properties["QueueName"])
            case "AWS::Kinesis::Stream":
                _client("kinesis").create_stream(StreamName=properties["Name"], ShardCount=1)
            case "AWS::SecretsManager::Secret":
                _client("secretsmanager").create_secret(Name=properties["Name"], SecretString=SECRET)
            case "AWS::S3::Bucket":
                _client("s3").create_bucket(Bucket=properties["BucketName"])


def _substituted(value: Any) -> Any:
    match value:
        case {"Fn::Sub": str(text)}:
            known = {"Stage": STAGE, "AWS::AccountId": "000000000000", "AWS::Region": REGION}
            return re.sub(r"\$\{([^}]+)\}", lambda found: known.get(found[1], found[0]), text)
        case dict():
            return {str(name): _substituted(member) for name, member in value.items()}
        case list():
            return [_substituted(member) for member in value]
        case _:
            return value


def _tables() -> dict[str, list[Any]]:
    """All items by the name of the table without the stage, in DynamoDB's JSON with binary values in base64."""
    client = _client("dynamodb")
    names = client.list_tables()["TableNames"]
    return {
        name.removeprefix(f"strandline-{STAGE}-"): [_plain(item) for item in _scanned(client, name)] for name in names
    }


def _scanned(client: Any, name: str) -> Iterator[Any]:
    for page in client.get_paginator("scan").paginate(TableName=name):
        yield from page["Items"]


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    return [_plain(member) for member in value] if isinstance(value, list) else value


def _objects() -> list[dict[str, Any]]:
    client = _client("s3")
    found = []
    for bucket in client.list_buckets()["Buckets"]:
        for listed in client.list_objects_v2(Bucket=bucket["Name"]).get("Contents", ()):
            key = {"Bucket": bucket["Name"], "Key": listed["Key"]}
            stored = client.get_object(**key)
            found.append(
                {
                    "key": listed["Key"],
                    "body": base64.b64encode(stored["Body"].read()).decode(),
                    "type": stored["ContentType"],
                    "tags": client.get_object_tagging(**key)["TagSet"],
                }
            )
    return found


def _secrets() -> dict[str, str]:
    """The secrets by name without the stage, but for the keys of ID tokens, which are made again."""
    client = _client("secretsmanager")
    names = [secret["Name"] for secret in client.list_secrets()["SecretList"]]
    texts = {name.rpartition("/")[2]: client.get_secret_value(SecretId=name)["SecretString"] for name in names}
    return {name: text for name, text in texts.items() if "keys" not in name}


def main() -> None:
    """Write the files."""
    kind, file = sys.argv[1], Path(sys.argv[2])
    answers = write_home(file) if kind == "home" else write_tables(file)
    text = json.dumps(answers, separators=(",", ":"), sort_keys=True)
    file.with_name(f"{kind}-answers.json.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    print(
        f"{file.name}: {file.stat().st_size:,} bytes, {len(answers['answers'])} answers; skipped {answers['skipped']}"
    )


if __name__ == "__main__":
    main()
