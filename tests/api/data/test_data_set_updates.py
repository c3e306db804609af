"""Changing a continuous data set as a server. Source: data-api 5 and 7."""

from typing import Any

import pytest

from tests.api.conftest import ApiClient

OWNER = "aaaaaaaaaa"
CONTINUOUS = {
    "type": "upload",
    "dataSetType": "continuous",
    "deduplicator": {"name": "org.tidepool.deduplicator.dataset.delete.origin"},
}
MALFORMED = {"code": "json-malformed", "title": "json is malformed", "detail": "json is malformed"}


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (b"", {"code": "json-not-found", "title": "json not found", "detail": "json not found"}),
        (b" \n", {"code": "json-not-found", "title": "json not found", "detail": "json not found"}),
        (b"null", {"detail": "object is missing"}),
        (b"{", MALFORMED),
        (b"[]", MALFORMED),
        (b'"closed"', MALFORMED),
        (
            b'{"deviceModel": "M"}',
            {
                "code": "length-out-of-range",
                "title": "length is out of range",
                "detail": "length 1 is not greater than 1",
                "source": {"pointer": "/deviceModel"},
            },
        ),
    ],
)
def test_a_bad_body_is_told_without_an_envelope_and_changes_nothing(
    api: ApiClient, server: str, body: bytes, answer: Any
) -> None:
    opened = api.request("POST", f"/v1/users/{OWNER}/data_sets", CONTINUOUS, token=server).json()["data"]
    path = f"/v1/data_sets/{opened['id']}"
    reply = api.request("PUT", path, body, token=server)
    assert (reply.status, reply.json()) == (400, answer)
    assert api.request("GET", path, token=server).json() == opened
