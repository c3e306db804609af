"""Rejected uploads in the data table: one item for each, which expires by itself."""

from datetime import UTC, datetime

from chalicelib import json_text
from chalicelib.durations import DAY_MS
from chalicelib.engine.table import Delete, Item, Query, Range, Table, Update
from chalicelib.log.stores.keys import (
    rejection_key,
    rejection_time,
    rejections_of_day_key,
    rejections_of_days_partition,
    rejections_partition,
)
from chalicelib.uploads.ports import KEPT_FOR_MS, Rejection, RejectionReason, RejectionsOfDay


class StoredRejections:
    """The port `Rejections` on the data table."""

    def __init__(self, data: Table) -> None:
        self._data = data

    def add(self, rejection: Rejection) -> None:
        """See `Rejections.add`: one put, and one update of the day's number."""
        self._data.put(_item(rejection))
        expires_at_s = (rejection.time_ms + KEPT_FOR_MS + DAY_MS) // 1000
        self._data.update(
            Update(
                rejections_of_day_key(_date(rejection.time_ms)),
                set={"last_ms": rejection.time_ms, "expires_at_s": expires_at_s},
                add={"count": 1},
            )
        )

    def by_day(self, since_ms: int) -> list[RejectionsOfDay]:
        """See `Rejections.by_day`: one query. Items that have expired but are still stored are left out."""
        since = Range(at_least=_date(since_ms))
        items = self._data.query(Query(rejections_of_days_partition(), since, newest_first=True, may_lag=True))
        return [RejectionsOfDay(item["sk"], item["count"], item["last_ms"]) for item in items]

    def of_owner(self, owner_id: str, since_ms: int, limit: int) -> list[Rejection]:
        """See `Rejections.of_owner`: one query. Items that have expired but are still stored are left out."""
        since = Range(at_least=rejection_time(since_ms))
        items = self._data.query(Query(rejections_partition(owner_id), since, newest_first=True, limit=limit))
        return [_rejection(item, owner_id) for item in items]

    def remove_all(self, owner_id: str) -> None:
        """See `Rejections.remove_all`: one query, and one write for each 25."""
        keys = self._data.query(Query(rejections_partition(owner_id), attributes=("pk", "sk"), may_lag=True))
        self._data.batch_write([Delete(key) for key in keys])


def _date(time_ms: int) -> str:
    """The UTC day of a time."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).date().isoformat()


def _item(rejection: Rejection) -> Item:
    kept = {
        "dataSetId": rejection.data_set_id,
        "clientName": rejection.client_name,
        "clientVersion": rejection.client_version,
        "action": rejection.action,
        "errorCount": rejection.error_count,
        "errors": [[error.code, error.pointer] for error in rejection.errors],
    }
    return {
        **rejection_key(rejection.owner_id, rejection.time_ms, rejection.id),
        "id": rejection.id,
        "time_ms": rejection.time_ms,
        "kept": json_text.encode(kept),
        "expires_at_s": (rejection.time_ms + KEPT_FOR_MS) // 1000,
    }


def _rejection(item: Item, owner_id: str) -> Rejection:
    kept = json_text.decode(item["kept"])
    return Rejection(
        id=item["id"],
        owner_id=owner_id,
        time_ms=item["time_ms"],
        data_set_id=kept["dataSetId"],
        client_name=kept["clientName"],
        client_version=kept["clientVersion"],
        action=kept["action"],
        error_count=kept["errorCount"],
        errors=tuple(RejectionReason(code, pointer) for code, pointer in kept["errors"]),
    )
