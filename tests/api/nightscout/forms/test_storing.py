"""Documents of v1 in the forms in which apps send them, and what becomes of them."""

import hashlib
from typing import Any

import pytest

from tests.api.conftest import ApiClient
from tests.api.nightscout.device import Device
from tests.api.nightscout.records import at, sgv
from tests.fakes.services import START_MS

HEX_ID = "aabbccddeeff001122334455"
NOW = "2026-01-01T00:00:00.000Z"


def stored(device: Device, path: str, sent: Any, method: str = "POST") -> Any:
    """The answer to a document that is stored."""
    reply = device.send(method, f"/api/v1/{path}", sent)
    assert reply.status == 200, reply.body
    return reply.json()


class TestTreatments:
    def test_the_meal_after_a_bolus_has_its_notes(self, device: Device) -> None:
        sent = {
            "eventType": "Meal Bolus",
            "insulin": 3,
            "carbs": 30,
            "preBolus": 15,
            "notes": "a",
            "created_at": at(60),
        }
        bolus, meal = stored(device, "treatments", sent)
        assert (bolus["notes"], "carbs" in bolus, bolus["created_at"]) == ("a", False, at(60))
        assert {name: meal[name] for name in ("eventType", "notes", "carbs", "created_at")} == {
            "eventType": "Meal Bolus",
            "notes": "a",
            "carbs": 30,
            "created_at": at(45),
        }

    @pytest.mark.parametrize(
        ("times", "created_at", "offset_minutes"),
        [
            (("2025-12-31T20:00:00+01:00", None), "2025-12-31T19:00:00.000Z", 60),
            (("2025-12-31T20:00:00+01:00", "2025-12-31T10:00:00+03:00"), "2025-12-31T07:00:00.000Z", 60),
            ((None, "2025-12-31T10:00:00+03:00"), "2025-12-31T07:00:00.000Z", 0),
            (("2025-12-31T20:00:00+01:00", ""), "2025-12-31T19:00:00.000Z", 60),
        ],
    )
    def test_the_offset_is_that_of_the_time_of_creation(
        self, device: Device, times: Any, created_at: str, offset_minutes: int
    ) -> None:
        sent = dict(zip(("created_at", "eventTime"), times, strict=True))
        sent = {name: value for name, value in sent.items() if value is not None}
        (made,) = stored(device, "treatments", {"eventType": "Note", **sent})
        assert (made["created_at"], made["utcOffset"]) == (created_at, offset_minutes)

    @pytest.mark.parametrize(
        ("value", "number"), [(None, 0), ("", 0), (" ", 0), ("1e2", 100), (" 5 ", 5), ("1_0", None), ("a", None)]
    )
    def test_nothing_is_read_as_zero_where_zero_is_kept(self, device: Device, value: Any, number: Any) -> None:
        sent = {"eventType": "Temp Basal", "created_at": at(5), "duration": value, "absolute": value, "carbs": value}
        (made,) = stored(device, "treatments", sent)
        assert (made.get("duration"), made.get("absolute"), made.get("carbs")) == (number, number, number or None)

    def test_one_with_an_identifier_gets_its_id_from_the_server(self, device: Device) -> None:
        sent = {"eventType": "Note", "created_at": at(5), "identifier": "own", "_id": HEX_ID}
        (made,) = stored(device, "treatments", sent)
        (again,) = stored(device, "treatments", sent | {"notes": "changed"})
        assert made["_id"] == again["_id"] != HEX_ID

    def test_one_without_an_id_is_not_the_one_with_an_id_of_its_app(self, device: Device) -> None:
        bare = {"eventType": "Note", "created_at": at(5)}
        (by_app,) = stored(device, "treatments", bare | {"_id": HEX_ID})
        (by_key,) = stored(device, "treatments", bare)
        (again,) = stored(device, "treatments", bare | {"notes": "changed"})
        assert by_app["_id"] == HEX_ID != by_key["_id"] == again["_id"]
        assert len(device.treatments()) == 2

    def test_an_id_of_null_is_none(self, device: Device) -> None:
        (made,) = stored(device, "treatments", {"eventType": "Note", "created_at": at(5), "_id": None})
        assert "identifier" not in made


@pytest.mark.parametrize(
    "sent", ["Thu Jan 01 2026 00:55:00 GMT+0100 (CET)", "Wed Dec 31 23:55:00 GMT 2025", "Dec 31, 2025 11:55:00 PM UTC"]
)
def test_a_time_as_programs_print_it_is_that_of_the_document(device: Device, sent: str) -> None:
    (entry,) = stored(device, "entries", {"type": "sgv", "sgv": 100, "date": START_MS - 300_000, "dateString": sent})
    assert (entry["dateString"], entry["sysTime"]) == (at(5), at(5))
    (note,) = stored(device, "treatments", {"eventType": "Note", "created_at": sent})
    (other,) = stored(device, "treatments", {"eventType": "Other", "eventTime": sent})
    (status,) = stored(device, "devicestatus", [{"device": "a", "created_at": sent}])
    assert note["created_at"] == other["created_at"] == status["created_at"] == at(5)


@pytest.mark.parametrize("path", ["entries", "treatments", "devicestatus", "profile", "food", "activity"])
def test_an_id_in_upper_case_is_the_one_in_lower_case(device: Device, path: str) -> None:
    (made,) = stored(device, path, [sgv(100, 5, created_at=at(5), _id=HEX_ID.upper())])
    assert made["_id"] == HEX_ID


class TestDeviceStatuses:
    @pytest.mark.parametrize("sent", [1_767_225_000_000, "Wed, 31 Dec 2025 23:50:00 GMT", "20251231T235000Z"])
    def test_the_time_is_read_in_several_forms(self, device: Device, sent: Any) -> None:
        (made,) = stored(device, "devicestatus", [{"device": "a", "created_at": sent}])
        assert made["created_at"] == at(10)


class TestProfiles:
    @pytest.mark.parametrize("sent", ["", None])
    def test_one_without_a_time_of_creation_is_of_now(self, device: Device, sent: Any) -> None:
        (made,) = stored(device, "profile", {"startDate": at(60), "created_at": sent})
        assert made["created_at"] == NOW

    def test_a_start_may_be_a_number(self, device: Device) -> None:
        stored(device, "profile", [{"startDate": 1_767_225_000_000, "n": 1}, {"startDate": at(5), "n": 2}])
        assert [profile["n"] for profile in device.send("GET", "/api/v1/profile.json").json()] == [2, 1]


@pytest.mark.parametrize("path", ["profile", "food", "activity"])
def test_a_replacement_with_a_wrong_id_is_told_the_rule(device: Device, path: str) -> None:
    for method, rule in (("PUT", "string."), ("POST", "string or omit for auto-generation.")):
        reply = device.send(method, f"/api/v1/{path}", {"_id": "short"})
        assert (reply.status, reply.json()["description"]) == (400, f"Must be 24-character hex {rule} Got: short")


class TestFoods:
    def test_the_time_of_a_food_is_that_of_storing_and_stays(self, device: Device) -> None:
        (made,) = stored(device, "food", {"type": "food", "name": "a", "created_at": at(60)})
        assert made["created_at"] == NOW
        (replaced,) = stored(device, "food", made | {"created_at": at(60)}, "PUT")
        assert replaced["created_at"] == at(60)

    def test_foods_come_in_the_order_of_storing(self, device: Device) -> None:
        for name in ("c", "a", "b"):
            stored(device, "food", {"type": "food", "name": name})
        listed = device.send("GET", "/api/v1/food/regular.json").json()
        assert [food["name"] for food in listed] == ["c", "a", "b"]

    def test_hidden_quick_picks_are_left_out(self, device: Device) -> None:
        picks = [("a", "false", 2), ("b", "true", 0), ("c", "false", 1), ("d", False, 3)]
        sent = [{"type": "quickpick", "name": name, "hidden": hidden, "position": at} for name, hidden, at in picks]
        stored(device, "food", sent)
        listed = device.send("GET", "/api/v1/food/quickpicks.json").json()
        assert [food["name"] for food in listed] == ["c", "a"]


def test_an_activity_that_is_replaced_is_answered_alone(device: Device) -> None:
    (made,) = stored(device, "activity", {"type": "hr-bpm", "bpm": 70, "created_at": at(5)})
    assert stored(device, "activity", made | {"bpm": 71}, "PUT") == made | {"bpm": 71}
    assert stored(device, "activity", [made | {"bpm": 72}], "PUT") == [made | {"bpm": 72}]


def test_anyone_is_told_that_there_are_no_notices(api: ApiClient) -> None:
    reply = api.request("GET", "/api/v1/adminnotifies")
    assert (reply.status, reply.json()["message"]) == (200, {"notifies": [], "notifyCount": 0})


def combo(insulin: str, now: str, later: str, minutes: Any) -> dict[str, Any]:
    """A combo bolus of Nightscout's own page: units, shares in percent, and how long the later one takes."""
    shares = {"enteredinsulin": insulin, "splitNow": now, "splitExt": later}
    return {"eventType": "Combo Bolus", "duration": minutes, **shares}


class TestNumbersAsTexts:
    """Nightscout's own page and some apps send numbers as texts in members that Nightscout stores as they are."""

    @pytest.mark.parametrize(
        ("sent", "shown"),
        [
            (
                {
                    "eventType": "Combo Bolus",
                    "enteredinsulin": "3",
                    "splitNow": "0",
                    "splitExt": "100",
                    "duration": "60",
                },
                {"type": "bolus", "subType": "square", "extended": 3, "duration": 3_600_000},
            ),
            (
                {
                    "eventType": "Combo Bolus",
                    "enteredinsulin": "2.0",
                    "splitNow": "50",
                    "splitExt": "50",
                    "duration": 30,
                },
                {"type": "bolus", "subType": "dual/square", "normal": 1, "extended": 1, "duration": 1_800_000},
            ),
            (
                {"eventType": "Temp Basal", "rate": "0.8", "duration": "30"},
                {"type": "basal", "deliveryType": "temp", "rate": 0.8, "duration": 1_800_000},
            ),
            (
                {"eventType": "Carb Correction", "carbs": "20", "fat": "5", "absorptionTime": "180"},
                {
                    "type": "food",
                    "nutrition": {
                        "carbohydrate": {"net": 20, "units": "grams"},
                        "fat": {"total": 5, "units": "grams"},
                        "estimatedAbsorptionDuration": 10_800,
                    },
                },
            ),
        ],
    )
    def test_they_are_seen_as_numbers(self, device: Device, sent: Any, shown: Any) -> None:
        stored(device, "treatments", sent | {"created_at": at(60)})
        (record,) = device.data()
        assert {name: record[name] for name in shown} == shown

    def test_a_text_that_is_no_number_is_none(self, device: Device) -> None:
        stored(device, "treatments", {"eventType": "Temp Basal", "rate": "high", "duration": 30, "created_at": at(60)})
        assert device.data() == []


class TestForms:
    FORM = "application/x-www-form-urlencoded; charset=utf-8"

    def test_a_treatment_of_a_form_has_its_numbers(self, device: Device) -> None:
        form = f"eventType=Meal+Bolus&carbs=12.5&insulin=1&created_at={at(5)}&notes=caf%C3%A9".encode()
        (made,) = device.send("POST", "/api/v1/treatments", form, Content_Type=self.FORM).json()
        assert (made["eventType"], made["carbs"], made["notes"]) == ("Meal Bolus", 12.5, "caf\u00e9")
        assert {record["type"] for record in device.data()} == {"bolus", "food"}

    @pytest.mark.parametrize("member", ["token={0}", "secret={1}", "secret={0}"])
    def test_a_credential_in_a_form_counts_and_is_not_stored(self, device: Device, member: str) -> None:
        sha1 = hashlib.sha1(device.token.encode(), usedforsecurity=False).hexdigest()
        form = f"eventType=Note&created_at={at(5)}&{member.format(device.token, sha1)}".encode()
        reply = device.api.request("POST", "/api/v1/treatments", form, Content_Type=self.FORM)
        assert (reply.status, len(device.treatments())) == (200, 1)
        assert {"token", "secret"}.isdisjoint(device.treatments()[0])

    @pytest.mark.parametrize(
        "form", [b"token=wrong", b"secret=", b"a=token%3Dx", b"token[a]=b", b"a=1&a[b]=2&token=x", b"x" * 100_000]
    )
    def test_a_form_without_a_right_credential_is_401(self, device: Device, form: bytes) -> None:
        reply = device.api.request("POST", "/api/v1/treatments", form, Content_Type=self.FORM)
        assert (reply.status, device.treatments()) == (401, [])

    def test_values_of_an_entry_of_a_form_stay_texts(self, device: Device) -> None:
        form = b"type=sgv&sgv=121&date=1767225300000&dateString=2025-12-31T23:55:00.000Z"
        (made,) = device.send("POST", "/api/v1/entries", form, Content_Type=self.FORM).json()
        assert (made["sgv"], made["date"], made["sysTime"]) == ("121", "1767225300000", at(5))
        assert device.data() == []
        assert device.send("GET", "/pebble").json()["bgs"] == []

    def test_a_quick_pick_of_nightscouts_own_page_has_its_foods(self, device: Device) -> None:
        form = b"type=quickpick&name=a&foods[0][name]=b&foods[0][carbs]=5&foods[1][name]=c&hidden=false&position=1"
        (made,) = device.send("POST", "/api/v1/food", form, Content_Type=self.FORM).json()
        assert made["foods"] == [{"name": "b", "carbs": "5"}, {"name": "c"}]

    def test_names_in_brackets_are_members_and_elements(self, device: Device) -> None:
        form = b"type=quickpick&foods[]=a&foods[]=b&size[of][it]=2&empty=&[x]=1"
        (made,) = device.send("POST", "/api/v1/food", form, Content_Type=self.FORM).json()
        assert (made["foods"], made["size"], made["empty"], made["[x]"]) == (["a", "b"], {"of": {"it": "2"}}, "", "1")

    @pytest.mark.parametrize(
        "form", [b"a=1&a[]=2", b"a=1&a[b]=2", b"a[b][c][d][e][f]=1", b"&".join(b"a%d=1" % n for n in range(1001))]
    )
    def test_a_form_that_is_no_document_is_refused(self, device: Device, form: bytes) -> None:
        assert device.send("POST", "/api/v1/food", form, Content_Type=self.FORM).status == 400

    def test_a_reading_whose_date_is_a_text_is_shown_at_its_time(self, device: Device) -> None:
        device.store(sgv(100, 5, date="1767225300000"))
        (reading,) = device.send("GET", "/pebble").json()["bgs"]
        assert reading["datetime"] == 1767225300000
