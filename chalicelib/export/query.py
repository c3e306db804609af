"""The query parameters of an export. Source: export 2."""

from collections.abc import Mapping, Sequence

from chalicelib.errors import InvalidFieldsError
from chalicelib.frozen import frozen
from chalicelib.model.errors import value_not_allowed
from chalicelib.reading.query import DataQuery, parse_data_query

JSON = "json"
MG_DL, MMOL_L = "mg/dL", "mmol/L"
REASONS = "normalBolus,simpleBolus,watchBolus,oneButtonBolus"
"""The dosing decisions that an export has: those that led to a bolus."""


@frozen
class ExportQuery:
    """The data to export, and its form."""

    data: DataQuery
    units: str
    """Of glucose: `mmol/L` or `mg/dL`."""
    is_json: bool


def parse_export_query(parameters: Mapping[str, Sequence[str]]) -> ExportQuery:
    """The query that a client's parameters ask for; unknown ones are ignored, and so are empty values.

    Raises:
        InvalidFieldsError: a time cannot be parsed, or the units are unknown.
    """
    given = {name: values[0] for name, values in parameters.items() if values and values[0]}
    units = given.get("bgUnits", MMOL_L)
    if units not in (MMOL_L, MG_DL):
        raise InvalidFieldsError((value_not_allowed(units, (MMOL_L, MG_DL)).at(parameter="bgUnits"),))
    dates = {name: (given[name],) for name in ("startDate", "endDate") if name in given}
    data = parse_data_query(dates | {"dosingDecision.reason": (REASONS,)})
    return ExportQuery(data, units, given.get("format") == JSON)
