"""Tests the transport of DynamoDB over a socket: connections, signatures, retries, and replies of all kinds."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ChecksumError, ClientError, NoCredentialsError
from botocore.parsers import ResponseParserError

from chalicelib.config import Settings
from chalicelib.engine.aws import clients, dynamodb
from chalicelib.engine.aws.dynamodb import MAX_ATTEMPTS, DynamoTables, sender
from chalicelib.engine.aws.json_transport import JsonTransport
from chalicelib.engine.aws.signatures import Credentials
from chalicelib.engine.conditions import absent
from chalicelib.engine.definitions import ACCOUNTS
from chalicelib.engine.errors import ConditionFailedError, TransactionRefusedError
from chalicelib.engine.table import Put
from chalicelib.errors import UnavailableError
from tests.engine.aws.wire_server import Answer, WireServer, checked, refused, running

SETTINGS = Settings(stage="test")
KEY = {"pk": "a", "sk": "b"}
GET = {"TableName": "t", "Key": {"pk": {"S": "a"}}}


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Iterator[WireServer]:
    """A server in the place of DynamoDB; nobody waits between two attempts."""
    with running() as server:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "an-id")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-key")
        monkeypatch.setenv("AWS_SESSION_TOKEN", "a-token")
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", server.url)
        monkeypatch.setattr("time.sleep", lambda _s: None)
        forget()
        yield server
    forget()


def forget() -> None:
    """Let the transport be made from the environment."""
    dynamodb.forget_clients()
    clients.forget_session()


@pytest.fixture
def transport(wire: WireServer) -> JsonTransport:
    """The transport under test."""
    return dynamodb.transport(SETTINGS)


class TestConnections:
    def test_a_connection_serves_many_requests(self, wire: WireServer, transport: JsonTransport) -> None:
        for number in range(5):
            wire.answers.append(Answer({"n": number}))
            assert transport.send("GetItem", GET) == {"n": number}
        assert wire.connections == 1

    def test_a_connection_that_was_closed_while_idle_is_not_used(
        self, wire: WireServer, transport: JsonTransport
    ) -> None:
        wire.answers.append(Answer(ends=True))
        transport.send("GetItem", GET)
        (idle,) = connections_of(transport)
        assert idle.recv(1, socket.MSG_PEEK) == b""  # the end has come
        transport.send("GetItem", GET)
        assert (wire.connections, len(wire.requests)) == (2, 2)

    @pytest.mark.parametrize("answer", [Answer(closes=True), Answer({"cut": "in two"}, cuts=True)])
    def test_a_lost_reply_is_asked_for_again(self, wire: WireServer, transport: JsonTransport, answer: Answer) -> None:
        wire.answers += [answer, Answer({"n": 1})]
        assert transport.send("GetItem", GET) == {"n": 1}
        assert (wire.connections, len(wire.requests)) == (2, 2)

    def test_a_reply_that_is_lost_each_time_is_unavailable(self, wire: WireServer) -> None:
        wire.answers += [Answer(closes=True)] * MAX_ATTEMPTS
        with pytest.raises(UnavailableError):
            sender(SETTINGS)("GetItem", GET)
        assert len(wire.requests) == MAX_ATTEMPTS

    def test_nobody_there_is_unavailable(self, wire: WireServer, monkeypatch: pytest.MonkeyPatch) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", f"http://127.0.0.1:{free.getsockname()[1]}")
            forget()
            with pytest.raises(UnavailableError):
                sender(SETTINGS)("GetItem", GET)

    def test_a_reply_that_does_not_come_in_time_is_unavailable(
        self, wire: WireServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(dynamodb, "READ_TIMEOUT_S", 0.05)
        with socket.create_server(("127.0.0.1", 0)) as silent:
            monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", f"http://127.0.0.1:{silent.getsockname()[1]}")
            forget()
            with pytest.raises(UnavailableError):
                sender(SETTINGS)("GetItem", GET)

    def test_a_proxy_of_the_environment_is_used(self, wire: WireServer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://dynamodb.example.org")
        monkeypatch.setenv("http_proxy", wire.url)
        monkeypatch.delenv("no_proxy", raising=False)
        forget()
        wire.answers.append(Answer({"n": 1}))
        assert sender(SETTINGS)("GetItem", GET) == {"n": 1}
        assert wire.requests[0][0]["host"] == "dynamodb.example.org"


def connections_of(transport: JsonTransport) -> list[socket.socket]:
    """The sockets that are kept for later requests."""
    exchange: Any = transport._exchange
    return [connection.sock for connection in exchange.__self__._idle]


class TestRequests:
    def test_a_request_is_signed_with_the_credentials_of_the_process(
        self, wire: WireServer, transport: JsonTransport
    ) -> None:
        transport.send("GetItem", GET)
        ((headers, body),) = wire.requests
        assert body == GET
        assert headers["x-amz-target"] == "DynamoDB_20120810.GetItem"
        assert headers["content-type"] == "application/x-amz-json-1.0"
        assert headers["x-amz-security-token"] == "a-token"
        scope = "an-id/" + headers["x-amz-date"][:8] + "/us-east-1/dynamodb/aws4_request"
        assert headers["authorization"].startswith(f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=")
        assert "content-type;host;x-amz-date;x-amz-security-token;x-amz-target" in headers["authorization"]

    def test_each_attempt_is_signed_with_the_credentials_of_its_time(
        self, wire: WireServer, transport: JsonTransport, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def renew(_s: float) -> None:
            newer = transport._access._replace(credentials=lambda: Credentials("a-newer-id", "a-key"))
            monkeypatch.setattr(transport, "_access", newer)

        monkeypatch.setattr("time.sleep", renew)
        wire.answers.append(refused("ThrottlingException"))
        transport.send("GetItem", GET)
        ids = [headers["authorization"].partition("Credential=")[2].partition("/")[0] for headers, _ in wire.requests]
        assert ids == ["an-id", "a-newer-id"]

    def test_without_credentials_nothing_is_sent(self, wire: WireServer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("botocore.session.Session.get_credentials", lambda _: None)
        forget()
        with pytest.raises(RuntimeError) as error:
            sender(SETTINGS)("GetItem", GET)
        assert isinstance(error.value.__cause__, NoCredentialsError)
        assert wire.requests == []

    def test_bytes_travel_as_base64(self, wire: WireServer) -> None:
        wire.answers += [Answer(), Answer({"Item": {"pk": {"S": "a"}, "body": {"B": "AP8="}}})]
        table = DynamoTables(SETTINGS).table(ACCOUNTS)
        table.put({**KEY, "body": b"\x00\xff"})
        assert wire.requests[0][1]["Item"]["body"] == {"B": "AP8="}
        assert table.get(KEY) == {"pk": "a", "body": b"\x00\xff"}


class TestReplies:
    def test_the_checksum_of_a_reply_is_checked(self, wire: WireServer, transport: JsonTransport) -> None:
        damaged = Answer({"n": 1}, headers={"x-amz-crc32": "1"})
        wire.answers += [damaged, checked({"n": 1})]
        assert transport.send("GetItem", GET) == {"n": 1}
        wire.answers += [damaged] * MAX_ATTEMPTS
        with pytest.raises(ChecksumError):
            transport.send("GetItem", GET)
        wire.answers += [damaged] * MAX_ATTEMPTS
        with pytest.raises(UnavailableError):
            sender(SETTINGS)("GetItem", GET)

    @pytest.mark.parametrize(
        "answer",
        [
            refused("ProvisionedThroughputExceededException"),
            refused("TransactionInProgressException"),
            refused("InternalServerError", 500),
            Answer(b"<html>busy</html>", 503),
            Answer(b"", 429),
        ],
        ids=["throughput", "in progress", "internal", "not JSON", "too many"],
    )
    def test_what_may_pass_is_tried_again_as_botocore_does(
        self, wire: WireServer, transport: JsonTransport, answer: Answer
    ) -> None:
        wire.answers += [answer] * (MAX_ATTEMPTS - 1) + [Answer({"n": 1})]
        assert transport.send("GetItem", GET) == {"n": 1}
        wire.answers += [answer] * MAX_ATTEMPTS
        with pytest.raises(UnavailableError):
            sender(SETTINGS)("GetItem", GET)
        assert len(wire.requests) == 2 * MAX_ATTEMPTS

    @pytest.mark.parametrize("code", ["ValidationException", "ResourceNotFoundException", "AccessDeniedException"])
    def test_a_defect_is_not_tried_again(self, wire: WireServer, code: str) -> None:
        wire.answers.append(refused(code))
        with pytest.raises(RuntimeError, match=code):
            sender(SETTINGS)("GetItem", GET)
        assert len(wire.requests) == 1

    def test_a_reply_that_is_not_json_is_unavailable(self, wire: WireServer, transport: JsonTransport) -> None:
        wire.answers.append(Answer(b"<html>"))
        with pytest.raises(ResponseParserError):
            transport.send("GetItem", GET)
        wire.answers.append(Answer(b"<html>"))
        with pytest.raises(UnavailableError):
            sender(SETTINGS)("GetItem", GET)

    def test_a_refusal_has_the_form_of_botocore(self, wire: WireServer, transport: JsonTransport) -> None:
        wire.answers.append(refused("ConditionalCheckFailedException", Item={"pk": {"S": "a"}}))
        with pytest.raises(ClientError) as error:
            transport.send("PutItem", GET)
        assert error.value.operation_name == "PutItem"
        assert error.value.response["Error"] == {"Code": "ConditionalCheckFailedException", "Message": "no"}
        assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400

    def test_a_refusal_tells_what_is_stored(self, wire: WireServer) -> None:
        table = DynamoTables(SETTINGS).table(ACCOUNTS)
        stored = {"pk": {"S": "a"}, "body": {"B": "AP8="}}
        wire.answers.append(refused("ConditionalCheckFailedException", Item=stored))
        with pytest.raises(ConditionFailedError) as failed:
            table.put(KEY, absent(), return_stored=True)
        assert failed.value.stored == {"pk": "a", "body": b"\x00\xff"}
        reasons = [{"Code": "None"}, {"Code": "ConditionalCheckFailed", "Item": stored}]
        wire.answers.append(refused("TransactionCanceledException", CancellationReasons=reasons))
        with pytest.raises(TransactionRefusedError) as canceled:
            table.transact([Put(KEY), Put(KEY, absent(), return_stored=True)])
        assert canceled.value.stored(1) == {"pk": "a", "body": b"\x00\xff"}

    def test_retries_end_when_the_quota_is_used_up(self, wire: WireServer, transport: JsonTransport) -> None:
        """A client with botocore's quota stops adding to the load when everything fails."""
        for _ in range(60):
            wire.answers += [Answer(closes=True)] * MAX_ATTEMPTS
            with pytest.raises(UnavailableError):
                sender(SETTINGS)("GetItem", GET)
            wire.answers.clear()
        assert 60 < len(wire.requests) < 60 * MAX_ATTEMPTS
        assert len(wire.requests) - 60 <= 500 // 14
