"""Freshness of a user's data: for each client and type, the newest time of a record and when the last one was stored.

All records that were added count, also those that were replaced or deleted since. Freshness is stored beside the
owner's counters: one small read returns it, and the transactions that write the counters write it as well.

A continuous data set has a slot of its own, since a request that adds to it knows the newest times of this data set
only. All others are merged into their clients: normal ones when they close, continuous ones when slots run out.
Merging takes the greater times, so a data set that is in both counts once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from typing import Any

from chalicelib.frozen import frozen

UNKNOWN = "unknown"
CLIENT_LENGTH = 80
"""Longer names are cut off, since each add writes the item that holds them."""
MAX_SLOTS = 8
"""Data sets with a slot. A phone app keeps one open for years, and few people use more than three apps."""
KEPT_SLOTS = 3
"""Data sets that keep their slots when slots run out: those with the most recent data."""
MAX_CLIENTS = 24
"""Clients with a name; those whose last data is oldest count as `unknown`."""


@frozen
class Newest:
    """The greatest time of a record of one type, and when the last one was stored, in milliseconds since the epoch."""

    time_ms: int
    stored_time_ms: int


NewestByType = Mapping[str, Newest]


@frozen
class Ingested:
    """The client that adds to a data set, the number of the last entry, and the newest times of each type."""

    client: str = UNKNOWN
    last_number: int = 0
    newest: NewestByType = field(default_factory=dict)

    def after(self, number: int, times_ms: Mapping[str, int], stored_time_ms: int) -> "Ingested":
        """These values after one more entry; `times_ms` has its newest time of each type."""
        added = {name: Newest(time_ms, stored_time_ms) for name, time_ms in times_ms.items()}
        return replace(self, last_number=number, newest=merge_newest(self.newest, added))


@frozen
class Freshness:
    """The newest times of a user's data: by data set for those with a slot, merged by client for all others."""

    data_sets: Mapping[str, Ingested] = field(default_factory=dict)
    clients: Mapping[str, NewestByType] = field(default_factory=dict)

    def with_slot(self, data_set_id: str, ingested: Ingested) -> "Freshness":
        """The freshness with a slot for a data set. If none is left, the data sets with the oldest data lose theirs."""
        freshness, kept = self, dict(self.data_sets)
        if data_set_id not in kept and len(kept) >= MAX_SLOTS:
            for silent_id in sorted(kept, key=lambda id_: _last_stored_ms(kept[id_].newest))[:-KEPT_SLOTS]:
                freshness = freshness.with_merged(kept.pop(silent_id))
        return replace(freshness, data_sets={**kept, data_set_id: ingested})

    def with_merged(self, ingested: Ingested) -> "Freshness":
        """The freshness with the newest times of a data set merged into those of its client."""
        if not ingested.newest:
            return self
        client, newest = ingested.client, merge_newest(self.clients.get(ingested.client, {}), ingested.newest)
        return replace(self, clients=_limit_clients({**self.clients, client: newest}))

    def by_client(self) -> dict[str, NewestByType]:
        """The newest of each type for each client, clients and types by name."""
        found = dict(self.clients)
        for ingested in self.data_sets.values():
            if ingested.newest:
                found[ingested.client] = merge_newest(found.get(ingested.client, {}), ingested.newest)
        return {client: dict(sorted(found[client].items())) for client in sorted(found)}


def merge_newest(first: NewestByType, second: NewestByType) -> NewestByType:
    """The greater times of both for each type."""
    found = dict(first)
    for name, newest in second.items():
        known = found.get(name, newest)
        found[name] = Newest(max(known.time_ms, newest.time_ms), max(known.stored_time_ms, newest.stored_time_ms))
    return found


def client_of(description: Mapping[str, Any]) -> str:
    """The client of a data set: its name, else the makers of the device, else `unknown`."""
    client: Mapping[str, Any] = description.get("client") or {}
    makers: Sequence[str] = description.get("deviceManufacturers") or ()
    return str(client.get("name") or ", ".join(makers) or UNKNOWN)[:CLIENT_LENGTH]


def newest_times_ms(data: Iterable[tuple[str, int]]) -> dict[str, int]:
    """The greatest time of each type, given the type and time of each record."""
    found: dict[str, int] = {}
    for name, time_ms in data:
        if time_ms > found.get(name, time_ms - 1):
            found[name] = time_ms
    return found


def _limit_clients(clients: Mapping[str, NewestByType]) -> Mapping[str, NewestByType]:
    named = [client for client in clients if client != UNKNOWN]
    if len(named) <= MAX_CLIENTS:
        return clients
    silent = min(named, key=lambda client: _last_stored_ms(clients[client]))
    kept = {client: newest for client, newest in clients.items() if client != silent}
    return {**kept, UNKNOWN: merge_newest(kept.get(UNKNOWN, {}), clients[silent])}


def _last_stored_ms(newest: NewestByType) -> int:
    return max((times.stored_time_ms for times in newest.values()), default=0)
