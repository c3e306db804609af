"""A client that writes without a pause, and knows after each death of the server what has to be there.

It expects what was answered. Of the one write that was under way it expects that it is there wholly or not at all.
"""

import http.client
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from threading import Event
from typing import Any

from tests.e2e.client import Reply, User, sample
from tests.e2e.test_blobs import content, open_upload, put, store, when_available

BUSY = 503
CONTINUOUS = {"dataSetType": "continuous"}
LARGE_RECORDS = 300
"""Enough for the body of an entry to be stored in parts."""
METRIC = "kill"

Changes = dict[str, float | None]
"""Values of records by origin id; None for a record that is gone."""


@dataclass
class Unanswered:
    """A write whose answer did not come."""

    kind: str
    changes: Changes = field(default_factory=dict)
    blob_id: str | None = None
    content: bytes | None = None


class KilledClient:
    """One user's client. Its writes come from a seed."""

    def __init__(self, base_url: str, seed: str, has_content: Callable[[str], bool]) -> None:
        """
        Args:
            has_content: whether the storage has the content of a blob, by its id.
        """
        self.user = User(base_url)
        self.answered: Counter[str] = Counter()
        self.found: Counter[str] = Counter()
        """Unanswered writes that were carried out."""
        self.not_found: Counter[str] = Counter()
        self.events = 0
        """How many events of metrics were sent, answered or not."""
        self._event_name = f"{METRIC}-{seed}"
        self._random = Random(seed)  # noqa: S311  a test, no secret
        self._data_set_id = self.user.open_data_set(CONTINUOUS)
        self._values: dict[str, float] = {}
        self._count = 0
        self._uploads: list[tuple[str, Changes]] = []
        """Uploads that are complete and not closed."""
        self._blobs: dict[str, bytes] = {}
        self._new_blobs: set[str] = set()
        self._abandoned_blobs: set[str] = set()
        """Blobs that never got a content."""
        self._has_content = has_content
        self._pending: Unanswered | None = None

    def write(self, stopping: Event) -> None:
        """Write until the server is gone, or the test has enough."""
        operations = (
            *(self._add, self._add, self._replace, self._delete, self._upload, self._close),
            *(self._blob, self._direct_blob, self._delete_blob, self._event),
        )
        while not stopping.is_set():
            try:
                self._random.choice(operations)()
            except (OSError, http.client.HTTPException):
                return

    def verify(self) -> None:
        """Fail unless what the server has is what was answered, and the unanswered write wholly or not."""
        pending, self._pending = self._pending, None
        self._verify_records(pending)
        self._verify_blobs(pending)

    def verify_all_blobs(self) -> None:
        """Fail unless the content of each blob is what was sent."""
        self._new_blobs = set(self._blobs)
        self._verify_blobs(None)

    def send_event(self) -> tuple[str, str]:
        """Send an event of metrics, and return its name and number."""
        reply = self._next_event()
        assert reply.status == 200, reply.body
        return self._event_name, str(self.events)

    # What it writes.

    def _add(self) -> None:
        count = LARGE_RECORDS if self._random.random() < 0.05 else self._random.randint(1, 20)
        self._post("add", {self._next_id(): self._value() for _ in range(count)})

    def _replace(self) -> None:
        """Send records again, some with another value."""
        changes: Changes = dict(self._chosen(10))
        changes |= {origin_id: self._value() for origin_id in self._chosen(3)}
        self._post("repeat", changes)

    def _delete(self) -> None:
        changes: Changes = dict.fromkeys(self._chosen(3))
        selectors = [{"origin": {"id": origin_id}} for origin_id in changes]
        path = f"/v1/data_sets/{self._data_set_id}/data"
        if changes and self._send(Unanswered("delete", changes), lambda: self.user.request("DELETE", path, selectors)):
            self._apply(changes)

    def _upload(self) -> None:
        """Upload a device's readings, and leave the data set open."""
        name = self._next_id()
        description = sample("uploader/01_create_data_set.json") | {"deviceId": f"device {name}"}
        changes: Changes = {f"{name}-{number}": self._value() for number in range(self._random.randint(1, 30))}
        records = [_record(origin_id, value) | {"deviceId": f"device {name}"} for origin_id, value in changes.items()]
        path = f"/v1/users/{self.user.id}/datasets"
        opened = self._send(Unanswered("open"), lambda: self.user.request("POST", path, description))
        if opened is None:
            return
        upload_id = opened.json()["data"]["uploadId"]
        path = f"/v1/datasets/{upload_id}/data"
        if self._send(Unanswered("upload"), lambda: self.user.request("POST", path, records)):
            self._uploads.append((upload_id, changes))

    def _close(self) -> None:
        """Close an upload, by which its records become visible."""
        if self._uploads:
            upload_id, changes = self._uploads[-1]
            body = {"dataState": "closed"}
            closing = Unanswered("close", changes)
            if self._send(closing, lambda: self.user.request("PUT", f"/v1/datasets/{upload_id}", body)):
                self._uploads.pop()
                self._apply(changes)

    def _blob(self) -> None:
        sent = self._content()
        stored = self._send(Unanswered("blob", content=sent), lambda: store(self.user, sent))
        if stored is not None:
            self._have_blob(stored.json()["id"], sent)

    def _direct_blob(self) -> None:
        sent = self._content()
        opened = self._send(Unanswered("open blob"), lambda: open_upload(self.user, sent))
        if opened is None:
            return
        blob_id, upload = opened.json()["id"], opened.json()["upload"]
        if self._send(Unanswered("direct blob", blob_id=blob_id, content=sent), lambda: put(upload, sent)):
            self._have_blob(blob_id, sent)

    def _delete_blob(self) -> None:
        if self._blobs and self._random.random() < 0.3:
            blob_id = self._random.choice(sorted(self._blobs))
            deleting = Unanswered("delete blob", blob_id=blob_id, content=self._blobs[blob_id])
            if self._send(deleting, lambda: self.user.request("DELETE", f"/v1/blobs/{blob_id}")):
                self._lose_blob(blob_id)

    def _event(self) -> None:
        self._send(Unanswered("event"), self._next_event)

    def _next_event(self) -> Reply:
        self.events += 1
        return self.user.request("GET", f"/metrics/thisuser/{self._event_name}?number={self.events}")

    # How it writes, and what it expects then.

    def _post(self, kind: str, changes: Changes) -> None:
        records = [_record(origin_id, value) for origin_id, value in changes.items()]
        path = f"/v1/data_sets/{self._data_set_id}/data"
        if self._send(Unanswered(kind, changes), lambda: self.user.request("POST", path, records)):
            self._apply(changes)

    def _send(self, write: Unanswered, request: Callable[[], Reply]) -> Reply | None:
        """The reply to a write; None if the server was busy, which it says before it changes anything."""
        self._pending = write
        reply = request()
        self._pending = None
        if reply.status == BUSY:
            return None
        assert 200 <= reply.status < 300, (write.kind, reply.status, reply.body)
        self.answered[write.kind] += 1
        return reply

    def _apply(self, changes: Mapping[str, float | None]) -> None:
        self._values = _changed(self._values, changes)

    def _have_blob(self, blob_id: str, sent: bytes) -> None:
        self._blobs[blob_id] = sent
        self._new_blobs.add(blob_id)

    def _lose_blob(self, blob_id: str) -> None:
        del self._blobs[blob_id]
        self._new_blobs.discard(blob_id)

    def _verify_records(self, pending: Unanswered | None) -> None:
        seen = self.user.records()
        times = Counter(record["origin"]["id"] for record in seen)
        assert set(times.values()) <= {1}, [origin_id for origin_id, count in times.items() if count > 1]
        values = {record["origin"]["id"]: record["value"] for record in seen}
        if pending is not None and pending.changes:
            after = _changed(self._values, pending.changes)
            is_found = values == after != self._values
            self._note(pending.kind, is_found=is_found)
            if is_found:
                self._values = after
                if pending.kind == "close":
                    self._uploads.pop()
        assert values == self._values

    def _verify_blobs(self, pending: Unanswered | None) -> None:
        for blob_id in sorted(self._new_blobs - ({pending.blob_id} if pending else set())):
            when_available(self.user, blob_id)
            assert self._content_of(blob_id) == self._blobs[blob_id]
        self._new_blobs.clear()
        if pending is not None and pending.kind == "delete blob":
            self._verify_unanswered_deletion(pending.blob_id or "")
        elif pending is not None and pending.kind in ("blob", "open blob", "direct blob"):
            self._verify_unanswered_blob(pending)
        assert set(self._listed_blobs("available")) == set(self._blobs)

    def _verify_unanswered_blob(self, pending: Unanswered) -> None:
        """The blob has its whole content and becomes available, or it has none."""
        listed = self._listed_blobs("available", "created")
        new_ids = set(listed) - set(self._blobs) - self._abandoned_blobs
        assert len(new_ids) <= 1
        found_ids = {blob_id for blob_id in new_ids if self._has_content(blob_id)}
        for blob_id in found_ids:
            when_available(self.user, blob_id)
            assert pending.content is not None
            assert self._content_of(blob_id) == pending.content
            self._blobs[blob_id] = pending.content
        self._abandoned_blobs |= new_ids - found_ids
        self._note(pending.kind, is_found=bool(new_ids if pending.kind == "open blob" else found_ids))

    def _verify_unanswered_deletion(self, blob_id: str) -> None:
        """The content is gone or not. If it is, the deletion can be repeated."""
        is_found = not self._has_content(blob_id)
        self._note("delete blob", is_found=is_found)
        if is_found:
            assert self.user.request("DELETE", f"/v1/blobs/{blob_id}").status in (204, 404)
            self._lose_blob(blob_id)
        else:
            when_available(self.user, blob_id)
            assert self._content_of(blob_id) == self._blobs[blob_id]

    def _listed_blobs(self, *statuses: str) -> list[str]:
        reply = self.user.request("GET", f"/v1/users/{self.user.id}/blobs?size=1000&status={','.join(statuses)}")
        assert reply.status == 200, reply.body
        return [found["id"] for found in reply.json()]

    def _note(self, kind: str, *, is_found: bool) -> None:
        (self.found if is_found else self.not_found)[kind] += 1

    def _content_of(self, blob_id: str) -> bytes:
        reply = self.user.request("GET", f"/v1/blobs/{blob_id}/content")
        assert reply.status == 200, reply.body
        return reply.body

    def _chosen(self, limit: int) -> dict[str, float]:
        """Some of the records that the client itself may change: those of its continuous data set."""
        own = [origin_id for origin_id in self._values if "-" not in origin_id]
        chosen = self._random.sample(own, min(limit, len(own)))
        return {origin_id: self._values[origin_id] for origin_id in chosen}

    def _next_id(self) -> str:
        self._count += 1
        return str(self._count)

    def _value(self) -> float:
        return self._random.randint(20, 250) / 10

    def _content(self) -> bytes:
        """Different each time, and of any size up to some parts of a file."""
        self._count += 1
        return f"{self._count} ".encode() + content(self._random.choice((1, 1000, 100_000, 700_000)))


def _record(origin_id: str, value: float | None) -> dict[str, Any]:
    number = sum(int(part) * 1000**place for place, part in enumerate(reversed(origin_id.split("-"))))
    day, minute = divmod(number, 1440)
    time = f"{2020 + day // 336 % 5}-{1 + day // 28 % 12:02}-{1 + day % 28:02}T{minute // 60:02}:{minute % 60:02}:00"
    reading = {"type": "cbg", "time": f"{time}Z", "deviceTime": time, "deviceId": "cgm", "units": "mmol/L"}
    return reading | {"value": value, "origin": {"id": origin_id}}


def _changed(values: Mapping[str, float], changes: Mapping[str, float | None]) -> dict[str, float]:
    return {origin_id: value for origin_id, value in {**values, **changes}.items() if value is not None}
