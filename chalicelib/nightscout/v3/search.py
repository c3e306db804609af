"""Searches of v3, the changes since a time, and when each collection last changed. Source: nightscout-api 9 and 17."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from chalicelib import json_text
from chalicelib.access.call import Call
from chalicelib.durations import DAY_MS
from chalicelib.errors import InvalidRequestError
from chalicelib.frozen import frozen
from chalicelib.log.documents_owner import documents_owner_id
from chalicelib.nightscout.all_documents import AllDocuments
from chalicelib.nightscout.document import Collection, Document
from chalicelib.nightscout.document_view import DocumentView
from chalicelib.nightscout.find import place
from chalicelib.nightscout.modification import SRV_MODIFIED, Modification, last_modified_ms, newest_time_ms
from chalicelib.nightscout.ports import NightscoutPorts
from chalicelib.nightscout.search import MAX_DAYS, MAX_DAYS_AT_ONCE, MAX_DOCUMENTS, Span
from chalicelib.nightscout.v3.access import require_list
from chalicelib.nightscout.v3.members import Body, projected, shown
from chalicelib.nightscout.v3.query import CREATED_AT, Search
from chalicelib.tiles.missing import retry_on_missing_tile

MAX_DAYS_OF_PAGE = 64
"""The days whose documents a page of changes may have: an import of years is read in several pages."""
MAX_PAGE_BYTES = 2_000_000
"""The documents of a page of changes as JSON, unless there is one alone: no app has to follow a redirect."""
_TIES = ("identifier", CREATED_AT, "date")


@frozen
class Changes:
    """A page of documents in the order of their changes, deleted ones among them."""

    bodies: list[Body]
    last_ms: int | None
    """The `srvModified` of the last one, with which the next page begins; None for an empty page."""


def search_documents(
    call: Call, user_id: str, collection: Collection, search: Search, ports: NightscoutPorts
) -> list[Body]:
    """The documents that a search finds, without deleted ones.

    Raises:
        MissingPermissionError: the credential may not read, or these are settings.
        InvalidRequestError: more has to be read than a search may read.
    """
    require_list(call, user_id, collection)

    def attempt() -> list[Body]:
        documents = AllDocuments(user_id, collection, ports)
        end = search.skip + search.limit
        if _is_by_time(collection, search):
            found = list(islice(_matching(documents, collection, search, is_by_time=True), end))
        else:
            found = ordered(list(_matching(documents, collection, search, is_by_time=False)), search)
        return [projected(body, search.fields) for body in found[search.skip : end]]

    return retry_on_missing_tile(attempt)


def changes_since(
    call: Call, user_id: str, collection: Collection, page: tuple[int, int], ports: NightscoutPorts
) -> Changes:
    """The documents that changed since a time, in the order of their changes.

    Args:
        page: the `srvModified` after which to begin, and how many documents at most; there may be fewer and yet more
            to come.

    Raises:
        MissingPermissionError: the credential may not read, or these are settings.
    """
    require_list(call, user_id, collection)
    since_ms, limit = page

    def attempt() -> Changes:
        view = DocumentView(ports.tiles.current(documents_owner_id(user_id)), ports)
        modified = _on_few_days(islice(view.modifications(collection, since_ms), limit))
        days = {modification.time_ms // DAY_MS for modification in modified}
        keys = {modification.key for modification in modified}
        found = view.with_keys(collection, keys, days, with_deleted=True) if keys else {}
        return _page([found[modification.key] for modification in modified if modification.key in found])

    return retry_on_missing_tile(attempt)


def last_changes(call: Call, user_id: str, ports: NightscoutPorts) -> Mapping[str, int]:
    """The last change of each collection that has documents, or the date of its newest one if that is later: one read.

    Raises:
        UnauthorizedError: the credential may not read.
    """
    call.require(user_id)
    owner = ports.data.data_sets.owner(documents_owner_id(user_id))
    modified_ms, newest_ms = last_modified_ms(owner), newest_time_ms(owner)
    return {
        str(collection): max(modified_ms.get(collection, 0), newest_ms[collection])
        for collection in newest_ms
        if collection is not Collection.SETTINGS
    }


def _is_by_time(collection: Collection, search: Search) -> bool:
    """Whether the order is that of the days, so that nothing has to be read behind the last document."""
    if collection is Collection.PROFILE:
        return False
    return search.sort in ("", "date") or (search.sort == CREATED_AT and collection is Collection.TREATMENTS)


def _matching(
    all_documents: AllDocuments, collection: Collection, search: Search, *, is_by_time: bool
) -> Iterator[Body]:
    """The documents that match, day by day.

    Raises:
        InvalidRequestError: more has to be read than a search may read.
    """
    span = Span() if collection is Collection.PROFILE else search.span  # profiles are kept by their start
    first_day = None if span.from_ms is None else span.from_ms // DAY_MS
    last_day = None if span.to_ms is None else span.to_ms // DAY_MS
    days = all_documents.days(first_day, last_day, newest_first=search.is_descending)
    days_read = documents_read = 0
    at_once = 1
    while batch := list(islice(days, at_once)):
        documents = list(all_documents.on_days(batch))
        days_read += len(batch)
        documents_read += len(documents)
        found = [body for body in map(shown, documents) if search.find.matches(body)]
        yield from ordered(found, search) if is_by_time else found
        if (days_read >= MAX_DAYS or documents_read >= MAX_DOCUMENTS) and next(days, None) is not None:
            raise InvalidRequestError("narrow the search by date")
        at_once = min(2 * at_once, MAX_DAYS_AT_ONCE)


def ordered(bodies: Sequence[Body], search: Search) -> list[Body]:
    """These documents in the order of a search."""
    names = (search.sort or "date", *_TIES)
    return sorted(bodies, key=lambda body: [place(body.get(name)) for name in names], reverse=search.is_descending)


def _on_few_days(modifications: Iterator[Modification]) -> Sequence[Modification]:
    """The first modifications, of documents of a few days."""
    found: list[Modification] = []
    days: set[int] = set()
    for modification in modifications:
        days.add(modification.time_ms // DAY_MS)
        if len(days) > MAX_DAYS_OF_PAGE:
            break
        found.append(modification)
    return found


def _page(documents: Sequence[Document]) -> Changes:
    """As many of the documents as fit into a page."""
    bodies: list[Body] = []
    size_bytes = 0
    for body in map(shown, documents):
        size_bytes += len(json_text.encode(body))
        if bodies and size_bytes > MAX_PAGE_BYTES:
            break
        bodies.append(body)
    return Changes(bodies, bodies[-1][SRV_MODIFIED] if bodies else None)
