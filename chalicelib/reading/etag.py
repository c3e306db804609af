"""Entity tags of what `GET /data/{userId}` answers, so that who polls and has it already gets no body.

A tag names the owner's counters and the query, not the bytes: one read of the owner tells whether anything came in
since. It is weak, because gzip and plain answers share it. Source: RFC 9110, 8.8 and 13.1.2.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import fields

from chalicelib import json_text
from chalicelib.log.data_set import DataSet, OwnerState
from chalicelib.log.truncation import truncations
from chalicelib.reading.query import DataQuery

FORM = 1
"""Raised when the same data and query are answered in another way than before."""
ANY = "*"
_OPAQUE_TAG = re.compile(r'"[^"\x00-\x20\x7f]*"')
_WEAK = "W/"


class NotModifiedError(Exception):
    """The client has what would be answered; `tag` is its tag. No refusal: nothing was wrong with the request."""

    def __init__(self, tag: str) -> None:
        super().__init__(tag)
        self.tag = tag


def parse_known_tags(if_none_match: str) -> frozenset[str]:
    """The tags that a client names in `If-None-Match`, without what says that one is weak: they are compared weakly.

    `*` stands for any. What is no tag is passed over, so that its client gets a whole answer.
    """
    if if_none_match.strip() == ANY:
        return frozenset({ANY})
    return frozenset(_OPAQUE_TAG.findall(if_none_match))


def require_unknown(tag: str | None, known_tags: frozenset[str]) -> None:
    """Nothing, when the client needs an answer.

    Raises:
        NotModifiedError: it has the one with this tag.
    """
    if tag is not None and (ANY in known_tags or tag.removeprefix(_WEAK) in known_tags):
        raise NotModifiedError(tag)


def tag_of(owner: OwnerState, query: DataQuery, view_from_ms: int | None) -> str | None:
    """The tag of a query's answer while the owner's data is as it is now.

    None for a view of the last hours: its start moves on, so the same query soon has another answer.
    """
    if view_from_ms is not None:
        return None
    asked = {each.name: _normal(getattr(query, each.name)) for each in fields(query)}
    if query.types is not None and not query.is_latest:
        asked["types"] = sorted(query.types)
    named = json_text.encode([FORM, owner.id, owner.epoch, owner.change_count, asked])
    return f'{_WEAK}"{hashlib.sha256(named).hexdigest()[:32]}"'


def tag_when_settled(
    tag: str | None, owner: OwnerState, data_sets: Iterable[DataSet], last_numbers: Mapping[str, int]
) -> str | None:
    """The tag, when all that its owner counted is in what was read after; else None.

    A transaction of DynamoDB is one step for who waits for its answer. A reader in between may meet its parts one by
    one: the counted owner already, the new entry not yet. Such an answer must get no tag, or its client would go on
    without the entry.

    Args:
        data_sets: all of the owner's epoch, as they were read.
        last_numbers: for each continuous data set, the number of the last entry that was read, in tiles or not.
    """
    data_sets = list(data_sets)
    if sum(data_set.state_version for data_set in data_sets) < owner.state_count:
        return None
    for data_set in data_sets:
        ingested = owner.freshness.data_sets.get(data_set.id)
        if ingested is None or last_numbers.get(data_set.id, 0) >= ingested.last_number:
            continue
        if not _may_be_purged(data_set, ingested.last_number, data_sets):
            return None
    return tag


def _may_be_purged(data_set: DataSet, number: int, data_sets: Iterable[DataSet]) -> bool:
    """Whether an entry is one that was deleted with its data set, or truncated by another one."""
    cuts = truncations(data_sets)[data_set.id]
    is_deleted = data_set.deleted_through >= number
    return is_deleted or any(cut.last_number is None or cut.last_number >= number for cut in cuts)


def _normal(value: object) -> object:
    return sorted(value) if isinstance(value, frozenset) else value
