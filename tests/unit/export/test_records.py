"""Records in the form of an export. The expected values follow the tool that makes Tidepool's exports."""

from typing import Any

import pytest

from chalicelib.export.query import MG_DL, MMOL_L
from chalicelib.export.records import converted, divided, flat
from chalicelib.export.sheets import SHEETS

SETTINGS = {
    "type": "pumpSettings",
    "id": "s",
    "activeSchedule": "Everyday",
    "units": {"bg": "mmol/L", "carb": "grams"},
    "basalSchedules": {"Everyday": [{"start": 0, "rate": 0.5}, {"start": 27_000_000, "rate": 1}], "Other": []},
    "bgTargets": {"Everyday": [{"start": 0, "low": 5, "high": 6}]},
    "carbRatio": [{"start": 0, "amount": 10}],
    "insulinSensitivities": {"Everyday": [{"start": 0, "amount": 2}]},
    "manufacturers": ["Tandem"],
}


def exported(record: dict[str, Any], units: str = MMOL_L) -> list[dict[str, Any]]:
    return [flat(converted(part, units)) for part in divided(record)]


def test_members_without_a_column_are_left_out_and_objects_are_spread() -> None:
    record = {
        "type": "basal",
        "id": "b",
        "rate": 1,
        "suppressed": {"type": "basal", "rate": 2, "suppressed": {"rate": 3}},
        "origin": {"id": "x"},
        "annotations": [{"code": "a"}],
        "payload": {"b": 1},
        "duration": 90_000,
    }
    assert exported(record) == [
        {
            "type": "basal",
            "id": "b",
            "rate": 1,
            "suppressed.type": "basal",
            "suppressed.rate": 2,
            "annotations": '[{"code":"a"}]',
            "payload": '{"b":1}',
            "duration": 1.5,
        }
    ]


def test_a_type_without_a_sheet_keeps_what_it_has() -> None:
    record = {"type": "dosingDecision", "reason": "normalBolus", "insulinOnBoard": {"amount": 1, "x": {"y": 2}}}
    assert exported(record, MG_DL) == [
        {"type": "dosingDecision", "reason": "normalBolus", "insulinOnBoard.amount": 1, "insulinOnBoard.x": {"y": 2}}
    ]


def test_settings_of_a_pump_become_a_record_for_each_entry_of_their_schedules() -> None:
    parts = exported(SETTINGS)
    common = {"id": "s", "activeSchedule": "Everyday", "manufacturers": '["Tandem"]'}
    units = {"units.bg": "mmol/L", "units.carb": "grams"}
    midnight = "1970-01-01T00:00:00.000Z"
    everyday = common | {"scheduleName": "Everyday"}
    assert parts == [
        everyday | {"type": "pumpSettings.basalSchedules", "basalSchedule.start": midnight, "basalSchedule.rate": 0.5},
        everyday
        | {
            "type": "pumpSettings.basalSchedules",
            "basalSchedule.start": "1970-01-01T07:30:00.000Z",
            "basalSchedule.rate": 1,
        },
        everyday
        | units
        | {"type": "pumpSettings.bgTargets", "bgTarget.start": midnight, "bgTarget.low": 5, "bgTarget.high": 6},
        common | units | {"type": "pumpSettings.carbRatio", "carbRatio.start": midnight, "carbRatio.amount": 10},
        everyday
        | units
        | {
            "type": "pumpSettings.insulinSensitivities",
            "insulinSensitivity.start": midnight,
            "insulinSensitivity.amount": 2,
        },
    ]


def test_settings_without_schedules_have_no_records() -> None:
    assert exported({"type": "pumpSettings", "id": "s", "basalSchedules": {}, "carbRatio": None}) == []


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"type": "cbg", "value": 10, "units": "mmol/L"}, {"value": 180.1559, "units": "mg/dL"}),
        ({"type": "smbg", "value": 10.0, "units": "mmol/L"}, {"value": 180.1559, "units": "mg/dL"}),
        ({"type": "bloodKetone", "value": 1, "units": "mmol/L"}, {"value": 1, "units": "mmol/L"}),
        ({"type": "deviceEvent", "value": 10, "units": "mmol/L"}, {"value": 180.1559, "units": "mg/dL"}),
        (
            {"type": "wizard", "bgInput": 10, "insulinSensitivity": 1, "bgTarget": {"high": 10, "other": 1}},
            {"bgInput": 180.1559, "insulinSensitivity": 18.01559, "bgTarget.high": 180.1559},
        ),
    ],
)
def test_glucose_is_shown_in_mg_dl(record: dict[str, Any], expected: dict[str, Any]) -> None:
    assert exported(record, MG_DL) == [{"type": record["type"]} | expected]
    (as_it_is,) = exported(record, MMOL_L)
    assert as_it_is.get("value") == record.get("value")


def test_targets_and_sensitivities_of_a_pump_are_shown_in_mg_dl_and_ratios_stay() -> None:
    shown = {part["type"].partition(".")[2]: part for part in exported(SETTINGS, MG_DL)}
    assert shown["bgTargets"]["bgTarget.low"] == 5 * 18.01559
    assert shown["insulinSensitivities"]["insulinSensitivity.amount"] == 2 * 18.01559
    assert shown["carbRatio"]["carbRatio.amount"] == 10
    assert {part.get("units.bg") for part in shown.values()} == {None, "mg/dL"}


@pytest.mark.parametrize(("units", "days"), [("hours", 0.5), ("minutes", 12 / 1_440), ("seconds", 12 / 86_400)])
def test_the_duration_of_an_activity_is_shown_in_days(units: str, days: float) -> None:
    record = {"type": "physicalActivity", "duration": {"value": 12, "units": units}}
    assert exported(record) == [{"type": "physicalActivity", "duration": pytest.approx(days)}]


def test_sheets_have_the_names_and_headers_of_tidepools_exports() -> None:
    headers = {
        sheet.name: [column.sheet_column(MMOL_L).header for column in sheet.columns] for sheet in SHEETS.values()
    }
    assert headers["CGM"] == [
        "Zulu Time",
        "Local Time",
        "Device Time",
        "Tidepool Data Type",
        "Value",
        "Units",
        "Timezone Offset",
        "Conversion Offset",
        "Clock Drift Offset",
        "Device Id",
        "Id",
        "Upload Id",
        "Payload",
        "Annotations",
    ]
    assert headers["Basal"][4:9] == ["Delivery Type", "Duration (mins)", "Expected Duration (mins)", "Rate", "Percent"]
    assert headers["Bolus Calculator"][3:6] == ["Tidepool Wizard Type", "Bg Input", "Insulin Sensitivity"]
    assert set(headers) == {
        "BG Targets",
        "Basal",
        "Basal Schedules",
        "Blood Ketone",
        "Bolus",
        "Bolus Calculator",
        "CGM",
        "Carb Ratios",
        "Device Event",
        "Food",
        "Insulin Sensitivities",
        "Physical Activity",
        "SMBG",
        "Upload",
    }
