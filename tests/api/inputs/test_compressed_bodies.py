"""Compressed JSON: on AWS the gateway decompresses it, and a home server takes it all the same."""

import gzip
import json
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from tests.api.conftest import ApiClient
from tests.api.people import ANNA

RECORDS = [{"type": "cbg", "time": "2026-01-01T00:00:00Z", "units": "mg/dL", "value": 100, "origin": {"id": "a"}}]
Compress = Callable[[bytes], bytes]
CODINGS: list[tuple[str, Compress]] = [("gzip", gzip.compress), ("X-GZip", gzip.compress), ("deflate", zlib.compress)]


@pytest.fixture
def data_set_id(api: ApiClient, anna: str) -> str:
    opened = api.request("POST", f"/v1/users/{ANNA.user_id}/data_sets", {"dataSetType": "continuous"}, token=anna)
    return str(opened.json()["data"]["id"])


def stored(api: ApiClient, token: str) -> list[Any]:
    """The readings that are stored."""
    records: list[Any] = api.request("GET", f"/data/{ANNA.user_id}?type=cbg", token=token).json()
    return records


@pytest.mark.parametrize(("coding", "compress"), CODINGS)
def test_records_are_stored(api: ApiClient, anna: str, data_set_id: str, coding: str, compress: Compress) -> None:
    body = compress(json.dumps(RECORDS).encode())
    reply = api.request("POST", f"/v1/data_sets/{data_set_id}/data", body, token=anna, Content_Encoding=coding)
    assert (reply.status, len(stored(api, anna))) == (200, 1)


@pytest.mark.parametrize(("coding", "compress"), CODINGS)
@pytest.mark.parametrize("damage", [lambda whole: whole[:-1], lambda whole: whole + b"x", lambda whole: whole[:3]])
def test_a_damaged_body_is_malformed_and_stores_nothing(
    api: ApiClient, anna: str, data_set_id: str, coding: str, compress: Compress, damage: Compress
) -> None:
    body = damage(compress(json.dumps(RECORDS).encode()))
    reply = api.request("POST", f"/v1/data_sets/{data_set_id}/data", body, token=anna, Content_Encoding=coding)
    assert (reply.status, reply.json()["errors"][0]["code"]) == (400, "json-malformed")
    assert stored(api, anna) == []


@pytest.mark.parametrize("coding", ["", "gzip", "deflate", "br", "identity"])
def test_json_that_is_not_compressed_is_taken_whatever_the_header_says(
    api: ApiClient, anna: str, data_set_id: str, coding: str
) -> None:
    reply = api.request("POST", f"/v1/data_sets/{data_set_id}/data", RECORDS, token=anna, Content_Encoding=coding)
    assert (reply.status, len(stored(api, anna))) == (200, 1)


def test_the_limit_is_that_of_the_json(api: ApiClient, anna: str, data_set_id: str) -> None:
    path, text = f"/v1/data_sets/{data_set_id}/data", json.dumps(RECORDS).encode()
    for size, status in ((4_500_001, 413), (4_500_000, 200)):
        body = gzip.compress(text + b" " * (size - len(text)))
        assert api.request("POST", path, body, token=anna, Content_Encoding="gzip").status == status
        assert len(stored(api, anna)) == (status == 200)


@pytest.mark.parametrize(("coding", "compress"), CODINGS)
def test_other_apis_take_it_too(api: ApiClient, anna: str, coding: str, compress: Compress) -> None:
    profile = {"fullName": "Anna"}
    body = compress(json.dumps(profile).encode())
    path = f"/metadata/{ANNA.user_id}/profile"
    assert api.request("PUT", path, body, token=anna, Content_Encoding=coding).status == 200
    assert api.request("GET", path, token=anna).json() == profile


def test_the_content_of_a_blob_stays_as_it_was_sent(api: ApiClient, anna: str) -> None:
    content = gzip.compress(b"some text")
    headers = {"Content_Type": "text/plain", "Content_Encoding": "gzip"}
    blob = api.request("POST", f"/v1/users/{ANNA.user_id}/blobs", content, token=anna, **headers).json()
    assert blob["size"] == len(content)
