"""Modifications: the order in which the documents of a user were stored, changed and deleted.

Each document has a record beside it in the log of documents, whose time is the `srvModified` of the document. So the
log, its tiles and its fold keep the order as they keep the documents, and a later modification of a document replaces
the earlier one (ADR 28). Source: nightscout-api 9 and 17.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from chalicelib import json_text
from chalicelib.frozen import frozen
from chalicelib.log.data_set import OwnerState
from chalicelib.model.datum import Datum
from chalicelib.nightscout.document import TIME, Collection, Document

SRV_MODIFIED = "srvModified"
"""The member of documents that v3 stored which holds `Document.modified_ms`."""
_TYPE_SUFFIX = "Modified"
_ORIGIN_PREFIX = "modified:"
_OF = "of"


@frozen
class Modification:
    """The last modification of a document: when it was, and what finds the document."""

    modified_ms: int
    key: str
    time_ms: int
    """The time of the document."""


def modification_type(collection: Collection) -> str:
    """The type of the records that hold the modifications of a collection."""
    return f"{collection}{_TYPE_SUFFIX}"


def modification_datum(document: Document) -> Datum:
    """The modification of a document as a record of the log."""
    record = {
        "type": modification_type(document.collection),
        TIME: document.modified_ms,
        "origin": {"id": modification_origin(document.key)},
        _OF: {"key": document.key, TIME: document.time_ms},
    }
    return Datum(record, document.modified_ms, "")


def modification_origin(key: str) -> str:
    """The origin id of the modification of the document with this key."""
    return f"{_ORIGIN_PREFIX}{key}"


def modification_of(text: bytes) -> Modification:
    """The modification of a stored record."""
    record = json_text.decode(text)
    return Modification(record[TIME], record[_OF]["key"], record[_OF][TIME])


def last_modified_ms(owner: OwnerState) -> Mapping[Collection, int]:
    """The last modification of each collection that has documents, from the counters of the documents' owner alone."""
    return _newest_ms(owner, {modification_type(collection): collection for collection in Collection})


def newest_time_ms(owner: OwnerState) -> Mapping[Collection, int]:
    """The greatest time of a document of each collection."""
    return _newest_ms(owner, {str(collection): collection for collection in Collection})


def in_order(owner: OwnerState, documents: Sequence[Document], now_ms: int) -> Iterator[Document]:
    """The documents with the next `modified_ms` each: the time, unless the last one is later."""
    first_ms = max([now_ms, *(last_ms + 1 for last_ms in last_modified_ms(owner).values())])
    for modified_ms, document in enumerate(documents, first_ms):
        body: dict[str, Any] = document.body
        if SRV_MODIFIED in body:
            body = body | {SRV_MODIFIED: modified_ms}
        yield replace(document, body=body, modified_ms=modified_ms)


def _newest_ms(owner: OwnerState, collections: Mapping[str, Collection]) -> Mapping[Collection, int]:
    found: dict[Collection, int] = {}
    for of_client in owner.freshness.by_client().values():
        for name, newest in of_client.items():
            if (collection := collections.get(name)) is not None:
                found[collection] = max(found.get(collection, 0), newest.time_ms)
    return found
