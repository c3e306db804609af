"""Queries of v1 in all their forms: conditions, orders, formats, and what Nightscout answers from its memory."""

from typing import Any

import pytest

from tests.api.nightscout.device import ENTRIES, Device
from tests.api.nightscout.records import at, sgv
from tests.fakes.services import START_MS, FakeServices

MINUTE_MS = 60_000
UUID = "1f1e2d3c-4b5a-4978-8796-a5b4c3d2e1f1"
KINDS = ("Bolus", "Note", "Exercise")


@pytest.fixture
def treatments(device: Device) -> Device:
    """A device with three treatments, one each minute, the last one a minute ago."""
    sent = [
        {"eventType": kind, "created_at": at(len(KINDS) - number), "insulin": number + 1}
        for number, kind in enumerate(KINDS)
    ]
    assert device.send("POST", "/api/v1/treatments", sent).status == 200
    return device


def kinds(device: Device, query: str) -> list[str]:
    """The kinds of the treatments that a query finds."""
    return [treatment["eventType"] for treatment in device.treatments(query)]


class TestMemory:
    """Nightscout has entries of two days, treatments of 60 hours and device statuses of a day in memory, which have
    `mills`. It answers from there if there are as many as are wanted."""

    @pytest.mark.parametrize(
        ("path", "has_mills"),
        [
            ("entries.json", False),
            ("entries.json?count=2", True),
            ("entries.json?count=3", False),
            ("entries.json?count=2&rr=5", True),
            ("entries/sgv.json?count=2", True),
            ("entries.json?count=1&find[type]=sgv", True),
            ("entries.json?count=1&find[type][$eq]=sgv", True),
            ("entries.json?count=1&find[type][$ne]=cal", False),
            ("entries.json?count=1&find[sgv]=100", False),
            ("entries/current.json", False),
            ("treatments.json", False),
            ("treatments.json?count=1", True),
            ("treatments.json?count=2", False),
            ("treatments.json?count=1&now=5", False),
            ("devicestatus.json", False),
            ("devicestatus.json?count=1", True),
            ("devicestatus.json?count=2", False),
            ("devicestatus.json?count=1&now=5", False),
        ],
    )
    def test_only_an_answer_from_memory_has_mills(self, device: Device, path: str, has_mills: bool) -> None:
        device.store(sgv(100, 5), sgv(101, 47 * 60), sgv(102, 49 * 60))
        notes = [{"eventType": "Note", "created_at": at(minutes)} for minutes in (59 * 60, 61 * 60)]
        device.send("POST", "/api/v1/treatments", notes)
        statuses = [{"device": "a", "created_at": at(minutes)} for minutes in (23 * 60, 25 * 60)]
        device.send("POST", "/api/v1/devicestatus", statuses)
        found = device.send("GET", f"/api/v1/{path}").json()
        assert found
        assert {"mills" in document for document in found} == {has_mills}

    def test_an_answer_from_memory_changes_when_a_document_leaves_it(self, device: Device, fakes: FakeServices) -> None:
        device.store(sgv(100, 5), sgv(101, 48 * 60 - 1))
        tag = device.send("GET", f"{ENTRIES}?count=2").headers["etag"]
        fakes.now_ms += MINUTE_MS
        assert device.send("GET", f"{ENTRIES}?count=2", If_None_Match=tag).status == 304
        fakes.now_ms += 1
        reply = device.send("GET", f"{ENTRIES}?count=2", If_None_Match=tag)
        assert ["mills" in entry for entry in reply.json()] == [False, False]


class TestConditions:
    @pytest.mark.parametrize("date", ["2026-01-01T00:00:00.000Z", "-5", "2024abc"])
    def test_of_a_date_the_leading_number_counts(self, device: Device, date: str) -> None:
        device.store(sgv(100, 60 * 24 * 30))
        assert len(device.found(f"find[date][$gte]={date}")) == 1
        assert device.found(f"find[date][$lte]={date}") == []

    def test_the_type_in_the_path_counts_in_place_of_that_in_the_query(self, device: Device) -> None:
        device.store(sgv(100, 5), {"type": "mbg", "mbg": 90, "date": START_MS - MINUTE_MS})
        path = "/api/v1/entries/sgv.json?find[type]=mbg&find[date][$gte]=1"
        assert [entry["sgv"] for entry in device.send("GET", path).json()] == [100]

    @pytest.mark.parametrize(
        ("query", "wanted"),
        [
            ("find[eventType][$in][0]=Note&find[eventType][$in][1]=Bolus", ["Note", "Bolus"]),
            ("find[eventType][$in][]=/^Ex/&find[eventType][$in][]=Bolus", ["Exercise", "Bolus"]),
            ("find[eventType][$nin][]=/^Ex/", ["Note", "Bolus"]),
            ("find[insulin][$in][]=1&find[insulin][$in][]=3", ["Exercise", "Bolus"]),
        ],
    )
    def test_lists_are_sent_in_several_forms(self, treatments: Device, query: str, wanted: list[str]) -> None:
        assert kinds(treatments, query) == wanted

    @pytest.mark.parametrize("text", ["2025-12", "20251231T000000Z", "Wed, 31 Dec 2025 00:00:00 GMT"])
    def test_a_time_is_read_in_several_forms(self, treatments: Device, text: str) -> None:
        assert len(kinds(treatments, f"find[created_at][$gte]={text}")) == len(KINDS)
        assert kinds(treatments, f"find[created_at][$lte]={text}") == []

    def test_a_deletion_by_id_keeps_to_the_other_conditions(self, treatments: Device) -> None:
        (note,) = treatments.treatments("find[eventType]=Note")
        path = f"/api/v1/treatments/{note['_id']}"
        assert treatments.send("DELETE", f"{path}?find[eventType]=Bolus").json()["deletedCount"] == 0
        assert treatments.send("DELETE", f"{path}?find[eventType]=Note").json()["deletedCount"] == 1

    @pytest.mark.parametrize("is_compacted", [False, True])
    def test_an_entry_is_found_and_deleted_by_the_uuid_of_its_app_at_any_age(
        self, device: Device, is_compacted: bool
    ) -> None:
        device.store(sgv(100, 60 * 24 * 90, _id=UUID), sgv(101, 5, _id=UUID), sgv(102, 4))
        if is_compacted:
            device.compact()
        assert [entry["sgv"] for entry in device.found(f"find[_id]={UUID}")] == [101, 100]
        assert [entry["sgv"] for entry in device.found(f"find[_id]={UUID}&find[sgv]=100")] == [100]
        assert [entry["sgv"] for entry in device.found(f"find[_id]={UUID}&count=1")] == [101]
        assert device.send("DELETE", f"{ENTRIES}?find[_id]={UUID}").json()["deletedCount"] == 2
        assert [entry["sgv"] for entry in device.found("find[date][$gte]=1")] == [102]


class TestOrder:
    @pytest.mark.parametrize(
        ("query", "wanted"),
        [
            ("sort[created_at]=1&count=2", ["Bolus", "Note"]),
            ("sort[created_at]=-1&count=2", ["Exercise", "Note"]),
            ("sort[insulin]=1", ["Bolus", "Note", "Exercise"]),
            ("sort[insulin]=-1&count=1", ["Exercise"]),
            ("sort[eventType]=1", ["Bolus", "Exercise", "Note"]),
            ("sort[nothing]=1", ["Bolus", "Note", "Exercise"]),
        ],
    )
    def test_treatments_come_in_the_order_that_is_asked_for(
        self, treatments: Device, query: str, wanted: list[str]
    ) -> None:
        assert kinds(treatments, query) == wanted

    @pytest.mark.parametrize(("query", "wanted"), [("sort[date]=1", [101, 100]), ("sort[sgv]=-1", [103, 102])])
    def test_an_order_tells_which_entries_are_picked_and_the_newest_come_first(
        self, device: Device, query: str, wanted: list[int]
    ) -> None:
        device.store(*[sgv(103 - minutes, minutes) for minutes in range(4)])
        assert [entry["sgv"] for entry in device.found(f"{query}&count=2")] == sorted(wanted, reverse=True)

    @pytest.mark.parametrize(("query", "wanted"), [("sort[created_at]=1", [1, 2]), ("sort[battery]=-1", [3, 2])])
    def test_device_statuses_come_in_the_order_that_is_asked_for(
        self, device: Device, query: str, wanted: list[int]
    ) -> None:
        sent = [{"device": "a", "battery": number, "created_at": at(9 - number)} for number in (1, 2, 3)]
        device.send("POST", "/api/v1/devicestatus", sent)
        found = device.send("GET", f"/api/v1/devicestatus.json?{query}&count=2").json()
        assert [status["battery"] for status in found] == wanted

    def test_profiles_come_in_the_order_that_is_asked_for(self, device: Device) -> None:
        sent = [{"startDate": at(minutes), "enteredBy": name} for minutes, name in ((3, "b"), (2, "c"), (1, "a"))]
        device.send("POST", "/api/v1/profile", sent)

        def found(query: str) -> list[str]:
            return [profile["enteredBy"] for profile in device.send("GET", f"/api/v1/profiles.json?{query}").json()]

        assert found("sort[startDate]=1&count=2") == ["b", "c"]
        assert found("sort[enteredBy]=1") == ["a", "b", "c"]


class TestFormats:
    @pytest.mark.parametrize(
        ("path", "accept", "media_type"),
        [
            ("entries.tsv", "*/*", "text/tab-separated-values"),
            ("entries.txt", "application/json", "text/plain"),
            ("entries.html", "*/*", "application/json"),
            ("entries", "text/tab-separated-values", "text/tab-separated-values"),
            ("entries", "text/html", "application/json"),
            ("entries", "text/html, */*;q=0.8", "text/plain"),
            ("entries", "text/csv;q=0.5, application/json", "application/json"),
        ],
    )
    def test_entries_come_in_the_format_of_the_path_or_the_one_that_is_preferred(
        self, device: Device, path: str, accept: str, media_type: str
    ) -> None:
        device.store(sgv(100, 5))
        reply = device.send("GET", f"/api/v1/{path}", Accept=accept)
        assert reply.headers["content-type"] == f"{media_type}; charset=utf-8"

    @pytest.mark.parametrize(("minutes", "is_known"), [(5, True), (5 * 24 * 60, False)])
    def test_an_empty_answer_was_modified_when_the_newest_entry_was(
        self, device: Device, minutes: int, is_known: bool
    ) -> None:
        device.store(sgv(100, minutes))
        reply = device.send("GET", f"{ENTRIES}?find[sgv]=7")
        assert (reply.json(), reply.headers.get("last-modified")) == (
            [],
            "Wed, 31 Dec 2025 23:55:00 GMT" if is_known else None,
        )


def sent_and_previewed(device: Device, body: Any) -> Any:
    """The answer of a preview."""
    return device.send("POST", "/api/v1/entries/preview", body).json()


def test_a_preview_shows_what_would_be_stored(device: Device) -> None:
    entry = {"type": "sgv", "sgv": 1, "date": START_MS, "notes": "<script>x</script>y", "secret": "z"}
    shown = {"type": "sgv", "sgv": 1, "date": START_MS, "notes": "y"}
    assert sent_and_previewed(device, [entry]) == sent_and_previewed(device, entry) == [shown]
    assert sent_and_previewed(device, {}) == sent_and_previewed(device, {"sgv": 1}) == []
    assert device.found() == []


def test_numbers_in_alternatives_are_numbers(device: Device) -> None:
    device.store(sgv(100, 15), sgv(110, 10), sgv(120, 5))
    for query in ("find[$or][0][sgv]=100&find[$or][1][sgv][$gte]=120", "find[$and][0][sgv][$ne]=110"):
        assert [entry["sgv"] for entry in device.found(f"{query}&count=9")] == [120, 100]
