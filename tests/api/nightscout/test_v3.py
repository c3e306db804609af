"""v3 of the Nightscout API: credentials, the site, and documents created, read, replaced, changed and deleted."""

from typing import Any

import pytest

from tests.api.conftest import ApiClient
from tests.api.nightscout.records import cbg, record
from tests.api.nightscout.v3 import AT_MS, DAY_MS, V3, bolus, entry
from tests.api.people import ANNA

UUID = "1f1e2d3c-4b5a-4978-8796-a5b4c3d2e1f1"
TREATMENTS = "/api/v1/treatments.json"


class TestCredentials:
    @pytest.mark.parametrize(
        ("authorization", "message"),
        [
            ("", "Missing or bad access token or JWT"),
            ("Bearer", "Missing or bad access token or JWT"),
            ("Bearer a b", "Missing or bad access token or JWT"),
            ("Basic YTpi", "Missing or bad access token or JWT"),
            ("Bearer a.b.c", "Bad access token or JWT"),
            ("Bearer mumsphone-0123456789abcdef", "Bad access token or JWT"),
        ],
    )
    def test_only_a_valid_jwt_opens_v3(self, api: ApiClient, authorization: str, message: str) -> None:
        headers = {"Authorization": authorization} if authorization else {}
        reply = api.request("GET", "/api/v3/status", **headers)
        assert (reply.status, reply.json()) == (401, {"status": 401, "message": message})

    def test_neither_secret_nor_token_in_the_query_opens_it(self, v3: V3) -> None:
        for path, headers in (("", {"api_secret": v3.device.token}), (f"?token={v3.device.token}", {})):
            assert v3.device.api.request("GET", f"/api/v3/entries{path}", **headers).status == 401

    def test_the_scheme_may_have_any_case(self, v3: V3) -> None:
        assert v3.send("GET", "status", Authorization=f"bearer {v3.jwt}").status == 200

    def test_the_permissions_name_all_six_collections(self, v3: V3, phone: dict[str, Any]) -> None:
        names = {"devicestatus", "entries", "food", "profile", "settings", "treatments"}
        assert v3.result("status")["apiPermissions"] == dict.fromkeys(names, "crud")
        v3.jwt = v3.jwt_of(phone["token"])
        assert v3.result("status")["apiPermissions"] == dict.fromkeys(names, "r")

    @pytest.mark.parametrize(
        ("method", "path", "right"),
        [
            ("POST", "entries", "create"),
            ("PUT", f"entries/{UUID}", "update"),
            ("PATCH", f"entries/{UUID}", "update"),
            ("DELETE", f"entries/{UUID}", "delete"),
        ],
    )
    def test_a_credential_to_read_changes_nothing(
        self, v3: V3, phone: dict[str, Any], method: str, path: str, right: str
    ) -> None:
        v3.create("entries", entry(identifier=UUID))
        v3.jwt = v3.jwt_of(phone["token"])
        reply = v3.send(method, path, entry(sgv=7))
        assert (reply.status, reply.json()["message"]) == (403, f"Missing permission api:entries:{right}")
        assert [found["sgv"] for found in v3.result("entries")] == [100]

    def test_nobody_lists_settings(self, v3: V3) -> None:
        v3.create("settings", {"date": AT_MS, "app": "AAPS", "identifier": "s", "theme": "dark"})
        assert v3.result("settings/s")["theme"] == "dark"
        for path in ("settings", "settings/history/1000000000000"):
            reply = v3.send("GET", path)
            assert (reply.status, reply.json()["message"]) == (403, "Missing permission api:settings:admin")


class TestPaths:
    @pytest.mark.parametrize("path", ["", "unknown", "unknown/history/1", "entries/a/b/c"])
    def test_an_unknown_one_is_404_in_the_words_of_v3(self, v3: V3, path: str) -> None:
        reply = v3.send("GET", path)
        assert (reply.status, reply.json()) == (404, {"status": 404, "message": "Bad operation or collection"})

    @pytest.mark.parametrize("path", ["entries.txt", "entries.html", "entries.other"])
    def test_other_formats_are_refused(self, v3: V3, path: str) -> None:
        reply = v3.send("GET", path)
        assert (reply.status, reply.json()["message"]) == (406, "Unsupported output format requested")


class TestCreating:
    def test_a_document_is_shown_as_sent_and_completed(self, v3: V3) -> None:
        sent = {"eventType": "Note", "created_at": "2025-12-31T01:00:00+01:00", "app": "synth", "nested": {"a": [1]}}
        identifier = v3.create("treatments", sent | {"srvCreated": 1, "subject": "faked", "_id": "x"})
        assert v3.result(f"treatments/{identifier}") == {
            "eventType": "Note",
            "created_at": "2025-12-31T00:00:00.000Z",
            "date": AT_MS,
            "utcOffset": 60,
            "app": "synth",
            "nested": {"a": [1]},
            "identifier": identifier,
            "srvCreated": v3.device.fakes.services.now_ms(),
            "srvModified": v3.device.fakes.services.now_ms(),
            "subject": "Pump",
        }

    def test_a_repetition_is_the_same_document_and_stores_nothing(self, v3: V3) -> None:
        first = v3.send("POST", "entries", entry())
        again = v3.send("POST", "entries", entry())
        assert (first.status, again.status) == (201, 200)
        assert again.json() == {**first.json(), "status": 200, "isDeduplication": True}
        assert first.headers["location"] == f"/api/v3/entries/{first.json()['identifier']}"
        assert v3.changes("entries", 0 + 1)[1] == first.json()["lastModified"]

    def test_members_of_the_server_are_ignored_in_what_is_created_again(self, v3: V3) -> None:
        v3.create("treatments", bolus(identifier="t"))
        before = v3.result("treatments/t")
        sent = bolus(identifier="t", insulin=2, srvCreated=1, srvModified=2, subject="x", modifiedBy="y")
        assert v3.send("POST", "treatments", sent).status == 200
        after = v3.result("treatments/t")
        assert (after["insulin"], after["srvCreated"], after["subject"]) == (2, before["srvCreated"], "Pump")
        assert after["srvModified"] > before["srvModified"]
        assert "modifiedBy" not in after

    def test_two_devices_have_a_reading_each_at_the_same_time(self, v3: V3) -> None:
        v3.create("entries", entry())
        v3.create("entries", entry(device="other", sgv=101))
        assert sorted(found["sgv"] for found in v3.result("entries")) == [100, 101]

    def test_a_reading_of_v1_gets_the_identifier_and_keeps_its_id(self, v3: V3) -> None:
        v1 = v3.device.store({"type": "sgv", "sgv": 99, "date": AT_MS, "dateString": "2025-12-31T00:00:00.000Z"})[0]
        reply = v3.send("POST", "entries", entry(utcOffset=0, identifier="mine"))
        assert (reply.status, reply.json()["deduplicatedIdentifier"]) == (200, v1["_id"])
        assert [found["_id"] for found in v3.device.found("find[date][$gte]=1")] == [v1["_id"]]
        assert v3.result("entries/mine")["sgv"] == v3.result(f"entries/{v1['_id']}")["sgv"] == 100
        assert [record["type"] for record in v3.device.data()] == ["cbg"]

    def test_a_treatment_of_v1_is_met_by_time_and_event(self, v3: V3) -> None:
        at = "2025-12-31T00:00:00.000Z"
        v3.device.send("POST", TREATMENTS, [{"eventType": "Correction Bolus", "created_at": at, "insulin": 1}])
        assert v3.send("POST", "treatments", bolus(utcOffset=0)).status == 200
        assert [found["insulin"] for found in v3.result("treatments")] == [1.5]

    @pytest.mark.parametrize(
        ("members", "message"),
        [
            ({"date": None}, "Bad or missing date field"),
            ({"date": "soon"}, "Bad or missing date field"),
            ({"date": 10**18}, "Bad or missing date field"),
            ({"date": True}, "Bad or missing date field"),
            ({"utcOffset": "60"}, "Bad or missing utcOffset field"),
            ({"utcOffset": 3_600_000}, "Bad or missing utcOffset field"),
            ({"app": " "}, "Bad or missing app field"),
            ({"identifier": " "}, "Bad or missing identifier field"),
            ({"identifier": 7}, "Bad or missing identifier field"),
            ({"identifier": "a" * 501}, "Bad or missing identifier field"),
            ({"notes": "x" * 310_000}, "a document may have at most 307200 bytes"),
        ],
    )
    def test_a_bad_document_is_400_and_stores_nothing(self, v3: V3, members: dict[str, Any], message: str) -> None:
        reply = v3.send("POST", "entries", entry(**members))
        assert (reply.status, reply.json()) == (400, {"status": 400, "message": message})
        assert v3.result("entries") == []

    @pytest.mark.parametrize("body", [{}, [], [entry()], b"", b"7", b'{"type":', b'{"a":' + b"[" * 5000 + b"]" * 5000])
    def test_a_body_that_is_no_document_is_400(self, v3: V3, body: Any) -> None:
        assert v3.send("POST", "entries", body).status == 400

    def test_what_it_stands_for_is_seen_as_data_of_the_user(self, v3: V3) -> None:
        v3.create("treatments", bolus(type="SMB", isSMB=True))
        record = v3.device.data()[0]
        assert (record["type"], record["subType"], record["normal"]) == ("bolus", "automated", 1.5)
        assert record["origin"]["name"] == "AAPS"


class TestReading:
    @pytest.mark.parametrize("collection", ["entries", "devicestatus"])
    def test_what_the_client_has_is_304(self, v3: V3, collection: str) -> None:
        path = f"{collection}/{v3.create(collection, entry())}"
        modified = v3.send("GET", path).headers["last-modified"]
        assert v3.send("GET", path, If_Modified_Since=modified).status == 304
        assert v3.send("GET", path, If_Modified_Since="Tue, 30 Dec 2025 00:00:00 GMT").status == 200

    @pytest.mark.parametrize("compacts", [False, True])
    def test_a_document_is_found_by_identifier_and_by_id(self, v3: V3, compacts: bool) -> None:
        uuid = {"type": "sgv", "sgv": 98, "date": AT_MS + 1, "_id": UUID}
        v3.create("treatments", bolus(identifier="mine"))
        id_ = v3.device.store(uuid)[0]["_id"]
        if compacts:
            v3.device.compact()
        assert v3.result("treatments/mine?fields=insulin") == {"insulin": 1.5}
        assert v3.result(f"entries/{id_}?fields=sgv,app") == v3.result(f"entries/{UUID}?fields=sgv") == {"sgv": 98}

    def test_an_unknown_one_is_404_without_words(self, v3: V3) -> None:
        reply = v3.send("GET", "entries/unknown")
        assert (reply.status, reply.json()) == (404, {"status": 404})


class TestChanging:
    @pytest.mark.parametrize("compacts", [False, True])
    def test_put_replaces_and_patch_sets_members(self, v3: V3, compacts: bool) -> None:
        temp_basal = bolus(eventType="Temp Basal", identifier="t", rate=0.5, duration=30)
        assert v3.send("PUT", "treatments/t", temp_basal).status == 201
        if compacts:
            v3.device.compact()
        del temp_basal["insulin"]
        assert v3.send("PUT", "treatments/t", temp_basal | {"rate": 0.7}).status == 200
        assert v3.send("PATCH", "treatments/t", {"duration": 15, "notes": "x"}).status == 200
        found = v3.result("treatments/t")
        assert (found["rate"], found["notes"], found["modifiedBy"], "insulin" in found) == (0.7, "x", "Pump", False)
        assert (found["durationInMilliseconds"], found["endmills"]) == (900_000, AT_MS + 900_000)

    @pytest.mark.parametrize(
        "members", [{"date": AT_MS + 1}, {"eventType": "Note"}, {"app": "x"}, {"isValid": False}, {"srvModified": 1}]
    )
    def test_an_immutable_member_stays(self, v3: V3, members: dict[str, Any]) -> None:
        v3.create("treatments", bolus(identifier="t"))
        reply = v3.send("PATCH", "treatments/t", members)
        message = f"Field {next(iter(members))} cannot be modified by the client"
        assert (reply.status, reply.json()["message"]) == (400, message)
        assert v3.send("PATCH", "treatments/t", {"app": "AAPS", "date": AT_MS, "isValid": True}).status == 200

    @pytest.mark.parametrize("name", ["srvCreated", "srvModified", "subject", "modifiedBy"])
    @pytest.mark.parametrize("method", ["PUT", "PATCH"])
    def test_a_member_of_the_server_is_refused_unless_it_is_as_stored(self, v3: V3, method: str, name: str) -> None:
        v3.create("treatments", bolus(identifier="t"))
        sent = v3.result("treatments/t") | {"insulin": 2}
        reply = v3.send(method, "treatments/t", sent | {name: 1})
        assert (reply.status, reply.json()["message"]) == (400, f"Field {name} cannot be modified by the client")
        assert v3.send(method, "treatments/t", sent).status == 200
        assert v3.result("treatments/t")["insulin"] == 2

    def test_a_replacement_names_who_sent_it_and_keeps_the_identifier_of_the_path(
        self, v3: V3, api: ApiClient, anna: str
    ) -> None:
        v3.create("treatments", bolus(identifier="t"))
        other = {"name": "Other", "scope": "upload"}
        token = api.request("POST", f"/v1/users/{ANNA.user_id}/nightscout_credentials", other, token=anna).json()[
            "token"
        ]
        headers = {"Authorization": f"Bearer {v3.jwt_of(token)}"}
        assert v3.send("PUT", "treatments/t", bolus(identifier="t"), **headers).status == 200
        assert v3.result("treatments/t")["subject"] == "Pump"
        assert v3.send("PUT", "treatments/t", bolus(identifier="u", insulin=2), **headers).status == 200
        found = v3.result("treatments/t")
        assert (found["identifier"], found["subject"], found["insulin"]) == ("t", "Other", 2)

    def test_the_derived_data_follows(self, v3: V3) -> None:
        v3.create("treatments", bolus(identifier="t"))
        v3.send("PATCH", "treatments/t", {"insulin": 2})
        assert [record["normal"] for record in v3.device.data()] == [2]

    def test_a_read_only_document_stays_and_the_refusal_is_final(self, v3: V3) -> None:
        locked = bolus(identifier="t", isReadOnly=True)
        v3.create("treatments", locked)
        for method, path, body in (
            ("POST", "treatments", locked | {"insulin": 3}),
            ("PUT", "treatments/t", locked),
            ("PATCH", "treatments/t", {"insulin": 3}),
            ("DELETE", "treatments/t", None),
        ):
            reply = v3.send(method, path, body)
            assert (reply.status, reply.json()["message"]) == (400, "Trying to modify read-only document")

    def test_what_was_modified_later_is_412(self, v3: V3) -> None:
        v3.create("treatments", bolus(identifier="t"))
        old = {"If_Unmodified_Since": "Wed, 31 Dec 2025 00:00:00 GMT"}
        assert v3.send("PATCH", "treatments/t", {"insulin": 3}, **old).status == 412
        assert v3.send("PUT", "treatments/t", bolus(identifier="t"), **old).status == 412
        assert v3.send("DELETE", "treatments/t", **old).status == 412
        new = {"If_Unmodified_Since": "Thu, 01 Jan 2026 00:00:00 GMT"}
        assert v3.send("PATCH", "treatments/t", {"insulin": 3}, **new).status == 200

    def test_a_document_of_v1_is_changed_by_its_id(self, v3: V3) -> None:
        sent = {"eventType": "Note", "notes": "v1", "created_at": "2025-12-31T00:00:00.000Z"}
        id_ = v3.device.send("POST", TREATMENTS, [sent]).json()[0]["_id"]
        assert v3.send("PATCH", f"treatments/{id_}", {"notes": "v3"}).status == 200
        shown = v3.device.send("GET", f"{TREATMENTS}?find[created_at][$gte]=2025-12-30").json()
        assert [(found["_id"], found["notes"]) for found in shown] == [(id_, "v3")]


class TestDeleting:
    @pytest.mark.parametrize("compacts", [False, True])
    def test_a_deleted_document_is_gone_for_both_versions_and_its_data_too(self, v3: V3, compacts: bool) -> None:
        v3.create("treatments", bolus(identifier="t"))
        if compacts:
            v3.device.compact()
        assert v3.send("DELETE", "treatments/t").status == 200
        if compacts:
            v3.device.compact()
        assert v3.send("DELETE", "treatments/t").status == 200
        assert v3.result("treatments") == []
        assert v3.device.send("GET", f"{TREATMENTS}?find[created_at][$gte]=2025-12-30").json() == []
        assert v3.device.data() == []
        reply = v3.send("GET", "treatments/t")
        assert (reply.status, reply.json()) == (410, {"status": 410})

    def test_a_change_of_a_deleted_document_is_refused_for_good(self, v3: V3) -> None:
        v3.create("treatments", bolus(identifier="t"))
        v3.send("DELETE", "treatments/t")
        for method, body in (("PATCH", {"insulin": 3}), ("PUT", bolus(identifier="t"))):
            reply = v3.send(method, "treatments/t", body)
            assert (reply.status, reply.json()["message"]) == (400, "Trying to modify deleted document")
        assert v3.result("treatments") == []

    def test_creating_it_again_brings_it_back(self, v3: V3) -> None:
        v3.create("treatments", bolus(identifier="t"))
        v3.send("DELETE", "treatments/t")
        assert v3.send("POST", "treatments", bolus(identifier="t", insulin=2)).status == 200
        assert [(found["insulin"], found["isValid"]) for found in v3.result("treatments")] == [(2, True)]
        assert [record["normal"] for record in v3.device.data()] == [2]

    def test_a_permanent_deletion_leaves_no_trace(self, v3: V3) -> None:
        v3.create("treatments", bolus(identifier="t"))
        assert v3.send("DELETE", "treatments/t?permanent=true").status == 200
        assert v3.send("GET", "treatments/t").status == 404
        assert v3.changes("treatments", 1)[0] == []
        assert v3.device.data() == []

    def test_an_unknown_one_is_404(self, v3: V3) -> None:
        assert v3.send("DELETE", "treatments/unknown").json() == {"status": 404}
        assert v3.send("PATCH", "treatments/unknown", {"insulin": 3}).json() == {"status": 404}

    def test_a_document_that_v1_deleted_may_be_stored_again(self, v3: V3) -> None:
        reading = {"type": "sgv", "sgv": 99, "date": AT_MS, "noise": 1}
        v3.device.store(reading)
        v3.device.send("DELETE", "/api/v1/entries?find[date][$gte]=1")
        assert v3.device.found("find[date][$gte]=1") == v3.device.data() == []
        del reading["noise"]
        v3.device.store(reading)
        assert ["noise" in found for found in v3.device.found("find[date][$gte]=1")] == [False]
        assert [record["type"] for record in v3.device.data()] == ["cbg"]


class TestOtherData:
    def test_data_of_the_tidepool_api_is_found_in_both_orders(self, v3: V3) -> None:
        v3.device.send_to_tidepool([cbg(124, 5), cbg(120, 2000), record("bolus", 6, subType="normal", normal=2)])
        v3.create("entries", entry())
        assert [found["sgv"] for found in v3.result("entries?sort=date")] == [120, 100, 124]
        assert [found["sgv"] for found in v3.result("entries?limit=2")] == [124, 100]
        bolus_of_tidepool = v3.result("treatments?sort=created_at&created_at$gt=2025-12-31T00:00:00Z")[0]
        assert (bolus_of_tidepool["insulin"], bolus_of_tidepool["isReadOnly"]) == (2, True)
        assert bolus_of_tidepool["date"] == bolus_of_tidepool["srvModified"]

    def test_it_is_read_and_not_changed_here(self, v3: V3) -> None:
        v3.device.send_to_tidepool([record("bolus", 6, subType="normal", normal=2)])
        identifier = v3.result("treatments")[0]["identifier"]
        assert v3.result(f"treatments/{identifier}")["insulin"] == 2
        for method, body in (("PATCH", {"insulin": 3}), ("PUT", bolus(identifier=identifier)), ("DELETE", None)):
            reply = v3.send(method, f"treatments/{identifier}", body)
            assert (reply.status, reply.json()["message"]) == (400, "Trying to modify read-only document")
        assert [found["normal"] for found in v3.device.data()] == [2]

    def test_a_temporary_basal_of_v3_ends_the_one_before_and_is_ended_by_its_deletion(self, v3: V3) -> None:
        for name, at_ms in (("a", AT_MS), ("b", AT_MS + 600_000)):
            basal = {"eventType": "Temp Basal", "duration": 30, "absolute": 1, "rate": 1, "insulin": None}
            v3.create("treatments", bolus(at_ms, identifier=name, **basal))
        durations = [found["duration"] for found in sorted(v3.device.data(), key=lambda found: found["time"])]
        assert durations == [600_000, 1_800_000]
        v3.send("DELETE", "treatments/b")
        assert [found["duration"] for found in v3.device.data()] == [1_800_000]


def test_v1_shows_readings_of_v3_with_the_text_of_their_time(v3: V3) -> None:
    v3.create("entries", entry())
    v3.create("entries", entry(AT_MS - DAY_MS))
    found = v3.device.found("find[dateString][$gte]=2025-12-31T00:00:00.000Z")
    assert [reading["dateString"] for reading in found] == ["2025-12-31T00:00:00.000Z"]
