"""Access to the read model of a platform: run its tasks, look into tables and objects, let time pass."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from chalicelib.engine.definitions import DATA
from chalicelib.engine.table import Item, Query
from chalicelib.log.stores.archive import PREFIX
from chalicelib.log.stores.keys import continuous_log_partition, log_of, parts_partition, purge_requests_partition
from chalicelib.tiles.purge import WAIT_MS
from chalicelib.tiles.stores.keys import origin_index_partition, sweep_requests_partition, tiles_partition
from tests.e2e.client import Client, User

if TYPE_CHECKING:
    from tests.e2e.storage import Storage

RUN_WITHIN_S = 90
_TIME_DIGITS = 13


class Tasks:
    """The worker of a platform."""

    def __init__(self, server: Client, storage: "Storage") -> None:
        self._server, self._storage = server, storage

    def run(self, task_type: str, *, within_s: float = RUN_WITHIN_S, **data: Any) -> dict[str, Any]:
        """The task after a worker ran it."""
        task = self._server.request("POST", "/v1/tasks", {"type": task_type, "priority": 9, "data": data}).json()
        deadline = time.monotonic() + within_s
        self._storage.wake_worker(task_type)
        while True:
            found: dict[str, Any] = self._server.request("GET", f"/v1/tasks/{task['id']}").json()
            if "duration" in found:  # one of a job's type waits for its next run then
                self._server.request("DELETE", f"/v1/tasks/{task['id']}")
                return found
            assert time.monotonic() < deadline, found
            time.sleep(0.1)


class Stored:
    """The stored data of a user."""

    def __init__(self, storage: "Storage") -> None:
        self._storage, self._data = storage, storage.engine.data

    def entries(self, user: User, *normal_ids: str) -> int:
        """The number of entries in the user's logs."""
        partitions = [continuous_log_partition(user.id, 0)]
        partitions += [log_of(user.id, 0, data_set_id, is_continuous=False)[0] for data_set_id in normal_ids]
        return sum(len(list(self._items(partition))) for partition in partitions)

    def parts(self, *data_set_ids: str) -> int:
        """The number of parts of entries' bodies in the table."""
        return sum(len(list(self._items(parts_partition(data_set_id)))) for data_set_id in data_set_ids)

    def tiles(self, user: User) -> dict[str, Item]:
        """The items of the user's tiles, by sort key."""
        return {item["sk"]: item for item in self._items(tiles_partition(user.id, 0))}

    def origin_segments(self, user: User) -> int:
        """The number of segments of the user's origin index."""
        return len(list(self._items(origin_index_partition(user.id, 0))))

    def archive(self, user: User, data_set_id: str = "") -> list[str]:
        """The keys of the objects of the user's archive."""
        prefix = f"{PREFIX}{user.id}/" + (f"0/{data_set_id}/" if data_set_id else "")
        return list(self._storage.engine.objects.keys(prefix))

    def keys(self, *ids: str) -> set[str]:
        """The keys of all items that name one of these, whatever they are."""
        keys = [f"{item['pk']}/{item['sk']}" for item in self._storage.items(DATA)]
        return {key for key in keys if any(data_set_id in key for data_set_id in ids)}

    def put(self, item: Item) -> None:
        """Write an item directly, as an operator could by mistake."""
        self._data.put(item)

    def delete(self, item: Item) -> None:
        """Remove an item directly."""
        self._data.delete({name: item[name] for name in ("pk", "sk")})

    def let_requests_be_due(self, user: User) -> int:
        """Makes the requests of a user look as if they had waited long enough, and returns how many these are. What
        they name stays."""
        since_ms = time.time_ns() // 1_000_000 - WAIT_MS - 1000
        moved = 0
        for partition in (sweep_requests_partition(), purge_requests_partition()):
            for item in list(self._items(partition)):
                if f"#{user.id}#" in item["sk"]:
                    self.put(item | {"sk": f"{since_ms:0{_TIME_DIGITS}d}{item['sk'][_TIME_DIGITS:]}"})
                    self.delete(item)
                    moved += 1
        return moved

    def _items(self, partition: str) -> Iterator[Item]:
        return self._data.query(Query(partition))
