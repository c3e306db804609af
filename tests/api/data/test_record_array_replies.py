"""An array of records on its way out: spliced for those who take gzip, plain for all others, aside when too large."""

import gzip
import secrets
from collections.abc import Mapping
from dataclasses import replace

import pytest
from chalice.app import Response

from chalicelib.access.policy import ANYONE
from chalicelib.api import routing as http
from chalicelib.api.messages import Reply
from chalicelib.api.operations.operation import Operation
from chalicelib.encoding.gzip_splice import RecordArray, deflated_lines
from tests.fakes.services import FakeServices

TYPE = "application/json; charset=utf-8"
TAKES_GZIP = {"Accept": ["*/*"], "Accept-Encoding": ["gzip"]}
DAY = [f'{{"type":"cbg","value":{row / 18}}}'.encode() for row in range(288)]
DAYS = RecordArray((deflated_lines(DAY, 6), (b'{"type":"food"}',), deflated_lines(DAY[::-1], 6)))


def answered(array: RecordArray, sent: Mapping[str, list[str]]) -> Response:
    event = {
        "requestContext": {"httpMethod": "GET", "resourcePath": "/any"},
        "path": "/any",
        "headers": {name: values[-1] for name, values in sent.items()},
        "multiValueHeaders": sent,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "body": None,
    }
    return http.respond(Operation("test", "GET", (), ANYONE), lambda _: Reply(array), event)


def test_the_array_is_spliced_for_a_client_that_accepts_gzip(fakes: FakeServices) -> None:
    response = answered(DAYS, TAKES_GZIP)
    assert (response.body, response.headers["Content-Encoding"]) == (DAYS.gzip(), "gzip")
    assert response.to_dict(["*/*"])["isBase64Encoded"] is True


@pytest.mark.parametrize(
    "sent",
    [{}, {"Accept": ["*/*"]}, {"Accept": ["*/*"], "Accept-Encoding": ["gzip;q=0"]}, {"Accept-Encoding": ["gzip"]}],
)
def test_the_array_is_plain_for_all_others(fakes: FakeServices, sent: Mapping[str, list[str]]) -> None:
    response = answered(DAYS, sent)
    assert response.to_dict(["*/*"])["body"] == DAYS.plain().decode()
    assert "Content-Encoding" not in response.headers


@pytest.mark.parametrize(("size_bytes", "encoding"), [(1023, None), (1024, "gzip")])
def test_a_small_array_is_plain(fakes: FakeServices, size_bytes: int, encoding: str | None) -> None:
    text = b'"' + b"x" * (size_bytes - len(b'[\n""\n]')) + b'"'
    for array in (RecordArray(((text,),)), RecordArray((deflated_lines([text], 6),))):
        response = answered(array, TAKES_GZIP)
        assert response.headers.get("Content-Encoding") == encoding
        assert (response.body == array.gzip()) if encoding else (response.body == array.plain().decode())


def test_no_records_are_an_empty_array(fakes: FakeServices) -> None:
    for array in (RecordArray(()), RecordArray(((), ()))):
        response = answered(array, TAKES_GZIP)
        assert (response.status_code, response.body, response.headers["Content-Type"]) == (200, "[]", TYPE)


@pytest.mark.parametrize("encoding", [None, "gzip"])
def test_a_reply_that_is_too_large_for_lambda_is_stored(fakes: FakeServices, encoding: str | None) -> None:
    # Random text does not shrink, so that the compressed body is too large as well.
    texts = [b'"' + secrets.token_hex(2_200_000).encode() + b'"' for _ in range(2)]
    array = RecordArray((deflated_lines(texts[:1], 1), tuple(texts[1:])))

    response = answered(array, {"Accept": ["*/*"], "Accept-Encoding": [encoding or "identity"]})

    stored = fakes.download(str(response.headers["Location"]))
    body = stored.body.read()
    assert (response.status_code, stored.content_encoding) == (303, encoding)
    assert "fetch it from the address in the header Location" in str(response.body)
    assert (gzip.decompress(body) if encoding else body) == array.plain()
    assert stored.media_type == TYPE


def test_a_damaged_chunk_is_an_error(fakes: FakeServices) -> None:
    run = deflated_lines(DAY, 6)
    response = answered(RecordArray((replace(run, crc32=run.crc32 ^ 1),)), {})
    assert (response.status_code, "cbg" in str(response.body)) == (500, False)
