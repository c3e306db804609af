"""All documents that a device finds: those that apps stored, and those that are made of the user's other data."""

from collections.abc import Iterator, Sequence
from heapq import merge
from itertools import groupby

from chalicelib.durations import DAY_MS
from chalicelib.log.documents_owner import documents_owner_id
from chalicelib.nightscout.document import Collection, Document, key_of_id, second_of_id
from chalicelib.nightscout.document_view import DocumentView
from chalicelib.nightscout.ports import NightscoutPorts
from chalicelib.nightscout.rendering.view import RENDERED_TYPES, RenderedDocuments
from chalicelib.nightscout.state import state_of


class AllDocuments:
    """The documents of one collection as one request sees them; `stored` has those that apps stored.

    Raises:
        TileMissingError: from any method, if a compaction replaced the manifest long ago: begin again.
    """

    def __init__(self, user_id: str, collection: Collection, ports: NightscoutPorts) -> None:
        self._collection = collection
        # Only what other APIs may have brought, too, depends on the user's data.
        owner_ids = [documents_owner_id(user_id), *([user_id] if collection in RENDERED_TYPES else [])]
        of_documents, *of_data = ports.tiles.current_of(owner_ids)
        self.stored = DocumentView(of_documents, ports)
        self._data_owner = of_data[0][0] if of_data else None
        self._rendered = RenderedDocuments.of(of_data[0], collection, ports) if of_data else None

    @property
    def state(self) -> str | None:
        """The state of all that was seen (`state_of`); None if a write was under way, or for collections that only
        apps store."""
        is_settled = self.stored.is_settled and (self._rendered is None or self._rendered.records.is_settled)
        if self._data_owner is None or not is_settled:
            return None
        return state_of(self.stored.owner, self._data_owner)

    @property
    def has_rendered(self) -> bool:
        """Whether documents may be made of other data."""
        return self._rendered is not None

    def days(self, first_day: int | None, last_day: int | None, *, newest_first: bool = True) -> Iterator[int]:
        """The days that may have documents; both ends are included, None means no limit."""
        stored = self.stored.days(self._collection, first_day, last_day, newest_first=newest_first)
        if self._rendered is None:
            return stored
        rendered = self._rendered.days(first_day, last_day)
        ordered = rendered if newest_first else iter(sorted(rendered))
        return (day for day, _ in groupby(merge(stored, ordered, reverse=newest_first)))

    def on_days(self, days: Sequence[int]) -> Iterator[Document]:
        """The documents of these days, newest first, as an iterator that makes them one by one."""
        stored = self.stored.on_days(self._collection, days)
        if self._rendered is None:
            yield from stored
            return
        by_day: dict[int, list[Document]] = {day: [] for day in days}
        for document in stored:
            by_day[document.time_ms // DAY_MS].append(document)
        for day, made in self._rendered.on_days(by_day):
            yield from merge(by_day[day], made, key=lambda document: document.time_ms, reverse=True)

    def with_id_of_server(self, document_id: str) -> Document | None:
        """The document with an `_id` that a server made; None if there is none.

        One that was moved here from another server has an `_id` that begins with the second in which it was stored
        there. It is found if that was on its day or on the next one.
        """
        key = key_of_id(document_id)
        named = self.stored.with_keys(self._collection, {key}).get(key)
        if named is not None and named.id == document_id:
            return named
        day = second_of_id(document_id) * 1000 // DAY_MS
        of_day = next((document for document in self.on_days([day]) if document.id == document_id), None)
        if of_day is not None:
            return of_day
        before = self.stored.on_days(self._collection, [day - 1])
        return next((document for document in before if document.id == document_id), None)
