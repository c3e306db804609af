"""Bodies that create and update a data set. Source: data-api 7; data-model 5, upload."""

from __future__ import annotations

from chalicelib.durations import DAY_MS
from chalicelib.model import text_formats
from chalicelib.model.deduplicators import NAMES
from chalicelib.model.fields import Choice, Field, FreeForm, Integer, Object, Range, Text, TextList, Time
from chalicelib.model.tables.common import ANNOTATIONS

_TIMEZONE = Field("timezone", Text(format=text_formats.TIME_ZONE))
_LOCAL_TIME = Text(format=text_formats.LOCAL_TIME)
_LONGER_THAN_1 = Text(min_length=2, may_be_empty=True, is_told_exclusively=True)

_CLIENT = Object((Field("name", Text()), Field("version", Text()), Field("private", FreeForm(keeps_nulls=True))))
_DEDUPLICATOR = Object((Field("name", Text(format=text_formats.REVERSE_DOMAIN, known=NAMES)),))

CREATION = Object(
    (
        Field("annotations", ANNOTATIONS),
        Field("client", _CLIENT),
        Field("clockDriftOffset", Integer(Range(-DAY_MS, DAY_MS))),
        Field("computerTime", _LOCAL_TIME),
        Field("conversionOffset", Integer()),
        Field("dataSetType", Choice(("continuous", "normal"))),
        Field("deduplicator", _DEDUPLICATOR),
        Field("deviceId", Text()),
        Field("deviceManufacturers", TextList(Text(), is_unique=True, is_sorted=True)),
        Field("deviceModel", Text()),
        Field("deviceSerialNumber", Text()),
        Field(
            "deviceTags",
            TextList(Choice(("activity-monitor", "bgm", "cgm", "insulin-pump")), is_unique=True, is_sorted=True),
        ),
        Field("deviceTime", _LOCAL_TIME),
        Field("id", Text(format=text_formats.DATA_ID)),
        Field("payload", FreeForm()),
        Field("time", Time(may_be_zero=False)),
        Field("timeProcessing", Choice(("across-the-board-timezone", "none", "utc-bootstrapping"))),
        _TIMEZONE,
        Field("timezoneOffset", Integer(Range(-10_080, 10_080))),
        Field("uploadId", Text(format=text_formats.UPLOAD_ID)),
        Field("version", Text(min_length=5, may_be_empty=True)),
        # Any string is accepted; `upload` is stored.
        Field("type", Text(may_be_empty=True)),
    )
)
"""The fields that a client may set when it creates a data set."""

SERVICE_FIELDS = frozenset(
    {"byUser", "createdTime", "createdUserId", "deletedTime", "deletedUserId", "modifiedTime", "modifiedUserId"}
)
"""Members that the service sets: they are allowed in a body and have no effect."""

UPDATE = Object(
    (
        Field("deviceId", Text()),
        Field("deviceModel", _LONGER_THAN_1),
        Field("deviceSerialNumber", _LONGER_THAN_1),
        Field("state", Choice(("closed", "open"))),
        Field("time", Time(may_be_zero=False)),
        _TIMEZONE,
        Field("timezoneOffset", Integer(Range(-720, 840))),
    )
)
"""The fields of a continuous data set that a client may change."""
