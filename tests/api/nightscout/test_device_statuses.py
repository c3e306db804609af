"""Device statuses of the Nightscout API: stored, found, deleted, and gone after some weeks."""

from typing import Any

import pytest

from chalicelib.engine.definitions import DATA
from chalicelib.nightscout.device_status import find as finding
from chalicelib.nightscout.document import MAX_BYTES
from chalicelib.tasks.task import Task
from chalicelib.tasks.types import TaskRun
from chalicelib.tiles.purge import WAIT_MS, purge
from tests.api.conftest import ApiClient
from tests.api.nightscout.device import Device
from tests.api.nightscout.records import MINUTE_MS, at
from tests.api.people import ANNA
from tests.fakes.services import START_MS, FakeServices

PATH = "/api/v1/devicestatus.json"
DAY_MS = 86_400_000
HEX_ID = "aabbccddeeff001122334455"


def status(minutes_ago: float | None = None, **more: Any) -> dict[str, Any]:
    """A status of a phone; without a time unless it is given."""
    created = {} if minutes_ago is None else {"created_at": at(minutes_ago)}
    return {"device": "phone", "uploader": {"battery": 55}} | created | more


def store(device: Device, *sent: dict[str, Any]) -> list[dict[str, Any]]:
    """The statuses as stored."""
    reply = device.send("POST", PATH, list(sent))
    assert reply.status == 200, reply.body
    stored: list[dict[str, Any]] = reply.json()
    return stored


def stored_items(fakes: FakeServices) -> list[Any]:
    """The items of statuses, without the count of what was stored on a day."""
    return [item for item in fakes.items(DATA, partition="NIGHTSCOUT_STATUS#") if "document" in item]


class TestStoring:
    def test_one_comes_back_whole_with_its_time_and_id(self, device: Device) -> None:
        sent = status(5, loop={"predicted": {"values": [100, 101.5]}, "enacted": None}, device="🏃 phone")
        (stored,) = store(device, sent)
        assert stored == sent | {"_id": stored["_id"], "utcOffset": 0}
        assert device.statuses() == [stored]

    def test_a_time_is_read_with_its_offset_and_an_unreadable_one_is_now(self, device: Device) -> None:
        zoned, unreadable = store(device, status(created_at="2025-12-31T23:00:00+02:00"), status(created_at="soon"))
        assert (zoned["created_at"], zoned["utcOffset"]) == ("2025-12-31T21:00:00.000Z", 120)
        assert (unreadable["created_at"], unreadable["utcOffset"]) == ("2026-01-01T00:00:00.000Z", 0)

    def test_an_equal_one_with_a_time_is_the_same_one(self, device: Device, fakes: FakeServices) -> None:
        first = store(device, status(5), status(5))
        before = stored_items(fakes)
        assert store(device, status(5), status(5)) == first
        assert first[0] == first[1]
        assert stored_items(fakes) == before
        assert len(device.statuses()) == 1

    def test_an_equal_one_without_a_time_is_the_same_one_for_an_hour(self, device: Device, fakes: FakeServices) -> None:
        (first,) = store(device, status())
        fakes.now_ms += 59 * MINUTE_MS
        assert store(device, status()) == [first]
        assert store(device, status(uploader={"battery": 54})) != [first]
        fakes.now_ms += 2 * MINUTE_MS
        (later,) = store(device, status())
        assert later["created_at"] == "2026-01-01T01:01:00.000Z"
        assert len(device.statuses()) == 3

    def test_an_id_of_the_client_stays(self, device: Device) -> None:
        (stored,) = store(device, status(5, _id=HEX_ID))
        assert stored["_id"] == HEX_ID
        assert device.send("DELETE", f"/api/v1/devicestatus/{HEX_ID}").json()["deletedCount"] == 1
        assert device.statuses() == []

    @pytest.mark.parametrize(
        ("sent", "answer"),
        [
            ("no object", 400),
            ([status(5), 7], 400),
            ([status(5), status(4, _id="short")], 400),
            ([status(5), status(4, note="a" * MAX_BYTES)], 413),
        ],
    )
    def test_what_cannot_be_stored_is_refused_and_stores_nothing(self, device: Device, sent: Any, answer: int) -> None:
        reply = device.send("POST", PATH, sent)
        assert (reply.status, reply.json()["status"]) == (answer, answer)
        assert device.statuses() == []

    @pytest.mark.parametrize("sent", [[], {}, None])
    def test_nothing_is_answered_with_nothing(self, device: Device, sent: Any) -> None:
        assert device.send("POST", PATH, sent).json() == []

    def test_it_derives_no_data(self, device: Device) -> None:
        store(device, status(5))
        assert device.data() == []


class TestFinding:
    def test_the_newest_come_first_and_ten_by_default(self, device: Device) -> None:
        store(device, *[status(number, number=number) for number in range(30)])
        assert [status["number"] for status in device.statuses("")] == list(range(10))
        assert [status["number"] for status in device.statuses("count=1")] == [0]

    def test_conditions_limit_time_and_content(self, device: Device) -> None:
        store(device, *[status(60 * number, number=number, device=f"phone {number % 2}") for number in range(30)])
        query = f"count=100&find[created_at][$gte]={at(300)}&find[created_at][$lte]={at(60)}&find[device]=phone 1"
        assert [status["number"] for status in device.statuses(query.replace(" ", "+"))] == [1, 3, 5]

    def test_without_a_condition_on_the_time_four_days_are_searched(self, device: Device) -> None:
        store(device, status(1), status(5 * 24 * 60))
        assert len(device.statuses()) == 1
        assert len(device.statuses(f"find[created_at][$gte]={at(10 * 24 * 60)}")) == 2
        assert device.statuses(f"find[created_at][$gte]={at(0)}&find[created_at][$lte]={at(10)}") == []
        assert device.statuses("find[created_at][$lte]=1900-01-01") == []

    def test_an_answer_is_cut_at_its_bounds(self, device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
        store(device, *[status(number, note="a" * 1000) for number in range(30)])
        monkeypatch.setattr(finding, "MAX_COUNT", 20)
        assert len(device.statuses()) == 20
        monkeypatch.setattr(finding, "MAX_ANSWER_BYTES", 10_000)
        assert 5 <= len(device.statuses()) < 10

    def test_a_search_of_too_much_has_to_be_narrowed(self, device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
        store(device, *[status(number) for number in range(30)])
        monkeypatch.setattr(finding, "MAX_READ", 20)
        reply = device.send("GET", f"{PATH}?find[device]=another")
        assert (reply.status, reply.json()["message"]) == (400, "narrow the search by date")
        assert device.send("GET", f"{PATH}?count=5").status == 200

    def test_the_newest_one_is_one_query(self, device: Device, fakes: FakeServices) -> None:
        store(device, *[status(number) for number in range(30)])
        made: list[str] = []
        fakes.calls.watch = made.append
        device.statuses("count=1")
        assert made == ["GetItem", "GetItem", "Query"]  # the credential, the counters, the statuses

    def test_what_a_follower_has_is_304(self, device: Device) -> None:
        store(device, status(5))
        first = device.send("GET", PATH)
        assert "last-modified" not in first.headers
        assert device.send("GET", PATH, **{"If-None-Match": first.headers["etag"]}).status == 304

    @pytest.mark.parametrize("query", ["count=0", "find[created_at]=soon", "find[device][$where]=1"])
    def test_an_unreadable_query_is_400(self, device: Device, query: str) -> None:
        assert device.send("GET", f"{PATH}?{query}").status == 400
        assert device.send("DELETE", f"/api/v1/devicestatus?{query}").status == 400


class TestRemoving:
    def test_they_are_deleted_by_id_and_by_query(self, device: Device) -> None:
        stored = store(device, *[status(number, number=number) for number in range(6)])
        assert device.send("DELETE", f"/api/v1/devicestatus/{stored[3]['_id']}").json()["deletedCount"] == 1
        assert device.send("DELETE", f"/api/v1/devicestatus/{'0' * 24}").json()["deletedCount"] == 0
        query = f"find[created_at][$gte]={at(1)}"
        assert device.send("DELETE", f"/api/v1/devicestatus/*?{query}").json()["deletedCount"] == 2
        assert [status["number"] for status in device.statuses()] == [2, 4, 5]
        refused = device.send("DELETE", "/api/v1/devicestatus/short")
        assert (refused.status, refused.json()["message"]) == (400, "Invalid _id format")

    def test_they_are_kept_for_sixty_days_after_they_were_stored(self, device: Device, fakes: FakeServices) -> None:
        (stored,) = store(device, status(10 * 24 * 60))
        (item,) = stored_items(fakes)
        assert item["expires_at_s"] == START_MS // 1000 + 60 * 86_400
        all_time = "find[created_at][$gte]=2020"
        fakes.now_ms += 60 * DAY_MS - 1000
        assert device.statuses(all_time) == [stored]
        fakes.now_ms += 1000
        assert device.statuses(all_time) == []

    def test_erasing_the_users_data_hides_them_at_once_and_the_purge_removes_them(
        self, device: Device, api: ApiClient, server: str, fakes: FakeServices
    ) -> None:
        store(device, *[status(number) for number in range(30)])
        assert api.request("DELETE", f"/v1/users/{ANNA.user_id}/data", token=server).status == 200
        assert device.statuses() == []
        (kept,) = store(device, status(100))
        fakes.now_ms += WAIT_MS + 1
        purge(TaskRun(Task("0", "t", 0), {}, fakes.now_ms + DAY_MS, lambda: fakes.now_ms, lambda: None), fakes.services)
        (item,) = stored_items(fakes)
        assert item["id"] == kept["_id"]
        assert device.statuses() == [kept]

    def test_a_reader_cannot_store_or_delete(self, device: Device, phone: dict[str, Any]) -> None:
        (stored,) = store(device, status(5))
        for method, path in (("POST", PATH), ("DELETE", f"/api/v1/devicestatus/{stored['_id']}")):
            reply = device.api.request(method, path, status(4) if method == "POST" else None, api_secret=phone["token"])
            assert reply.status == 401
        assert device.statuses() == [stored]
