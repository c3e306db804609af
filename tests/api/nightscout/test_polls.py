"""Polls of followers: what they read, and answers that a follower has already."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.nightscout.times import iso_time
from tests.api.conftest import ApiClient, Reply
from tests.api.nightscout.device import Device
from tests.api.nightscout.records import DAY_MS, MINUTE_MS, cbg, record
from tests.api.people import ANNA
from tests.fakes.services import START_MS, FakeServices

ENTRIES = "/api/v1/entries.json"
CURRENT = "/api/v1/entries/current.json"
TREATMENTS = "/api/v1/treatments.json"
PROFILE = "/api/v1/profile.json"
POLLS = (ENTRIES, f"{ENTRIES}?count=1", CURRENT, "/api/v1/entries/sgv?count=3", TREATMENTS, PROFILE)
HALF_DAY = 12 * 60
MIDDAY_MS = START_MS - HALF_DAY * MINUTE_MS
"""The time of the newest reading: those of a day before it are not needed for its direction."""


def sgv(value: float, time_ms: int) -> dict[str, Any]:
    """A reading as an app of Nightscout sends it."""
    return {"type": "sgv", "sgv": value, "date": time_ms, "device": "cgm"}


@pytest.fixture
def day(device: Device) -> Device:
    """A device whose credential was used today, and a user with three days of readings until midday, in tiles."""
    device.send_to_tidepool([cbg(100 + number % 50, 5 * number + HALF_DAY) for number in range(1, 860)])
    device.compact()
    device.send("GET", "/api/v1/status.json")
    return device


@pytest.fixture
def calls(fakes: FakeServices) -> Callable[[Callable[[], Reply]], list[str]]:
    """Counts the calls that the tables get for a request that succeeds."""

    def count(send: Callable[[], Reply]) -> list[str]:
        made: list[str] = []
        fakes.calls.watch = made.append
        assert send().status in (200, 304)
        return made

    return count


class TestCost:
    @pytest.mark.parametrize("path", [CURRENT, f"{ENTRIES}?count=1", f"{ENTRIES}?count=10"])
    def test_the_newest_entries_cost_what_latest_costs_and_the_credential(
        self, day: Device, api: ApiClient, anna: str, calls: Callable[..., list[str]], path: str
    ) -> None:
        day.send_to_tidepool([cbg(100, HALF_DAY)])
        latest = calls(lambda: api.request("GET", f"/data/{ANNA.user_id}?latest=true&type=cbg", token=anna))
        assert len(calls(lambda: day.send("GET", path))) == len(latest) + 1

    @pytest.mark.parametrize("path", [CURRENT, f"{ENTRIES}?count=1", f"{ENTRIES}?count=10"])
    def test_of_an_app_that_uploads_here_they_cost_the_same(
        self, device: Device, api: ApiClient, anna: str, calls: Callable[..., list[str]], path: str
    ) -> None:
        device.store(*[sgv(100, MIDDAY_MS - number * 5 * MINUTE_MS) for number in range(400)])
        device.compact()
        device.store(sgv(100, MIDDAY_MS))
        latest = calls(lambda: api.request("GET", f"/data/{ANNA.user_id}?latest=true&type=cbg", token=anna))
        assert len(calls(lambda: device.send("GET", path))) == len(latest) + 1

    def test_one_who_has_both_pays_for_the_second_log(self, day: Device, calls: Callable[..., list[str]]) -> None:
        day.store(sgv(100, MIDDAY_MS))
        assert len(calls(lambda: day.send("GET", CURRENT))) <= 8


class TestUnchanged:
    @pytest.mark.parametrize("path", POLLS)
    def test_what_a_client_has_is_told_from_the_counters_alone(
        self, day: Device, calls: Callable[..., list[str]], path: str
    ) -> None:
        day.store(sgv(100, MIDDAY_MS))
        first = day.send("GET", path)
        known = {"If_None_Match": first.headers["etag"]}
        made = calls(lambda: day.send("GET", path, **known))
        assert made == ["GetItem"] * 3  # the credential, and the counters of documents and data
        again = day.send("GET", path, **known)
        assert (again.status, again.body, again.headers["etag"]) == (304, b"", first.headers["etag"])

    @pytest.mark.parametrize("path", [ENTRIES, CURRENT])
    def test_the_time_of_the_newest_is_told_from_the_counters_alone(
        self, day: Device, calls: Callable[..., list[str]], path: str
    ) -> None:
        day.store(sgv(100, MIDDAY_MS))
        known = {"If_Modified_Since": day.send("GET", path).headers["last-modified"]}
        assert day.send("GET", path, **known).status == 304
        if path == ENTRIES:
            assert calls(lambda: day.send("GET", path, **known)) == ["GetItem"] * 3
        day.store(sgv(101, MIDDAY_MS + MINUTE_MS))
        assert day.send("GET", path, **known).status == 200

    @pytest.mark.parametrize("known", ["Sat, 01 Jan 2022 00:00:00 GMT", "soon", ""])
    def test_an_older_time_or_none_is_answered(self, day: Device, known: str) -> None:
        assert day.send("GET", ENTRIES, If_Modified_Since=known).status == 200

    def test_a_time_says_nothing_beside_an_etag_that_differs(self, day: Device) -> None:
        first = day.send("GET", ENTRIES)
        day.store(sgv(77, MIDDAY_MS - 7 * MINUTE_MS))
        known = {"If_None_Match": first.headers["etag"], "If_Modified_Since": first.headers["last-modified"]}
        assert day.send("GET", ENTRIES, **known).status == 200

    @pytest.mark.parametrize("path", [ENTRIES, f"{ENTRIES}?find[date][$gte]=1&count=1000", TREATMENTS])
    def test_a_document_to_come_does_not_hide_what_comes_until_then(self, device: Device, path: str) -> None:
        def store(minutes_ahead: int) -> None:
            device.store(sgv(100, START_MS + minutes_ahead * MINUTE_MS))
            created = iso_time(START_MS + minutes_ahead * MINUTE_MS)
            assert device.send("POST", TREATMENTS, {"eventType": "Note", "created_at": created}).status == 200

        store(120)
        first = device.send("GET", path)
        assert (len(first.json()), first.headers["last-modified"]) == (1, "Thu, 01 Jan 2026 00:00:00 GMT")
        store(-5)
        for known in (first.headers["last-modified"], "Thu, 01 Jan 2026 02:00:00 GMT"):
            again = device.send("GET", path, If_Modified_Since=known)
            assert (again.status, len(again.json())) == (200, 2)
        device.fakes.now_ms += 120 * MINUTE_MS
        known = device.send("GET", path).headers["last-modified"]
        assert known == "Thu, 01 Jan 2026 02:00:00 GMT"
        assert device.send("GET", path, If_Modified_Since=known).status == 304


class TestChanged:
    def test_each_kind_of_change_is_seen(self, day: Device, api: ApiClient, anna: str) -> None:
        reading = cbg(70, HALF_DAY + 1)

        def delete_reading() -> None:
            (stored,) = [record for record in day.data() if record["origin"]["id"] == reading["origin"]["id"]]
            path = f"/v1/data_sets/{stored['uploadId']}/data"
            assert api.request("DELETE", path, [{"origin": {"id": reading["origin"]["id"]}}], token=anna).status == 200

        def delete_entry() -> None:
            assert day.send("DELETE", "/api/v1/entries?find[sgv]=66").json()["deletedCount"] == 1

        changes: list[Callable[[], Any]] = [
            lambda: day.store(sgv(66, MIDDAY_MS)),
            lambda: day.store(sgv(66, MIDDAY_MS) | {"noise": 1}),
            lambda: day.send_to_tidepool([reading]),
            delete_entry,
            delete_reading,
        ]
        for change in changes:
            tag = day.send("GET", ENTRIES).headers["etag"]
            change()
            reply = day.send("GET", ENTRIES, If_None_Match=tag)
            assert (reply.status, reply.headers["etag"] == tag) == (200, False)

    def test_a_change_elsewhere_is_304_with_another_tag(self, day: Device) -> None:
        tag = day.send("GET", ENTRIES).headers["etag"]
        day.send_to_tidepool([record("bolus", 5, subType="normal", normal=1)])
        reply = day.send("GET", ENTRIES, If_None_Match=tag)
        assert (reply.status, reply.headers["etag"] == tag) == (304, False)

    def test_a_compaction_changes_nothing(self, day: Device) -> None:
        day.store(sgv(100, MIDDAY_MS))
        tag = day.send("GET", ENTRIES).headers["etag"]
        day.compact()
        assert day.send("GET", ENTRIES, If_None_Match=tag).status == 304

    @pytest.mark.parametrize("other", ["count=2", "count=1&find[type]=mbg", "count=1&sort[date]=1"])
    def test_another_question_is_answered(self, day: Device, other: str) -> None:
        tag = day.send("GET", f"{ENTRIES}?count=1").headers["etag"]
        assert day.send("GET", f"{ENTRIES}?{other}", If_None_Match=tag).status == 200
        assert day.send("GET", "/api/v1/entries.csv?count=1", If_None_Match=tag).status == 200
        assert day.send("GET", f"{ENTRIES}?count=1&rr=7", If_None_Match=tag).status == 304

    def test_what_leaves_the_last_days_changes_an_answer(self, device: Device, fakes: FakeServices) -> None:
        old_ms = START_MS - 4 * DAY_MS + MINUTE_MS
        device.store(sgv(100, START_MS), sgv(90, old_ms))
        tag = device.send("GET", ENTRIES).headers["etag"]
        fakes.now_ms = old_ms + 4 * DAY_MS
        assert device.send("GET", ENTRIES, If_None_Match=tag).status == 304
        fakes.now_ms += 1
        reply = device.send("GET", ENTRIES, If_None_Match=tag)
        assert [entry["sgv"] for entry in reply.json()] == [100]

    def test_nobody_learns_from_a_tag_of_another(self, day: Device, phone: dict[str, Any]) -> None:
        tag = day.send("GET", ENTRIES).headers["etag"]
        for headers in ({}, {"api_secret": "f" * 40}):
            assert day.api.request("GET", ENTRIES, If_None_Match=tag, **headers).status == 401
        assert day.api.request("GET", ENTRIES, If_None_Match=tag, api_secret=phone["token"]).status == 304

    @pytest.mark.parametrize("tag", ['W/"a.b.c.d"', f'"{"0" * 16}.{"0" * 16}.0.{"0" * 32}"', "*", '"', 'W/"…"'])
    def test_a_tag_that_is_none_of_ours_is_no_error(self, day: Device, tag: str) -> None:
        assert day.send("GET", ENTRIES, If_None_Match=tag).status == (304 if tag == "*" else 200)
