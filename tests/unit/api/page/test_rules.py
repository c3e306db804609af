"""The rules of the page: times in a zone, values in units, records in groups, the digest of sign-in."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.unit.api.page.node import evaluate


def ms(text: str) -> int:
    """A time in milliseconds."""
    return int(datetime.fromisoformat(text).astimezone(UTC).timestamp() * 1000)


def test_the_digest_of_the_proof_is_sha_256() -> None:
    messages = ["", "a", "é" * 20, "x" * 55, "x" * 56, "x" * 63, "x" * 64, "x" * 200]
    found = evaluate('{ sha256 } from "./sha256.js"', f"{messages!r}.map((text) => [...sha256(text)])")
    assert [bytes(digest) for digest in found] == [hashlib.sha256(text.encode()).digest() for text in messages]


@pytest.mark.parametrize(
    ("date", "zone", "start"),
    [
        ("2026-03-29", "Europe/Berlin", "2026-03-28T23:00:00+00:00"),
        ("2026-03-30", "Europe/Berlin", "2026-03-29T22:00:00+00:00"),
        ("2026-10-25", "Europe/Berlin", "2026-10-24T22:00:00+00:00"),
        ("2026-10-26", "Europe/Berlin", "2026-10-25T23:00:00+00:00"),
        ("2026-09-06", "America/Santiago", "2026-09-06T04:00:00+00:00"),  # has no 00:00: the clocks change then
        ("2026-01-01", "Pacific/Kiritimati", "2025-12-31T10:00:00+00:00"),
        ("2026-01-01", "Asia/Kathmandu", "2025-12-31T18:15:00+00:00"),
        ("2026-01-01", "Pacific/Pago_Pago", "2026-01-01T11:00:00+00:00"),
    ],
)
def test_a_day_begins_at_the_first_instant_of_its_date(date: str, zone: str, start: str) -> None:
    found = evaluate('{ startOfDate } from "./times.js"', f'startOfDate("{date}", "{zone}")')
    assert found == ms(start)


@pytest.mark.parametrize(
    ("time", "zone", "words"),
    [
        ("2026-10-25T00:30:00+00:00", "Europe/Berlin", "02:30"),
        ("2026-10-25T01:30:00+00:00", "Europe/Berlin", "02:30 again"),
        ("2026-10-25T02:00:00+00:00", "Europe/Berlin", "03:00"),
        ("2026-03-29T01:30:00+00:00", "Europe/Berlin", "03:30"),
        ("2026-04-04T14:45:00+00:00", "Australia/Lord_Howe", "01:45"),
        ("2026-04-04T15:15:00+00:00", "Australia/Lord_Howe", "01:45 again"),  # by half an hour only
    ],
)
def test_an_hour_that_the_clocks_repeat_is_named_as_repeated(time: str, zone: str, words: str) -> None:
    assert evaluate('{ clockOfDay } from "./times.js"', f'clockOfDay({ms(time)}, "{zone}")') == words


def test_a_date_is_one_of_the_calendar_and_of_our_time() -> None:
    texts = [
        "2026-02-28",
        "2024-02-29",
        "2026-02-31",
        "2026-02-29",
        "2026-13-01",
        "0002-01-01",
        "9999-12-31",
        "x",
        None,
    ]
    found = evaluate('{ isDate } from "./times.js"', f"{json.dumps(texts)}.filter(isDate)")
    assert found == ["2026-02-28", "2024-02-29"]


def test_the_name_is_that_of_the_person_whose_data_it_is() -> None:
    profiles = [
        {"fullName": "Petra", "patient": {"isOtherPerson": True, "fullName": " Jill "}},
        {"fullName": "Petra", "patient": {"fullName": "Jill"}},
        {"fullName": "Petra", "patient": {"isOtherPerson": True, "fullName": " "}},
        {},
    ]
    names = f'{json.dumps(profiles)}.map((profile) => nameOf(profile, "no name"))'
    found = evaluate('{ nameOf } from "./names.js"', names)
    assert found == ["Jill", "Petra", "Petra", "no name"]


def test_values_that_would_cover_each_other_are_left_out_the_least_important_first() -> None:
    area = "{ y: (value) => value / 2 }"
    found = evaluate('{ apart } from "./plot.js"', f"apart([70, 180, 54, 95, 100], {area})")
    assert found == [70, 180, 100]


def test_values_are_shown_and_ranged_by_whole_mg_dl() -> None:
    values = [n / 18.01559 for n in (53, 54, 69, 70, 180, 181, 250, 251)]
    expression = f'{values}.map((mmol) => [shown(mmol, "mg/dL"), shown(mmol, "mmol/L"), rangeOf(mmol)])'
    found = evaluate('{ shown, rangeOf } from "./glucose.js"', expression)
    assert found == [
        ["53", "2.9", "veryLow"],
        ["54", "3.0", "low"],
        ["69", "3.8", "low"],
        ["70", "3.9", "target"],
        ["180", "10.0", "target"],
        ["181", "10.0", "high"],
        ["250", "13.9", "high"],
        ["251", "13.9", "veryHigh"],
    ]


def test_values_are_rounded_as_in_a_report() -> None:
    imports = '{ shown } from "./glucose.js"'
    assert evaluate(imports, '[5.55, 5.549, 0.05, 9.95].map((mmol) => shown(mmol, "mmol/L"))') == [
        "5.6",
        "5.5",
        "0.1",
        "10.0",
    ]


def test_a_reading_beyond_what_the_device_shows_has_a_sign() -> None:
    readings = [
        {"mmol": 22.2, "beyond": "high"},
        {"mmol": 2.2, "beyond": "low"},
        {"mmol": 5, "beyond": "?"},
        {"mmol": 5},
    ]
    expression = f'{readings}.map((reading) => shownReading(reading, "mmol/L"))'
    found = evaluate('{ shownReading } from "./glucose.js"', expression)
    assert found == ["\u2265 22.2", "\u2264 2.2", "5.0", "5.0"]


def test_trends_go_by_the_change_per_minute() -> None:
    found = evaluate('{ trendOf } from "./glucose.js"', "[-3, -2, -1, -0.9, 0, 0.9, 1, 2, 3].map(trendOf)")
    falls = ["rapidFall", "moderateFall", "slowFall"]
    assert found == [*falls, "constant", "constant", "constant", "slowRise", "moderateRise", "rapidRise"]


def record(type_: str, minute: int, **members: Any) -> dict[str, Any]:
    """A record as the platform answers it."""
    return {"type": type_, "time": f"2026-01-01T{minute // 60:02}:{minute % 60:02}:00Z", **members}


def test_records_are_grouped_in_the_order_of_their_times() -> None:
    hour_ms = 3_600_000
    records = [
        record("cbg", 10, value=6.5, deviceId="b", trend="constant"),
        record("smbg", 5, value=7.0),
        record("cbg", 15, value=22.2, annotations=[{"code": "bg/out-of-range", "value": "high"}]),
        record("cbg", 20),
        record("bolus", 30, normal=2, extended=1.5),
        record("bolus", 31, normal=0),
        record("basal", 0, rate=1, duration=2 * hour_ms, deliveryType="scheduled"),
        record("basal", 60, duration=hour_ms, deliveryType="suspend"),
        record("food", 31, nutrition={"carbohydrate": {"net": 40}}, name="<b>"),
        record("wizard", 30, carbInput=40),
        record("wizard", 90, carbInput=15),
        record("deviceEvent", 40, subType="pumpSettingsOverride", overrideType="sleep", duration=hour_ms),
        record("deviceEvent", 41, subType="prime"),
        record("insulin", 20, dose={"total": 22, "units": "Units"}, formulation={"simple": {"actingType": "long"}}),
        record("insulin", 21, dose={"total": 4, "units": "Units"}, formulation={"simple": {"actingType": "rapid"}}),
        record("insulin", 22, dose={"total": 1, "units": "Units"}),
    ]
    found = evaluate('{ grouped } from "./records.js"', f"grouped({records!r})")
    assert [(item["mmol"], item["isSensor"]) for item in found["readings"]] == [(7, False), (6.5, True), (22.2, True)]
    assert found["readings"][2]["beyond"] == "high"
    doses = [(item["units"], item["isExtended"]) for item in found["boluses"]]
    assert doses == [(4, False), (1, False), (3.5, True)]
    assert [item["units"] for item in found["injections"]] == [22]
    assert [((item["end"] - item["time"]) / hour_ms, item["rate"]) for item in found["basals"]] == [(1, 1), (1, 0)]
    assert [(item["grams"], item["name"]) for item in found["carbs"]] == [(40, "<b>"), (15, "")]
    assert [item["name"] for item in found["overrides"]] == ["sleep"]


def test_overrides_last_as_long_as_their_app_says() -> None:
    loop = {"name": "com.loopkit.Loop"}
    hour_ms = 3_600_000
    event = {"subType": "pumpSettingsOverride", "overrideType": "sleep"}
    records = [
        record("deviceEvent", 0, **event, duration=3600, origin=loop),  # seconds
        record("deviceEvent", 120, **event, duration=hour_ms, origin={"name": "info.nightscout.androidaps"}),
        record("deviceEvent", 240, **event, origin=loop),  # until the next one
        record("deviceEvent", 300, **event, origin=loop),
    ]
    expression = f"grouped({records!r}).overrides.map(({{ time, end }}) => (end - time) / {hour_ms})"
    found = evaluate('{ grouped } from "./records.js"', expression)
    assert found == [1, 1, 1, None]  # JSON has no infinity


def test_basal_insulin_is_counted_within_a_time() -> None:
    hour_ms = 3_600_000
    basals = [{"time": 0, "end": 2 * hour_ms, "rate": 1.5}, {"time": 2 * hour_ms, "end": 3 * hour_ms, "rate": 0.5}]
    found = evaluate('{ basalUnits } from "./records.js"', f"basalUnits({basals}, {hour_ms}, {5 * hour_ms})")
    assert found == 2.0


def test_an_address_names_a_view_a_person_and_parameters() -> None:
    expression = """[parseRoute("#/days/u%2F1?date=2026-01-01"), parseRoute(""), parseRoute("#state=x&code=y")]
        .map(({ view, userId, parameters }) => [view, userId, parameters.get("date")])"""
    found = evaluate('{ parseRoute } from "./route.js"', expression)
    assert found == [["days", "u/1", "2026-01-01"], ["", None, None], ["state=x&code=y", None, None]]
    cut = evaluate('{ parseRoute } from "./route.js"', 'parseRoute("#/now/u%2").userId')
    assert cut == "u%2"
    made = evaluate('{ fragmentOf } from "./route.js"', '[fragmentOf("now"), fragmentOf("days", "u/1", { a: "b" })]')
    assert made == ["#/now", "#/days/u%2F1?a=b"]


def test_shares_are_whole_and_have_a_decimal_below_one() -> None:
    found = evaluate('{ share } from "./report_format.js"', "[0, 0.04, 0.4, 0.94, 0.96, 1.4, 69.5, 100].map(share)")
    assert found == ["0%", "0.0%", "0.4%", "0.9%", "1%", "1%", "70%", "100%"]


@pytest.mark.parametrize(
    ("units", "borders"),
    [
        ("mg/dL", ["> 250", "181\u2013250", "70\u2013180", "54\u201369", "< 54"]),
        ("mmol/L", ["> 13.9", "10.1\u201313.9", "3.9\u201310.0", "3.0\u20133.8", "< 3.0"]),
    ],
)
def test_the_ranges_have_their_borders_in_words(units: str, borders: list[str]) -> None:
    found = evaluate('{ bordersOf } from "./report_format.js"', f'Object.values(bordersOf("{units}"))')
    assert found == borders
    tight = evaluate('{ tightRange } from "./report_format.js"', f'tightRange("{units}")')
    assert tight == {"mg/dL": "70\u2013140", "mmol/L": "3.9\u20137.8"}[units]


def test_totals_count_days_back_from_the_end() -> None:
    hour_ms = 3_600_000
    day_ms = 24 * hour_ms
    records = {
        "boluses": [{"time": -1, "units": 9}, {"time": 0, "units": 2}, {"time": 3 * day_ms, "units": 9}],
        "injections": [{"time": 1, "units": 20}, {"time": -1, "units": 20}],
        "basals": [{"time": day_ms - 1, "end": day_ms + hour_ms, "rate": 1}, {"time": 0, "end": hour_ms, "rate": 1}],
        "carbs": [{"time": 1, "grams": 30}],
    }
    found = evaluate('{ totalsOf } from "./totals.js"', f"totalsOf({records}, 0, {3 * day_ms})")
    assert found == {"days": 2, "bolus": 2, "basal": pytest.approx(2), "injected": 20, "carbs": 30}


def test_a_choice_of_permissions_ends_with_its_last_day_and_keeps_what_the_form_does_not_show() -> None:
    before = {"view": {}, "follow": {"a": 1}, "upload": {"b": 2, "expiresTime": "2020-01-01T00:00:00Z"}}
    choice = '{ sees: "24", isNoting: true, isSending: true, lastDay: "2026-10-25" }'
    expression = f'permissionsOf({choice}, "Europe/Berlin", {before})'
    imports = '{ permissionsOf, choiceOf, permissionWords } from "./views/permissions.js"'
    end = {"expiresTime": "2026-10-25T23:00:00.000Z"}
    expected = {"follow": {"a": 1} | end, "view": {"windowHours": 24} | end, "note": end, "upload": {"b": 2} | end}
    assert evaluate(imports, expression) == expected
    shown = evaluate(imports, f'choiceOf({expected}, "Europe/Berlin")')
    assert shown == {"sees": "24", "isNoting": True, "isSending": True, "lastDay": "2026-10-25"}
    words = evaluate(imports, f'permissionWords({expected}, "Europe/Berlin")')
    assert (words[0], words[-1]) == ("Sees the last 24 hours", "Until Mon 26 Oct 2026, 00:00")


def test_a_choice_without_limits_takes_the_end_away() -> None:
    before = {"view": {"windowHours": 3, "expiresTime": "2026-01-01T00:00:00Z"}, "note": {}}
    choice = '{ sees: "all", isNoting: false, isSending: false, lastDay: "" }'
    imports = '{ permissionsOf, choiceOf } from "./views/permissions.js"'
    assert evaluate(imports, f'permissionsOf({choice}, "UTC", {before})') == {"view": {}}
    assert evaluate(imports, 'choiceOf({ upload: {} }, "UTC")')["sees"] == "nothing"


def test_the_digest_of_a_file_is_md5() -> None:
    sizes = [0, 1, 55, 56, 63, 64, 65, 1000, 4 * 1024 * 1024, 4 * 1024 * 1024 + 57]
    made = f"{sizes}.map((size) => md5(new Blob([Uint8Array.from({{ length: size }}, (_, at) => (at * 7) % 251)])))"
    found = evaluate('{ md5 } from "./md5.js"', f"Promise.all({made}).then((all) => all.map((digest) => [...digest]))")
    pattern = bytes((at * 7) % 251 for at in range(251))
    contents = [(pattern * (size // 251 + 1))[:size] for size in sizes]
    expected = [hashlib.md5(content, usedforsecurity=False).digest() for content in contents]
    assert [bytes(digest) for digest in found] == expected


@pytest.mark.parametrize(
    ("address", "token", "read"),
    [
        ("https://a.example/", "t", ["t", None, []]),
        ("a.example", " t ", ["t", None, []]),
        ("https://a.example/?token=t-1", "", ["t-1", None, []]),
        ("https://t-1@a.example/api/v1/", "", ["t-1", None, []]),
        ("http://a.example/nightscout", "t", ["t", None, ["http", "path"]]),
        ("https://b.example/", "t", ["t", "otherHost", []]),
        ("https://a.example/", "", ["", "noToken", []]),
        ("https://a.example:99999/", "t", ["t", "noAddress", []]),
        ("", "", ["", "noAddress", []]),
        ("https://%zz@a.example/", "", ["%zz", None, []]),
    ],
)
def test_an_address_with_a_token_is_read_as_apps_take_it(address: str, token: str, read: list[object]) -> None:
    call = f"readEntered({json.dumps(address)}, {json.dumps(token)}, 'a.example')"
    found = evaluate('{ readEntered } from "./nightscout_check.js"', call)
    assert [found["token"], found["fault"], found["notes"]] == read
