"""The data of a user that came by other APIs, as documents of one collection."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from chalicelib.durations import DAY_MS
from chalicelib.frozen import frozen
from chalicelib.log.data_set import OwnerState
from chalicelib.log.documents_owner import DERIVING_CLIENT, derived_data_set_ids
from chalicelib.log.records import bodies_of
from chalicelib.nightscout.document import Collection, Document
from chalicelib.nightscout.ports import NightscoutPorts
from chalicelib.nightscout.rendering.doubles import record_key, shown_keys
from chalicelib.nightscout.rendering.entries import ENTRY_TYPES, MAX_GAP_MS, rendered_entries
from chalicelib.nightscout.rendering.profiles import PROFILE_TYPES, rendered_profiles
from chalicelib.nightscout.rendering.record import Record, time_ms_of
from chalicelib.nightscout.rendering.treatments import TREATMENT_TYPES, rendered_treatments
from chalicelib.reading.records_by_day import RecordsByDay
from chalicelib.tiles.manifest import Manifest

RENDERED_TYPES: Mapping[Collection, tuple[str, ...]] = {
    Collection.ENTRIES: ENTRY_TYPES,
    Collection.TREATMENTS: TREATMENT_TYPES,
    Collection.PROFILE: PROFILE_TYPES,
}
"""The types of records of which documents of a collection are made."""


@frozen
class RenderedDocuments:
    """The documents that one request makes of a user's records, by day. Records that were derived from documents are
    left out.

    Raises:
        TileMissingError: from any method, if a compaction replaced the manifest long ago: begin again.
    """

    collection: Collection
    records: RecordsByDay
    derived_ids: frozenset[str]

    @staticmethod
    def of(
        current: tuple[OwnerState, Manifest], collection: Collection, ports: NightscoutPorts
    ) -> "RenderedDocuments | None":
        """The documents of a user, or None if all of the user's data is derived from documents: then nothing is read.

        Args:
            current: the counters of the user and the manifest, as `TileReader.current` returns them.
        """
        types = RENDERED_TYPES[collection]
        derived_ids = derived_data_set_ids(current[0].id)
        if not _has_other_data(current[0], types, derived_ids):
            return None
        return RenderedDocuments(collection, RecordsByDay(current, types, ports.reading), derived_ids)

    def days(self, first_day: int | None, last_day: int | None) -> Iterator[int]:
        """The days that may have documents, newest first; both ends are included, None means no limit."""
        return self.records.days(first_day, last_day)

    def on_days(self, stored: Mapping[int, Sequence[Document]]) -> Iterator[tuple[int, Iterator[Document]]]:
        """The documents of some days, newest first, each day as an iterator, newest first.

        Args:
            stored: the days, each with the stored documents of the collection: what they show is left out.
        """
        by_key = self.records.on_days(stored)
        for day in sorted(stored, reverse=True):
            texts = [text for key, of_key in by_key.items() if key.day == day for text in of_key]
            records = sorted(bodies_of(texts), key=time_ms_of) if texts else []
            yield day, self._on_day(day, records, stored[day])

    def _on_day(self, day: int, records: Sequence[Record], stored: Iterable[Document]) -> Iterator[Document]:
        shown = shown_keys(stored) if records else set()

        def is_shown(record: Record) -> bool:
            return record.get("uploadId") not in self.derived_ids and record_key(record) not in shown

        if self.collection is Collection.ENTRIES:
            return rendered_entries(records, is_shown, lambda: self._last_reading(day, records))
        render = _RENDERERS[self.collection]
        return iter(render([record for record in records if is_shown(record)]))

    def _last_reading(self, day: int, records: Sequence[Record]) -> Record | None:
        """The last reading before a day, if it is near enough to the first one of the day to matter."""
        first_ms = next((time_ms_of(record) for record in records if record["type"] == "cbg"), None)
        if first_ms is None or first_ms - day * DAY_MS > MAX_GAP_MS:
            return None
        texts = [text for of_key in self.records.on_days([day - 1], ("cbg",)).values() for text in of_key]
        return max(bodies_of(texts), key=time_ms_of) if texts else None


_RENDERERS: Mapping[Collection, Callable[[Sequence[Record]], list[Document]]] = {
    Collection.TREATMENTS: rendered_treatments,
    Collection.PROFILE: rendered_profiles,
}


def _has_other_data(owner: OwnerState, types: Iterable[str], derived_ids: frozenset[str]) -> bool:
    """Whether a user has, or ever had, records of these types that are not derived from documents."""
    freshness = owner.freshness
    newest = [of.newest for data_set_id, of in freshness.data_sets.items() if data_set_id not in derived_ids]
    newest += [of_client for client, of_client in freshness.clients.items() if client != DERIVING_CLIENT]
    return any(name in of_source for name in types for of_source in newest)
