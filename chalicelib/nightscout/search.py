"""Searches of documents: newest first, by the conditions of a query, within bounds. Source: nightscout-api 4, 17."""

from collections.abc import Iterator
from itertools import islice

from chalicelib.conflicts import retry_on_conflict
from chalicelib.errors import InvalidRequestError
from chalicelib.frozen import frozen
from chalicelib.log.documents_owner import documents_owner_id
from chalicelib.nightscout.document import Collection, Document, key_of_id
from chalicelib.nightscout.document_view import DocumentView
from chalicelib.nightscout.find import Find
from chalicelib.nightscout.ports import NightscoutPorts
from chalicelib.nightscout.times import DAY_MS
from chalicelib.tiles.ports import TileMissingError

DEFAULT_DAYS = 4
"""The days that are searched without a condition on the date."""
MAX_DAYS = 400
MAX_DOCUMENTS = 10_000
"""The days and the documents after which a search has to be narrowed."""
MAX_DAYS_AT_ONCE = 8
MAX_DAYS_OF_IDS = 32
"""The newest days in which an `_id` that a client chose is looked for."""
_MAX_ATTEMPTS = 3


@frozen
class Span:
    """The time in which to search, both ends included; None is no limit."""

    from_ms: int | None = None
    to_ms: int | None = None


def search(user_id: str, collection: Collection, find: Find, span: Span, ports: NightscoutPorts) -> list[Document]:
    """The newest documents that a query finds, at most `find.count`, newest first. Ascending queries get the oldest
    ones, newest first, too.

    Raises:
        InvalidRequestError: more has to be read than a search may read.
    """

    def attempt() -> list[Document]:
        view = DocumentView(documents_owner_id(user_id), ports)
        matching = _matching(view, collection, find, span)
        if find.is_ascending:
            found = list(matching)
            return found[-(find.count or len(found)) :] if found else []
        return list(islice(matching, find.count))

    return retry_on_conflict(attempt, _MAX_ATTEMPTS, TileMissingError)


def find_by_id(user_id: str, collection: Collection, document_id: str, ports: NightscoutPorts) -> Document | None:
    """The document with this `_id`; None if there is none, or only one that a client named so long ago.

    An `_id` of the server holds the key of its document. One that a client chose does not, so it is looked for among
    the newest documents.
    """

    def attempt() -> Document | None:
        view = DocumentView(documents_owner_id(user_id), ports)
        named = view.with_keys(collection, {key_of_id(document_id)}).get(key_of_id(document_id))
        if named is not None and named.id == document_id:
            return named
        for day in islice(view.days(collection, None, None), MAX_DAYS_OF_IDS):
            for document in view.on_days(collection, [day]):
                if document.id == document_id:
                    return document
        return None

    return retry_on_conflict(attempt, _MAX_ATTEMPTS, TileMissingError)


def _matching(view: DocumentView, collection: Collection, find: Find, span: Span) -> Iterator[Document]:
    first_day = None if span.from_ms is None else span.from_ms // DAY_MS
    last_day = None if span.to_ms is None else span.to_ms // DAY_MS
    days = view.days(collection, first_day, last_day)
    days_read = documents_read = 0
    at_once = 1
    while batch := list(islice(days, at_once)):
        days_read += len(batch)
        documents = view.on_days(collection, batch)
        documents_read += len(documents)
        yield from (document for document in documents if _is_within(document, span) and find.matches(document.body))
        if days_read >= MAX_DAYS or documents_read >= MAX_DOCUMENTS:
            if next(days, None) is not None:
                raise InvalidRequestError("narrow the search by date")
            return
        at_once = min(2 * at_once, MAX_DAYS_AT_ONCE)


def _is_within(document: Document, span: Span) -> bool:
    return (span.from_ms is None or document.time_ms >= span.from_ms) and (
        span.to_ms is None or document.time_ms <= span.to_ms
    )
