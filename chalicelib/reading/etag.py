"""Entity tags of what `GET /data/{userId}` returns, so that a client that polls gets no body again.

An ETag identifies the owner's counters and the query, not the bytes: one read of the owner tells whether data has come
in. It is weak, because compressed and plain replies share it. Source: RFC 9110, 8.8 and 13.1.2.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import fields

from chalicelib import json_text
from chalicelib.log.data_set import DataSet, OwnerState
from chalicelib.log.truncation import Truncation, truncations
from chalicelib.reading.query import DataQuery

FORMAT = 1
"""To be raised when the same data and query get another reply than before."""
ANY = "*"
_OPAQUE_TAG = re.compile(r'"[^"\x00-\x20\x7f]*"')
_WEAK = "W/"


class NotModifiedError(Exception):
    """The client has the current reply, whose ETag is `etag`. It is not a `StrandlineError`: the request is valid."""

    def __init__(self, etag: str) -> None:
        super().__init__(etag)
        self.etag = etag


def parse_known_etags(if_none_match: str) -> frozenset[str]:
    """The opaque tags of `If-None-Match`, without the mark of weak ones, since they are compared weakly.

    `*` stands for any. Text that is not an ETag is ignored, so its client gets a whole reply.
    """
    if if_none_match.strip() == ANY:
        return frozenset({ANY})
    return frozenset(_OPAQUE_TAG.findall(if_none_match))


def require_modified(etag: str | None, known_etags: frozenset[str]) -> None:
    """Raise if the client has the reply with this ETag.

    Raises:
        NotModifiedError: it does.
    """
    if etag is not None and (ANY in known_etags or etag.removeprefix(_WEAK) in known_etags):
        raise NotModifiedError(etag)


def etag_of(owner: OwnerState, query: DataQuery, view_from_ms: int | None) -> str | None:
    """The ETag of the reply to a query as long as the owner's data does not change.

    None for a view of the last hours: its start moves on, so the reply changes although the data does not.
    """
    if view_from_ms is not None:
        return None
    criteria = {criterion.name: _normal(getattr(query, criterion.name)) for criterion in fields(query)}
    if query.types is not None and not query.is_latest:
        criteria["types"] = sorted(query.types)
    identity = json_text.encode([FORMAT, owner.id, owner.epoch, owner.change_count, criteria])
    return f'{_WEAK}"{hashlib.sha256(identity).hexdigest()[:32]}"'


def etag_if_settled(
    etag: str | None, owner: OwnerState, data_sets: Iterable[DataSet], last_numbers: Mapping[str, int]
) -> str | None:
    """The ETag if everything that the owner counts was found by the reads that followed (`is_settled`); None
    otherwise."""
    return etag if is_settled(owner, data_sets, last_numbers) else None


def is_settled(owner: OwnerState, data_sets: Iterable[DataSet], last_numbers: Mapping[str, int]) -> bool:
    """Whether everything that the owner counts was found by the reads that followed.

    A transaction of DynamoDB is atomic for a reader that waits for its response. A reader in between may see its parts
    one by one: the counter of the owner already, the new entry not yet. The reply to that reader must have no ETag of
    the counters, or its client would never get the entry.

    Args:
        data_sets: all of the owner's epoch, as they were read.
        last_numbers: for each continuous data set, the number of the last entry that was read, in tiles or not.
    """
    data_sets = list(data_sets)
    if sum(data_set.state_version for data_set in data_sets) < owner.state_count:
        return False
    unsettled = [
        (data_set, ingested.last_number)
        for data_set in data_sets
        if (ingested := owner.freshness.data_sets.get(data_set.id)) is not None
        and last_numbers.get(data_set.id, 0) < ingested.last_number
    ]
    if not unsettled:
        return True
    cuts = truncations(data_sets)
    return all(_may_be_purged(data_set, number, cuts[data_set.id]) for data_set, number in unsettled)


def _may_be_purged(data_set: DataSet, number: int, cuts: Iterable[Truncation]) -> bool:
    """Whether an entry was deleted with its data set or truncated by another data set."""
    if data_set.deleted_through >= number:
        return True
    return any(cut.covers(number) for cut in cuts)


def _normal(value: object) -> object:
    return sorted(value) if isinstance(value, frozenset) else value
