"""Lists the stored documents of a user whole, page by page, for an export. Source: nightscout-api 18."""

import re
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from chalicelib import json_text
from chalicelib.access.call import Call
from chalicelib.durations import DAY_MS
from chalicelib.errors import NotFoundError
from chalicelib.frozen import frozen
from chalicelib.log.documents_owner import documents_owner_id
from chalicelib.model.fields import TextFormat
from chalicelib.model.query import IntegerField, QueryField, TextField, check_query
from chalicelib.nightscout.document import Collection, Document
from chalicelib.nightscout.document_view import DocumentView
from chalicelib.nightscout.ports import NightscoutPorts
from chalicelib.tiles.missing import retry_on_missing_tile

MAX_PAGE = 10_000
FIRST_DAYS = 16
MAX_DAYS_AT_ONCE = 128
MANY = 2000
"""The documents of a batch of days after which the next batch has no more days."""
MAX_PAGE_BYTES = 3_000_000
"""The size of the documents of a page, which a function's reply holds; a page has at least one document."""
_POSITION = re.compile(r"(\d{1,15})-([0-9a-f]{16})")
_QUERY: Mapping[str, QueryField] = {
    "after": TextField(format=TextFormat("as position", lambda text: _POSITION.fullmatch(text) is not None)),
    "size": IntegerField(low=1, high=MAX_PAGE, default=MAX_PAGE),
}


class Position(NamedTuple):
    """The place of a document among those of its collection."""

    time_ms: int
    key: str

    def __str__(self) -> str:
        return f"{self.time_ms}-{self.key}"


@frozen
class Page:
    """Documents, oldest first, and the position of the last one if there are more."""

    documents: Sequence[Document]
    next: Position | None

    @property
    def body(self) -> dict[str, Any]:
        """The page as it is answered."""
        bodies = [document.body for document in self.documents]
        return {"documents": bodies} if self.next is None else {"documents": bodies, "next": str(self.next)}


def list_documents(
    call: Call, user_id: str, collection_name: str, query: Mapping[str, Sequence[str]], ports: NightscoutPorts
) -> Page:
    """The stored documents after a position, oldest first, as they are stored. Deleted ones are left out, and so are
    those that are made of data of another API.

    Raises:
        UnauthorizedError: the caller may not read all data of the user.
        NotFoundError: there is no such collection.
        InvalidFieldsError: the query is unreadable.
        UnavailableError: each attempt met a compaction.
    """
    call.require(user_id)
    collection = collection_of(collection_name)
    wanted = check_query(query, _QUERY)
    match = _POSITION.fullmatch(wanted.get("after", ""))
    after = None if match is None else Position(int(match[1]), match[2])

    def attempt() -> Page:
        view = DocumentView(ports.tiles.current(documents_owner_id(user_id)), ports)
        return _page(view, collection, after, wanted["size"])

    return retry_on_missing_tile(attempt)


def collection_of(name: str) -> Collection:
    """The collection of this name.

    Raises:
        NotFoundError: there is none.
    """
    try:
        return Collection(name)
    except ValueError as error:
        raise NotFoundError(name) from error


def _page(view: DocumentView, collection: Collection, after: Position | None, size: int) -> Page:
    found: list[Document] = []
    size_bytes = 0
    days = view.days(collection, None if after is None else after.time_ms // DAY_MS, None, newest_first=False)
    at_once = FIRST_DAYS
    while batch := list(islice(days, at_once)):
        of_batch = sorted(view.on_days(collection, batch), key=_position)
        if len(of_batch) < MANY:  # what is not in tiles yet is folded once for each batch
            at_once = min(2 * at_once, MAX_DAYS_AT_ONCE)
        for document in of_batch:
            if after is not None and _position(document) <= after:
                continue
            size_bytes += len(json_text.encode(document.body))
            if found and (len(found) == size or size_bytes > MAX_PAGE_BYTES):
                return Page(found, _position(found[-1]))
            found.append(document)
    return Page(found, None)


def _position(document: Document) -> Position:
    return Position(document.time_ms, document.key)
