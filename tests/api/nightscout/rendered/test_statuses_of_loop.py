"""Device statuses of a loop that uploads to the Tidepool API, as followers of the Nightscout API see them."""

import json
from typing import Any

import pytest

from chalicelib.nightscout.device_status import find as finding
from chalicelib.nightscout.device_status.of_loop import MAX_AGE_MS
from tests.api.conftest import ApiClient
from tests.api.nightscout.device import Device
from tests.api.nightscout.records import MINUTE_MS, SAMPLES, at, record
from tests.api.nightscout.v3 import V3
from tests.api.people import ANNA
from tests.fakes.services import FakeServices

PATH = "/api/v1/devicestatus.json"
MG_DL = {"bg": "mg/dL", "carb": "grams", "insulin": "Units"}


def decision(minutes_ago: float, **more: Any) -> dict[str, Any]:
    """A decision of the loop."""
    return record("dosingDecision", minutes_ago, **{"reason": "loop", "units": MG_DL, **more})


def pump(minutes_ago: float, **more: Any) -> dict[str, Any]:
    """The state of a pump."""
    return record("pumpStatus", minutes_ago, **({"reservoir": {"remaining": 90.5, "units": "Units"}} | more))


def phone(minutes_ago: float, remaining: float = 0.71) -> dict[str, Any]:
    """The state of a phone."""
    return record("controllerStatus", minutes_ago, battery={"remaining": remaining, "units": "percent"})


def day_of_loop() -> list[dict[str, Any]]:
    """The records that Loop sends of its decisions on a day."""
    paths = sorted(SAMPLES.glob("*_dosing_decisions.json"))
    return [record for path in paths for record in json.loads(path.read_text())]


class TestDecisions:
    def test_a_decision_is_a_status_with_the_state_of_pump_and_phone(self, device: Device) -> None:
        sent = decision(
            5,
            insulinOnBoard={"time": at(6), "amount": 1.25},
            carbsOnBoard={"amount": 12.5},
            bgForecast=[{"time": at(7), "value": 120}, {"value": 122}, {"value": -3}],
            recommendedBasal={"rate": 0.35, "duration": 1_800_000},
            recommendedBolus={"amount": 0.1},
            timezoneOffset=-480,
        )
        sent["origin"]["version"] = "3.4.4"
        state = pump(5, basalDelivery={"state": "suspended", "time": at(60)}, bolusDelivery={"state": "none"})
        state["battery"] = {"remaining": 0.55, "units": "percent"}
        device.send_to_tidepool([sent, state, phone(5)])
        (status,) = device.statuses()
        made = {name: status.pop(name) for name in ("_id", "identifier")}
        time = "2025-12-31T23:55:00Z"
        assert status == {
            "device": "org.tidepool.Loop",
            "app": "org.tidepool.Loop",
            "created_at": "2025-12-31T23:55:00.000Z",
            "utcOffset": -480,
            "isReadOnly": True,
            "loop": {
                "name": "Loop",
                "version": "3.4.4",
                "timestamp": time,
                "iob": {"iob": 1.25, "timestamp": "2025-12-31T23:54:00Z"},
                "cob": {"cob": 12.5, "timestamp": time},
                "predicted": {"startDate": "2025-12-31T23:53:00Z", "values": [120, 122, -3]},
                "recommendedBolus": 0.1,
                "enacted": {"timestamp": time, "received": True, "rate": 0.35, "duration": 30, "bolusVolume": 0.1},
            },
            "pump": {
                "clock": time,
                "reservoir": 90.5,
                "battery": {"percent": 55},
                "suspended": True,
                "bolusing": False,
            },
            "uploader": {"battery": 71, "timestamp": time},
        }
        assert made["identifier"] == next(
            record["id"] for record in device.data() if record["type"] == "dosingDecision"
        )
        assert len(made["_id"]) == 24

    def test_a_decision_alone_says_only_what_it_knows(self, device: Device) -> None:
        device.send_to_tidepool([decision(5)])
        (status,) = device.statuses()
        assert status["loop"].keys() == {"name", "version", "timestamp"}
        assert status.keys().isdisjoint({"pump", "uploader"})

    def test_one_that_failed_says_why_and_enacts_nothing(self, device: Device) -> None:
        failed = decision(5, errors=[{"id": "pumpDataTooOld"}], recommendedBasal={"rate": 1, "duration": 1_800_000})
        device.send_to_tidepool([failed])
        loop = device.statuses()[0]["loop"]
        assert (loop["failureReason"], "enacted" in loop) == ("pumpDataTooOld", False)

    def test_a_bolus_without_a_basal_has_no_rate(self, device: Device) -> None:
        device.send_to_tidepool([decision(5, recommendedBolus={"normal": 1, "extended": 0.5, "duration": 60_000})])
        loop = device.statuses()[0]["loop"]
        assert (loop["enacted"]["bolusVolume"], "rate" in loop["enacted"]) == (1.5, False)

    def test_what_is_no_decision_of_the_loop_is_no_status(self, device: Device) -> None:
        device.send_to_tidepool([decision(5, reason="normalBolus"), pump(5), phone(5)])
        assert device.statuses() == []

    @pytest.mark.parametrize("is_compacted", [False, True])
    def test_each_has_the_newest_state_before_it_for_a_quarter_of_an_hour(
        self, device: Device, is_compacted: bool
    ) -> None:
        old = MAX_AGE_MS // MINUTE_MS
        decisions = [decision(minutes) for minutes in (50 - old - 1, 50 - old, 49, 10, 1)]
        device.send_to_tidepool([*decisions, phone(50, 0.9), phone(11, 0.5), phone(9, 0.4), phone(0, 0.3)])
        if is_compacted:
            device.compact()
        batteries = [status.get("uploader", {}).get("battery") for status in device.statuses()]
        assert batteries == [40, 50, None, 90, 90]


class TestWholeDay:
    @pytest.mark.parametrize("is_compacted", [False, True])
    def test_a_day_of_loop_is_seen_by_the_queries_of_followers(self, device: Device, is_compacted: bool) -> None:
        sent = day_of_loop()
        device.send_to_tidepool(sent)
        if is_compacted:
            device.compact()
        decisions = [record for record in sent if record["type"] == "dosingDecision" and record["reason"] == "loop"]
        whole = "find[created_at][$gte]=2025-06-09T00:00:00Z&find[created_at][$lte]=2025-06-12T00:00:00Z"
        statuses = device.statuses(f"count=1000&{whole}")
        assert len(statuses) == len(decisions) == 282
        for status, decision in zip(statuses, reversed(decisions), strict=True):
            assert status["created_at"] == decision["time"]
            assert status["loop"]["iob"]["iob"] == decision["insulinOnBoard"]["amount"]
            assert status["loop"]["cob"]["cob"] == decision["carbsOnBoard"]["amount"]
            assert status["loop"]["predicted"]["values"] == [point["value"] for point in decision["bgForecast"]]
            assert ("enacted" in status["loop"]) == ("errors" not in decision)
        reservoirs = [record["reservoir"]["remaining"] for record in sent if record["type"] == "pumpStatus"]
        assert statuses[0]["pump"]["reservoir"] == reservoirs[-1]
        assert all(status["pump"]["clock"] and status["uploader"]["battery"] for status in statuses)
        hours = "find[created_at][$gte]=2025-06-10T06:00:54Z&find[created_at][$lte]=2025-06-10T12:00:54Z"
        few = device.statuses(f"{hours}&count=30")
        between = ("2025-06-10T06:00:54", "2025-06-10T12:00:54")
        assert few == [status for status in statuses if between[0] < status["created_at"] < between[1]][:30]
        assert device.statuses(f"find[_id]={few[3]['_id']}") == [few[3]]


class TestBounds:
    def test_the_newest_one_reads_what_latest_reads_and_the_stored_statuses(
        self, device: Device, fakes: FakeServices
    ) -> None:
        for first in range(10, 6010, 1500):
            device.send_to_tidepool([record(first + 5 * n) for n in range(300) for record in (decision, pump, phone)])
        device.compact()
        device.send_to_tidepool([decision(1)])
        device.send("GET", "/api/v1/status.json")  # notes that the credential is used today
        made: list[str] = []
        fakes.calls.watch = made.append
        assert [status["created_at"] for status in device.statuses("count=1")] == [at(1)]
        # The credential, the counters, the stored statuses; then counters and manifest, data sets, tail, three tiles.
        assert len(made) <= 3 + 4, made

    def test_a_user_without_decisions_of_that_time_pays_nothing(self, device: Device, fakes: FakeServices) -> None:
        device.send_to_tidepool([pump(5), decision(6 * 24 * 60)])
        device.send("GET", "/api/v1/status.json")  # notes that the credential is used today
        made: list[str] = []
        fakes.calls.watch = made.append
        assert device.statuses("count=1") == []
        assert made == ["GetItem", "GetItem", "Query"]

    def test_one_that_is_named_reads_its_own_day(self, device: Device, fakes: FakeServices) -> None:
        device.send_to_tidepool([decision(24 * 60 * number + 60) for number in range(20)])
        device.compact()
        every = "find[created_at][$gte]=2025-11-01&count=100"
        named = device.statuses(every)[15]
        for query, wanted in ((named["_id"], [named]), ("0" * 24, [])):
            made: list[str] = []
            fakes.calls.watch = made.append
            assert device.statuses(f"find[_id]={query}") == wanted
            assert len(made) <= 3 + 5, made
        stored = device.send("POST", PATH, {"device": "x", "created_at": at(90), "_id": "ab" * 12}).json()
        assert device.statuses(f"find[_id]={'ab' * 12}") == stored
        assert device.statuses(f"find[_id]={'ab' * 12}&find[device]=y") == []

    def test_a_search_of_too_much_has_to_be_narrowed(self, device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
        device.send_to_tidepool([decision(number) for number in range(30)])
        monkeypatch.setattr(finding, "MAX_READ", 20)
        reply = device.send("GET", f"{PATH}?find[device]=another")
        assert (reply.status, reply.json()["message"]) == (400, "narrow the search by date")


class TestBesideStored:
    def test_a_loop_that_uploads_to_both_apis_is_shown_once(self, device: Device) -> None:
        device.send_to_tidepool([decision(5), decision(10)])
        sent = [
            {"device": "loop://phone", "created_at": "2025-12-31T23:55:00Z", "loop": {"name": "Loop"}},
            {"device": "xdrip", "created_at": at(10), "uploader": {"battery": 7}},
        ]
        device.send("POST", PATH, sent)
        assert [status["device"] for status in device.statuses()] == ["loop://phone", "xdrip", "org.tidepool.Loop"]

    def test_a_deletion_deletes_stored_ones_alone(self, device: Device) -> None:
        device.send_to_tidepool([decision(5)])
        device.send("POST", PATH, {"device": "xdrip", "created_at": at(10)})
        (status, stored) = device.statuses()
        assert device.send("DELETE", f"/api/v1/devicestatus/{status['_id']}").json()["deletedCount"] == 0
        assert device.send("DELETE", "/api/v1/devicestatus/*").json()["deletedCount"] == 1
        assert device.statuses() == [status] != [stored]

    def test_erased_data_is_gone(self, device: Device, api: ApiClient, server: str) -> None:
        device.send_to_tidepool([decision(5)])
        assert api.request("DELETE", f"/v1/users/{ANNA.user_id}/data", token=server).status == 200
        assert device.statuses() == []


class TestOtherViews:
    def test_v3_finds_and_reads_it_and_has_it_in_no_history(self, v3: V3) -> None:
        v3.device.send_to_tidepool([decision(5), decision(10), phone(5)])
        v3.device.compact()
        newest, oldest = v3.result("devicestatus")
        assert newest["uploader"]["battery"] == 71
        assert newest["date"] == newest["srvModified"] > oldest["date"]
        assert v3.result("devicestatus?sort=date&limit=1") == [oldest]
        (shown, _) = v3.device.statuses()
        assert v3.result(f"devicestatus/{newest['identifier']}") == newest
        assert v3.result(f"devicestatus/{shown['_id']}") == newest
        assert v3.send("GET", f"devicestatus/{'0' * 24}").status == 404
        assert v3.changes("devicestatus", 1)[0] == []
        assert v3.result("lastModified")["collections"] == {}

    def test_properties_say_what_the_loop_has_on_board(self, device: Device) -> None:
        on_board = {"insulinOnBoard": {"amount": 1.234}, "carbsOnBoard": {"amount": 10.55}}
        device.send_to_tidepool([decision(5, **on_board), phone(5, 0.8)])
        answer = device.send("GET", "/api/v2/properties/upbat,iob,cob").json()
        assert [answer[name]["display"] for name in ("upbat", "iob", "cob")] == ["80%", "1.23", 10.6]
