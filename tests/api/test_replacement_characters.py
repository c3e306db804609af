"""Text that is not quite Unicode, wherever JSON comes in: U+FFFD replaces it, and the request is as good as any other.

Source: errors 3.
"""

from typing import Any

import pytest

from tests.api.conftest import ApiClient
from tests.cases import case
from tests.fakes.services import FakeServices

OWNER = "aaaaaaaaaa"
OTHER = "bbbbbbbbbb"
HALF = rb"\ud83d"
LATIN_1 = b"\xe9"


@pytest.fixture
def token(fakes: FakeServices) -> str:
    return fakes.sign_in(OWNER)


@pytest.fixture
def data_set_id(api: ApiClient, token: str) -> str:
    """A continuous data set that replaces records by origin."""
    reply = api.request("POST", f"/v1/users/{OWNER}/data_sets", {"dataSetType": "continuous"}, token=token)
    return str(reply.json()["data"]["uploadId"])


def food(api: ApiClient, token: str) -> list[dict[str, Any]]:
    """The food that can be read."""
    read: list[dict[str, Any]] = api.request("GET", f"/data/{OWNER}?type=food", token=token).json()
    return read


@pytest.mark.parametrize("prefer", ["", "handling=lenient"])
@pytest.mark.parametrize(
    ("body", "name"), [("lone-surrogate.json", "Pizza \ufffd"), ("invalid-utf-8.json", "Caf\ufffd")]
)
def test_a_record_keeps_the_rest_of_its_text(
    api: ApiClient, token: str, data_set_id: str, body: str, name: str, prefer: str
) -> None:
    reply = api.request("POST", f"/v1/data_sets/{data_set_id}/data", case(body), token=token, Prefer=prefer)
    assert reply.status == 200
    assert reply.json().get("refused", []) == []
    assert [record["name"] for record in food(api, token)] == [name]
    assert len(api.request("GET", f"/data/{OWNER}?type=cbg", token=token).json()) == 1


@pytest.mark.parametrize("bad", [HALF, LATIN_1])
def test_a_name_in_a_free_form_object_is_repaired(api: ApiClient, token: str, data_set_id: str, bad: bytes) -> None:
    body = b'[{"type":"food","time":"2026-01-31T08:01:00Z","name":"x","payload":{"a%b":1}}]' % bad
    assert api.request("POST", f"/v1/data_sets/{data_set_id}/data", body, token=token).status == 200
    assert [record["payload"] for record in food(api, token)] == [{"a\ufffd": 1}]


@pytest.mark.parametrize("bad", [HALF, LATIN_1])
def test_a_selector_finds_what_was_sent_with_the_same_text(
    api: ApiClient, token: str, data_set_id: str, bad: bytes
) -> None:
    path = f"/v1/data_sets/{data_set_id}/data"
    body = b'[{"type":"food","time":"2026-01-31T08:01:00Z","name":"x","origin":{"id":"x%b"}}]' % bad
    assert api.request("POST", path, body, token=token).status == 200
    assert len(food(api, token)) == 1
    assert api.request("DELETE", path, b'[{"origin":{"id":"x%b"}}]' % bad, token=token).status == 200
    assert food(api, token) == []


@pytest.mark.parametrize("bad", [HALF, LATIN_1])
def test_an_old_upload_is_repaired(api: ApiClient, token: str, bad: bytes) -> None:
    body = b'[{"type":"food","time":"2026-01-31T08:01:00Z","name":"x%b","uploadId":"upid_0123456789ab"}]' % bad
    assert api.request("POST", f"/data/{OWNER}", body, token=token).status == 200
    assert [record["name"] for record in food(api, token)] == ["x\ufffd"]


def test_a_data_set_is_opened(api: ApiClient, token: str) -> None:
    body = case("lone-surrogate-data-set.json")
    reply = api.request("POST", f"/v1/users/{OWNER}/data_sets", body, token=token)
    assert (reply.status, reply.json()["data"]["deviceModel"]) == (201, "Ex \ufffd")


def test_a_profile_is_stored(api: ApiClient, token: str) -> None:
    body = case("lone-surrogate-profile.json")
    assert api.request("PUT", f"/metadata/{OWNER}/profile", body, token=token).status == 200
    assert api.request("GET", f"/metadata/{OWNER}/profile", token=token).json() == {"fullName": "Ada \ufffd"}


@pytest.mark.parametrize("bad", [HALF, LATIN_1])
def test_permissions_are_stored(api: ApiClient, fakes: FakeServices, token: str, bad: bytes) -> None:
    fakes.sign_in(OTHER)
    path = f"/access/{OWNER}/{OTHER}"
    assert api.request("POST", path, b'{"view":{"note":"%b"}}' % bad, token=token).status == 200
    assert api.request("GET", path, token=token).json() == {"view": {"note": "\ufffd"}}


@pytest.mark.parametrize("bad", [HALF, LATIN_1])
def test_a_task_is_created(api: ApiClient, server: str, bad: bytes) -> None:
    body = b'{"type":"org.example.x","name":"n%b","data":{"k%b":"v%b"}}' % (bad, bad, bad)
    reply = api.request("POST", "/v1/tasks", body, token=server)
    assert (reply.status, reply.json()["name"], reply.json()["data"]) == (201, "n\ufffd", {"k\ufffd": "v\ufffd"})


@pytest.mark.parametrize("bad", [HALF, LATIN_1])
def test_a_data_source_is_created(api: ApiClient, server: str, bad: bytes) -> None:
    body = b'{"providerType":"oauth","providerName":"twiist","providerExternalId":"x%b"}' % bad
    reply = api.request("POST", f"/v1/users/{OWNER}/data_sources", body, token=server)
    assert (reply.status, reply.json()["providerExternalId"]) == (201, "x\ufffd")


@pytest.mark.parametrize("bad", [HALF, LATIN_1])
def test_a_restricted_token_is_created(api: ApiClient, token: str, bad: bytes) -> None:
    body = b'{"paths":["/v1/x%b"]}' % bad
    reply = api.request("POST", f"/v1/users/{OWNER}/restricted_tokens", body, token=token)
    assert (reply.status, reply.json()["paths"]) == (201, ["/v1/x\ufffd"])


@pytest.mark.parametrize("bad", [HALF, LATIN_1])
def test_a_user_signs_up(api: ApiClient, bad: bytes) -> None:
    body = b'{"username":"a@example.org","emails":["a@example.org"],"password":"password1","note":"%b"}' % bad
    assert api.request("POST", "/auth/user", body).status == 201


@pytest.mark.parametrize("body", [b'[\xe9"a"]', b'[{"type":"cbg"}]\xff', rb"[\ud83c]"])
def test_bad_bytes_outside_strings_are_malformed(api: ApiClient, token: str, data_set_id: str, body: bytes) -> None:
    reply = api.request("POST", f"/v1/data_sets/{data_set_id}/data", body, token=token)
    assert (reply.status, reply.json()["errors"][0]["code"]) == (400, "json-malformed")
