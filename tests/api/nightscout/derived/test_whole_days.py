"""Whole days of apps: what goes in by one API comes out by the other, each thing once."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.api.nightscout.device import Device
from tests.api.nightscout.records import MINUTE_MS
from tests.api.nightscout.v3 import V3
from tests.fakes.services import START_MS

SAMPLES = Path(__file__).parents[3] / "data" / "samples"
DAY_MS = 86_400_000
DAY_BEFORE, DAY, DAY_AFTER = "2025-12-30", "2025-12-31", "2026-01-01"
MG_DL_PER_MMOL_L = 18.01559
JOINED_WITHIN_MS = 1_000
"""Basals of one rate that lie this close together may be one."""

Record = dict[str, Any]


class Delivery(NamedTuple):
    """A basal: from when to when, and the rate."""

    from_ms: int
    to_ms: int
    rate: float


def day_of(app: str, names: Iterable[str], days: tuple[str, str, str]) -> list[Record]:
    """The records of a sample by time, moved to the last day before the clock of the tests.

    Args:
        days: the day of the sample, between the day before and the day after.
    """
    found: list[Record] = []
    for name in names:
        text = (SAMPLES / app / f"{name}.json").read_text()
        for before, after in zip(days, (DAY_BEFORE, DAY, DAY_AFTER), strict=True):
            text = text.replace(before, after)
        found += json.loads(text)
    return sorted(found, key=lambda record: str(record["time"]))


def time_ms(text: str) -> int:
    """The time of an ISO text, cut to milliseconds."""
    moment = datetime.fromisoformat(text)
    return int(moment.timestamp()) * 1000 + moment.microsecond // 1000


def of_type(records: Iterable[Record], *types: str) -> list[Record]:
    """The records of some types."""
    return [record for record in records if record["type"] in types]


def deliveries(found: Iterable[Delivery]) -> list[Delivery]:
    """Basals by time, those of one rate that follow one another as one."""
    joined: list[Delivery] = []
    for delivery in sorted(found):
        if joined and joined[-1].rate == delivery.rate and abs(joined[-1].to_ms - delivery.from_ms) <= JOINED_WITHIN_MS:
            joined[-1] = joined[-1]._replace(to_ms=delivery.to_ms)
        else:
            joined.append(delivery)
    return joined


def sent_deliveries(records: Iterable[Record]) -> list[Delivery]:
    """The basals among records that a pump did not give by its schedule."""
    basals = [record for record in of_type(records, "basal") if record["deliveryType"] != "scheduled"]
    starts = [(time_ms(basal["time"]), basal) for basal in basals]
    return deliveries(Delivery(ms, ms + basal["duration"], basal.get("rate", 0)) for ms, basal in starts)


class TestLoopByTheTidepoolApi:
    NAMES = ("02_settings", "03_glucose", "04_doses", "05_carbs", "06_pump_events", "07_overrides")
    DECISIONS = tuple(f"{number:02}_dosing_decisions" for number in range(9, 15))

    @pytest.fixture
    def day(self) -> list[Record]:
        """A day of Loop."""
        return day_of("loop", (*self.NAMES, *self.DECISIONS), ("2025-06-09", "2025-06-10", "2025-06-11"))

    @pytest.mark.parametrize("is_compacted", [False, True])
    def test_loopfollow_sees_each_thing_once(self, device: Device, day: list[Record], is_compacted: bool) -> None:
        device.send_to_tidepool(day)
        if is_compacted:
            device.compact()
        since_ms = START_MS - 2 * DAY_MS
        readings = device.found(f"count=1728&find[date][$gte]={since_ms}&find[type][$ne]=cal")
        sent = [(time_ms(record["time"]), record["value"]) for record in of_type(day, "cbg")]
        assert len(sent) == 288
        assert [(entry["date"], entry["sgv"]) for entry in readings if entry["type"] == "sgv"] == sent[::-1]
        assert all(entry["direction"] for entry in readings if entry["type"] == "sgv")
        assert [entry["mbg"] for entry in readings if entry["type"] == "mbg"] == [
            record["value"] for record in of_type(day, "smbg")
        ]

        treatments = device.treatments(
            "count=576&find[created_at][$gte]=2025-12-30T12:00:54Z&find[created_at][$lte]=2026-01-01T06:00:54Z"
        )
        self.require_doses(treatments, day)
        basals = [treatment for treatment in treatments if treatment["eventType"] == "Temp Basal"]
        shown = deliveries(
            Delivery(
                start := time_ms(treatment["created_at"]),
                start + round(treatment["duration"] * MINUTE_MS),
                treatment["rate"],
            )
            for treatment in basals
        )
        wanted = sent_deliveries(day)
        assert len(wanted) > 40
        assert [(delivery.from_ms, delivery.rate) for delivery in shown] == [
            (delivery.from_ms, delivery.rate) for delivery in wanted
        ]
        assert all(abs(delivery.to_ms - other.to_ms) <= 60 for delivery, other in zip(shown, wanted, strict=True))
        kinds = Counter(treatment["eventType"] for treatment in treatments)
        assert (kinds["Temporary Override"], kinds["Suspend Pump"] + kinds["Resume Pump"]) == (3, 2)
        assert len({document["_id"] for document in (*readings, *treatments)}) == len(readings) + len(treatments)

    def require_doses(self, treatments: list[Record], day: list[Record]) -> None:
        """Each bolus and each meal of a day is there once."""
        insulin = Counter(
            (time_ms(treatment["created_at"]) // 1000, treatment["insulin"])
            for treatment in treatments
            if treatment["insulin"] and treatment["eventType"] != "External Insulin"
        )
        boluses = of_type(day, "bolus")
        assert len(boluses) == 15
        assert insulin == Counter((time_ms(bolus["time"]) // 1000, bolus["normal"]) for bolus in boluses)
        meals = of_type(day, "food")
        assert len(meals) == 3
        assert Counter(
            (time_ms(treatment["created_at"]) // 1000, treatment["carbs"])
            for treatment in treatments
            if treatment["carbs"]
        ) == Counter((time_ms(meal["time"]) // 1000, meal["nutrition"]["carbohydrate"]["net"]) for meal in meals)

    def test_loopfollow_sees_the_newest_of_what_there_is_one_of(self, device: Device, day: list[Record]) -> None:
        device.send_to_tidepool(day)
        span = "find[created_at][$gte]=2025-11-22T12:00:54Z&find[created_at][$lte]=2026-01-01T00:00:54Z&count=1"
        (change,) = device.treatments(f"find[eventType]=Insulin%20Change&{span}")
        (sent,) = [event for event in of_type(day, "deviceEvent") if event["subType"] == "reservoirChange"]
        assert time_ms(change["created_at"]) == time_ms(sent["time"])
        for kind in ("Site%20Change", "Sensor%20Start"):  # the tubing was primed, and no sensor was started
            assert device.treatments(f"find[eventType]={kind}&{span}") == []
        (profile,) = device.send(
            "GET", "/api/v1/profiles.json?count=1&find[startDate][$lte]=2026-01-01T00:01:54Z"
        ).json()
        of_default = profile["store"]["Default"]
        assert all(of_default[name] for name in ("basal", "sens", "carbratio", "target_low", "target_high"))
        (status,) = device.send("GET", "/api/v1/devicestatus.json?count=1").json()
        newest = of_type(day, "dosingDecision")[-1]
        assert status["created_at"] == newest["time"]
        assert status["loop"]["iob"]["iob"] == newest["insulinOnBoard"]["amount"]
        assert status["loop"]["predicted"]["values"] == [point["value"] for point in newest["bgForecast"]]
        assert status["pump"]["reservoir"] == of_type(day, "pumpStatus")[-1]["reservoir"]["remaining"]
        assert status["uploader"]["battery"] == round(
            100 * of_type(day, "controllerStatus")[-1]["battery"]["remaining"]
        )


class TestAapsByV3:
    ANNOUNCED_MS = 30 * MINUTE_MS

    @pytest.fixture
    def day(self) -> list[Record]:
        """A day of AndroidAPS, as it sends it to the Tidepool API."""
        return day_of("aaps", ("02_data_day",), ("2025-06-11", "2025-06-12", "2025-06-13"))

    def documents(self, day: list[Record]) -> Iterator[tuple[str, Record]]:
        """The same day as AndroidAPS sends it by v3, each with its collection."""
        basals = of_type(day, "basal")
        ends = {id(basal): time_ms(after["time"]) for basal, after in pairwise(basals)}
        for record in day:
            date = time_ms(record["time"])
            common = {"date": date, "utcOffset": 120, "app": "AAPS", "device": "phone", "isValid": True}
            match record["type"]:
                case "cbg":
                    yield (
                        "entries",
                        common | {"type": "sgv", "sgv": float(record["value"]), "units": "mg", "direction": "Flat"},
                    )
                case "smbg":
                    glucose = {"glucose": record["value"], "glucoseType": "Finger", "units": "mg/dl"}
                    yield "treatments", common | {"eventType": "BG Check"} | glucose
                case "bolus":
                    is_smb = record["subType"] == "automated"
                    kind = {"type": "SMB" if is_smb else "NORMAL", "isSMB": is_smb, "eventType": "Correction Bolus"}
                    yield "treatments", common | kind | {"insulin": record["normal"], "isBasalInsulin": False}
                case "wizard":
                    yield "treatments", common | {"eventType": "Carb Correction", "carbs": record["carbInput"]}
                case "basal":
                    # A running one is announced for half an hour, and the next one ends it.
                    goes_on = ends.get(id(record)) == date + record["duration"]
                    duration_ms = self.ANNOUNCED_MS if goes_on else record["duration"]
                    rate = {"rate": record["rate"], "absolute": record["rate"], "type": "NORMAL", "automatic": True}
                    duration = {"duration": duration_ms / MINUTE_MS, "durationInMilliseconds": duration_ms}
                    yield "treatments", common | {"eventType": "Temp Basal"} | rate | duration
                case "pumpSettings":
                    yield "profile", common | self.profile(record)

    def profile(self, settings: Record) -> Record:
        """Settings of a pump as a profile."""
        name = settings["activeSchedule"]

        def values(field: str, member: str) -> list[Record]:
            return [
                {
                    "time": f"{start['start'] // 3_600_000:02}:00",
                    "timeAsSeconds": start["start"] // 1000,
                    "value": start[member],
                }
                for start in settings[field][name]
            ]

        schedules = {
            "units": "mg/dl",
            "dia": 5,
            "timezone": "Europe/Berlin",
            "basal": values("basalSchedules", "rate"),
            "carbratio": values("carbRatios", "amount"),
            "sens": values("insulinSensitivities", "amount"),
            "target_low": values("bgTargets", "target"),
            "target_high": values("bgTargets", "target"),
        }
        return {"defaultProfile": name, "store": {name: schedules}, "startDate": settings["time"][:23] + "Z"}

    def test_get_data_has_each_thing_once(self, v3: V3, day: list[Record]) -> None:
        documents = list(self.documents(day))
        assert len(documents) == len(day) == 402
        for number, (collection, document) in enumerate(documents):
            v3.create(collection, document)
            if number % 10 == 0:  # the answer was lost: AndroidAPS sends it again
                v3.create(collection, document)
            if number in (100, 250):
                v3.device.compact()
        data = v3.device.data()
        assert Counter(record["type"] for record in data) == {
            "cbg": 288,
            "basal": 89,
            "bolus": 18,
            "food": 4,
            "smbg": 2,
            "pumpSettings": 1,
        }
        for name in ("cbg", "smbg"):
            sent = [(time_ms(record["time"]), record["value"]) for record in of_type(day, name)]
            assert self.by_time(data, name, lambda record: round(record["value"] * MG_DL_PER_MMOL_L)) == sent
        assert self.by_time(data, "bolus", lambda record: (record["subType"], record["normal"])) == [
            (time_ms(record["time"]), (record["subType"], record["normal"])) for record in of_type(day, "bolus")
        ]
        assert self.by_time(data, "food", lambda record: record["nutrition"]["carbohydrate"]["net"]) == [
            (time_ms(record["time"]), record["carbInput"]) for record in of_type(day, "wizard")
        ]
        assert self.by_time(
            data, "basal", lambda record: (record["deliveryType"], record["rate"], record["duration"])
        ) == [
            (time_ms(record["time"]), ("automated", record["rate"], record["duration"]))
            for record in of_type(day, "basal")
        ]
        (settings,), (sent_settings,) = of_type(data, "pumpSettings"), of_type(day, "pumpSettings")
        for field in ("basalSchedules", "carbRatios"):
            assert settings[field] == sent_settings[field]
        assert {record["origin"]["name"] for record in data} == {"AAPS"}

    def by_time(self, data: list[Record], name: str, value: Any) -> list[tuple[int, Any]]:
        """Time and value of the records of a type, by time."""
        found = ((time_ms(record["time"]), record) for record in of_type(data, name))
        return sorted((ms, value(record)) for ms, record in found)
