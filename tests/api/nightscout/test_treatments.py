"""Treatments of the Nightscout API: stored, found and deleted, and the Tidepool data that is derived from them."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.api.conftest import ApiClient
from tests.api.nightscout.device import Device
from tests.fakes.services import FakeServices

TREATMENTS = "/api/v1/treatments.json"
AT = "2025-12-31T20:00:00.000Z"
UUID = "1f1e2d3c-4b5a-4978-8796-a5b4c3d2e1f1"
HEX_ID = "aabbccddeeff001122334455"


def treatment(kind: str, **members: Any) -> dict[str, Any]:
    """A treatment of four hours ago."""
    return {"eventType": kind, "created_at": AT, "enteredBy": "app", **members}


def store(device: Device, *treatments: dict[str, Any]) -> list[dict[str, Any]]:
    """The treatments as stored."""
    reply = device.send("POST", TREATMENTS, list(treatments))
    assert reply.status == 200, reply.body
    stored: list[dict[str, Any]] = reply.json()
    return stored


def found(device: Device, query: str = "count=100") -> list[dict[str, Any]]:
    """The treatments that a query finds."""
    reply = device.send("GET", f"{TREATMENTS}?{query}")
    assert reply.status == 200, reply.body
    documents: list[dict[str, Any]] = reply.json()
    return documents


def derived(device: Device, *treatments: dict[str, Any]) -> list[dict[str, Any]]:
    """The members of the records of treatments that tell them apart, by type."""
    store(device, *treatments)
    common = {"id", "uploadId", "origin", "payload", "time", "deviceId", "timezoneOffset", "_deduplicator"}
    records = [{name: value for name, value in record.items() if name not in common} for record in device.data()]
    return sorted(records, key=lambda record: str(record["type"]))


class TestDerivedData:
    @pytest.mark.parametrize(
        ("sent", "record"),
        [
            (treatment("Correction Bolus", insulin=1.25), {"type": "bolus", "subType": "normal", "normal": 1.25}),
            (treatment("Bolus", insulin="2.5"), {"type": "bolus", "subType": "normal", "normal": 2.5}),
            (
                treatment("Bolus", insulin=1, programmed=2),
                {"type": "bolus", "subType": "normal", "normal": 1, "expectedNormal": 2},
            ),
            (treatment("SMB", insulin=0.3), {"type": "bolus", "subType": "automated", "normal": 0.3}),
            (
                treatment("Correction Bolus", insulin=0.3, automatic=True),
                {"type": "bolus", "subType": "automated", "normal": 0.3},
            ),
            (
                treatment("Meal Bolus", insulin=3, type="square", duration=30),
                {"type": "bolus", "subType": "square", "extended": 3, "duration": 1_800_000},
            ),
            (
                treatment("Combo Bolus", enteredinsulin=4, splitNow=25, splitExt=75, duration=60),
                {"type": "bolus", "subType": "dual/square", "normal": 1, "extended": 3, "duration": 3_600_000},
            ),
            (
                treatment("Combo Bolus", relative=2, duration=90),
                {"type": "bolus", "subType": "square", "extended": 3, "duration": 5_400_000},
            ),
            (
                treatment("External Insulin", insulin=10, isBasalInsulin=True),
                {
                    "type": "insulin",
                    "dose": {"total": 10, "units": "Units"},
                    "formulation": {"simple": {"actingType": "long"}},
                },
            ),
            (
                treatment("Carb Correction", carbs=12, fat=3, protein=4, absorptionTime=180, foodType="cake"),
                {
                    "type": "food",
                    "name": "cake",
                    "nutrition": {
                        "carbohydrate": {"net": 12, "units": "grams"},
                        "fat": {"total": 3, "units": "grams"},
                        "protein": {"total": 4, "units": "grams"},
                        "estimatedAbsorptionDuration": 10_800,
                    },
                },
            ),
            (
                treatment("BG Check", glucose=5.5, glucoseType="Finger", units="mmol"),
                {"type": "smbg", "units": "mmol/L", "value": 5.5},
            ),
            (
                treatment("Site Change"),
                {"type": "deviceEvent", "subType": "prime", "primeTarget": "cannula"},
            ),
            (treatment("Insulin Change"), {"type": "deviceEvent", "subType": "reservoirChange"}),
            (
                treatment("Suspend Pump"),
                {
                    "type": "deviceEvent",
                    "subType": "status",
                    "status": "suspended",
                    "reason": {"suspended": "manual"},
                },
            ),
            (
                treatment("Resume Pump"),
                {"type": "deviceEvent", "subType": "status", "status": "resumed", "reason": {"resumed": "manual"}},
            ),
            (
                treatment("Exercise", duration=30),
                {"type": "physicalActivity", "duration": {"units": "minutes", "value": 30}},
            ),
        ],
    )
    def test_a_treatment_is_seen_as_a_record(self, device: Device, sent: dict[str, Any], record: Any) -> None:
        assert derived(device, sent) == [record]

    def test_a_meal_with_its_bolus_is_seen_as_both(self, device: Device) -> None:
        records = derived(device, treatment("Meal Bolus", insulin=4.5, carbs=45))
        assert [record["type"] for record in records] == ["bolus", "food"]

    def test_overrides_and_targets_have_their_range_and_factors(self, device: Device) -> None:
        run = {"reason": "Run", "duration": 60, "correctionRange": [140, 160], "insulinNeedsScaleFactor": 0.5}
        soon = {"reason": "Eating Soon", "duration": 30, "targetTop": 5, "targetBottom": 4.5}
        records = derived(device, treatment("Temporary Override", **run), treatment("Temporary Target", **soon))
        by_type = {record["overrideType"]: record for record in records}
        preset, preprandial = by_type["preset"], by_type["preprandial"]
        assert (preset["overridePreset"], preset["duration"]) == ("Run", 3_600_000)
        assert (preset["basalRateScaleFactor"], preset["carbRatioScaleFactor"]) == (0.5, 2)
        assert preset["bgTarget"]["low"] == pytest.approx(7.77105, abs=1e-4)
        assert (preprandial["duration"], preprandial["bgTarget"]) == (1_800_000, {"low": 4.5, "high": 5})

    @pytest.mark.parametrize(
        "sent",
        [
            treatment("Temp Basal", percent=-50, duration=30),
            treatment("Temp Basal", rate=0.8, absolute=0.8, duration=0),
            treatment("Note", notes="hello"),
            treatment("Sensor Start"),
            treatment("Announcement", notes="hello"),
            treatment("BG Check", glucose=118, glucoseType="Sensor"),
            treatment("Temporary Target", duration=0),
            treatment("Correction Bolus", insulin=10_000),
            treatment("Carb Correction", carbs=0),
            {"notes": "'; DROP TABLE treatments; --"},
        ],
    )
    def test_what_has_no_record_is_kept_and_derives_nothing(self, device: Device, sent: dict[str, Any]) -> None:
        assert derived(device, sent) == []
        assert len(found(device)) == 1

    def test_a_change_removes_what_is_not_there_any_more(self, device: Device) -> None:
        assert len(derived(device, treatment("Meal Bolus", insulin=4, carbs=40, identifier="own"))) == 2
        records = derived(device, treatment("Meal Bolus", carbs=50, identifier="own", notes="late"))
        assert [record["nutrition"]["carbohydrate"]["net"] for record in records] == [50]
        device.compact()
        assert derived(device, treatment("Note", identifier="own", created_at="2025-12-20T00:00:00Z")) == []
        assert len(found(device, "find[created_at][$gte]=2025-12-01")) == 1


class TestStoring:
    @pytest.mark.parametrize(
        "sent",
        [
            treatment("Note", notes="a", _id=UUID),
            treatment("Note", notes="a", identifier="own-1"),
            treatment("Note", notes="a", _id=HEX_ID),
            treatment("Note", notes="a"),
        ],
        ids=["UUID", "identifier", "hex", "time and type"],
    )
    @pytest.mark.parametrize("compacts", [False, True])
    def test_a_treatment_with_the_key_of_a_stored_one_replaces_it(
        self, device: Device, sent: dict[str, Any], compacts: bool
    ) -> None:
        (first,) = store(device, sent | {"extra": 1})
        if compacts:
            device.compact()
        (second,) = store(device, sent | {"notes": "b"})
        assert second["_id"] == first["_id"]
        assert [(treatment["notes"], "extra" in treatment) for treatment in found(device)] == [("b", False)]

    def test_the_id_of_the_server_names_the_treatment_in_a_put(self, device: Device) -> None:
        (first,) = store(device, treatment("Note", notes="a", identifier=UUID))
        moved = {"_id": first["_id"], "eventType": "Note", "notes": "b", "created_at": "2025-12-31T10:00:00Z"}
        reply = device.send("PUT", TREATMENTS, moved)
        assert (reply.status, reply.json()["_id"], reply.json()["notes"]) == (200, first["_id"], "b")
        assert [treatment["created_at"] for treatment in found(device)] == ["2025-12-31T10:00:00.000Z"]

    def test_the_ids_have_a_form_that_apps_can_delete(self, device: Device) -> None:
        stored = store(device, treatment("Note", _id=UUID), treatment("Note", notes="b", created_at="nonsense"))
        assert [len(treatment["_id"]) for treatment in stored] == [24, 24]
        assert stored[0]["identifier"] == UUID
        assert stored[1]["created_at"] == "2026-01-01T00:00:00.000Z"

    @pytest.mark.parametrize("body", [[], "text", 1, [{}], None])
    def test_a_put_of_anything_but_one_treatment_is_400(self, device: Device, body: Any) -> None:
        assert device.send("PUT", TREATMENTS, body).status == 400

    @pytest.mark.parametrize("value", ["NaN", "inf", "1e400", [1], {"a": 1}, True])
    def test_what_is_no_number_is_left_out(self, device: Device, value: Any) -> None:
        (stored,) = store(device, treatment("Meal Bolus", insulin=value, carbs=10))
        assert "insulin" not in stored
        assert [record["type"] for record in device.data()] == ["food"]


class TestFinding:
    def test_dates_are_read_with_any_offset(self, device: Device) -> None:
        store(device, treatment("Note"), treatment("Note", created_at="2025-12-31T21:00:00Z", notes="later"))
        later = quote("2025-12-31T22:00:00+02:00")
        assert len(found(device, f"find[created_at][$gte]={later}")) == 2
        assert len(found(device, f"find[created_at][$gt]={later}")) == 1
        assert len(found(device, "find[created_at][$gte]=2025-12-31T22:00:00+02:00")) == 2  # the plus became a blank
        assert len(found(device, "find[created_at][$gte]=1735600000000")) == 2  # a text that is smaller than all dates
        assert device.send("GET", f"{TREATMENTS}?find[created_at][$gte]=soon").status == 400

    def test_it_is_found_by_uuid_and_by_id(self, device: Device) -> None:
        (stored,) = store(device, treatment("Note", _id=UUID, created_at="2024-01-01T00:00:00Z"))
        for _ in range(2):
            assert [treatment["identifier"] for treatment in found(device, f"find[_id]={UUID}")] == [UUID]
            assert [treatment["_id"] for treatment in found(device, f"find[_id]={stored['_id']}")] == [stored["_id"]]
            assert found(device, f"find[_id]={HEX_ID}") == []
            device.compact()


class TestDeleting:
    @pytest.mark.parametrize("compacts", [False, True])
    def test_one_is_deleted_by_uuid_by_id_and_by_time(self, device: Device, compacts: bool) -> None:
        times = [f"2025-12-31T1{hour}:00:00.000Z" for hour in range(4)]
        ids = [UUID, HEX_ID, None, None]
        sent = [
            treatment("Meal Bolus", carbs=10, created_at=at) | ({"_id": own} if own else {})
            for at, own in zip(times, ids, strict=True)
        ]
        stored = store(device, *sent)
        if compacts:
            device.compact()
        for left, path in (
            (3, f"/api/v1/treatments/{UUID}"),
            (2, f"/api/v1/treatments/{HEX_ID}"),
            (1, f"/api/v1/treatments/{stored[2]['_id']}.json"),
            (0, f"{TREATMENTS}?find[created_at]={times[3]}"),
        ):
            assert device.send("DELETE", path).json() == {"acknowledged": True, "deletedCount": 1}
            assert device.send("DELETE", path).json()["deletedCount"] == 0
            assert len(found(device)) == len(device.data()) == left

    def test_any_other_text_deletes_nothing(self, device: Device) -> None:
        store(device, treatment("Note", identifier="own"))
        assert device.send("DELETE", "/api/v1/treatments/own").json()["deletedCount"] == 0
        assert device.send("DELETE", "/api/v1/treatments/*").json()["deletedCount"] == 1


class TestWhoMay:
    def test_a_credential_to_read_does_not_write(
        self, api: ApiClient, fakes: FakeServices, device: Device, phone: dict[str, Any]
    ) -> None:
        store(device, treatment("Note"))
        assert api.request("GET", TREATMENTS, api_secret=phone["token"]).status == 200
        for method in ("POST", "PUT", "DELETE"):
            assert api.request(method, TREATMENTS, treatment("Note"), api_secret=phone["token"]).status == 401
        assert api.request("GET", TREATMENTS).status == 401
        assert len(found(device)) == 1
