"""The queries of the routes of blobs and device logs. Source: blob-api 6 and 8, errors 2.5 and 4."""

import sys
from collections.abc import Mapping, Sequence

from chalicelib.blobs.blob import AVAILABLE, STATUSES, Blob
from chalicelib.blobs.headers import MAX_MEDIA_TYPE_LENGTH, normalized_media_type
from chalicelib.frozen import frozen
from chalicelib.model.fields import TextFormat
from chalicelib.model.query import PAGING, IntegerField, QueryField, TextField, TimeField, check_query

_MEDIA_TYPE = TextFormat("as media type", lambda text: normalized_media_type(text) is not None)
_BLOBS: Mapping[str, QueryField] = {
    "mediaType": TextField(max_length=MAX_MEDIA_TYPE_LENGTH, is_list=True, is_unique=True, format=_MEDIA_TYPE),
    "status": TextField(allowed=STATUSES, is_list=True, is_unique=True),
    **PAGING,
}
_DEVICE_LOGS: Mapping[str, QueryField] = {
    "startAtTime": TimeField(),
    "startAt": TimeField(),
    "endAtTime": TimeField(),
    "endAt": TimeField(),
    **PAGING,
}
_REVISION: Mapping[str, QueryField] = {"revision": IntegerField(low=0)}
_UPLOAD: Mapping[str, QueryField] = {"upload": TextField(allowed=("direct",))}

Parameters = Mapping[str, Sequence[str]]
"""All values of each parameter of a query."""


@frozen
class Page:
    """A page of a list: `number` counts from 0. A page after the end of the list is empty, and no error."""

    number: int
    size: int

    @property
    def first(self) -> int:
        """The number of elements before the page."""
        return min(self.number * self.size, sys.maxsize)

    @property
    def end(self) -> int:
        """The number of elements before the next page."""
        return min(self.first + self.size, sys.maxsize)


@frozen
class BlobQuery:
    """Selects blobs by media type and status; without media types, blobs of any."""

    media_types: frozenset[str]
    statuses: frozenset[str]
    page: Page

    def selects(self, blob: Blob) -> bool:
        """Whether the blob is in the list; media types are compared as they are stored."""
        return blob.status in self.statuses and (not self.media_types or blob.media_type in self.media_types)


@frozen
class DeviceLogQuery:
    """Selects device logs that start at `start_from_ms` or later and end before `end_before_ms`."""

    start_from_ms: int | None
    end_before_ms: int | None
    page: Page

    def selects(self, log: Blob) -> bool:
        """Whether the device log is in the list; one whose content has not arrived is not."""
        return (
            log.is_available
            and log.span is not None
            and (self.start_from_ms is None or log.span.start_ms >= self.start_from_ms)
            and (self.end_before_ms is None or log.span.end_ms < self.end_before_ms)
        )


def parse_blob_query(parameters: Parameters) -> BlobQuery:
    """The query for blobs: for available ones unless it names a status.

    Raises:
        InvalidFieldsError: a parameter is unknown, repeated or of the wrong form; or else a value breaks a rule.
    """
    values = check_query(parameters, _BLOBS)
    return BlobQuery(
        media_types=frozenset(values.get("mediaType", ())),
        statuses=frozenset(values.get("status", (AVAILABLE,))),
        page=Page(values["page"], values["size"]),
    )


def parse_device_log_query(parameters: Parameters) -> DeviceLogQuery:
    """The device logs that a client asks for; `startAt` and `endAt` are other names of the times.

    Raises:
        InvalidFieldsError: a parameter is unknown, repeated or of the wrong form; or else a value breaks a rule.
    """
    values = check_query(parameters, _DEVICE_LOGS)
    start = values.get("startAtTime", values.get("startAt"))
    end = values.get("endAtTime", values.get("endAt"))
    return DeviceLogQuery(
        start_from_ms=None if start is None else start.epoch_ms,
        end_before_ms=None if end is None else end.epoch_ms,
        page=Page(values["page"], values["size"]),
    )


def parse_revision(parameters: Parameters) -> int | None:
    """The revision that a client names, or None.

    Raises:
        InvalidFieldsError: it is not an integer of 0 or more, or there are other parameters.
    """
    revision: int | None = check_query(parameters, _REVISION).get("revision")
    return revision


def parse_upload_mode(parameters: Parameters) -> bool:
    """Whether a client asks for a direct upload. Other parameters are left aside, as the reference does.

    Raises:
        InvalidFieldsError: another `upload` than `direct` is asked for.
    """
    upload = {name: values for name, values in parameters.items() if name in _UPLOAD}
    return "upload" in check_query(upload, _UPLOAD)
