"""Glances of the Nightscout API: `/pebble` and `properties`, for watch faces and widgets."""

from typing import Any

import pytest

from tests.api.nightscout.device import Device
from tests.api.nightscout.records import MINUTE_MS, at, cbg, sgv
from tests.fakes.services import START_MS

LOOP = {"loop": {"iob": {"iob": 1.234}, "cob": {"cob": 10.55}}, "uploader": {"battery": 80}}
TRIO = {"openaps": {"iob": {"iob": 0.8}, "suggested": {"COB": 5}}, "uploaderBattery": 77}


def get(device: Device, path: str) -> Any:
    """The answer to a request."""
    reply = device.send("GET", path)
    assert reply.status == 200, reply.body
    return reply.json()


class TestPebble:
    def test_readings_come_newest_first_with_the_difference_on_the_first(self, device: Device) -> None:
        device.store(sgv(110, 10, direction="Flat"), sgv(105, 5, direction="DoubleDown"), sgv(108, 0))
        answer = get(device, "/pebble?count=2")
        assert answer["status"] == [{"now": START_MS}]
        assert answer["bgs"] == [
            {"sgv": "108", "trend": 8, "datetime": START_MS, "bgdelta": 3},
            {"sgv": "105", "trend": 7, "direction": "DoubleDown", "datetime": START_MS - 5 * MINUTE_MS},
        ]

    @pytest.mark.parametrize(
        ("values", "shown", "difference"),
        [
            ((180, 171), "9.5", "-0.5"),
            ((105, 100), "5.6", "-0.2"),  # 5.8 and 5.6, as both are shown
            ((190, 190), "10.5", "0.0"),
        ],
    )
    def test_values_in_mmol_l_have_one_decimal(
        self, device: Device, values: tuple[int, int], shown: str, difference: str
    ) -> None:
        device.store(sgv(values[0], 5), sgv(values[1], 0))
        (reading,) = get(device, "/pebble?units=mmol")["bgs"]
        assert (reading["sgv"], reading["bgdelta"]) == (shown, difference)

    @pytest.mark.parametrize(
        ("direction", "trend"),
        [
            ("NONE", 0),
            ("DoubleUp", 1),
            ("NOT COMPUTABLE", 8),
            ("RATE OUT OF RANGE", 9),
            ("TripleUp", 8),
            ("flat", 8),
            ("", 8),
            (None, 8),
            (5, 8),
        ],
    )
    def test_each_direction_has_a_trend_and_stays_as_it_was_sent(
        self, device: Device, direction: Any, trend: int
    ) -> None:
        device.store(sgv(100, 0, direction=direction))
        (reading,) = get(device, "/pebble")["bgs"]
        assert (reading["direction"], reading["trend"]) == (direction, trend)
        assert get(device, "/api/v2/properties/bgnow")["bgnow"]["sgvs"][0]["direction"] == direction

    @pytest.mark.parametrize(("minutes", "difference"), [(15, 7), (18, 0)])
    def test_the_difference_is_that_of_five_minutes_to_a_reading_soon_before(
        self, device: Device, minutes: int, difference: int
    ) -> None:
        device.store(sgv(100, minutes), sgv(120, 0))
        (reading,) = get(device, "/pebble")["bgs"]
        assert reading["bgdelta"] == difference

    def test_data_of_the_tidepool_api_is_shown(self, device: Device) -> None:
        device.send_to_tidepool([cbg(150, 5), cbg(152, 0, trend="constant")])
        (reading,) = get(device, "/pebble")["bgs"]
        assert (reading["sgv"], reading["trend"], reading["bgdelta"]) == ("152", 4, 2)

    def test_without_readings_there_are_none(self, device: Device) -> None:
        device.store({"type": "mbg", "mbg": 100, "date": START_MS}, sgv("high", 1))
        assert get(device, "/pebble")["bgs"] == []

    def test_a_count_that_is_unreadable_is_400(self, device: Device) -> None:
        assert device.send("GET", "/pebble?count=many").status == 400


class TestClockAhead:
    """A phone whose clock is hours ahead: the current value is the newest one that is not later than now."""

    @pytest.mark.parametrize("count", [1, 40])
    @pytest.mark.parametrize("is_compacted", [False, True])
    def test_readings_to_come_do_not_hide_the_current_one(self, device: Device, count: int, is_compacted: bool) -> None:
        device.store(sgv(100, 2), sgv(95, 7), *[sgv(200 + number, -60 - 5 * number) for number in range(count)])
        if is_compacted:
            device.compact()
        answer = get(device, "/api/v2/properties/bgnow,delta,buckets")
        assert (answer["bgnow"]["last"], answer["delta"]["display"]) == (100, "+5")
        assert [bucket.get("last") for bucket in answer["buckets"][:2]] == [100, 95]
        readings = get(device, f"/pebble?count={count + 2}")["bgs"]
        assert [reading["sgv"] for reading in readings[-2:]] == ["100", "95"]
        assert readings[0]["bgdelta"] == 5

    def test_a_reading_without_a_direction_gets_none(self, device: Device) -> None:
        device.store(sgv(100, 0))
        assert "direction" not in get(device, "/api/v2/properties/bgnow")["bgnow"]["sgvs"][0]

    def test_without_a_current_one_there_is_none(self, device: Device) -> None:
        device.store(sgv(200, -60))
        assert get(device, "/api/v2/properties/bgnow,delta,buckets") == {}
        (reading,) = get(device, "/pebble")["bgs"]
        assert (reading["sgv"], reading["bgdelta"]) == ("200", 0)

    def test_the_code_0_of_a_sensor_is_no_reading(self, device: Device) -> None:
        device.store(sgv(0, 1), sgv(100, 2))
        assert [reading["sgv"] for reading in get(device, "/pebble?count=5")["bgs"]] == ["100"]


class TestProperties:
    def test_the_newest_reading_and_its_change(self, device: Device) -> None:
        first, second = device.store(sgv(110, 5, direction="Flat"), sgv(106, 0, direction="FortyFiveDown", noise=1))
        answer = get(device, "/api/v2/properties")
        assert answer.keys() == {"bgnow", "delta", "buckets", "upbat", "runtimestate"}
        assert answer["runtimestate"] == {"state": "loaded"}
        assert (answer["bgnow"]["last"], answer["bgnow"]["mills"]) == (106, START_MS)
        assert answer["bgnow"]["sgvs"] == [
            {
                "_id": second["_id"],
                "mgdl": 106,
                "mills": START_MS,
                "device": "cgm",
                "direction": "FortyFiveDown",
                "noise": 1,
                "type": "sgv",
                "scaled": 106,
            }
        ]
        delta = answer["delta"]
        assert (delta["mgdl"], delta["display"], delta["interpolated"]) == (-4, "-4", False)
        assert delta["previous"]["sgvs"][0]["_id"] == first["_id"]

    def test_a_change_over_more_than_nine_minutes_is_interpolated_to_five(self, device: Device) -> None:
        device.store(sgv(102, 15), sgv(120, 0))
        delta = get(device, "/api/v2/properties/delta")["delta"]
        assert (delta["absolute"], delta["elapsedMins"], delta["interpolated"]) == (18, 15, True)
        assert (delta["mgdl"], delta["display"], delta["mean5MinsAgo"]) == (6, "+6", 114)

    def test_readings_of_several_sensors_have_a_mean(self, device: Device) -> None:
        device.store(sgv(151, 0), sgv(140, 5), sgv(141, 4, device="other"))
        answer = get(device, "/api/v2/properties")
        assert [bucket.get("mean") for bucket in answer["buckets"]] == [151, 140.5, None, None]
        assert [bucket["toMills"] - bucket["fromMills"] for bucket in answer["buckets"]] == [5 * MINUTE_MS] * 4
        assert answer["buckets"][2]["isEmpty"]
        delta = answer["delta"]
        assert (delta["absolute"], delta["mgdl"], delta["display"], delta["elapsedMins"]) == (10.5, 11, "+11", 4)

    def test_codes_of_a_sensor_do_not_count(self, device: Device) -> None:
        device.store(sgv(12, 0), sgv(39, 5), sgv(100, 10))
        answer = get(device, "/api/v2/properties")
        assert [error["mgdl"] for error in answer["bgnow"]["errors"]] == [12]
        assert answer["bgnow"].keys() == {"errors", "sgvs"}
        assert "delta" not in answer
        device.store(sgv(90, 0))
        assert get(device, "/api/v2/properties/delta")["delta"]["display"] == "-5"

    @pytest.mark.parametrize(
        ("sent", "battery", "iob", "cob"),
        [(LOOP, "80%", "1.23", 10.6), (TRIO, "77%", "0.80", 5), ({}, "?%", None, None)],
    )
    def test_what_a_loop_says_of_itself(
        self, device: Device, sent: dict[str, Any], battery: str | None, iob: str | None, cob: float | None
    ) -> None:
        device.send("POST", "/api/v1/devicestatus", {"device": "phone", "created_at": at(1), **sent})
        answer = get(device, "/api/v2/properties/upbat,iob,cob")
        shown = [answer.get(name, {}).get("display") for name in ("upbat", "iob", "cob")]
        assert shown == [battery, iob, cob]

    def test_each_value_is_that_of_the_newest_status_that_has_it(self, device: Device) -> None:
        for minutes, sent in ((9, TRIO), (6, {"uploaderBattery": 50}), (3, {"loop": {"cob": {"cob": 7}}}), (1, {})):
            device.send("POST", "/api/v1/devicestatus", {"device": "phone", "created_at": at(minutes), **sent})
        answer = get(device, "/api/v2/properties/upbat,iob,cob")
        assert [answer[name]["display"] for name in ("upbat", "iob", "cob")] == ["50%", "0.80", 7]

    @pytest.mark.parametrize(("minutes_ago", "is_shown"), [(31, False), (29, True), (-4, True), (-6, False)])
    def test_an_old_status_and_one_of_a_clock_far_ahead_say_nothing(
        self, device: Device, minutes_ago: float, is_shown: bool
    ) -> None:
        device.send("POST", "/api/v1/devicestatus", {"device": "phone", "created_at": at(minutes_ago), **LOOP})
        answer = get(device, "/api/v2/properties/upbat,iob,cob")
        assert [name in answer for name in ("upbat", "iob", "cob")] == [True, is_shown, is_shown]
        assert answer["upbat"]["display"] == ("80%" if is_shown else "?%")

    def test_only_those_that_are_named_and_have_data_are_there(self, device: Device) -> None:
        assert get(device, "/api/v2/properties").keys() == {"upbat", "runtimestate"}
        device.store(sgv(100, 0))
        assert get(device, "/api/v2/properties/delta,unknown") == {}
        assert get(device, "/api/v2/properties/bgnow").keys() == {"bgnow"}
