"""Data sets: description, state, and the two forms in which the API shows them.

The id of a data set is its upload id, which is in paths, in `uploadId` of its data and in keys. Its description may
hold another `id`, which the client chose. Source: data-api 7 and 9, dedup 3.
"""

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from chalicelib.frozen import frozen
from chalicelib.log.freshness import UNKNOWN, Freshness, Ingested, NewestByType, client_of
from chalicelib.model.times import format_time

CONTINUOUS = "continuous"
NORMAL = "normal"


@frozen
class OwnerState:
    """The counters of a user's data, all 0 for a user without any, and its freshness.

    `epoch` rises when all data is erased: no reader finds data of an earlier epoch. `close_count` counts the closings
    of data sets, so "closed last" is an order and does not depend on a clock. `change_count` rises with each write that
    can change what a reader gets.
    """

    id: str
    epoch: int = 0
    close_count: int = 0
    has_sources: bool = False
    """True if there ever was a data source: readers look for data sources of nobody else."""
    change_count: int = 0
    state_count: int = 0
    """Number of states that the data sets of this epoch have had: the sum of their `state_version`."""
    stored_bytes: int = 0
    """About how many bytes the data of this epoch takes, without what was purged: see `NewEntry.stored_bytes`."""
    freshness: Freshness = field(default_factory=Freshness)
    """The newest times of the data of this epoch."""


@frozen
class DataSetHead:
    """The part of a data set that an add needs."""

    id: str
    owner_id: str
    epoch: int
    created_time_ms: int
    is_continuous: bool
    deduplicator: str
    """Canonical name."""
    is_closed: bool = False
    last_number: int = 0
    """Number of the last entry of its log; entries count from 1, without holes."""
    client: str = UNKNOWN
    """The client whose freshness its data counts for."""
    newest: NewestByType = field(default_factory=dict)
    """The newest times of its data, by type."""
    is_legacy: bool = False
    """The same as `DataSet.is_legacy`."""
    stored_bytes: int = 0
    """Its part of `OwnerState.stored_bytes`."""

    @property
    def ingested(self) -> Ingested:
        """The data that was added to it, as the owner's freshness holds it."""
        return Ingested(self.client, self.last_number, self.newest)


@frozen
class DataSet:
    """A data set in one of its states.

    Deleting and truncating set a number, however many records there are. Entries behind it are not affected: a deleted
    data set that is still open accepts data.
    """

    id: str
    owner_id: str
    epoch: int
    created_time_ms: int
    modified_time_ms: int
    description: Mapping[str, Any]
    """The members that the API shows, without createdTime, modifiedTime and deletedTime."""
    revision: int = 1
    """Number of updates of the stored form, as upload records show it: the first one named the deduplicator."""
    state_version: int = 1
    close_sequence: int | None = None
    """Its position in the order in which the owner's data sets were closed, from 1; None while open."""
    closed_time_ms: int | None = None
    deleted_time_ms: int | None = None
    deleted_through: int = 0
    """The number of the last entry that a deletion removed."""
    is_purgeable: bool = False
    """True if it was deleted after it was closed, so that none of its records can become visible again."""
    truncated_at_close: Mapping[str, int] = field(default_factory=dict)
    """With truncation: the data sets that were open when this one closed, and the last numbers of their logs."""
    is_legacy: bool = False
    """True if the old way to upload opened it: of equal records in all such data sets of a user, readers see the one
    that was stored first. Source: data-api 11."""

    @property
    def is_continuous(self) -> bool:
        """Whether data is visible from the moment it is added, not only once the data set is closed."""
        return self.description.get("dataSetType") == CONTINUOUS

    @property
    def is_closed(self) -> bool:
        """Whether it accepts no more data."""
        return self.close_sequence is not None

    @property
    def is_active(self) -> bool:
        """Whether it is listed and its data visible. Source: dedup 3."""
        return self.is_continuous or self.is_closed

    @property
    def deduplicator(self) -> str:
        """Canonical name of its deduplicator."""
        return str(self.description["deduplicator"]["name"])

    @property
    def device_id(self) -> str | None:
        """The device it was read from, when the client said so."""
        return self.description.get("deviceId")


def deletes(before: DataSet, after: DataSet) -> bool:
    """Whether the change from one state to another deletes the data set, or the data added since it was deleted."""
    return (before.deleted_time_ms, before.deleted_through) != (after.deleted_time_ms, after.deleted_through)


def head_of(data_set: DataSet) -> DataSetHead:
    """The head of a data set without entries."""
    return DataSetHead(
        id=data_set.id,
        owner_id=data_set.owner_id,
        epoch=data_set.epoch,
        created_time_ms=data_set.created_time_ms,
        is_continuous=data_set.is_continuous,
        deduplicator=data_set.deduplicator,
        is_closed=data_set.is_closed,
        last_number=0,
        client=client_of(data_set.description),
        is_legacy=data_set.is_legacy,
    )


def as_data_set(data_set: DataSet) -> dict[str, Any]:
    """The data set as the `/v1` routes show it. Source: data-api 7."""
    shown = dict(data_set.description)
    shown["createdTime"] = format_time(data_set.created_time_ms)
    shown["modifiedTime"] = format_time(data_set.modified_time_ms)
    if data_set.deleted_time_ms is not None:
        shown["deletedTime"] = format_time(data_set.deleted_time_ms)
    return shown


def as_upload_record(data_set: DataSet) -> dict[str, Any]:
    """The data set as `GET /data/{userId}` shows it, as a record of type `upload`.

    `_dataState` is `open` for good; `_state` tells the truth. Source: data-api 9.
    """
    shown = dict(data_set.description)
    shown["_deduplicator"] = shown.pop("deduplicator")
    shown["_dataState"] = "open"
    shown["_state"] = "closed" if data_set.is_closed else "open"
    shown["revision"] = data_set.revision
    if data_set.deleted_time_ms is not None:
        shown["deletedTime"] = format_time(data_set.deleted_time_ms)
    return shown
