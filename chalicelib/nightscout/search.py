"""Searches of documents: newest first, by the conditions of a query, within bounds. Source: nightscout-api 4, 17."""

from collections.abc import Collection as Few
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from chalicelib.access.call import Call
from chalicelib.durations import DAY_MS
from chalicelib.errors import InvalidRequestError
from chalicelib.frozen import frozen
from chalicelib.log.documents_owner import documents_owner_id
from chalicelib.nightscout.all_documents import AllDocuments
from chalicelib.nightscout.document import Collection, Document
from chalicelib.nightscout.document_view import DocumentView
from chalicelib.nightscout.find import Fields, Find
from chalicelib.nightscout.ports import NightscoutPorts
from chalicelib.nightscout.times import read_iso
from chalicelib.tiles.missing import retry_on_missing_tile

DEFAULT_DAYS = 4
"""The days that are searched without a condition on the date."""
MAX_DAYS = 400
MAX_DOCUMENTS = 10_000
"""The days and the documents after which a search has to be narrowed."""
MAX_DAYS_AT_ONCE = 8
MAX_DAYS_OF_IDS = 32
"""The newest days in which an `_id` that a client chose is looked for."""
TEXT_MARGIN_MS = DAY_MS
_FROM = ("$gte", "$gt", "$eq")
_TO = ("$lte", "$lt", "$eq")

Query = Mapping[str, Sequence[str]]


@frozen
class Span:
    """The time in which to search, both ends included; None means no limit."""

    from_ms: int | None = None
    to_ms: int | None = None


@frozen
class FoundDocuments:
    """Documents as they are answered, newest first, and the time of the newest."""

    bodies: list[dict[str, Any]]
    newest_ms: int | None
    state: str | None = None
    """The state of what was searched (`AllDocuments.state`); None if it is not known."""
    changes_ms: int | None = None
    """Time from which the answer differs although the state does not, because a document leaves the last days; None
    for none."""

    @staticmethod
    def of(documents: Sequence[Document]) -> "FoundDocuments":
        """These documents."""
        bodies = [document.body_of_v1 for document in documents]
        return FoundDocuments(bodies, max((document.time_ms for document in documents), default=None))

    @staticmethod
    def of_matches(matches: "Matches") -> "FoundDocuments":
        """The documents that a search found."""
        found = FoundDocuments.of(matches.documents)
        oldest_ms = min((document.time_ms for document in matches.documents), default=None)
        leaves_ms = None if oldest_ms is None else oldest_ms + DEFAULT_DAYS * DAY_MS
        return replace(found, state=matches.state, changes_ms=leaves_ms if matches.is_of_last_days else None)

    def with_mills(self, documents: Sequence[Document], count: int, memory: tuple[int, int]) -> "FoundDocuments":
        """The documents as Nightscout answers them from memory, if it has as many as are wanted there: with their time
        as `mills`.

        Args:
            count: how many documents are wanted.
            memory: the time of the request, and for how long documents stay in memory, in milliseconds.
        """
        now_ms, kept_ms = memory
        oldest_ms = min((document.time_ms for document in documents), default=0)
        if len(documents) < count or oldest_ms < now_ms - kept_ms:
            return self
        bodies = [body | {"mills": document.time_ms} for body, document in zip(self.bodies, documents, strict=True)]
        changes_ms = [oldest_ms + kept_ms, *([] if self.changes_ms is None else [self.changes_ms])]
        return replace(self, bodies=bodies, changes_ms=min(changes_ms))


@frozen
class Matches:
    """The documents that a search found, newest first."""

    documents: list[Document]
    state: str | None = None
    """The state of what was searched (`AllDocuments.state`); None if it is not known."""
    is_of_last_days: bool = False
    """True if the search was limited to the last days, because the query does not limit it in time."""


def find_documents(
    call: Call, user_id: str, collection: Collection, query: tuple[Find, Fields], ports: NightscoutPorts
) -> Matches:
    """The newest documents that a query finds. Without a condition on the date or the `_id`, the last days only are
    searched.

    Args:
        query: the conditions, and the fields that limit the search in time.

    Raises:
        InvalidRequestError: more has to be read than a search may read.
    """
    find, fields = query
    matches = search(user_id, collection, find, span_of(call, find, fields), ports)
    return replace(matches, is_of_last_days=not _limits_time(find, fields))


def find_by_keys(user_id: str, collection: Collection, keys: Few[str], ports: NightscoutPorts) -> list[Document]:
    """The documents with these keys."""

    def attempt() -> list[Document]:
        found = DocumentView(ports.tiles.current(documents_owner_id(user_id)), ports).with_keys(collection, keys)
        return list(found.values())

    return retry_on_missing_tile(attempt)


def search(user_id: str, collection: Collection, find: Find, span: Span, ports: NightscoutPorts) -> Matches:
    """The documents that a query finds in its order, newest first unless it has another one, at most `find.count`.

    Raises:
        InvalidRequestError: more has to be read than a search may read.
    """

    def attempt() -> Matches:
        documents = AllDocuments(user_id, collection, ports)
        matching = _matching(documents, find, span)
        sort = find.sort
        found = matching if sort is None else sort.ordered(list(matching), lambda document: document.body_of_v1)
        return Matches(list(islice(found, find.count)), documents.state)

    return retry_on_missing_tile(attempt)


def find_by_id_of_server(
    user_id: str, collection: Collection, document_id: str, ports: NightscoutPorts
) -> Document | None:
    """The document with this `_id`, unless a client chose it; None if there is none."""

    def attempt() -> Document | None:
        return AllDocuments(user_id, collection, ports).with_id_of_server(document_id)

    return retry_on_missing_tile(attempt)


def find_by_id(user_id: str, collection: Collection, document_id: str, ports: NightscoutPorts) -> Document | None:
    """The document with this `_id`; None if there is none, or only an old one that a client named.

    An `_id` of the server holds the key of its document, or the day of the data that it is made of. One that a client
    chose does not, so it is looked for among the newest documents.
    """

    def attempt() -> Document | None:
        documents = AllDocuments(user_id, collection, ports)
        named = documents.with_id_of_server(document_id)
        if named is not None:
            return named
        for day in islice(documents.stored.days(collection, None, None), MAX_DAYS_OF_IDS):
            for document in documents.stored.on_days(collection, [day]):
                if document.id == document_id:
                    return document
        return None

    return retry_on_missing_tile(attempt)


def find_by_identifier(user_id: str, collection: Collection, identifier: str, ports: NightscoutPorts) -> list[Document]:
    """The documents with this identifier, newest first, of the newest days: several may have one."""

    def attempt() -> list[Document]:
        documents = AllDocuments(user_id, collection, ports)
        days = islice(documents.days(None, None), MAX_DAYS_OF_IDS)
        found = (document for day in days for document in documents.on_days([day]))
        return [document for document in found if document.body.get("identifier") == identifier]

    return retry_on_missing_tile(attempt)


def _matching(documents: AllDocuments, find: Find, span: Span) -> Iterator[Document]:
    first_day = None if span.from_ms is None else span.from_ms // DAY_MS
    last_day = None if span.to_ms is None else span.to_ms // DAY_MS
    days = documents.days(first_day, last_day)
    days_read = documents_read = 0
    at_once = 1
    while batch := list(islice(days, at_once)):
        days_read += len(batch)
        for document in documents.on_days(batch):
            documents_read += 1
            if _is_within(document, span) and find.matches(document.body_of_v1):
                yield document
        if days_read >= MAX_DAYS or documents_read >= MAX_DOCUMENTS:
            if next(days, None) is not None:
                raise InvalidRequestError("narrow the search by date")
            return
        at_once = min(2 * at_once, MAX_DAYS_AT_ONCE)


def _is_within(document: Document, span: Span) -> bool:
    return (span.from_ms is None or document.time_ms >= span.from_ms) and (
        span.to_ms is None or document.time_ms <= span.to_ms
    )


def span_of(call: Call, find: Find, fields: Fields) -> Span:
    """The time in which to search: the last days, unless the query has a condition on the date or the `_id`."""
    if not _limits_time(find, fields):
        return Span(from_ms=call.now_ms - DEFAULT_DAYS * DAY_MS)
    return Span(
        max((time_ms - margin_ms for time_ms, margin_ms in _times(find, fields, _FROM)), default=None),
        min((time_ms + margin_ms for time_ms, margin_ms in _times(find, fields, _TO)), default=None),
    )


def _limits_time(find: Find, fields: Fields) -> bool:
    """Whether a query has a condition on the date or the `_id`."""
    return find.has(fields.date, *fields.text_dates, "_id")


def _times(find: Find, fields: Fields, operators: Sequence[str]) -> Iterator[tuple[int, int]]:
    """The times with which the dates are compared by these operators, and how far documents may lie beside them."""
    for field in (fields.date, *fields.text_dates):
        margin_ms = TEXT_MARGIN_MS if field in fields.text_dates else 0
        for value in (value for operator in operators for value in find.values_of(field, operator)):
            if isinstance(value, int):
                yield value, margin_ms
            elif (moment := read_iso(value)) is not None:
                yield moment.time_ms, margin_ms
