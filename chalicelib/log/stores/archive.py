"""The archive of the record log: entries that are in tiles, as objects of the stage's bucket.

An object holds entries of one data set, and its key has the first and the last number. Objects whose numbers overlap
hold the same entries. Bodies are compressed already, so an object is the entries one after the other:

    version (1 byte) | for each entry: number (8) | kind (1) | time it was stored (8) | length of body (8) | body
"""

import hashlib
import re
import struct
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence

from chalicelib.engine.objects import Objects
from chalicelib.log.data_set import OwnerState
from chalicelib.log.entry import Entry, EntryKind

PREFIX = "log/"
"""The prefix of all keys of the archive; only the purge removes objects."""
MEDIA_TYPE = "application/octet-stream"
FORMAT = 1
_ENTRY = struct.Struct(">QBQQ")
_KINDS = (EntryKind.ADD, EntryKind.DELETE)
"""Objects hold indexes of this tuple, so it may only grow at the end."""
_PLAIN = re.compile(r"[0-9A-Za-z_-]{1,64}")


class StoredArchive:
    """The port `Archive` on the stage's objects."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def put(self, owner: OwnerState, entries: Sequence[Entry]) -> None:
        """See `Archive.put`: one request."""
        at = f"{entries[0].number:012d}-{entries[-1].number:012d}"
        self._objects.put(_folder(owner, entries[0].data_set_id) + at, encode_entries(entries), MEDIA_TYPE)

    def entries(self, owner: OwnerState, data_set_id: str) -> Iterator[Entry]:
        """See `Archive.entries`: one request for each object, and one for each thousand of them."""
        done = 0
        for object_key in self._objects.keys(_folder(owner, data_set_id)):
            _, last = _numbers(object_key)
            if last > done:
                yield from (entry for entry in self._read(object_key, data_set_id) if entry.number > done)
                done = last

    def remove_entries(self, owner: OwnerState, data_set_id: str, numbers: Collection[int]) -> None:
        """See `Archive.remove_entries`: two requests for each object that has such entries, and the listing."""
        gone, ordered = frozenset(numbers), sorted(numbers)
        for object_key in list(self._objects.keys(_folder(owner, data_set_id))):
            first, last = _numbers(object_key)
            if bisect_left(ordered, first) == bisect_right(ordered, last):  # none of them is between
                continue
            entries = list(self._read(object_key, data_set_id))
            left = [entry for entry in entries if entry.number not in gone]
            if not left:
                self._objects.delete([object_key])
            elif len(left) < len(entries):
                self._objects.put(object_key, encode_entries(left), MEDIA_TYPE)

    def remove(self, owner: OwnerState, data_set_id: str | None = None) -> None:
        """See `Archive.remove`: two requests for up to a thousand objects."""
        self._objects.delete(self._objects.keys(_folder(owner, data_set_id)))

    def _read(self, object_key: str, data_set_id: str) -> Iterator[Entry]:
        body = self._objects.get(object_key)
        return iter(()) if body is None else decode_entries(body, data_set_id)


def encode_entries(entries: Iterable[Entry]) -> bytes:
    """The bytes of an object."""
    chunks = [bytes([FORMAT])]
    for entry in entries:
        kind = _KINDS.index(entry.kind)
        chunks += [_ENTRY.pack(entry.number, kind, entry.stored_time_ms, len(entry.body)), entry.body]
    return b"".join(chunks)


def decode_entries(data: bytes, data_set_id: str) -> Iterator[Entry]:
    """The entries that an object holds, in their order."""
    if data[0] != FORMAT:
        raise ValueError(f"archive of unknown format {data[0]}")
    at = 1
    while at < len(data):
        number, kind, stored_time_ms, size_bytes = _ENTRY.unpack_from(data, at)
        body_at = at + _ENTRY.size
        at = body_at + size_bytes
        if at > len(data):
            raise ValueError("archive that ends within an entry")
        yield Entry(data_set_id, number, _KINDS[kind], stored_time_ms, data[body_at:at])


def _folder(owner: OwnerState, data_set_id: str | None) -> str:
    """The prefix of the keys of a data set or an epoch. Keys sort by the first number, then by the last."""
    of_epoch = f"{PREFIX}{_part(owner.id)}/{owner.epoch}/"
    return of_epoch if data_set_id is None else f"{of_epoch}{_part(data_set_id)}/"


def _numbers(object_key: str) -> tuple[int, int]:
    first, last = object_key.rpartition("/")[2].split("-")
    return int(first), int(last)


def _part(text: str) -> str:
    """An id as a part of a key: no two give the same, and none reaches into its neighbor."""
    return text if _PLAIN.fullmatch(text) else "sha256=" + hashlib.sha256(text.encode()).hexdigest()
