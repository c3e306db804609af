"""Searches of v3, the history of changes, when collections last changed, and device statuses."""

from typing import Any

import pytest

from chalicelib.nightscout import search as limits
from chalicelib.nightscout.v3 import search
from tests.api.nightscout.records import record
from tests.api.nightscout.v3 import AT_MS, DAY_MS, V3, bolus, entry
from tests.api.people import ANNA


@pytest.fixture(params=[False, True], ids=["tail", "tiles"])
def readings(request: pytest.FixtureRequest, v3: V3) -> V3:
    """A device with six readings of three days: 100, 110, ... mg/dL, every twelve hours."""
    for index in range(6):
        members = {"sgv": 100 + 10 * index, "direction": "Flat" if index % 2 else "SingleUp", "isSMB": index == 0}
        v3.create("entries", entry(AT_MS - (5 - index) * DAY_MS // 2, **members))
    if request.param:
        v3.device.compact()
    return v3


def values(v3: V3, query: str) -> list[int]:
    """The values of the readings that a query finds."""
    return [found["sgv"] for found in v3.result(f"entries?{query}")]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [150, 140, 130, 120, 110, 100]),
        ("sort=date", [100, 110, 120, 130, 140, 150]),
        ("sort$desc=date&limit=2", [150, 140]),
        ("sort=date&skip=1&limit=2", [110, 120]),
        ("sort=sgv", [100, 110, 120, 130, 140, 150]),
        ("sort$desc=sgv&limit=1", [150]),
        ("sort=srvModified&skip=5", [150]),
        (f"sort=date&date$gt={AT_MS - DAY_MS}&limit=500", [140, 150]),
        (f"sort=date&date$gte={(AT_MS - DAY_MS) // 1000}", [130, 140, 150]),
        ("sort=date&date$gte=2025-12-31T00:00:00Z", [150]),
        (f"date={AT_MS}", [150]),
        ("date$gte=abc", []),
        ("sgv$gte=110&sgv$lt=130&sort=date", [110, 120]),
        ("sgv$eq=110", [110]),
        ("sgv=110", [110]),
        ("sgv='110'", []),
        ("sgv$ne=110&sort=date", [100, 120, 130, 140, 150]),
        ("direction$in=SingleUp%7CFlat&limit=1", [150]),
        ("direction$nin=Flat&sort=date", [100, 120, 140]),
        ("direction$re=^Single&sort=date", [100, 120, 140]),
        ("device='cgm'&limit=1", [150]),
        ("isSMB=true", [100]),
        ("token=x&now=1&sgv=100", [100]),
        ("unknown=1", []),
    ],
)
def test_a_search_filters_and_orders(readings: V3, query: str, found: list[int]) -> None:
    assert values(readings, query) == found


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("limit=0", "Parameter limit out of tolerance"),
        ("limit=1001", "Parameter limit out of tolerance"),
        ("limit=x", "Parameter limit out of tolerance"),
        ("skip=-1", "Parameter skip out of tolerance"),
        ("skip=10001", "Parameter skip out of tolerance"),
        ("sort=date&sort$desc=date", "Parameters sort and sort_desc cannot be combined"),
        ("sgv$foo=1", "Unsupported filter operator foo"),
        ("sgv$where=1", "Unsupported filter operator where"),
        ("notes$re=(a%2B)%2B$", "of regular expressions, only literal beginnings, ends and parts are supported"),
        ("notes=" + "x" * 2001, "a value of notes is too long"),
        ("&".join(f"a{index}=1" for index in range(101)), "a query may have at most 100 filters"),
    ],
)
def test_a_search_that_is_not_supported_is_400(v3: V3, query: str, message: str) -> None:
    reply = v3.send("GET", f"entries?{query}")
    assert (reply.status, reply.json()) == (400, {"status": 400, "message": message})


def test_only_the_members_asked_for_are_shown(readings: V3) -> None:
    assert readings.result("entries?fields=sgv,date,unknown&limit=1") == [{"sgv": 150, "date": AT_MS}]
    assert "identifier" in readings.result("entries?fields=_all&limit=1")[0]


def test_a_search_of_too_much_has_to_be_narrowed(readings: V3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MAX_DAYS", 2)
    assert readings.send("GET", "entries?sort=sgv").json()["message"] == "narrow the search by date"
    assert values(readings, "limit=2") == [150, 140]
    assert limits.MAX_DAYS > 2


def test_profiles_are_ordered_by_their_date(v3: V3) -> None:
    for start, date_ms in (("2025-12-30", AT_MS), ("2025-12-31", AT_MS - DAY_MS)):
        v3.create("profile", {"date": date_ms, "startDate": f"{start}T00:00:00.000Z", "app": "AAPS", "store": {}})
    found = v3.result(f"profile?sort$desc=date&limit=1&date$gte={AT_MS}")
    assert [profile["startDate"][:10] for profile in found] == ["2025-12-30"]
    assert [profile["startDate"][:10] for profile in v3.device.send("GET", "/api/v1/profile.json").json()] == [
        "2025-12-31",
        "2025-12-30",
    ]


class TestHistory:
    @pytest.mark.parametrize("compacts", [False, True])
    def test_each_change_is_told_once_in_order_with_deletions(self, v3: V3, compacts: bool) -> None:
        for name in ("a", "b", "c"):
            v3.create("entries", entry(identifier=name, device=name))
        if compacts:
            v3.device.compact()
        v3.send("PATCH", "entries/a", {"sgv": 120})
        v3.send("DELETE", "entries/b")
        if compacts:
            v3.device.compact()
        found, last_ms = v3.changes("entries", 1)
        assert [(entry["identifier"], entry["sgv"], entry["isValid"]) for entry in found] == [
            ("c", 100, True),
            ("a", 120, True),
            ("b", 100, False),
        ]
        assert [entry["srvModified"] for entry in found] == sorted({entry["srvModified"] for entry in found})
        assert v3.changes("entries", last_ms) == ([], last_ms)

    @pytest.mark.parametrize("limit", [1, 2, 3])
    def test_pages_miss_nothing_and_repeat_nothing(self, v3: V3, limit: int) -> None:
        v3.device.store(*({"type": "sgv", "sgv": 100 + index, "date": AT_MS + index} for index in range(5)))
        found, since_ms = [], 1
        for _ in range(6):
            documents, since_ms = v3.changes("entries", since_ms, f"?limit={limit}")
            found += [document["sgv"] for document in documents]
        assert found == [100, 101, 102, 103, 104]

    def test_what_v1_stores_changes_and_deletes_is_told(self, v3: V3) -> None:
        reading = {"type": "sgv", "sgv": 99, "date": AT_MS}
        id_ = v3.device.store(reading)[0]["_id"]
        found, first_ms = v3.changes("entries", 1)
        assert [(entry["identifier"], entry["sgv"], entry["date"]) for entry in found] == [(id_, 99, AT_MS)]
        v3.device.store(reading | {"sgv": 98})
        found, second_ms = v3.changes("entries", first_ms)
        assert [entry["sgv"] for entry in found] == [98]
        v3.device.send("DELETE", f"/api/v1/entries/{id_}")
        found, last_ms = v3.changes("entries", second_ms)
        assert [(entry["identifier"], entry["isValid"]) for entry in found] == [(id_, False)]
        assert last_ms > second_ms > first_ms

    def test_a_repetition_is_no_change(self, v3: V3) -> None:
        reading = {"type": "sgv", "sgv": 99, "date": AT_MS}
        v3.device.store(reading)
        last_ms = v3.changes("entries", 1)[1]
        v3.device.store(reading)
        assert v3.changes("entries", last_ms)[0] == []

    def test_collections_are_apart_and_share_one_order(self, v3: V3) -> None:
        v3.create("entries", entry())
        v3.create("treatments", bolus())
        entries, treatments = (v3.changes(name, 1) for name in ("entries", "treatments"))
        assert (len(entries[0]), len(treatments[0])) == (1, 1)
        assert treatments[1] > entries[1]

    def test_a_page_has_documents_of_a_few_days_and_a_few_bytes(self, v3: V3, monkeypatch: pytest.MonkeyPatch) -> None:
        for index in range(4):
            v3.create("entries", entry(AT_MS - index * DAY_MS, notes="x" * 1000))
        monkeypatch.setattr(search, "MAX_DAYS_OF_PAGE", 2)
        assert len(v3.changes("entries", 1)[0]) == 2
        monkeypatch.setattr(search, "MAX_PAGE_BYTES", 500)
        first, since_ms = v3.changes("entries", 1)
        assert (len(first), len(v3.changes("entries", since_ms)[0])) == (1, 1)

    def test_the_time_may_stand_in_a_header_in_whole_seconds(self, v3: V3) -> None:
        v3.create("entries", entry())
        modified = v3.send("GET", "entries/history/1").headers["last-modified"]
        reply = v3.send("GET", "entries/history", Last_Modified=modified)
        assert [found["sgv"] for found in reply.json()["result"]] == [100]

    @pytest.mark.parametrize(("path", "headers"), [("/x", {}), ("", {}), ("", {"Last_Modified": "soon"})])
    def test_a_time_that_is_unreadable_is_400(self, v3: V3, path: str, headers: dict[str, Any]) -> None:
        reply = v3.send("GET", f"entries/history{path}", **headers)
        assert (reply.status, reply.json()["message"]) == (400, "Bad or missing Last-Modified header/parameter")

    def test_erased_data_leaves_no_history(self, v3: V3, anna: str) -> None:
        v3.create("entries", entry())
        path = f"/v1/users/{ANNA.user_id}/data"
        assert v3.device.api.request("DELETE", path, {"password": "password"}, token=anna).status == 200
        assert v3.changes("entries", 1)[0] == []


def test_last_modified_is_told_for_each_collection_with_documents(v3: V3) -> None:
    assert v3.result("lastModified")["collections"] == {}
    v3.create("entries", entry())
    v3.create("treatments", bolus(identifier="t"))
    v3.create("settings", {"date": AT_MS, "app": "AAPS", "identifier": "s"})
    before = v3.result("lastModified")["collections"]
    assert sorted(before) == ["entries", "treatments"]
    v3.send("DELETE", "treatments/t")
    after = v3.result("lastModified")["collections"]
    assert (after["entries"] == before["entries"], after["treatments"] > before["treatments"]) == (True, True)


def status(at_ms: int = AT_MS, **members: Any) -> dict[str, Any]:
    """A status as AndroidAPS sends it."""
    pump = {"clock": "2025-12-31T00:00:00.000Z", "reservoir": 99.5, "battery": {"percent": 75}}
    return {"app": "AAPS", "date": at_ms, "utcOffset": 60, "device": "openaps://phone", "pump": pump, **members}


def test_a_status_is_stored_once_and_followers_of_v1_see_it(v3: V3) -> None:
    first, again = (v3.send("POST", "devicestatus", status()) for _ in range(2))
    assert (first.status, again.status, again.json()["isDeduplication"]) == (201, 200, True)
    assert first.headers["location"] == f"/api/v3/devicestatus/{first.json()['identifier']}"
    (shown,) = v3.device.send("GET", "/api/v1/devicestatus.json").json()
    assert shown["pump"]["reservoir"] == 99.5


def test_statuses_of_both_versions_are_found_and_read(v3: V3) -> None:
    identifier = v3.create("devicestatus", status())
    v1 = {"device": "loop", "created_at": "2025-12-30T00:00:00.000Z", "loop": {}}
    stored = v3.device.send("POST", "/api/v1/devicestatus", v1).json()[0]
    assert [found["device"] for found in v3.result("devicestatus")] == ["openaps://phone", "loop"]
    assert [found["device"] for found in v3.result("devicestatus?sort=date&limit=1")] == ["loop"]
    assert [found["device"] for found in v3.result("devicestatus?device=loop&fields=device,date")] == ["loop"]
    assert v3.result(f"devicestatus/{identifier}?fields=app,_id") == {"app": "AAPS"}
    assert v3.result(f"devicestatus/{stored['_id']}")["date"] == AT_MS - DAY_MS
    assert v3.send("GET", "devicestatus/unknown").json() == {"status": 404}


def test_what_came_since_a_time_is_told_oldest_first(v3: V3) -> None:
    for minutes in range(3):
        v3.create("devicestatus", status(AT_MS + minutes * 60_000, uploaderBattery=minutes))
    found, last_ms = v3.changes("devicestatus", AT_MS)
    assert [status["uploaderBattery"] for status in found] == [1, 2]
    assert v3.changes("devicestatus", last_ms) == ([], last_ms)
    first, next_ms = v3.changes("devicestatus", 1, "?limit=1")
    assert ([status["uploaderBattery"] for status in first], next_ms) == ([0], AT_MS)
    assert v3.result("lastModified")["collections"] == {"devicestatus": AT_MS + 120_000}


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"date": "x"}, "Bad or missing date field"),
        ({"notes": "x" * 310_000}, "a document may have at most 307200 bytes"),
    ],
)
def test_a_bad_status_is_400_and_stores_nothing(v3: V3, members: dict[str, Any], message: str) -> None:
    reply = v3.send("POST", "devicestatus", status(**members))
    assert (reply.status, reply.json()["message"]) == (400, message)
    assert v3.result("devicestatus") == []


def test_a_credential_to_read_stores_none_and_nobody_changes_one(v3: V3, phone: dict[str, Any]) -> None:
    identifier = v3.create("devicestatus", status())
    for method in ("PUT", "PATCH"):
        reply = v3.send(method, f"devicestatus/{identifier}", status())
        assert (reply.status, reply.json()["message"]) == (404, "Bad operation or collection")
    v3.jwt = v3.jwt_of(phone["token"])
    reply = v3.send("POST", "devicestatus", status())
    assert (reply.status, reply.json()["message"]) == (403, "Missing permission api:devicestatus:create")
    reply = v3.send("DELETE", f"devicestatus/{identifier}")
    assert (reply.status, reply.json()["message"]) == (403, "Missing permission api:devicestatus:delete")
    assert v3.result(f"devicestatus/{identifier}")


@pytest.mark.parametrize("query", ["", "?permanent=true"])
def test_a_deleted_status_is_gone_for_good(v3: V3, query: str) -> None:
    identifier = v3.create("devicestatus", status())
    v1 = {"device": "loop", "created_at": "2025-12-30T00:00:00.000Z", "loop": {}}
    stored = v3.device.send("POST", "/api/v1/devicestatus", v1).json()[0]
    assert v3.send("DELETE", f"devicestatus/{identifier}{query}").json() == {"status": 200}
    assert [found["device"] for found in v3.result("devicestatus")] == ["loop"]
    for method in ("GET", "DELETE"):
        reply = v3.send(method, f"devicestatus/{identifier}")
        assert (reply.status, reply.json()) == (404, {"status": 404})
    assert v3.send("DELETE", f"devicestatus/{stored['_id']}").status == 200
    assert v3.device.send("GET", "/api/v1/devicestatus.json?find[created_at][$gte]=2025-12-01").json() == []


def test_a_status_of_the_tidepool_api_is_not_deleted(v3: V3) -> None:
    decision = {"reason": "loop", "units": {"bg": "mg/dL", "carb": "grams", "insulin": "Units"}}
    v3.device.send_to_tidepool([record("dosingDecision", 5, **decision)])
    (shown,) = v3.result("devicestatus")
    reply = v3.send("DELETE", f"devicestatus/{shown['identifier']}")
    assert (reply.status, reply.json()["message"]) == (400, "Trying to modify read-only document")
    assert v3.result("devicestatus") == [shown]
