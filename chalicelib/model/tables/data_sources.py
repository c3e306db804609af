"""Bodies that create and update a data source, and the query that lists data sources. Source: data-api 10."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.model import text_formats
from chalicelib.model.fields import Choice, Field, FreeForm, Is, Object, Text, TextList, Time, only_with, required
from chalicelib.model.query import PAGING, QueryField, TextField

STATES = ("connected", "disconnected", "error")
PROVIDER_TYPES = ("oauth",)
MAX_NAME_LENGTH = 100

_NAME = Text(max_length=MAX_NAME_LENGTH)
_METADATA = FreeForm(keeps_nulls=True, may_be_empty=True)

CREATION = Object(
    (
        required("providerType", Choice(PROVIDER_TYPES)),
        required("providerName", _NAME),
        Field("providerExternalId", _NAME),
        Field("metadata", _METADATA),
    )
)
"""The fields of a new data source that a server sets."""

UPDATE = Object(
    (
        only_with("providerSessionId", Text(), Is("state", ("connected",))),
        Field("providerExternalId", _NAME),
        Field("state", Choice(STATES)),
        Field("metadata", _METADATA),
        Field("error", FreeForm()),
        Field("dataSetId", Text(format=text_formats.UPLOAD_ID)),
        # Deprecated: only the first id is used.
        Field("dataSetIds", TextList(Text(format=text_formats.UPLOAD_ID))),
        Field("earliestDataTime", Time(may_be_zero=False)),
        Field("latestDataTime", Time(may_be_zero=False, not_before="earliestDataTime")),
        Field("lastImportTime", Time(may_be_zero=False)),
    )
)
"""The fields of a data source that a server may change."""

QUERY: Mapping[str, QueryField] = {
    "providerType": TextField(allowed=PROVIDER_TYPES),
    "providerName": TextField(max_length=MAX_NAME_LENGTH),
    "providerExternalId": TextField(max_length=MAX_NAME_LENGTH),
    "state": TextField(allowed=STATES),
    **PAGING,
}
