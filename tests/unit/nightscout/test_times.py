"""Times as apps write them."""

import pytest

from chalicelib.nightscout.times import ZonedTime, iso_time, read_iso, read_time

UNREADABLE = (
    "99 Foo 2024 08:00:00 GMT",
    "Fri Feb 30 2024 08:00:00 GMT",
    "Fri Foo 01 2024 08:00:00 GMT",
    "Fri Mar 01 08:00:00 CET 2024",
    "Fri Mar 01 2024 25:00:00 GMT",
    "Mar 01 2024 13:00:00 PM",
    "Mar 01 2024 0:00:00 AM",
    "Mar 01 2024",
    "Fri Mar 01 2024 08:00:00 GMT+0100 (" + "x" * 100 + ")",
    "Mar 01 0000 08:00:00 GMT",
    "Jan 01 0001 00:00:00 GMT+0100",
)
"""Texts that spell a month and are no times."""


@pytest.mark.parametrize(
    ("text", "wanted", "offset_minutes"),
    [
        ("2024-03-01T12:00:00-0330", "2024-03-01T15:30:00.000Z", -210),
        ("2024-03-02", "2024-03-02T00:00:00.000Z", 0),
        ("2024-03", "2024-03-01T00:00:00.000Z", 0),
        ("2024-03-02T05", "2024-03-02T05:00:00.000Z", 0),
        ("2024-03-02T05:07+05", "2024-03-02T00:07:00.000Z", 300),
        ("2024-03-02 05:08:10 +0200", "2024-03-02T03:08:10.000Z", 120),
        ("2024-03-02T05:08:10 01:00", "2024-03-02T04:08:10.000Z", 60),
        ("2024-03-02t05:09:00z", "2024-03-02T05:09:00.000Z", 0),
        ("2024-03-02T05:09:01,25Z", "2024-03-02T05:09:01.250Z", 0),
        ("2024-03-02T24:00:00Z", "2024-03-03T00:00:00.000Z", 0),
        ("20240302T050812Z", "2024-03-02T05:08:12.000Z", 0),
        ("20240302T050812.5+0100", "2024-03-02T04:08:12.500Z", 60),
        ("Fri, 01 Mar 2024 08:00:00 GMT", "2024-03-01T08:00:00.000Z", 0),
        ("1 Mar 2024 08:00 +0200", "2024-03-01T06:00:00.000Z", 120),
        ("Fri Mar 01 2024 09:00:00 GMT+0100 (Central European Standard Time)", "2024-03-01T08:00:00.000Z", 60),
        ("Fri Mar 01 2024 03:00:00 GMT-0500 (EST)", "2024-03-01T08:00:00.000Z", -300),
        ("Fri Mar 01 2024 08:00:00 GMT+0000", "2024-03-01T08:00:00.000Z", 0),
        ("fri mar 1 2024 08:00:00.25 utc", "2024-03-01T08:00:00.250Z", 0),
        ("Fri Mar 01 2024 08:00:00", "2024-03-01T08:00:00.000Z", 0),
        ("Mar 01 2024 09:00 GMT+01:00", "2024-03-01T08:00:00.000Z", 60),
        ("Fri Mar  1 08:00:00 GMT 2024", "2024-03-01T08:00:00.000Z", 0),
        ("Fri Mar 01 03:00:00 EST 2024", "2024-03-01T08:00:00.000Z", 0),
        ("Fri Mar 01 01:00:00 PDT 2024", "2024-03-01T08:00:00.000Z", 0),
        ("Fri Mar 01 09:00:00 GMT+01:00 2024", "2024-03-01T08:00:00.000Z", 60),
        ("March 1, 2024 8:00:00 PM GMT", "2024-03-01T20:00:00.000Z", 0),
        ("Friday, March 1, 2024, 12:30:00 am", "2024-03-01T00:30:00.000Z", 0),
    ],
)
def test_each_form_of_a_time_is_read_with_its_offset(text: str, wanted: str, offset_minutes: int) -> None:
    read = read_iso(text)
    assert read is not None
    assert (iso_time(read.time_ms), read.offset_minutes) == (wanted, offset_minutes)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "yesterday",
        "2024",
        "2024-13-01",
        "2024-02-30",
        "2024-03-02T24:01:00Z",
        "99 Foo 2024 08:00:00 GMT",
        None,
        5,
        *UNREADABLE,
    ],
)
def test_what_is_no_time_is_none(value: object) -> None:
    assert read_iso(value) is None


@pytest.mark.parametrize(
    ("time_ms", "text"),
    [
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        (253_402_300_800_000, "+010000-01-01T00:00:00.000Z"),
        (8_640_000_000_000_000, "+275760-09-13T00:00:00.000Z"),
    ],
)
def test_a_year_after_9999_has_six_digits(time_ms: int, text: str) -> None:
    assert iso_time(time_ms) == text


def test_a_number_is_a_time_in_milliseconds() -> None:
    assert read_time(1_709_280_000_000) == ZonedTime(1_709_280_000_000, 0)
    assert read_time(True) is None
