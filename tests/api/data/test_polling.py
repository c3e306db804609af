"""Clients that poll: tags of `GET /data/{userId}`, 304 to who has the answer already, and how fresh data is."""

from typing import Any

import pytest

from chalicelib.api import rendering
from chalicelib.log.data_set import OwnerState
from chalicelib.tiles.manifest import Manifest
from tests.api.conftest import ApiClient, Reply
from tests.fakes.services import FakeServices

OWNER, VIEWER = "aaaaaaaaaa", "bbbbbbbbbb"
READ, FRESHNESS = f"/data/{OWNER}", f"/v1/users/{OWNER}/freshness"


def cbg(minute: int = 0, **members: Any) -> dict[str, Any]:
    """A reading."""
    return {"type": "cbg", "time": f"2025-12-31T23:{minute:02d}:00Z", "units": "mmol/L", "value": 5, **members}


class Poller:
    """Someone who sends the tag of the last answer along."""

    def __init__(self, api: ApiClient, token: str) -> None:
        self._api, self._token = api, token
        self.etag = ""

    def poll(self, path: str = READ, **headers: str) -> Reply:
        """The reply; its tag is remembered."""
        reply = self._api.request("GET", path, token=self._token, If_None_Match=self.etag, **headers)
        self.etag = reply.headers.get("etag", "")
        return reply


@pytest.fixture
def data_set_id(api: ApiClient, fakes: FakeServices) -> str:
    """A data set of the owner's app with a reading in it."""
    body = {"client": {"name": "org.example.app", "version": "1.2.3"}, "dataSetType": "continuous"}
    created = api.request("POST", f"/v1/users/{OWNER}/data_sets", body, token=fakes.sign_in(OWNER))
    data_set_id = str(created.json()["data"]["uploadId"])
    add(api, fakes, data_set_id, cbg())
    return data_set_id


@pytest.fixture
def poller(api: ApiClient, fakes: FakeServices, data_set_id: str) -> Poller:
    """The owner, who has the answer of now."""
    poller = Poller(api, fakes.sign_in(OWNER))
    assert poller.poll().status == 200
    return poller


def add(api: ApiClient, fakes: FakeServices, data_set_id: str, *data: Any) -> None:
    """Add data as the owner."""
    reply = api.request("POST", f"/v1/data_sets/{data_set_id}/data", list(data), token=fakes.sign_in(OWNER))
    assert reply.status == 200, reply.body


def test_a_client_with_the_current_reply_gets_304(poller: Poller) -> None:
    tag = poller.etag
    for _ in range(2):
        reply = poller.poll()
        assert (reply.status, reply.body, reply.headers["etag"]) == (304, b"", tag)


def test_a_304_reads_no_manifest(fakes: FakeServices, poller: Poller, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, current = list[str](), fakes.tiles.current

    def noted(owner_id: str) -> tuple[OwnerState, Manifest]:
        asked.append(owner_id)
        return current(owner_id)

    monkeypatch.setattr(fakes.tiles, "current", noted)
    assert (poller.poll().status, asked) == (304, [])
    poller.etag = "no tag"
    assert (poller.poll().status, asked) == (200, [OWNER])


def test_an_empty_reply_has_a_tag_too(api: ApiClient, fakes: FakeServices) -> None:
    poller = Poller(api, fakes.sign_in(OWNER))
    assert [poller.poll().status for _ in range(2)] == [200, 304]


def test_a_304_has_the_usual_headers(poller: Poller) -> None:
    origin = "https://app.example.org"
    reply = poller.poll(Origin=origin, X_Tidepool_Trace_Session="trace")
    assert reply.status == 304
    assert reply.headers["x-tidepool-trace-session"] == "trace"
    assert reply.headers["x-tidepool-trace-request"]
    assert reply.headers["access-control-allow-origin"] == origin
    assert "ETag" in reply.headers["access-control-expose-headers"]
    assert "If-None-Match" in reply.headers["access-control-allow-headers"]
    assert reply.headers["vary"] == "Accept-Encoding, Origin"
    assert reply.headers["cache-control"] == "private, no-cache"
    assert "content-encoding" not in reply.headers


def test_gzip_and_plain_replies_share_a_weak_tag(
    api: ApiClient, fakes: FakeServices, data_set_id: str, poller: Poller
) -> None:
    add(api, fakes, data_set_id, *(cbg(minute) for minute in range(30)))
    zipped = poller.poll(Accept="*/*", Accept_Encoding="gzip")
    assert (zipped.status, zipped.headers["content-encoding"]) == (200, "gzip")
    assert zipped.headers["etag"].startswith('W/"')
    assert poller.poll().status == 304


def test_new_data_is_answered_once(api: ApiClient, fakes: FakeServices, data_set_id: str, poller: Poller) -> None:
    add(api, fakes, data_set_id, cbg(5))
    reply = poller.poll("/data/" + OWNER)
    assert [count["type"] for count in reply.json()] == ["cbg", "cbg", "upload"]
    assert poller.poll().status == 304


def test_another_query_is_another_answer(poller: Poller) -> None:
    tag = poller.etag
    assert poller.poll(READ + "?type=cbg").status == 200
    assert poller.poll(READ + "?type=cbg&unknown=1").status == 304
    poller.etag = tag
    assert poller.poll().status == 304


@pytest.mark.parametrize("named", ['"other", {tag}', "*", '{tag},"a,b"'])
def test_several_tags_and_any(poller: Poller, named: str) -> None:
    poller.etag = named.format(tag=poller.etag)
    assert poller.poll().status == 304


def test_a_tag_opens_nothing(api: ApiClient, fakes: FakeServices, poller: Poller) -> None:
    for token, status in ((fakes.sign_in(VIEWER), 403), ("wrong", 401)):
        reply = api.request("GET", READ, token=token, If_None_Match=poller.etag)
        assert (reply.status, reply.headers.get("etag")) == (status, None)


def test_a_tag_of_a_wrong_query_is_no_excuse(poller: Poller) -> None:
    assert poller.poll(READ + "?startDate=x").status == 400


def test_callers_who_may_view_all_data_share_the_tag(api: ApiClient, fakes: FakeServices, poller: Poller) -> None:
    fakes.grant(OWNER, VIEWER, ["view"])
    assert api.request("GET", READ, token=fakes.sign_in(VIEWER), If_None_Match=poller.etag).status == 304


@pytest.mark.parametrize("named", ["{tag}", "*"])
def test_a_caller_who_may_view_the_last_hours_gets_a_full_reply_each_time(
    api: ApiClient, fakes: FakeServices, poller: Poller, named: str
) -> None:
    """Its first record goes without any change."""
    window(api, fakes)
    token, tag = fakes.sign_in(VIEWER), named.format(tag=poller.etag)
    reply = api.request("GET", READ, token=token, If_None_Match=tag)
    assert (reply.status, len(reply.json()), reply.headers.get("etag")) == (200, 2, None)
    assert reply.headers["cache-control"] == "private, no-cache"


def test_a_large_reply_has_a_tag_and_is_not_stored_again(
    fakes: FakeServices, poller: Poller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rendering, "LAMBDA_REPLY_BYTES", 10)
    tag, poller.etag = poller.etag, ""
    reply = poller.poll()
    assert (reply.status, reply.headers["etag"], reply.headers["cache-control"]) == (303, tag, "no-store")
    assert poller.poll().status == 304
    assert len(fakes.object_keys("answers/")) == 1


class TestFreshness:
    app = "org.example.app"

    def test_the_owner_sees_clients_and_types(self, poller: Poller) -> None:
        reply = poller.poll(FRESHNESS)
        assert reply.headers["cache-control"] == "private, no-cache"
        newest = {"type": "cbg", "newestTime": "2025-12-31T23:00:00Z", "newestStoredTime": "2026-01-01T00:00:00Z"}
        assert reply.json() == {
            "userId": OWNER,
            "changes": 2,
            "clients": [{"client": self.app, "types": [newest]}],
        }

    def test_a_caller_who_may_view_the_last_hours_sees_the_freshness_of_these_hours(
        self, api: ApiClient, fakes: FakeServices, data_set_id: str
    ) -> None:
        add(api, fakes, data_set_id, {"type": "food", "time": "2025-12-31T22:59:59Z"})
        window(api, fakes)
        token = fakes.sign_in(VIEWER)
        seen = {
            "userId": OWNER,
            "clients": [{"client": self.app, "types": [{"type": "cbg", "newestTime": "2025-12-31T23:00:00Z"}]}],
        }
        assert api.request("GET", FRESHNESS, token=token).json() == seen
        fakes.now_ms += 1
        assert api.request("GET", FRESHNESS, token=token).json() == {"userId": OWNER, "clients": []}


def window(api: ApiClient, fakes: FakeServices) -> None:
    """Grant the viewer the last hour."""
    body = {"view": {"windowHours": 1}}
    reply = api.request("POST", f"/access/{OWNER}/{VIEWER}", body, token=fakes.sign_in(OWNER))
    assert reply.status == 200, reply.body
