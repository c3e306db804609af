"""Quotas over HTTP: what is refused, in the form of each API, and what goes on."""

import base64
import random
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.access.quotas import BLOBS, DATA, REQUESTS
from chalicelib.durations import DAY_MS, HOUR_MS
from chalicelib.engine.definitions import DATA as DATA_TABLE
from chalicelib.services import Services, override
from chalicelib.tasks.task import State, Task
from chalicelib.tasks.types import TaskRun
from chalicelib.tiles.jobs import compact_marked
from tests.api.conftest import ApiClient, Reply
from tests.api.people import ANNA as ANNA_ACCOUNT
from tests.api.people import BEN as BEN_ACCOUNT
from tests.fakes.services import SERVER_SECRET, FakeServices

ANNA, BEN = ANNA_ACCOUNT.user_id, BEN_ACCOUNT.user_id
MEGABYTE = 1_000_000
TEXT = {"Content_Type": "text/plain"}
PHONE = {"name": "Phone", "scope": "read"}
UPLOADER = {"name": "Phone", "scope": "upload"}


def readings(count: int, seed: int = 0) -> list[dict[str, Any]]:
    """Readings five minutes apart, each of which takes about 3 KB."""
    chance = random.Random(seed)  # noqa: S311  not for secrets
    return [
        {
            "type": "cbg",
            "time": f"2026-01-{1 + number // 288:02d}T{number // 12 % 24:02d}:{number % 12 * 5:02d}:00Z",
            "units": "mg/dL",
            "value": 60 + number * 7919 % 240,
            "deviceId": "meter",
            "payload": {"text": base64.b64encode(chance.randbytes(2_900)).decode()},
        }
        for number in range(count)
    ]


@pytest.fixture
def small(fakes: FakeServices) -> Iterator[Services]:
    """A stage on which a user may store a megabyte of data and one of contents, and make 40 requests an hour."""
    services = fakes.with_settings(data_quota_mb=1, blob_quota_mb=1, requests_an_hour=40)
    override(services)
    yield services
    override(None)


def add(api: ApiClient, token: str, data_set_id: str, seed: int) -> Reply:
    """Add records that take about 350 KB."""
    return api.request("POST", f"/v1/data_sets/{data_set_id}/data", readings(120, seed), token=token)


def fill(api: ApiClient, token: str, data_set_id: str) -> None:
    """Add records until four fifths of the quota are used."""
    for seed in range(4):
        if add(api, token, data_set_id, seed).status == 413:
            assert api.request("POST", f"/v1/data_sets/{data_set_id}/data", readings(45), token=token).status == 200
            return
    raise AssertionError("there is no quota")


@pytest.mark.usefixtures("small")
class TestData:
    def test_documents_that_are_moved_here_have_a_quota_of_their_own(
        self, api: ApiClient, anna: str, fakes: FakeServices
    ) -> None:
        path, chance = f"/v1/users/{ANNA}/nightscout_documents/food", random.Random(0)  # noqa: S311  not for secrets
        statuses = []
        for part in range(4):
            documents = [
                {"_id": f"{part * 120 + number:024x}", "name": base64.b64encode(chance.randbytes(2_900)).decode()}
                for number in range(120)
            ]
            before = fakes.items(DATA_TABLE)
            reply = api.request("POST", path, documents, token=anna)
            statuses.append(reply.status)
        assert statuses == [200, 200, 413, 413]
        assert fakes.items(DATA_TABLE) == before
        listed = api.request("GET", path, token=anna).json()["documents"]
        assert len(listed) == 240
        assert add(api, anna, open_data_set(api, anna), 0).status == 200

    def test_device_statuses_of_a_day_have_their_share_of_the_quota(
        self, api: ApiClient, anna: str, fakes: FakeServices
    ) -> None:
        made = api.request("POST", f"/v1/users/{ANNA}/nightscout_credentials", UPLOADER, token=anna).json()
        chance = random.Random(0)  # noqa: S311  not for secrets

        def store(minute: int) -> int:
            """The status of a request to store one of about 3 KB; of a megabyte, each of 60 days has 16 KB."""
            text = base64.b64encode(chance.randbytes(2_900)).decode()
            status = {"device": "phone", "created_at": f"2026-01-01T00:{minute:02}:00Z", "pump": {"text": text}}
            return api.request("POST", "/api/v1/devicestatus.json", [status], api_secret=made["token"]).status

        assert [store(minute) for minute in range(7)] == [200] * 5 + [413] * 2
        found = api.request("GET", "/api/v1/devicestatus.json?count=100", api_secret=made["token"]).json()
        assert len(found) == 5
        fakes.now_ms += DAY_MS
        assert store(8) == 200

    def test_data_beyond_the_quota_is_refused_and_nothing_of_it_is_stored(
        self, api: ApiClient, anna: str, fakes: FakeServices
    ) -> None:
        data_set_id = open_data_set(api, anna)
        replies = [add(api, anna, data_set_id, seed) for seed in range(4)]
        assert [reply.status for reply in replies] == [200, 200, 413, 413]
        (fault,) = replies[-1].json()["errors"]
        assert fault["code"] == "resource-too-large"
        assert fault["detail"] == "The data of a user may have at most 1 MB here"
        assert len(api.request("GET", f"/data/{ANNA}?type=cbg", token=anna).json()) == 240
        assert fakes.data_sets.owner(ANNA).stored_bytes <= MEGABYTE

    def test_others_and_smaller_data_are_not_refused(self, api: ApiClient, anna: str, fakes: FakeServices) -> None:
        data_set_id = open_data_set(api, anna)
        fill(api, anna, data_set_id)
        assert api.request("POST", f"/v1/data_sets/{data_set_id}/data", readings(3), token=anna).status == 200
        ben = fakes.sign_in(BEN)
        assert add(api, ben, open_data_set(api, ben, BEN), 1).status == 200

    def test_servers_are_held_to_the_quota_of_the_user(self, api: ApiClient, anna: str) -> None:
        data_set_id = open_data_set(api, anna)
        statuses = [
            api.request(
                "POST",
                f"/v1/data_sets/{data_set_id}/data",
                readings(120, seed),
                X_Tidepool_Service_Secret=SERVER_SECRET,
            ).status
            for seed in range(4)
        ]
        assert statuses == [200, 200, 413, 413]

    def test_the_old_way_to_upload_is_held_to_the_quota(self, api: ApiClient, anna: str) -> None:
        def upload(seed: int) -> Reply:
            records = [{**record, "uploadId": f"upid_{seed:012x}"} for record in readings(120, seed)]
            return api.request("POST", f"/data/{ANNA}", records, token=anna)

        assert [upload(seed).status for seed in range(4)] == [200, 200, 413, 413]

    def test_erasing_makes_room(self, api: ApiClient, anna: str, fakes: FakeServices) -> None:
        data_set_id = open_data_set(api, anna)
        fill(api, anna, data_set_id)
        assert api.request("DELETE", f"/v1/users/{ANNA}/data", X_Tidepool_Service_Secret=SERVER_SECRET).status == 200
        assert add(api, anna, open_data_set(api, anna), 1).status == 200

    def test_the_operator_is_told_of_data_that_nearly_fills_its_quota(
        self, api: ApiClient, anna: str, fakes: FakeServices, small: Services, caplog: pytest.LogCaptureFixture
    ) -> None:
        data_set_id = open_data_set(api, anna)
        add(api, anna, data_set_id, 1)
        compact_all(fakes.now_ms, small)
        assert fakes.counted["QuotasNearlyUsed"] == 0
        fill(api, anna, data_set_id)
        fakes.now_ms += 25 * HOUR_MS
        compact_all(fakes.now_ms, small)
        assert told(caplog) == [(DATA, ANNA)]
        assert fakes.counted["QuotasNearlyUsed"] == 1


def open_data_set(api: ApiClient, token: str, user_id: str = ANNA) -> str:
    """An empty continuous data set."""
    body = {"dataSetType": "continuous"}
    return str(api.request("POST", f"/v1/users/{user_id}/data_sets", body, token=token).json()["data"]["uploadId"])


def compact_all(now_ms: int, services: Services) -> None:
    """Run the job that compacts the users whose backlog is due."""
    task = Task("t", "strandline.data.compact", now_ms, state=State.RUNNING)
    compact_marked(TaskRun(task, {}, now_ms + 600_000, lambda: now_ms, lambda: None), services)


def told(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """The quotas of which the operator was told, with the users."""
    lines = [record for record in caplog.records if record.getMessage() == "quota nearly used"]
    return [(record.__dict__["quota"], record.__dict__["user"]) for record in lines]


@pytest.mark.usefixtures("small")
class TestBlobs:
    def test_contents_beyond_the_quota_are_refused_and_nothing_is_stored(
        self, api: ApiClient, anna: str, fakes: FakeServices
    ) -> None:
        path = f"/v1/users/{ANNA}/blobs"
        statuses = [api.request("POST", path, b"x" * 300_000, token=anna, **TEXT).status for _ in range(4)]
        assert statuses == [201, 201, 201, 413]
        assert len(fakes.blob_items()) == 6
        assert len(fakes.object_keys("blobs/")) == 3
        announced = {"Digest": "MD5=XrY7u+Ae7tCTyyK7j1rNww==", "X_Upload_Size": "90000000"}
        reply = api.request("POST", f"{path}?upload=direct", token=anna, **TEXT, **announced)
        assert (reply.status, reply.json()["code"]) == (413, "resource-too-large")
        assert reply.json()["detail"] == "the blobs and device logs of a user may have at most 1 MB here"

    def test_deleting_makes_room(self, api: ApiClient, anna: str) -> None:
        path = f"/v1/users/{ANNA}/blobs"
        for _ in range(3):
            stored = api.request("POST", path, b"x" * 900_000, token=anna, **TEXT)
            assert stored.status == 201
            assert api.request("POST", path, b"x" * 900_000, token=anna, **TEXT).status == 413
            assert api.request("DELETE", f"/v1/blobs/{stored.json()['id']}", token=anna).status == 204

    def test_the_operator_is_told_of_contents_that_nearly_fill_their_quota(
        self, api: ApiClient, anna: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        for size_bytes in (700_000, 200_000):
            assert told(caplog) == []
            api.request("POST", f"/v1/users/{ANNA}/blobs", b"x" * size_bytes, token=anna, **TEXT)
        assert told(caplog) == [(BLOBS, ANNA)]


REFUSED_REQUESTS = {
    f"/v1/users/{ANNA}/data_sets": {
        "code": "too-many-requests",
        "title": "too many requests",
        "detail": "too many requests",
    },
    f"/data/{ANNA}": {"status": 429, "code": "too_many_requests", "message": "too many requests"},
    "/auth/user": {"code": 429, "reason": "Too many requests"},
    f"/metadata/{ANNA}/profile": {"code": "TooManyRequests", "message": ""},
}


@pytest.mark.usefixtures("small")
class TestRequests:
    @pytest.mark.parametrize("path", REFUSED_REQUESTS)
    def test_requests_beyond_the_quota_are_refused_in_the_form_of_each_api(
        self, api: ApiClient, anna: str, fakes: FakeServices, path: str
    ) -> None:
        statuses = [api.request("GET", f"/v1/users/{ANNA}/data_sets", token=anna).status for _ in range(40)]
        assert statuses == [200] * 40
        reply = api.request("GET", path, token=anna)
        assert (reply.status, reply.headers["retry-after"]) == (429, "3600")
        body = reply.json()
        body.pop("id", None)
        assert body == REFUSED_REQUESTS[path]
        fakes.now_ms += HOUR_MS
        fakes.sign_in(ANNA)
        assert api.request("GET", "/auth/user", token=anna).status == 200

    def test_others_servers_and_nobody_are_not_counted_with_them(
        self, api: ApiClient, anna: str, fakes: FakeServices
    ) -> None:
        path = f"/v1/users/{ANNA}/data_sets"
        while api.request("GET", path, token=anna).status == 200:
            pass
        assert api.request("GET", "/auth/user", token=fakes.sign_in(BEN)).status == 200
        assert api.request("GET", "/status").status == 200
        for _ in range(50):
            assert api.request("GET", path, X_Tidepool_Service_Secret=SERVER_SECRET).status == 200

    @pytest.mark.parametrize("path", ["/api/v1/entries.json", "/api/v2/properties", "/api/v3/entries"])
    def test_the_requests_of_devices_count_for_their_user(
        self, api: ApiClient, anna: str, fakes: FakeServices, path: str
    ) -> None:
        made = api.request("POST", f"/v1/users/{ANNA}/nightscout_credentials", PHONE, token=anna).json()
        jwt = api.request("GET", f"/api/v2/authorization/request/{made['token']}").json()["token"]
        while api.request("GET", "/auth/user", token=anna).status == 200:
            pass
        reply = api.request("GET", path, Authorization=f"Bearer {jwt}")
        assert (reply.status, reply.headers["retry-after"], reply.json()["message"]) == (
            429,
            "3600",
            "Too many requests",
        )
        fakes.now_ms += HOUR_MS
        assert api.request("GET", "/api/v1/entries.json", api_secret=made["token"]).status == 200

    def test_the_operator_is_told_before_somebody_is_refused(
        self, api: ApiClient, anna: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        while api.request("GET", "/auth/user", token=anna).status == 200:
            pass
        assert told(caplog) == [(REQUESTS, ANNA)]
