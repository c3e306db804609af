"""The sheets and columns of an export: those of Tidepool's, by type. Source: export 3."""

import re
from collections.abc import Mapping
from enum import Enum

from chalicelib.export.query import MMOL_L
from chalicelib.export.workbook import SheetColumn, Style
from chalicelib.frozen import frozen


class Content(Enum):
    """The kind of a column's values, where they need a conversion."""

    PLAIN = "plain"
    TIME = "time"
    """A text with a time, or a local time."""
    LOCAL_TIME = "local time"
    """Not in the record: its time in the zone of the device."""
    TIME_OF_DAY = "time of day"
    """Milliseconds since midnight."""
    GLUCOSE = "glucose"
    """A number in the units of the export."""
    JSON = "JSON"
    """Any value, which is written as JSON text."""


@frozen
class Column:
    """A column: the field of the record, as a path of up to two members with a point between."""

    field: str
    header: str = ""
    width: int = 22
    style: Style = Style.PLAIN
    content: Content = Content.PLAIN
    is_hidden: bool = False

    def sheet_column(self, units: str) -> SheetColumn:
        """The column as it is written."""
        header = self.header or _header(self.field)
        style = self.style
        if self.content is Content.GLUCOSE:
            style = Style.ONE_DECIMAL if units == MMOL_L else Style.WHOLE
        return SheetColumn(header, self.width, style, self.is_hidden)


@frozen
class Sheet:
    """A sheet by its name, with its columns."""

    name: str
    columns: tuple[Column, ...]


def _header(field: str) -> str:
    """The words of a field's name, each with a capital."""
    words = re.sub("([A-Z])", r" \1", field).replace(".", " ").split()
    return " ".join(word[:1].upper() + word[1:] for word in words)


def _plain(*fields: str, width: int = 22) -> tuple[Column, ...]:
    return tuple(Column(field, width=width) for field in fields)


def _glucose(field: str, header: str = "", width: int = 22) -> Column:
    return Column(field, header, width, content=Content.GLUCOSE)


def _json(*fields: str, is_hidden: bool = False) -> tuple[Column, ...]:
    return tuple(Column(field, content=Content.JSON, is_hidden=is_hidden) for field in fields)


def _minutes(field: str, width: int = 22) -> Column:
    return Column(field, f"{_header(field)} (mins)", width, Style.MINUTES)


_TIMES = (
    Column("time", "Zulu Time", 18, Style.TIME, Content.TIME),
    Column("localTime", "", 18, Style.TIME, Content.LOCAL_TIME),
    Column("deviceTime", "", 18, Style.TIME, Content.TIME),
)
_TYPE = Column("type", "Tidepool Data Type", 15)
_OFFSETS = _plain("timezoneOffset", "conversionOffset", "clockDriftOffset", width=14)
_IDS = _plain("deviceId", "id", "uploadId")
_REST = _json("payload", "annotations")


def _sheet(name: str, *own: Column, type_column: Column = _TYPE) -> Sheet:
    return Sheet(name, (*_TIMES, type_column, *own, *_OFFSETS, *_IDS, *_REST))


def _schedule_sheet(name: str, *own: Column) -> Sheet:
    """The sheet of a schedule in the settings of a pump, with a row for each of its entries."""
    device = (
        *_json("bolus", "manufacturers", is_hidden=True),
        Column("model", is_hidden=True),
        Column("serialNumber", is_hidden=True),
    )
    own = (*_plain("activeSchedule", "scheduleName"), *own)
    rest = (*_REST, *_json("basal", "display", is_hidden=True))
    return Sheet(name, (*_TIMES, _TYPE, *own, *_OFFSETS, *_IDS, *device, *rest))


def _start(field: str, header: str = "") -> Column:
    return Column(field, header, style=Style.TIME_OF_DAY, content=Content.TIME_OF_DAY)


_BG_UNITS, _CARB_UNITS = Column("units.bg", "BG Units"), Column("units.carb", "Carb Units")
_BG_UNITS_HIDDEN = Column("units.bg", "BG Units", is_hidden=True)
_CARB_UNITS_HIDDEN = Column("units.carb", "Carb Units", is_hidden=True)

BASAL = _sheet(
    "Basal",
    Column("deliveryType"),
    _minutes("duration", 20),
    _minutes("expectedDuration", 20),
    *_plain("rate", "percent", width=10),
    *_plain("scheduleName", "suppressed.scheduleName", "suppressed.deliveryType", "suppressed.type", "suppressed.rate"),
)
BOLUS = _sheet(
    "Bolus",
    Column("subType"),
    _minutes("duration", 20),
    _minutes("expectedDuration", 20),
    *_plain("extended", "expectedExtended", "normal", "expectedNormal"),
)
BASAL_SCHEDULES = _schedule_sheet("Basal Schedules", _start("basalSchedule.start"), Column("basalSchedule.rate"))
BG_TARGETS = _schedule_sheet(
    "BG Targets",
    _start("bgTarget.start", "BG Target Start"),
    _glucose("bgTarget.low", "BG Low Target Setting"),
    _glucose("bgTarget.high", "BG High Target Setting"),
    _glucose("bgTarget.target", "BG Target Setting"),
    _glucose("bgTarget.range", "BG Target Range Setting"),
    _BG_UNITS,
    _CARB_UNITS_HIDDEN,
)
CARB_RATIOS = _schedule_sheet(
    "Carb Ratios", _start("carbRatio.start"), Column("carbRatio.amount"), _BG_UNITS_HIDDEN, _CARB_UNITS
)
INSULIN_SENSITIVITIES = _schedule_sheet(
    "Insulin Sensitivities",
    _start("insulinSensitivity.start"),
    _glucose("insulinSensitivity.amount"),
    _BG_UNITS,
    _CARB_UNITS_HIDDEN,
)
UPLOAD = Sheet(
    "Upload",
    (
        *_TIMES,
        Column("computerTime", "", 18, Style.TIME, Content.TIME),
        *_plain("timezone", "timeProcessing"),
        _TYPE,
        *_plain("version", "deviceSerialNumber", "deviceModel"),
        *_json("deviceManufacturers", "deviceTags"),
        *_plain("timezoneOffset", "conversionOffset", width=14),
        *_plain("deviceId", "id", "byUser", "uploadId"),
        *_REST,
    ),
)

SHEETS: Mapping[str, Sheet] = {
    "basal": BASAL,
    "bloodKetone": _sheet(
        "Blood Ketone", Column("value", width=10, style=Style.TWO_DECIMALS), Column("units", width=10)
    ),
    "bolus": BOLUS,
    "cbg": _sheet("CGM", _glucose("value", width=10), Column("units", width=10)),
    "deviceEvent": _sheet(
        "Device Event",
        *_plain("subType", "alarmType"),
        _glucose("value", width=10),
        Column("units", width=10),
        _minutes("duration"),
        _minutes("expectedDuration"),
        *_plain("change.from", "change.to", "change.agent"),
        *_json("from", "to"),
        *_plain("status", "primeTarget", "volume", "reason.suspended", "reason.resumed"),
    ),
    "food": _sheet("Food", Column("name"), *_json("nutrition")),
    "physicalActivity": _sheet(
        "Physical Activity",
        Column("name"),
        *_json("distance"),
        Column("duration", width=20, style=Style.DURATION),
        *_json("energy"),
        Column("reportedIntensity"),
    ),
    "pumpSettings.basalSchedules": BASAL_SCHEDULES,
    "pumpSettings.bgTarget": BG_TARGETS,
    "pumpSettings.bgTargets": BG_TARGETS,
    "pumpSettings.carbRatio": CARB_RATIOS,
    "pumpSettings.carbRatios": CARB_RATIOS,
    "pumpSettings.insulinSensitivity": INSULIN_SENSITIVITIES,
    "pumpSettings.insulinSensitivities": INSULIN_SENSITIVITIES,
    "smbg": _sheet("SMBG", Column("subType"), _glucose("value", width=10), Column("units", width=10)),
    "upload": UPLOAD,
    "wizard": _sheet(
        "Bolus Calculator",
        _glucose("bgInput"),
        _glucose("insulinSensitivity"),
        *_plain("carbInput", "insulinCarbRatio", "insulinOnBoard", "bolus"),
        Column("units", width=10),
        *_plain("recommended.carb", "recommended.correction", "recommended.net"),
        _glucose("bgTarget.target", "BG Target"),
        _glucose("bgTarget.high", "BG Target High"),
        _glucose("bgTarget.low", "BG Target Low"),
        _glucose("bgTarget.range", "BG Target Range Setting"),
        type_column=Column("type", "Tidepool Wizard Type", 15),
    ),
}
"""The sheet of each type; the settings of pumps have one for each kind of schedule."""

FIELDS = frozenset(column.field for sheet in SHEETS.values() for column in sheet.columns)
"""The fields of all sheets, which are the members of a record in JSON."""
JSON_FIELDS: Mapping[str, frozenset[str]] = {
    name: frozenset(column.field for column in sheet.columns if column.content is Content.JSON)
    for name, sheet in SHEETS.items()
}
"""The fields of each type that are written as JSON text."""
