"""Replies that the process itself sends, without a gateway: whole whatever their size, and neither text nor base64."""

import gzip
import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.access.policy import ANYONE
from chalicelib.api import routing as http
from chalicelib.api.messages import Reply
from chalicelib.api.operations.operation import Operation
from chalicelib.api.rendering import Body
from chalicelib.encoding.gzip_splice import RecordArray, deflated_lines
from tests.fakes.services import FakeServices


@pytest.fixture(autouse=True)
def without_gateway(fakes: FakeServices, monkeypatch: pytest.MonkeyPatch) -> None:
    fakes.settings = replace(fakes.settings, has_gateway=False)
    monkeypatch.setattr(http, "services", lambda: fakes.services)


def sent(reply: Reply, headers: Mapping[str, list[str]]) -> tuple[dict[str, Any], bytes]:
    """The event of the response to a request, and the bytes of its body."""
    event = {
        "requestContext": {"httpMethod": "GET", "resourcePath": "/any"},
        "path": "/any",
        "multiValueHeaders": headers,
        "body": None,
    }
    response = http.respond(Operation("test", "GET", (), ANYONE), lambda _: reply, event).to_dict(["*/*"])
    body = response["body"]
    assert isinstance(body, Body)
    parts = b"".join(body.parts)
    assert len(parts) == body.size_bytes
    assert "isBase64Encoded" not in response
    return response, parts


@pytest.mark.parametrize("encoding", [None, "gzip"])
def test_a_reply_that_is_too_large_for_lambda_is_sent_whole(encoding: str | None) -> None:
    texts = [b'"' + secrets.token_hex(2_200_000).encode() + b'"' for _ in range(3)]
    array = RecordArray((deflated_lines(texts[:1], 1), tuple(texts[1:])))

    response, body = sent(Reply(array), {"Accept": ["*/*"], "Accept-Encoding": [encoding or "identity"]})

    assert (response["statusCode"], response["headers"].get("Content-Encoding")) == (200, encoding)
    assert (gzip.decompress(body) if encoding else body) == array.plain()


def test_a_client_that_sends_no_accept_gets_gzip_all_the_same() -> None:
    """OkHttp, Go and Node's http send none; on AWS the gateway compresses for them."""
    text = "x" * 10_000

    response, body = sent(Reply(text), {"Accept-Encoding": ["gzip"]})

    assert response["headers"]["Content-Encoding"] == "gzip"
    assert gzip.decompress(body) == f'"{text}"'.encode()


def test_binary_bytes_are_sent_as_they_are() -> None:
    response, body = sent(Reply(b"\x00\xff", headers={"Content-Type": "image/png"}, is_binary=True), {})

    assert (body, response["headers"]["Content-Type"]) == (b"\x00\xff", "image/png")


@pytest.mark.parametrize(("reply", "text"), [(Reply({"a": "\u00e4"}), '{"a":"\u00e4"}'), (Reply(), "")])
def test_other_replies_are_sent_as_utf_8(reply: Reply, text: str) -> None:
    assert sent(reply, {})[1] == text.encode()
