"""The demo's table and plot."""

from typing import Any

from tools.demo import report
from tools.demo.generator import LOCAL_TIME


def _cbg(time: str, value: float) -> dict[str, Any]:
    return {"type": "cbg", "time": time, "value": value}


def test_table_counts_each_type_and_tells_local_times() -> None:
    records = [
        _cbg("2026-03-01T12:00:17Z", 5.55075),
        _cbg("2026-03-01T07:00:17Z", 5.55075),
        {"type": "basal", "time": "2026-03-02T06:00:00.5Z"},
    ]
    assert report.table(records, LOCAL_TIME) == [
        "type           records   first             last              ",
        "basal                1   2026-03-01 23:00  2026-03-01 23:00  ",
        "cbg                  2   2026-03-01 00:00  2026-03-01 05:00  ",
        "all                  3",
    ]


def test_summary_tells_mean_in_both_units_and_time_in_range() -> None:
    # 69, 70, 180 and 181 mg/dL as the platform stores them: both ends belong to the range.
    records = [_cbg("2026-03-01T07:00:00Z", value) for value in (3.83002, 3.88552, 9.99135, 10.04685)]
    assert report.glucose_summary(records) == [
        "mean glucose   125 mg/dL (6.9 mmol/L)",
        "time in range  50% (70-180 mg/dL), 25% below, 25% above",
    ]


def test_summary_without_readings() -> None:
    assert report.glucose_summary([]) == ["no CGM readings"]


def test_plot_has_a_dot_for_each_reading_in_its_place() -> None:
    lines = report.plot([(0, 250.0), (12 * 60, 40.0), (23 * 60 + 59, 250.0)])
    drawing = [line[5:] for line in lines[: report.PLOT_ROWS]]
    assert {len(row) for row in drawing} == {report.PLOT_COLUMNS}
    top, bottom = drawing[0], drawing[-1]
    assert (top[0], top[-1], bottom[36]) == ("\u2801", "\u2808", "\u2840")
    assert sum(char > "\u2800" for row in drawing for char in row) == 3


def test_plot_labels_the_range_and_its_own_ends() -> None:
    lines = report.plot([(0, 310.0)])
    assert [line[:3] for line in lines if line[4:5] == "┤"] == ["310", "180", " 70", " 40"]
    assert lines[-1].split() == ["00:00", "04:00", "08:00", "12:00", "16:00", "20:00"]


def test_fullest_day_is_the_last_of_the_fullest() -> None:
    days = [_cbg(f"2026-03-0{day}T12:{minute:02}:00Z", 5.0) for day in (1, 2) for minute in (10, 5)]
    day, readings = report.fullest_day([*days, _cbg("2026-03-03T12:00:00Z", 5.0)], LOCAL_TIME)
    assert day == "2026-03-02"
    assert [minute for minute, _ in readings] == [5 * 60 + 5, 5 * 60 + 10]
