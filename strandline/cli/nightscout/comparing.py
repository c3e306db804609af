"""Compares the Nightscout documents of two exports: each is counted, and each that differs is named.

Documents are compared in buckets by their time, whose counts and digests are summed up first. Only the documents of
buckets that differ are held in memory.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from strandline.cli.folder import Json, line_of, read_lines
from strandline.cli.nightscout.documents import COLLECTIONS, documents_file

BUCKETS = 1 << 14
SET_BY_SERVER = frozenset({"srvModified"})
"""The members that each server sets by itself."""
_DIGEST_BITS = 256
_TIMES = ("date", "created_at", "startDate")


class Difference(NamedTuple):
    """A document that is not the same in both exports."""

    collection: str
    id: str
    is_in_first: bool
    is_in_second: bool

    def __str__(self) -> str:
        if self.is_in_first and self.is_in_second:
            difference = "differs"
        else:
            difference = f"is only in the {'first' if self.is_in_first else 'second'}"
        return f"document {self.collection} {self.id} {difference}"


class _DocumentDigest(NamedTuple):
    """A document of a bucket that differs: its digest, and the time and type by which an app knows it."""

    digest: bytes
    event: str


def document_differences(first: Path, second: Path) -> Iterator[Difference]:
    """The documents that are not the same in two exports, device statuses excepted."""
    for collection in COLLECTIONS:
        both = _differing(collection, first, second)
        for id_ in sorted(both[0].keys() | both[1].keys()):
            if both[0].get(id_) != both[1].get(id_):
                yield Difference(collection, id_, id_ in both[0], id_ in both[1])


def lacking_documents(source: Path, target: Path) -> Iterator[Difference]:
    """The documents of a source that a target lacks or has otherwise. Further documents of the target do not matter.
    One of the same time and type, with another `_id`, counts as the one of the source."""
    for collection in COLLECTIONS:
        found, stored = _differing(collection, source, target)
        others = Counter(stored[id_].event for id_ in stored.keys() - found.keys())
        for id_ in sorted(found):
            if id_ in stored:
                if found[id_].digest != stored[id_].digest:
                    yield Difference(collection, id_, is_in_first=True, is_in_second=True)
            elif others[found[id_].event]:
                others[found[id_].event] -= 1
            else:
                yield Difference(collection, id_, is_in_first=True, is_in_second=False)


def _differing(
    collection: str, first: Path, second: Path
) -> tuple[dict[str, _DocumentDigest], dict[str, _DocumentDigest]]:
    """The documents of the buckets that differ, by `_id`."""
    paths = [documents_file(folder, collection) for folder in (first, second)]
    sums = [_sums(read_lines(path)) for path in paths]
    buckets = {bucket for bucket in sums[0].keys() | sums[1].keys() if sums[0].get(bucket) != sums[1].get(bucket)}
    if not buckets:
        return {}, {}
    of_first, of_second = (_digests_by_id(read_lines(path), buckets) for path in paths)
    return of_first, of_second


def _sums(documents: Iterable[Json]) -> dict[int, tuple[int, int]]:
    """The number of documents of each bucket, and the sum of their digests."""
    sums: dict[int, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for document in documents:
        bucket = _bucket(document)
        count, digests = sums[bucket]
        sums[bucket] = count + 1, (digests + int.from_bytes(_digest(document))) % (1 << _DIGEST_BITS)
    return sums


def _digests_by_id(documents: Iterable[Json], buckets: set[int]) -> dict[str, _DocumentDigest]:
    return {
        str(document.get("_id")): _DocumentDigest(_digest(document), _event(document))
        for document in documents
        if _bucket(document) in buckets
    }


def _bucket(document: Json) -> int:
    return int.from_bytes(hashlib.sha256(str(_time(document)).encode()).digest()[:4]) % BUCKETS


def _event(document: Json) -> str:
    return f"{_time(document)} {document.get('type')} {document.get('eventType')}"


def _time(document: Json) -> Any:
    return next((document[name] for name in _TIMES if name in document), document.get("_id"))


def _digest(document: Json) -> bytes:
    compared = {name: value for name, value in document.items() if name not in SET_BY_SERVER}
    return hashlib.sha256(line_of(compared)).digest()
