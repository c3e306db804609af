"""Generates the records of a synthetic user as an app would send them: glucose in mg/dL, origin ids, times in UTC.

The same days, seed and start give the same records, so a run can be repeated.
"""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from itertools import groupby
from random import Random
from typing import Any

from tools.demo import person
from tools.demo.person import STEP_MINUTES, STEPS_PER_DAY, Basal, Bolus, Course, Meal

Record = dict[str, Any]

CLIENT_NAME = "org.strandline.demo"
CLIENT_VERSION = "1.0.0"
TIMEZONE = "America/Phoenix"
"""A zone without summer time: each of its days has 288 readings."""
UTC_OFFSET_MINUTES = -420
LOCAL_TIME = timezone(timedelta(minutes=UTC_OFFSET_MINUTES), TIMEZONE)
CGM = "Synthetic CGM"
METER = "Synthetic Meter"
PUMP = "Synthetic Pump"
PUMP_BRAND, PUMP_MODEL, PUMP_SERIAL_NUMBER = "Tandem", "1002717", "000000"
"""A brand and a model that viewers know: Tidepool's own finds the settings of a pump by its brand."""
PROFILE = {
    "fullName": "Dana Demo",
    "patient": {"birthday": "1980-01-02", "diagnosisDate": "1990-03-04", "diagnosisType": "type1"},
}
"""The profile of the person, without which Tidepool's viewer first asks who they are."""
DATA_SET = {
    "type": "upload",
    "dataSetType": "continuous",
    "client": {"name": CLIENT_NAME, "version": CLIENT_VERSION},
    "deduplicator": {"name": "org.tidepool.deduplicator.dataset.delete.origin"},
    "deviceId": PUMP,
    "deviceManufacturers": [PUMP_BRAND],
    "deviceModel": PUMP_MODEL,
    "deviceSerialNumber": PUMP_SERIAL_NUMBER,
    "deviceTags": ["bgm", "cgm", "insulin-pump"],
    "timezone": TIMEZONE,
}
"""The continuous data set of the records, in which a record replaces an earlier one with its origin id."""
SENSOR_DAYS, WARM_UP_STEPS = 10, 24
LOWEST_MG_DL, HIGHEST_MG_DL = 40, 400
SCHEDULE = "Everyday"


def records(days: int, seed: int, start: datetime) -> list[Record]:
    """The records of a number of days from `start`, a local midnight, in the order of their times."""
    random = Random(seed)  # noqa: S311  synthetic data, no secret
    course = person.live(days, random)
    everything = [
        _pump_settings(start),
        *_cbgs(course, start, random),
        *_smbgs(course, start, random),
        *_basals(course, start),
        *(_bolus_or_wizard(bolus, start) for bolus in course.boluses),
        *(_food(meal, start) for meal in course.meals),
    ]
    for record in everything:
        _with_origins(record, seed)
    return sorted(everything, key=lambda record: (record["time"], record["type"]))


def _at(start: datetime, step: int, second: int = 0) -> dict[str, Any]:
    """The time fields of a record."""
    local = start + timedelta(minutes=step * STEP_MINUTES, seconds=second)
    time = local.astimezone(UTC)
    return {
        "time": time.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "deviceTime": local.strftime("%Y-%m-%dT%H:%M:%S"),
        "timezone": TIMEZONE,
        "timezoneOffset": UTC_OFFSET_MINUTES,
    }


def _with_origins(record: Record, seed: int) -> None:
    """Set the origin ids, by which a repeated upload replaces a record and the bolus inside a wizard."""
    name = f"{seed}/{record['type']}/{record['time']}"
    record["origin"] = {"id": str(uuid.uuid5(uuid.NAMESPACE_URL, name)), "name": CLIENT_NAME, "type": "application"}
    if isinstance(record.get("bolus"), dict) and record["type"] == "wizard":
        _with_origins(record["bolus"], seed)


def _cbgs(course: Course, start: datetime, random: Random) -> Iterator[Record]:
    for step, glucose_mg_dl in enumerate(course.glucose_mg_dl):
        if step % (SENSOR_DAYS * STEPS_PER_DAY) < WARM_UP_STEPS and step >= SENSOR_DAYS * STEPS_PER_DAY:
            continue  # a new sensor warms up for two hours
        measured = round(glucose_mg_dl + random.gauss(0, 2.5))
        value = min(HIGHEST_MG_DL, max(LOWEST_MG_DL, measured))
        record = {"type": "cbg", "value": value, "units": "mg/dL", "deviceId": CGM, **_at(start, step, second=17)}
        if value != measured:
            low = value == LOWEST_MG_DL
            record["annotations"] = [{"code": "bg/out-of-range", "value": "low" if low else "high", "threshold": value}]
        yield record


def _smbgs(course: Course, start: datetime, random: Random) -> Iterator[Record]:
    """A fingerstick in the morning, and on some evenings."""
    for day in range(len(course.glucose_mg_dl) // STEPS_PER_DAY):
        for hour in (7, 22) if random.random() < 0.6 else (7,):
            step = day * STEPS_PER_DAY + hour * person.STEPS_PER_HOUR
            value = max(20, round(course.glucose_mg_dl[step] * random.gauss(1, 0.06)))
            yield {
                "type": "smbg",
                "subType": "manual",
                "value": value,
                "units": "mg/dL",
                "deviceId": METER,
                **_at(start, step, second=48),
            }


def _basals(course: Course, start: datetime) -> Iterator[Record]:
    """One record for each time that the pump delivered the same way, cut at midnight."""
    steps = enumerate(course.basals)
    for (_, basal), run in groupby(steps, key=lambda item: (item[0] // STEPS_PER_DAY, item[1])):
        first, *others = (step for step, _ in run)
        duration_ms = (1 + len(others)) * STEP_MINUTES * 60_000
        yield {**_basal(basal), "duration": duration_ms, "deviceId": PUMP, **_at(start, first)}


def _basal(basal: Basal) -> Record:
    scheduled = {
        "type": "basal",
        "deliveryType": "scheduled",
        "rate": basal.scheduled_rate,
        "scheduleName": SCHEDULE,
    }
    if basal.delivery == "scheduled":
        return scheduled
    changed: Record = {"type": "basal", "deliveryType": basal.delivery, "suppressed": scheduled}
    if basal.delivery == "temp":
        changed |= {"rate": basal.rate, "percent": round(basal.rate / basal.scheduled_rate, 3)}
    return changed


def _bolus_or_wizard(bolus: Bolus, start: datetime) -> Record:
    """The bolus; inside a wizard when the bolus calculator was asked."""
    members: Record = {"subType": "normal", "normal": bolus.normal_units}
    if bolus.extended_units:
        duration_ms = bolus.extended_minutes * 60_000
        members = {
            "subType": "dual/square",
            "normal": bolus.normal_units,
            "extended": bolus.extended_units,
            "duration": duration_ms,
        }
    sent = {"type": "bolus", **members, "deviceId": PUMP, **_at(start, bolus.step, second=20)}
    meal = bolus.for_meal
    if meal is None:
        return sent
    carb_units = round(meal.counted_carbs_g / person.CARB_RATIO_G_PER_UNIT, 2)
    net_units = round(bolus.normal_units + bolus.extended_units, 2)
    return {
        "type": "wizard",
        "units": "mg/dL",
        "bgInput": bolus.glucose_mg_dl,
        "carbInput": meal.counted_carbs_g,
        "carbUnits": "grams",
        "insulinOnBoard": bolus.active_units,
        "insulinCarbRatio": person.CARB_RATIO_G_PER_UNIT,
        "insulinSensitivity": person.SENSITIVITY_MG_DL_PER_UNIT,
        "bgTarget": {"low": person.TARGET_LOW_MG_DL, "high": person.TARGET_HIGH_MG_DL},
        "recommended": {"carb": carb_units, "correction": round(net_units - carb_units, 2), "net": net_units},
        "bolus": sent,
        "deviceId": PUMP,
        **_at(start, bolus.step, second=20),
    }


def _food(meal: Meal, start: datetime) -> Record:
    nutrition = {
        "carbohydrate": {"net": meal.counted_carbs_g, "units": "grams"},
        "estimatedAbsorptionDuration": meal.absorption_minutes * 60,
    }
    return {"type": "food", "name": meal.name, "nutrition": nutrition, **_at(start, meal.step, second=5)}


def _pump_settings(start: datetime) -> Record:
    """Settings as a pump of the brand has them: each schedule has an entry at each time, and one target. Viewers make a
    row of a table from each time."""
    starts = [minute * 60_000 for minute, _ in person.BASAL_RATES]
    return {
        "type": "pumpSettings",
        "activeSchedule": SCHEDULE,
        "units": {"bg": "mg/dL", "carb": "grams"},
        "basalSchedules": {SCHEDULE: [{"start": minute * 60_000, "rate": rate} for minute, rate in person.BASAL_RATES]},
        "bgTargets": {SCHEDULE: [{"start": start_ms, "target": person.TARGET_MG_DL} for start_ms in starts]},
        "carbRatios": {SCHEDULE: [{"start": start_ms, "amount": person.CARB_RATIO_G_PER_UNIT} for start_ms in starts]},
        "insulinSensitivities": {
            SCHEDULE: [{"start": start_ms, "amount": person.SENSITIVITY_MG_DL_PER_UNIT} for start_ms in starts]
        },
        "manufacturers": [PUMP_BRAND],
        "model": PUMP_MODEL,
        "serialNumber": PUMP_SERIAL_NUMBER,
        "deviceId": PUMP,
        **_at(start, 0),
    }
