"""Records of any year and zone, read before and after compaction, and reports at leap days and ends of years."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest

from tests.api.conftest import Reply
from tests.faults.preparation import ZOE, session
from tests.faults.scene import Scene

YEARS = (
    "1900-01-01T00:00:00Z",
    "1900-02-28T23:59:59.999Z",
    "1904-02-29T12:00:00Z",
    "1969-12-31T23:59:59.999Z",
    "1999-12-31T23:59:59.999Z",
    "2000-02-29T00:00:00Z",
    "2024-02-29T23:59:59.999Z",
    "2025-01-01T00:00:00+14:00",
    "2024-12-31T23:59:59.999-12:00",
    "2038-01-19T03:14:08Z",
    "2100-02-28T23:59:59.999Z",
    "2161-01-01T00:00:00Z",
)
ZONES = ("Pacific/Kiritimati", "Etc/GMT+12", "Asia/Kathmandu", "America/St_Johns", "UTC")
ENDS = {
    "a leap day": datetime(2028, 2, 29, 23, 59, 59, 999_000, UTC),
    "the day after": datetime(2028, 3, 1, tzinfo=UTC),
    "the last millisecond of a year": datetime(2027, 12, 31, 23, 59, 59, 999_000, UTC),
    "the first of a year": datetime(2028, 1, 1, tzinfo=UTC),
    "no leap day": datetime(2100, 3, 1, tzinfo=UTC),
}
MILLISECOND = timedelta(milliseconds=1)
STEP = timedelta(minutes=47)
"""Between readings, so that they fall on any minute of the day."""


def add(stage: Scene, records: list[dict[str, Any]]) -> Reply:
    """The answer to adding records to a new data set."""
    body = {"type": "upload", "dataSetType": "continuous", "deviceId": "t"}
    data_set = stage.ask("POST", f"/v1/users/{ZOE}/data_sets", body, **session(ZOE)).json()["data"]
    return stage.ask("POST", f"/v1/data_sets/{data_set['id']}/data", records, **session(ZOE))


def reading(time: str) -> dict[str, Any]:
    """A reading of a device of its own."""
    return {"type": "cbg", "units": "mg/dL", "value": 111, "time": time, "deviceId": "t"}


def read(stage: Scene, query: str) -> list[datetime]:
    """The times of the readings of this device, oldest first."""
    reply = stage.ask("GET", f"/data/{ZOE}?type=cbg&deviceId=t{query}", **session(ZOE))
    assert reply.status == 200, reply.body
    return sorted(instant(str(record["time"])) for record in reply.json())


def instant(text: str) -> datetime:
    """The instant of a time."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def utc(moment: datetime) -> str:
    """A time in UTC, as clients write it."""
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def require_years(stage: Scene) -> None:
    """Assert that each record is there, and found by the range of its own millisecond alone."""
    moments = sorted(map(instant, YEARS))
    assert read(stage, "") == moments
    for moment in moments:
        assert read(stage, f"&startDate={utc(moment)}&endDate={utc(moment)}") == [moment]
        assert moment not in read(stage, f"&startDate={utc(moment + MILLISECOND)}")
        assert moment not in read(stage, f"&endDate={utc(moment - MILLISECOND)}")


def test_records_of_any_year_are_read_as_they_were_added(stage: Scene) -> None:
    assert add(stage, [reading(time) for time in YEARS]).status == 200
    require_years(stage)
    stage.work(1)
    stage.token(ZOE)
    require_years(stage)


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
@pytest.mark.parametrize("zone", ZONES)
def test_each_reading_counts_once_on_its_local_day(stage: Scene, end: datetime, zone: str) -> None:
    stage.let_time_pass(round(end.timestamp() * 1000) - stage.now_ms)
    stage.token(ZOE)
    moments = [end - number * STEP for number in range(90)]
    assert add(stage, [reading(utc(moment)) for moment in moments]).status == 200
    query = f"days=3&end={utc(end + MILLISECOND)}&tz={quote(zone)}"
    reply = stage.ask("GET", f"/v1/users/{ZOE}/agp?{query}", **session(ZOE))
    counted = {day["date"]: day["records"] for day in reply.json()["days"]}
    wanted: dict[str, int] = {}
    for moment in moments:
        date = moment.astimezone(ZoneInfo(zone)).date().isoformat()
        wanted[date] = wanted.get(date, 0) + 1
    assert counted == wanted


def test_a_summary_goes_on_over_the_end_of_a_year_and_a_leap_day(stage: Scene) -> None:
    for end in (ENDS["the last millisecond of a year"], ENDS["a leap day"]):
        stage.let_time_pass(round(end.timestamp() * 1000) - stage.now_ms)
        stage.token(ZOE)
        assert add(stage, [reading(utc(end - number * timedelta(minutes=5))) for number in range(300)]).status == 200
        for _ in range(2):
            periods = stage.ask("GET", f"/v1/summaries/cgm/{ZOE}", **session(ZOE)).json()["periods"]
            assert periods["1d"]["total"]["records"] == 288
            stage.work(1)
            stage.token(ZOE)
            stage.let_time_pass(-4_000_000)
