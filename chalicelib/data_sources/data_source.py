"""Data sources: accounts at providers from which data of a user is imported. Source: data-api 10."""

from collections.abc import Mapping
from typing import Any

from chalicelib.frozen import frozen
from chalicelib.model.times import format_time, parse_time

CONNECTED = "connected"
DISCONNECTED = "disconnected"
ERROR = "error"
PUBLIC_ERROR_MEMBERS = frozenset({"code", "title", "detail", "source", "meta"})
"""The members of an error that users see; only servers see the others."""


@frozen
class DataSource:
    """A data source. `fields` holds the other members, as the API shows them."""

    id: str
    user_id: str
    created_time_ms: int
    fields: Mapping[str, Any]
    modified_time_ms: int | None = None
    revision: int = 0

    @property
    def state(self) -> str:
        """`connected`, `disconnected` or `error`."""
        return str(self.fields["state"])

    @property
    def provider(self) -> tuple[str, str]:
        """Type and name of the provider."""
        return self.fields["providerType"], self.fields["providerName"]

    @property
    def provider_session_id(self) -> str | None:
        """The session with the provider, while connected."""
        return self.fields.get("providerSessionId")

    @property
    def provider_external_id(self) -> str | None:
        """The id of the user at the provider."""
        return self.fields.get("providerExternalId")

    @property
    def data_set_id(self) -> str | None:
        """The data set to which imported data is added."""
        return self.fields.get("dataSetId")

    @property
    def data_span_ms(self) -> tuple[int, int] | None:
        """The times of the earliest and the latest imported datum; None until both are known."""
        moments = [parse_time(self.fields.get(name, "")) for name in ("earliestDataTime", "latestDataTime")]
        earliest, latest = moments
        return None if earliest is None or latest is None else (earliest.epoch_ms, latest.epoch_ms)


def as_data_source(source: DataSource, *, to_server: bool) -> dict[str, Any]:
    """The data source as the API shows it. Users do not see the session, and only part of an error."""
    shown = dict(source.fields)
    shown |= {"id": source.id, "userId": source.user_id, "revision": source.revision}
    shown["createdTime"] = format_time(source.created_time_ms)
    if source.modified_time_ms is not None:
        shown["modifiedTime"] = format_time(source.modified_time_ms)
    if not to_server:
        shown.pop("providerSessionId", None)
        if "error" in shown:
            shown["error"] = {name: value for name, value in shown["error"].items() if name in PUBLIC_ERROR_MEMBERS}
    return shown
