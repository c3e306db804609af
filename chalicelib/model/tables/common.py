"""The fields of every datum, and the structures that several types share.

Source: data-model 3 and 4.
"""

from __future__ import annotations

from chalicelib.durations import DAY_MS
from chalicelib.model import text_formats
from chalicelib.model.fields import (
    AnyOf,
    ByUnits,
    Choice,
    Constant,
    Field,
    FreeForm,
    GlucoseTarget,
    Has,
    Integer,
    Is,
    Number,
    Object,
    ObjectList,
    Range,
    Rule,
    Start,
    Text,
    TextList,
    Time,
    only_with,
    required,
)

WEEK_MS = 7 * DAY_MS

MG_DL = ("mg/dL", "mg/dl")
MMOL_L = ("mmol/L", "mmol/l")
STORED_UNITS = dict.fromkeys((*MMOL_L, *MG_DL), "mmol/L")
STORED_RATE_UNITS = dict.fromkeys(("mmol/L/minute", "mg/dL/minute"), "mmol/L/minute")

GLUCOSE_UNITS = Choice((*MMOL_L, *MG_DL), stored=STORED_UNITS)

NAME = Text(max_length=100)
DURATION_UP_TO_10_HOURS = Object(
    (
        required(
            "duration",
            Number(ByUnits("units", {"hours": Range(0, 10), "minutes": Range(0, 600), "seconds": Range(0, 36_000)})),
        ),
        required("units", Choice(("hours", "minutes", "seconds"))),
    )
)
"""The time for which an alert snoozes, or for which insulin acts."""

MANUFACTURERS = TextList(NAME, max_items=10, is_unique=True, is_sorted=True)


def glucose_ranges(mg_dl: Range, mmol_l: Range) -> dict[str, Range]:
    """The limits for every spelling of the glucose units."""
    return {**dict.fromkeys(MG_DL, mg_dl), **dict.fromkeys(MMOL_L, mmol_l)}


def glucose(units: str) -> Number:
    """A glucose value in the units at the path `units`, stored in mmol/L."""
    return Number(ByUnits(units, glucose_ranges(Range(0, 1000), Range(0, 55))), converted_by=units)


def amount_in(ranges: dict[str, Range]) -> Object:
    """An object of units and a value within the limits of its units, both required."""
    return Object((required("units", Choice(tuple(ranges))), required("value", Number(ByUnits("units", ranges)))))


def glucose_target(units: str, *more: Field) -> Object:
    """A glucose target in the units at the path `units`."""
    value = Number(converted_by=units)
    return Object(
        (Field("high", value), Field("low", value), Field("range", value), Field("target", value), *more),
        first=(GlucoseTarget(units),),
    )


_START = required("start", Start(DAY_MS))


def schedule(*fields: Field) -> ObjectList:
    """A list of elements, each in effect from its `start`, in milliseconds from midnight."""
    return ObjectList(Object((*fields, _START)), may_be_empty=True, is_schedule=True)


def glucose_target_schedule(units: str) -> ObjectList:
    """A schedule of glucose targets in the units at the path `units`."""
    return ObjectList(glucose_target(units, _START), may_be_empty=True, is_schedule=True)


ANNOTATIONS = ObjectList(FreeForm(), max_items=100)

_IDENTIFIED = Is("type", ("blob", "datum", "image"))
_LINKED = Is("type", ("url",))
ASSOCIATION = Object(
    (
        Field(
            "id",
            Text(format=text_formats.DATA_ID),
            required=_IDENTIFIED,
            forbidden=_LINKED,
            checked_if=_IDENTIFIED,
        ),
        Field("reason", Text(max_length=1000)),
        required("type", Choice(("blob", "datum", "image", "url"))),
        Field(
            "url",
            Text(format=text_formats.URL, max_bytes=2047),
            required=_LINKED,
            forbidden=_IDENTIFIED,
            checked_if=_LINKED,
        ),
    )
)

ORIGIN = Object(
    (
        Field("id", NAME),
        Field("name", NAME),
        Field("payload", FreeForm()),
        Field("time", Text(format=text_formats.ZONED_TIME)),
        Field("type", Choice(("application", "device", "manual", "service"))),
        Field("version", NAME),
    )
)

_ACCURACY = amount_in({"feet": Range(0, 3280.839895013123), "meters": Range(0, 1000)})
LOCATION = Object(
    (
        Field(
            "gps",
            Object(
                (
                    Field(
                        "elevation",
                        amount_in(
                            {
                                "feet": Range(-65616.79790026246, 3280839.8950131233),
                                "meters": Range(-20_000, 1_000_000),
                            }
                        ),
                    ),
                    Field("floor", Integer(Range(-1000, 1000))),
                    Field("horizontalAccuracy", _ACCURACY),
                    required("latitude", amount_in({"degrees": Range(-90, 90)})),
                    required("longitude", amount_in({"degrees": Range(-180, 180)})),
                    Field("origin", ORIGIN),
                    Field("verticalAccuracy", _ACCURACY),
                )
            ),
        ),
        Field("name", NAME),
    ),
    last=(AnyOf(("gps", "name")),),
)

COMMON = (
    Field("annotations", ANNOTATIONS),
    Field("associations", ObjectList(ASSOCIATION, max_items=100)),
    Field("clockDriftOffset", Integer(Range(-DAY_MS, DAY_MS))),
    Field("conversionOffset", Integer()),
    Field("deviceId", Text()),
    Field("deviceTime", Text(format=text_formats.LOCAL_TIME)),
    Field("id", Text(format=text_formats.DATA_ID)),
    Field("location", LOCATION),
    Field("notes", TextList(Text(max_length=1000), max_items=100, empty_is_absent=True)),
    Field("origin", ORIGIN),
    Field("payload", FreeForm()),
    Field("source", Constant("carelink")),
    Field("tags", TextList(NAME, max_items=100, is_unique=True, is_sorted=True)),
    required("time", Time(may_be_zero=False)),
    Field("timezone", Text(format=text_formats.TIME_ZONE)),
    Field("timezoneOffset", Integer(Range(-10_080, 10_080))),
)

BATTERY = Object(
    (
        Field("time", Time()),
        Field("state", Choice(("charging", "full", "unplugged"))),
        Field("remaining", Number(ByUnits("units", {"percent": Range(0, 1)}))),
        only_with("units", Choice(("percent",)), Has(("remaining",))),
    ),
    last=(AnyOf(("state", "remaining")),),
)

DEVICE = (
    Field("firmwareVersion", NAME),
    Field("hardwareVersion", NAME),
    Field("manufacturers", MANUFACTURERS),
    Field("model", NAME),
    Field("name", NAME),
    Field("serialNumber", NAME),
    Field("softwareVersion", NAME),
)


def datum(*fields: Field, last: tuple[Rule, ...] = ()) -> Object:
    """A type of data: the common fields, then its own."""
    return Object((*COMMON, *fields), last=last)
