"""The query parameters of `GET /data/{userId}`. Source: data-api 9, filters."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from chalicelib.errors import InvalidFieldsError
from chalicelib.frozen import frozen
from chalicelib.model.errors import value_not_parsable
from chalicelib.model.query import BooleanField, IntegerField, QueryField, check_query
from chalicelib.model.times import RFC3339_LAYOUT, parse_time

_FIELDS: Mapping[str, QueryField] = {
    "carelink": BooleanField(),
    "cbgFilter": BooleanField(),
    "dexcom": BooleanField(),
    "latest": BooleanField(default=False),
    "medtronic": BooleanField(),
    "sampleIntervalMinimum": IntegerField(default=0),
}


@frozen
class DataQuery:
    """Selects records by filters that must all match. None means no filter; times are inclusive.

    `carelink` and `medtronic` are None where the data decides; True filters nothing.
    """

    types: tuple[str, ...] | None = None
    """In the order of the request."""
    sub_types: frozenset[str] | None = None
    start_ms: int | None = None
    end_ms: int | None = None
    device_id: str | None = None
    upload_id: str | None = None
    is_latest: bool = False
    """Only the newest record of each type."""
    reasons: frozenset[str] | None = None
    """Filters dosing decisions only."""
    sample_interval_minimum_ms: int = 0
    """Filters cbg only; 0 or less means no filter."""
    prefers_sources: bool = True
    """Filters cbg only: at times that a data source covers, only its own readings are selected."""
    carelink: bool | None = None
    medtronic: bool | None = None

    @property
    def selects_whole_types(self) -> bool:
        """Whether it selects by type alone, apart from the sources of records."""
        others = (self.sub_types, self.start_ms, self.end_ms, self.device_id, self.upload_id, self.reasons)
        return others == (None,) * len(others) and self.sample_interval_minimum_ms <= 0

    def since(self, from_ms: int | None) -> "DataQuery":
        """The query, limited to records from this time on; None means no limit."""
        if from_ms is None or (self.start_ms is not None and self.start_ms >= from_ms):
            return self
        return replace(self, start_ms=from_ms)


def parse_data_query(parameters: Mapping[str, Sequence[str]]) -> DataQuery:
    """The query that a client's parameters ask for; unknown ones are ignored.

    Of a repeated parameter the last value counts for booleans and integers, the first for the others.

    Raises:
        InvalidFieldsError: a boolean, an integer or a time cannot be parsed.
    """
    values = check_query({name: parameters[name][-1:] for name in _FIELDS if parameters.get(name)}, _FIELDS)
    texts = {name: given[0] for name, given in parameters.items() if given and given[0]}
    types = _words(texts, "type")
    return DataQuery(
        types=None if types is None else tuple(dict.fromkeys(types)),
        sub_types=_word_set(_words(texts, "subType")),
        start_ms=_time_ms(texts, "startDate"),
        end_ms=_time_ms(texts, "endDate"),
        device_id=texts.get("deviceId"),
        upload_id=texts.get("uploadId"),
        is_latest=values["latest"],
        reasons=frozenset(reasons.split(",")) if (reasons := texts.get("dosingDecision.reason")) else None,
        sample_interval_minimum_ms=values["sampleIntervalMinimum"],
        # `dexcom` is the older parameter, with the opposite meaning.
        prefers_sources=values.get("cbgFilter", not values.get("dexcom", False)),
        carelink=values.get("carelink"),
        medtronic=values.get("medtronic"),
    )


def _words(texts: Mapping[str, str], name: str) -> list[str] | None:
    text = texts.get(name, "")
    return None if not text or text.startswith(",") else text.split(",")


def _word_set(words: Sequence[str] | None) -> frozenset[str] | None:
    return None if words is None else frozenset(words)


def _time_ms(texts: Mapping[str, str], name: str) -> int | None:
    text = texts.get(name)
    if text is None:
        return None
    moment = parse_time(text)
    if moment is None:
        raise InvalidFieldsError((value_not_parsable(text, RFC3339_LAYOUT).at(parameter=name),))
    return moment.epoch_ms
