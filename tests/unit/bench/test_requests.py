"""The counters of the stub, read over a connection of their own."""

import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection

import pytest

from bench.application import stub_running
from bench.stubs.aws_requests import Requests, StoredSizes, Stub
from tools.project import ROOT


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A running stub."""
    with stub_running() as found:
        yield found


def ask(address: str, method: str, path: str, body: bytes = b"", target: str | None = None) -> tuple[int, bytes]:
    """One request and its reply."""
    connection = HTTPConnection(address)
    connection.request(method, path, body, {"X-Amz-Target": target} if target else {})
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found


def test_requests_inside_the_context_are_counted(address: str) -> None:
    ask(address, "PUT", "/bucket/before", b"x")
    with Stub(address).counted() as asked:
        put = b'{"TableName": "t", "Item": {"pk": {"S": "a"}, "sk": {"S": "b"}}}'
        assert ask(address, "POST", "/", put, "DynamoDB_20120810.PutItem") == (200, b"{}")
        ask(address, "POST", "/", b'{"TableName": "t", "Key": {"pk": {"S": "c"}}}', "DynamoDB_20120810.GetItem")
        ask(address, "PUT", "/bucket/key", b"abc")
        assert ask(address, "GET", "/bucket/key?X-Amz-Signature=1") == (200, b"abc")
        ask(address, "DELETE", "/bucket/before")
    assert asked == Requests({"PutItem": 1, "GetItem": 1}, {"PUT": 1, "GET": 1, "DELETE": 1}, 0.5, 1)  # type: ignore[arg-type]  # a Counter equals a dict
    assert (asked.round_trips, asked.pages, asked.s3_puts, asked.s3_gets) == (2, 1, 1, 1)
    assert Stub(address).kept() == StoredSizes(tables_bytes=len("pka") + len("skb") + 100, bucket_bytes=3)
    assert Stub(address).fetched(f"http://{address}/bucket/key?signed") == b"abc"
    assert ask(address, "GET", "/bucket/before")[0] == 404


TWICE = """
import sys
from bench.application import add_event, new_person, running
for _ in range(2):
    with running() as application:
        answer = application.answer(add_event(new_person(1), b"[]"))
        print(answer.status, answer.logged_bytes > 0, application.stub.kept().bucket_bytes, file=sys.stderr)
"""


def test_the_application_runs_again_with_another_stub() -> None:
    """Runs in a process of its own, because the application changes the environment and standard output."""
    done = subprocess.run([sys.executable, "-c", TWICE], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr == "200 True 0\n" * 2
