"""Entries of the Nightscout API: stored, found and deleted, and the Tidepool data that is derived from them."""

import gzip
import json
from typing import Any
from urllib.parse import quote

import pytest

from chalicelib.engine.definitions import DATA
from chalicelib.nightscout.document import MAX_BYTES
from chalicelib.nightscout.sent_documents import MAX_DOCUMENTS
from tests.api.conftest import ApiClient
from tests.api.nightscout.device import ENTRIES, Device
from tests.api.nightscout.records import sgv
from tests.api.people import ANNA
from tests.fakes.services import START_MS, FakeServices

MINUTE_MS = 60_000
DAY_MS = 86_400_000


class TestDerivedData:
    def test_a_reading_is_seen_as_cbg_with_its_origin(self, device: Device) -> None:
        (stored,) = device.store(sgv(108, 5, direction="FortyFiveUp", dateString="2026-01-01T00:55:00.000+01:00"))
        (record,) = device.data()
        assert record["value"] == pytest.approx(5.99481)
        assert {name: record[name] for name in ("type", "units", "time", "trend", "deviceId", "timezoneOffset")} == {
            "type": "cbg",
            "units": "mmol/L",
            "time": "2025-12-31T23:55:00Z",
            "trend": "slowRise",
            "deviceId": "cgm",
            "timezoneOffset": 60,
        }
        assert record["origin"] == {"id": f"ns:entries:{stored['_id']}:cbg", "name": "cgm", "type": "application"}
        assert record["payload"] == {"nightscout": {"collection": "entries", "_id": stored["_id"]}}

    def test_a_fingerstick_is_seen_as_smbg_and_a_calibration_as_nothing(self, device: Device) -> None:
        mbg = {"type": "mbg", "mbg": 120, "date": START_MS - 1000}
        cal = {"type": "cal", "slope": 800, "intercept": 3, "scale": 1, "date": START_MS - 2000}
        device.store(mbg, cal)
        (record,) = device.data()
        assert (record["type"], record["deviceId"]) == ("smbg", "nightscout")
        assert len(device.found()) == 2

    @pytest.mark.parametrize("value", [5, 38, None, "high", 10**6, True])
    def test_what_is_no_reading_is_kept_and_derives_nothing(self, device: Device, value: Any) -> None:
        device.store(sgv(value, 5))
        assert [entry["sgv"] for entry in device.found()] == [value]
        assert device.data() == []

    def test_a_change_replaces_it_and_a_deletion_removes_it(self, device: Device) -> None:
        (stored,) = device.store(sgv(100, 5))
        device.store(sgv(110, 5))
        (record,) = device.data()
        assert record["value"] == pytest.approx(6.10582, abs=1e-4)
        device.store(sgv(10, 5))
        assert device.data() == []
        device.store(sgv(120, 5))
        assert len(device.data()) == 1
        assert device.send("DELETE", f"/api/v1/entries/{stored['_id']}").json()["deletedCount"] == 1
        assert device.data() == device.found() == []

    def test_data_that_apps_of_tidepool_send_is_not_touched(self, device: Device, api: ApiClient, anna: str) -> None:
        device.store(sgv(100, 5))
        body = {"client": {"name": "org.example.app", "version": "1.0.0"}, "dataSetType": "continuous"}
        created = api.request("POST", f"/v1/users/{ANNA.user_id}/data_sets", body, token=anna).json()
        record = {"type": "cbg", "units": "mg/dL", "value": 90, "time": "2026-01-01T00:00:00Z"}
        path = f"/v1/data_sets/{created['data']['uploadId']}/data"
        assert api.request("POST", path, [record], token=anna).status == 200
        device.send("DELETE", "/api/v1/entries/*?find[date][$gte]=1")
        assert [left["uploadId"] for left in device.data()] == [created["data"]["uploadId"]]

    def test_a_closed_data_set_gets_a_successor(self, device: Device, api: ApiClient, anna: str) -> None:
        device.store(sgv(100, 10))
        (record,) = device.data()
        closing = api.request("PUT", f"/v1/data_sets/{record['uploadId']}", {"dataState": "closed"}, token=anna)
        assert closing.status == 200
        device.store(sgv(110, 5))
        assert len({record["uploadId"] for record in device.data()}) == 2

    def test_erasing_the_users_data_erases_documents_and_later_ones_are_stored(
        self, device: Device, api: ApiClient, server: str
    ) -> None:
        device.store(sgv(100, 5))
        assert api.request("DELETE", f"/v1/users/{ANNA.user_id}/data", token=server).status == 200
        assert device.found() == device.data() == []
        device.store(sgv(110, 5))
        assert len(device.found()) == len(device.data()) == 1


class TestStoring:
    def test_a_repetition_changes_and_writes_nothing(self, device: Device, fakes: FakeServices) -> None:
        entries = [sgv(100 + number, number) for number in range(20)]
        first = device.store(*entries)
        before = fakes.items(DATA)
        assert device.store(*entries) == first
        assert fakes.items(DATA) == before
        device.compact()
        before = fakes.items(DATA)
        assert device.store(*entries) == first
        assert fakes.items(DATA) == before

    def test_members_of_the_stored_entry_stay_unless_they_are_sent(self, device: Device) -> None:
        (first,) = device.store(sgv(100, 5, noise=1, nested={"a": [1, {"b": None}]}))
        device.compact()
        (second,) = device.store(sgv(101, 5, rssi=100, _id="aabbccddeeff001122334455"))
        assert second == first | {"sgv": 101, "rssi": 100}
        assert [entry["_id"] for entry in device.found()] == [first["_id"]]

    def test_twins_of_one_request_are_one_entry(self, device: Device) -> None:
        stored = device.store(sgv(100, 5), sgv(101, 5, noise=2))
        assert stored[0]["_id"] == stored[1]["_id"]
        assert [(entry["sgv"], entry.get("noise")) for entry in device.found()] == [(101, 2)]
        assert len(device.data()) == 1

    def test_entries_without_a_type_are_one_only_if_they_are_equal(self, device: Device) -> None:
        plain = {"sgv": 100, "date": START_MS}
        stored = device.store(plain, plain, plain | {"sgv": 101})
        assert len({entry["_id"] for entry in stored}) == 2

    def test_compressed_bodies_are_taken(self, device: Device) -> None:
        body = gzip.compress(json.dumps([sgv(100, 5)]).encode())
        assert device.send("POST", ENTRIES, body, Content_Encoding="gzip").status == 200
        assert len(device.found()) == 1

    @pytest.mark.parametrize(
        "body",
        [
            b"{",
            b"1",
            b'"text"',
            b"[[]]",
            b"[1]",
            b'[{"type":"sgv","date":"2026-01-01"}]',
            b'[{"type":"sgv","date":null}]',
            b'[{"date":1e300}]',
            b'[{"date":-5}]',
            b'[{"date":true}]',
            b'{"date":"tomorrow"}',
            json.dumps([{"date": 1}] * (MAX_DOCUMENTS + 1)).encode(),
            b'[{"date":1,"a":' + b"[" * 200 + b"]" * 200 + b"}]",
        ],
    )
    def test_a_body_that_cannot_be_stored_is_refused_and_stores_nothing(
        self, device: Device, fakes: FakeServices, body: bytes
    ) -> None:
        reply = device.send("POST", ENTRIES, body)
        assert (reply.status, reply.json()["status"]) == (400, 400)
        assert fakes.items(DATA) == []

    def test_one_bad_entry_refuses_all(self, device: Device) -> None:
        assert device.send("POST", ENTRIES, [sgv(100, 5), {"type": "sgv", "sgv": 1}]).status == 400
        assert device.found() == []

    def test_a_document_that_is_too_large_is_refused(self, device: Device) -> None:
        assert device.send("POST", ENTRIES, [sgv(100, 5, note="a" * MAX_BYTES)]).status == 413
        assert device.found() == []

    def test_another_media_type_than_announced_is_refused(self, device: Device) -> None:
        assert device.send("POST", ENTRIES, [sgv(100, 5)], Content_Type="text/plain").status == 400

    def test_years_far_away_are_kept(self, device: Device) -> None:
        far = 6_027_700_000_000  # in 2161
        (stored,) = device.store(sgv(100, 0, date=far))
        assert device.found(f"find[date][$gte]={far}")[0]["_id"] == stored["_id"]
        device.store(sgv(110, 5))
        assert len(device.found("find[date][$gte]=1&count=10")) == 2

    def test_an_entry_without_the_text_of_its_time_is_shown_with_it_and_found_by_it(self, device: Device) -> None:
        entry = {"type": "sgv", "sgv": 100, "date": START_MS - 300_000}
        (stored,) = device.store(entry)
        assert "dateString" not in stored
        (found,) = device.found("find[dateString][$gte]=2025-12-31&count=10")
        assert (found["_id"], found["dateString"]) == (stored["_id"], stored["sysTime"])

    def test_markup_and_sql_are_texts_like_others(self, device: Device) -> None:
        notes = "'; DROP TABLE entries; -- <b>bold</b>"
        device.store(sgv(100, 5, notes=f"{notes}<SCRIPT src=x>alert(1)</script >", device="<script>1"))
        (found,) = device.found()
        assert (found["notes"], found["device"]) == (notes, "")

    @pytest.mark.parametrize(
        ("sent", "kept"),
        [
            ("a<script>b", "a"),
            ("a<script b", "a<script b"),
            ("a<script>b</script>c<Script x>d</SCRIPT\t>e", "ace"),
            ("<scripted>a", "<scripted>a"),
            ("<script <script>a</script>b", "b"),
        ],
    )
    def test_script_elements_are_left_out_of_texts(self, device: Device, sent: str, kept: str) -> None:
        device.store(sgv(100, 5, notes=sent))
        assert device.found()[0]["notes"] == kept

    def test_a_text_of_many_beginnings_of_scripts_costs_no_more_than_its_length(self, device: Device) -> None:
        """The time of one expression for whole elements grows with the square: this text would take half an hour."""
        assert device.send("POST", ENTRIES, [sgv(100, 5, notes="<script " * 500_000)]).status == 413


class TestFinding:
    def test_the_same_is_found_in_tiles_and_beside_them(self, device: Device) -> None:
        device.store(*[sgv(100 + number, 1440 * number) for number in range(4)])
        queries = (
            "count=100",
            "count=2",
            f"find[date][$lt]={START_MS}&count=9",
            "find[sgv]=102",
            "find[sgv][$in][]=101",
        )
        before = [device.found(query) for query in queries]
        assert [len(found) for found in before] == [4, 2, 3, 1, 1]
        device.compact()
        assert [device.found(query) for query in queries] == before
        device.store(sgv(99, 1))
        assert [entry["sgv"] for entry in device.found("count=3")] == [100, 99, 101]

    def test_the_last_four_days_are_searched_unless_the_query_names_a_date(self, device: Device) -> None:
        device.store(sgv(100, 5 * 24 * 60), sgv(101, 3 * 24 * 60))
        assert [entry["sgv"] for entry in device.found("count=10")] == [101]
        assert [entry["sgv"] for entry in device.found("count=10&find[date][$gte]=1")] == [101, 100]
        text = quote("2025-12-27T00:00:00.000Z")
        assert [entry["sgv"] for entry in device.found(f"count=10&find[dateString][$lt]={text}")] == []

    def test_an_entry_is_found_by_the_id_of_the_server_and_of_the_client(self, device: Device) -> None:
        own = "aabbccddeeff001122334455"
        ids = [stored["_id"] for stored in device.store(sgv(100, 60 * 24 * 60), sgv(101, 5, _id=own))]
        assert ids[1] == own
        for _ in range(2):
            for document_id in ids:
                reply = device.send("GET", f"/api/v1/entries/{document_id}.json")
                assert [entry["_id"] for entry in reply.json()] == [document_id]
                assert [entry["_id"] for entry in device.found(f"find[_id]={document_id}")] == [document_id]
            device.compact()
        unknown = device.send("GET", "/api/v1/entries/000000000000000000000000.json")
        assert (unknown.status, unknown.json()) == (404, {"status": 404, "message": "Not Found"})

    def test_what_a_client_has_is_304(self, device: Device) -> None:
        device.store(sgv(100, 5))
        first = device.send("GET", f"{ENTRIES}?count=1")
        for header in ({"If_None_Match": first.headers["etag"]}, {"If_Modified_Since": first.headers["last-modified"]}):
            again = device.send("GET", f"{ENTRIES}?count=1", **header)
            assert (again.status, again.body) == (304, b"")
        device.store(sgv(101, 0))
        changed = device.send("GET", f"{ENTRIES}?count=1", If_None_Match=first.headers["etag"])
        assert changed.status == 200
        assert device.send("GET", f"{ENTRIES}?count=1", If_Modified_Since="1767225600000").status == 200

    @pytest.mark.parametrize(
        "query",
        [
            "find[sgv][$where]=sleep(1000)",
            "find[$where]=1",
            "find[sgv][$gt][$lt]=1",
            "find[]=1",
            "find[device][$regex]=(a%2B)%2B$",
            "find[device][$regex]=[a-z]",
            "find[date][$gte]=soon",
            "find[date]=NaN",
            "count=0",
            "count=-1",
            "count=1000000",
            "count=1e3",
            "count=abc",
            f"find[device]={'a' * 3000}",
            "&".join(f"find[a{number}]=1" for number in range(101)),
        ],
    )
    def test_a_query_that_is_not_supported_is_400(self, device: Device, query: str) -> None:
        for method in ("GET", "DELETE"):
            reply = device.send(method, f"{ENTRIES}?{query}")
            assert (reply.status, reply.json()["status"]) == (400, 400)

    @pytest.mark.parametrize(
        ("expression", "count"), [("^cg", 1), ("gm$", 1), ("g", 1), ("^cgm$", 1), (".*m", 1), ("^g", 0), ("CGM", 0)]
    )
    def test_a_regular_expression_is_a_literal_beginning_end_or_part(
        self, device: Device, expression: str, count: int
    ) -> None:
        device.store(sgv(100, 5))
        assert len(device.found(f"find[device][$regex]={quote(expression)}")) == count

    def test_a_search_of_too_much_has_to_be_narrowed(self, device: Device) -> None:
        device.store(*[sgv(100, 1440 * number) for number in range(500)])
        reply = device.send("GET", f"{ENTRIES}?find[sgv]=1&find[date][$gte]=1")
        assert (reply.status, reply.json()["message"]) == (400, "narrow the search by date")
        assert device.found(f"find[sgv]=1&find[date][$gte]={START_MS - 300 * DAY_MS}") == []
        assert len(device.found("find[date][$gte]=1&count=10")) == 10


class TestDeleting:
    def test_what_a_query_finds_is_deleted(self, device: Device) -> None:
        device.store(*[sgv(100 + number, number) for number in range(5)])
        device.compact()
        reply = device.send("DELETE", f"/api/v1/entries/sgv?find[date][$lte]={START_MS - 3 * MINUTE_MS}")
        assert (reply.status, reply.json()) == (200, {"acknowledged": True, "deletedCount": 2})
        assert [entry["sgv"] for entry in device.found()] == [100, 101, 102]
        assert len(device.data()) == 3
        device.compact()
        assert len(device.found()) == len(device.data()) == 3

    def test_a_deleted_entry_may_be_stored_again(self, device: Device) -> None:
        (stored,) = device.store(sgv(100, 5, noise=1))
        device.send("DELETE", f"/api/v1/entries/{stored['_id']}")
        (again,) = device.store(sgv(101, 5))
        assert "noise" not in again
        assert len(device.data()) == 1


class TestWhoMay:
    def test_a_credential_to_read_does_not_write(self, api: ApiClient, device: Device, phone: dict[str, Any]) -> None:
        device.store(sgv(100, 5))
        assert api.request("GET", f"{ENTRIES}?count=1", api_secret=phone["token"]).status == 200
        for method in ("POST", "DELETE"):
            assert api.request(method, ENTRIES, [sgv(101, 5)], api_secret=phone["token"]).status == 401
        assert api.request("POST", "/api/v1/entries/preview", [], api_secret=phone["token"]).status == 401
        assert [entry["sgv"] for entry in device.found()] == [100]

    def test_nobody_reads(self, api: ApiClient, device: Device) -> None:
        assert api.request("GET", ENTRIES).status == 401
        assert api.request("GET", "/api/v1/status.json").status == 401

    def test_each_sees_and_deletes_their_own(self, api: ApiClient, device: Device, ben: str) -> None:
        device.store(sgv(100, 5))
        body = {"name": "Ben's", "scope": "upload"}
        issued = api.request("POST", "/v1/users/9876543210/nightscout_credentials", body, token=ben).json()
        assert api.request("GET", ENTRIES, api_secret=issued["token"]).json() == []
        reply = api.request("DELETE", f"{ENTRIES}?find[date][$gte]=1", api_secret=issued["token"])
        assert reply.json()["deletedCount"] == 0
        assert len(device.found()) == 1

    def test_a_credential_in_the_body_is_not_stored(self, api: ApiClient, device: Device) -> None:
        sent = [sgv(100, 5, token=device.token), sgv(101, 4, secret="other")]
        assert api.request("POST", ENTRIES, sent).status == 200
        assert all(entry.keys().isdisjoint({"token", "secret"}) for entry in device.found())


class TestSite:
    def test_the_status_says_what_is_served_and_authorizes_tokens_of_the_query(
        self, api: ApiClient, device: Device
    ) -> None:
        status = device.send("GET", "/api/v1/status.json").json()
        assert (status["status"], status["apiEnabled"], status["careportalEnabled"]) == ("ok", True, True)
        assert (status["authorized"], status["settings"]["units"]) == (None, "mg/dl")
        assert status["serverTime"] == "2026-01-01T00:00:00.000Z"
        authorized = api.request("GET", f"/api/v1/status.json?token={device.token}").json()["authorized"]
        assert api.request("GET", ENTRIES, Authorization=f"Bearer {authorized['token']}").status == 200

    def test_the_status_may_be_a_script(self, device: Device) -> None:
        reply = device.send("GET", "/api/v1/status.js")
        assert reply.headers["content-type"] == "application/javascript; charset=utf-8"
        script = reply.body.decode()
        assert json.loads(script.removeprefix("this.serverSettings = ").removesuffix(" ;"))["status"] == "ok"

    @pytest.mark.parametrize(
        ("accept", "media_type"),
        [
            ("application/json", "application/json; charset=utf-8"),
            ("application/json, text/javascript, */*; q=0.01", "application/json; charset=utf-8"),
            ("text/plain;q=0.5, application/json", "application/json; charset=utf-8"),
            ("text/plain", "text/plain; charset=utf-8"),
            ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html; charset=utf-8"),
            ("*/*", "text/html; charset=utf-8"),
            ("image/png", "text/html; charset=utf-8"),
        ],
    )
    def test_the_status_has_the_format_that_the_client_prefers(
        self, device: Device, accept: str, media_type: str
    ) -> None:
        reply = device.send("GET", "/api/v1/status", Accept=accept)
        assert reply.headers["content-type"] == media_type
        assert device.send("GET", "/api/v1/status.txt", Accept=accept).body == b"STATUS OK"

    def test_an_app_may_test_whether_it_may_upload(self, api: ApiClient, device: Device, phone: dict[str, Any]) -> None:
        assert device.send("GET", "/api/v1/experiments/test").json() == {"status": "ok"}
        assert api.request("GET", "/api/v1/experiments/test", api_secret=phone["token"]).status == 401

    def test_versions_are_those_that_are_served(self, api: ApiClient) -> None:
        versions = api.request("GET", "/api/versions").json()
        assert [version["url"] for version in versions] == ["/api/v1", "/api/v2", "/api/v3"]
