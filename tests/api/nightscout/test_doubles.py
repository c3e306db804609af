"""An app that uploads to the Nightscout API and to the Tidepool API: everything is shown once in `GET /data`."""

import random
from typing import Any

import pytest

from tests.api.conftest import ApiClient
from tests.api.nightscout.device import Device
from tests.api.nightscout.records import MINUTE_MS, at, basal, cbg, record
from tests.api.people import ANNA
from tests.fakes.services import START_MS

FOOD = {"carbohydrate": {"net": 30, "units": "grams"}}


def sgv(value: float, minutes_ago: float) -> dict[str, Any]:
    """A reading as an app of Nightscout sends it."""
    return {"type": "sgv", "sgv": value, "date": START_MS - int(minutes_ago * MINUTE_MS), "device": "cgm"}


def treat(device: Device, **members: Any) -> None:
    """Store a treatment."""
    assert device.send("POST", "/api/v1/treatments", members).status == 200


def shown(device: Device) -> list[tuple[str, str, bool]]:
    """Type, time and whether it is derived, of each record in `GET /data`."""
    return [(record["type"], record["time"], record["origin"]["id"].startswith("ns:")) for record in device.data()]


def derived(device: Device) -> list[bool]:
    """For each record in `GET /data`, whether it is derived."""
    return [is_derived for _, _, is_derived in shown(device)]


@pytest.mark.parametrize("is_compacted", [False, True])
@pytest.mark.parametrize("is_derived_first", [False, True])
class TestEachKind:
    def test_a_derived_record_hides_behind_an_equal_one(
        self, device: Device, is_compacted: bool, is_derived_first: bool
    ) -> None:
        def send_documents() -> None:
            device.store(sgv(100, 5))
            treat(device, eventType="Correction Bolus", insulin=2, created_at=at(6))
            treat(device, eventType="Carb Correction", carbs=30, created_at=at(7))
            treat(device, eventType="Temp Basal", rate=1.5, duration=30, created_at=at(40))
            treat(device, eventType="Site Change", created_at=at(50))

        sent = [
            cbg(100, 5),
            record("bolus", 6, subType="normal", normal=2),
            record("food", 7, nutrition=FOOD),
            basal("automated", 40, 300_000),
            record("deviceEvent", 50, subType="prime", primeTarget="cannula"),
        ]
        if is_derived_first:
            send_documents()
        if is_compacted:
            device.compact()
        device.send_to_tidepool(sent)
        if not is_derived_first:
            send_documents()
        assert derived(device) == [False] * 5
        before = device.data()
        device.compact()
        assert device.data() == before

    def test_others_stay(self, device: Device, is_compacted: bool, is_derived_first: bool) -> None:
        others = [cbg(101, 5), cbg(100, 6), record("bolus", 8, subType="normal", normal=2)]
        others.append(record("deviceEvent", 50, subType="reservoirChange"))
        if not is_derived_first:
            device.send_to_tidepool(others)
        device.store(sgv(100, 5))
        treat(device, eventType="Carb Correction", carbs=30, created_at=at(8))
        treat(device, eventType="Site Change", created_at=at(50))
        if is_derived_first:
            device.send_to_tidepool(others)
        if is_compacted:
            device.compact()
        assert sorted(derived(device)) == [False] * 4 + [True] * 3


@pytest.mark.parametrize("is_compacted", [False, True])
@pytest.mark.parametrize(
    ("kind", "other_time", "is_double"),
    [
        ("cbg", "23:55:00.000", True),
        ("cbg", "23:55:59.999", True),
        ("cbg", "23:54:59.999", False),
        ("cbg", "23:56:00.000", False),
        ("bolus", "23:55:30.000", True),
        ("bolus", "23:55:30.999", True),
        ("bolus", "23:55:29.999", False),
        ("bolus", "23:55:31.000", False),
    ],
)
def test_readings_of_a_minute_and_others_of_a_second_are_equal(
    device: Device, kind: str, other_time: str, is_double: bool, is_compacted: bool
) -> None:
    half_past = 4.5
    if kind == "cbg":
        device.store(sgv(100, half_past))
        other = cbg(100, half_past)
    else:
        treat(device, eventType="Correction Bolus", insulin=2, created_at=at(half_past))
        other = record(kind, half_past, subType="normal", normal=2)
    device.send_to_tidepool([other | {"time": f"2025-12-31T{other_time}Z"}])
    if is_compacted:
        device.compact()
    assert sorted(derived(device)) == ([False] if is_double else [False, True])


class TestReappearing:
    @pytest.mark.parametrize("is_compacted", [False, True])
    def test_a_derived_record_is_shown_again_when_the_other_is_deleted(
        self, device: Device, api: ApiClient, anna: str, is_compacted: bool
    ) -> None:
        device.store(sgv(100, 5))
        device.send_to_tidepool([cbg(100, 5)])
        (record_,) = device.data()
        if is_compacted:
            device.compact()
        path = f"/v1/data_sets/{record_['uploadId']}/data"
        assert api.request("DELETE", path, [{"origin": {"id": record_["origin"]["id"]}}], token=anna).status == 200
        assert derived(device) == [True]
        device.compact()
        assert derived(device) == [True]

    def test_a_document_that_changes_is_shown_beside_what_differs_now(self, device: Device) -> None:
        device.store(sgv(100, 5))
        device.send_to_tidepool([cbg(100, 5)])
        device.compact()
        device.store(sgv(120, 5))
        assert sorted(derived(device)) == [False, True]
        device.store(sgv(100, 5))
        assert derived(device) == [False]

    @pytest.mark.parametrize("seed", range(4))
    def test_any_order_of_uploads_deletions_and_compactions_shows_each_reading_once(
        self, device: Device, api: ApiClient, anna: str, seed: int
    ) -> None:
        chance = random.Random(seed)  # noqa: S311 - no secret depends on it
        device.send_to_tidepool([cbg(90, 3000)])
        (first,) = device.data()
        path = f"/v1/data_sets/{first['uploadId']}/data"
        documents: dict[int, int] = {}
        others: dict[int, int] = {}
        for _ in range(25):
            ago, value = chance.randrange(0, 40, 5), chance.choice([100, 101])
            match chance.choice(["document", "document", "other", "other", "no document", "no other", "compact"]):
                case "document":
                    device.store(sgv(value, ago))
                    documents[ago] = value
                case "other":
                    # Equal origins of one data set replace one another.
                    sent = cbg(value, ago) | {"origin": {"id": str(ago)}}
                    assert api.request("POST", path, [sent], token=anna).status == 200
                    others[ago] = value
                case "no document":
                    time_ms = START_MS - ago * MINUTE_MS
                    device.send("DELETE", f"/api/v1/entries/sgv?find[date]={time_ms}")
                    documents.pop(ago, None)
                case "no other":
                    api.request("DELETE", path, [{"origin": {"id": str(ago)}}], token=anna)
                    others.pop(ago, None)
                case "compact":
                    device.compact()
            doubled = {ago for ago, value in documents.items() if others.get(ago) == value}
            wanted = sorted([*others.values(), *(value for ago, value in documents.items() if ago not in doubled)])
            seen = [record for record in device.data() if record["id"] != first["id"]]
            assert sorted(round(record["value"] * 18.01559) for record in seen) == wanted
            assert derived_count(seen) == len(documents) - len(doubled)


CHECK = {"eventType": "BG Check", "glucose": 101, "glucoseType": "Finger"}


def fingersticks(device: Device) -> list[str]:
    """The collections of the documents from which fingersticks were derived."""
    return [record["origin"]["id"].split(":")[1] for record in device.data() if record["type"] == "smbg"]


class TestFingersticks:
    """Apps such as xDrip+ send a fingerstick as an entry and as a treatment."""

    @pytest.mark.parametrize("compacted", [(), (0,), (1,), (0, 1)])
    @pytest.mark.parametrize("is_entry_first", [False, True])
    def test_one_that_is_sent_as_an_entry_and_as_a_treatment_is_seen_once(
        self, device: Device, api: ApiClient, anna: str, is_entry_first: bool, compacted: tuple[int, ...]
    ) -> None:
        device.store({"type": "mbg", "mbg": 90, "date": START_MS - 3_000 * MINUTE_MS})

        def send_entry() -> None:
            device.store({"type": "mbg", "mbg": 101, "date": START_MS - MINUTE_MS})

        def send_treatment() -> None:
            treat(device, **CHECK, created_at=at(0.5))
            treat(device, **CHECK, created_at=at(0.25), notes="beside a meal", carbs=5)

        for number, send in enumerate((send_entry, send_treatment) if is_entry_first else (send_treatment, send_entry)):
            send()
            if number in compacted:
                device.compact()
        assert fingersticks(device) == ["entries", "entries"]
        latest = api.request("GET", f"/data/{ANNA.user_id}?latest=true&type=smbg", token=anna).json()
        assert [record["origin"]["id"].split(":")[1] for record in latest] == ["entries"]
        summary = api.request("GET", f"/v1/summaries/bgm/{ANNA.user_id}", token=anna).json()
        assert summary["periods"]["7d"]["total"]["records"] == 2
        assert len(device.found("find[type]=mbg&count=10")) == 2
        assert len(device.treatments()) == 2

    @pytest.mark.parametrize("is_compacted", [False, True])
    def test_others_stay(self, device: Device, is_compacted: bool) -> None:
        device.store({"type": "mbg", "mbg": 101, "date": START_MS - MINUTE_MS})
        device.store({"type": "mbg", "mbg": 101, "date": START_MS - MINUTE_MS + 1})
        treat(device, **CHECK | {"glucose": 102}, created_at=at(1))
        treat(device, **CHECK, created_at=at(2))
        treat(device, **CHECK, created_at=at(-0.01))
        treat(device, **CHECK | {"glucose": 5.6, "units": "mmol"}, created_at=at(0.9))
        if is_compacted:
            device.compact()
        assert sorted(fingersticks(device)) == ["entries", "entries", "treatments", "treatments", "treatments"]

    @pytest.mark.parametrize("is_compacted", [False, True])
    def test_the_one_of_the_treatment_is_shown_again_when_the_entry_is_deleted(
        self, device: Device, is_compacted: bool
    ) -> None:
        device.store({"type": "mbg", "mbg": 101, "date": START_MS - MINUTE_MS})
        treat(device, **CHECK, created_at=at(1))
        if is_compacted:
            device.compact()
        device.send("DELETE", f"/api/v1/entries/mbg?find[date]={START_MS - MINUTE_MS}")
        assert fingersticks(device) == ["treatments"]
        device.compact()
        assert fingersticks(device) == ["treatments"]


def derived_count(records: list[dict[str, Any]]) -> int:
    """The number of these records that are derived."""
    return sum(record["origin"]["id"].startswith("ns:") for record in records)


class TestReaders:
    def test_summaries_the_newest_record_and_followers_count_each_once(
        self, device: Device, api: ApiClient, anna: str
    ) -> None:
        minutes = [5 * number for number in range(100)]
        device.store(*[sgv(100 + number, ago) for number, ago in enumerate(minutes)])
        device.send_to_tidepool([cbg(100 + number, ago) for number, ago in enumerate(minutes)])
        for _ in range(2):
            summary = api.request("GET", f"/v1/summaries/cgm/{ANNA.user_id}", token=anna).json()
            assert summary["periods"]["1d"]["total"]["records"] == 100
            latest = api.request("GET", f"/data/{ANNA.user_id}?latest=true&type=cbg", token=anna).json()
            assert not latest[0]["origin"]["id"].startswith("ns:")
            assert [entry["sgv"] for entry in device.found("count=1000")] == [100 + number for number in range(100)]
            device.compact()

    @pytest.mark.parametrize("is_other_in_tiles", [False, True])
    def test_the_newest_record_is_the_last_one_of_all(
        self, device: Device, api: ApiClient, anna: str, is_other_in_tiles: bool
    ) -> None:
        """Also where the derived record is some milliseconds later than the one that hides it."""

        def send_documents() -> None:
            device.store(sgv(100, 5))
            treat(device, eventType="Correction Bolus", insulin=2, created_at=at(4.99))

        device.store(sgv(90, 100))
        device.send_to_tidepool([cbg(80, 200)])
        others = [cbg(100, 5), record("bolus", 4.995, subType="normal", normal=2)]
        if is_other_in_tiles:
            device.send_to_tidepool(others)
            device.compact()
            send_documents()
        else:
            send_documents()
            device.compact()
            device.send_to_tidepool(others)
        for name in ("cbg", "bolus"):
            everything = api.request("GET", f"/data/{ANNA.user_id}?type={name}", token=anna).json()
            latest = api.request("GET", f"/data/{ANNA.user_id}?latest=true&type={name}", token=anna).json()
            assert latest == everything[-1:]
            assert not latest[0]["origin"]["id"].startswith("ns:")

    def test_equal_records_of_two_apps_of_tidepool_are_both_shown(self, device: Device) -> None:
        device.store(sgv(90, 50))
        for _ in range(2):
            device.send_to_tidepool([cbg(100, 5)])
        assert len(device.data()) == 3
