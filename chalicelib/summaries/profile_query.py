"""The query parameters of a profile. Source: summary-api 9."""

from collections.abc import Mapping, Sequence

from chalicelib.errors import InvalidFieldsError
from chalicelib.frozen import frozen
from chalicelib.model.errors import value_out_of_range
from chalicelib.model.query import IntegerField, QueryField, TextField, TimeField, check_query
from chalicelib.model.rendering import render_list
from chalicelib.model.text_formats import TIME_ZONE

BIN_MINUTES = (5, 15, 30, 60)
"""The widths of a bin that can be asked for."""

_FIELDS: Mapping[str, QueryField] = {
    "days": IntegerField(low=1, high=90, default=14),
    "bin": IntegerField(default=15),
    "end": TimeField(),
    "tz": TextField(format=TIME_ZONE),
}


@frozen
class ProfileQuery:
    """The profile that is asked for: its days, end, zone, and width of bins."""

    days: int = 14
    bin_minutes: int = 15
    end_ms: int | None = None
    """None stands for the end of the newest reading."""
    time_zone: str | None = None
    """None stands for the zone that the newest reading names."""


def parse_profile_query(parameters: Mapping[str, Sequence[str]]) -> ProfileQuery:
    """The query that a client's parameters ask for; unknown ones are ignored.

    Raises:
        InvalidFieldsError: a number is out of its range, a time cannot be parsed, or a zone is unknown.
    """
    values = check_query({name: parameters[name] for name in _FIELDS if parameters.get(name)}, _FIELDS)
    if values["bin"] not in BIN_MINUTES:
        fault = value_out_of_range(values["bin"], f"one of {render_list(BIN_MINUTES)}")
        raise InvalidFieldsError([fault.at(parameter="bin")])
    return ProfileQuery(
        days=values["days"],
        bin_minutes=values["bin"],
        end_ms=values["end"].epoch_ms if "end" in values else None,
        time_zone=values.get("tz"),
    )
