"""The documents of a user as one request sees them, from tiles and from what is not in tiles yet.

Documents are the data of an owner of their own, beside the user: so they have a log, tiles, compaction and erasure as
all data has, and no reader of the user's data meets them (ADR 22).
"""

from collections.abc import Collection as Few
from collections.abc import Iterable, Iterator
from heapq import merge
from itertools import groupby

from chalicelib.durations import DAY_MS
from chalicelib.encoding.gzip_splice import inflated_lines
from chalicelib.log.data_set import OwnerState
from chalicelib.nightscout.document import Collection, Document, document_of
from chalicelib.nightscout.modification import Modification, modification_of, modification_type
from chalicelib.nightscout.ports import NightscoutPorts
from chalicelib.reading.etag import is_settled
from chalicelib.reading.query import DataQuery
from chalicelib.reading.select import select_records
from chalicelib.reading.source_filters import SourceFilters
from chalicelib.tiles.manifest import Manifest, TileRef
from chalicelib.tiles.tail import tiles_with_origins
from chalicelib.tiles.tile import TileKey, origin_key
from chalicelib.tiles.view import TileView

_ALL_SOURCES = SourceFilters(drops_carelink=False, medtronic_data_set_ids=frozenset())


class DocumentView:
    """The documents of a user, found by day and by key.

    Args:
        current: the counters of the documents' owner and the manifest, as `TileReader.current` returns them.

    Raises:
        TileMissingError: from any method, if a compaction replaced the manifest long ago: begin again.
    """

    def __init__(self, current: tuple[OwnerState, Manifest], ports: NightscoutPorts) -> None:
        owner, manifest = current
        # Most users have no documents: nothing more is read for them.
        has_documents = owner.change_count > 0
        data_sets = ports.data.data_sets.of_owner(owner) if has_documents else []
        entries = ports.data.log.entries(owner, [], manifest.positions()) if has_documents else []
        self.owner: OwnerState = owner
        last_numbers = manifest.positions() | {entry.data_set_id: entry.number for entry in entries}
        self.is_settled: bool = is_settled(owner, data_sets, last_numbers)
        """Whether the counters count nothing that this view does not see (`reading.etag`)."""
        self._tiles = ports.tiles
        self._seen: dict[TileKey, list[bytes]] = {}
        self._view = TileView(owner, manifest, data_sets[::-1], entries, ports.tiles)

    def days(
        self, collection: Collection, first_day: int | None, last_day: int | None, *, newest_first: bool = True
    ) -> Iterator[int]:
        """The days that may have documents; both ends are included, None means no limit."""
        return self._days(collection, first_day, last_day, newest_first=newest_first)

    def on_days(self, collection: Collection, days: Iterable[int]) -> list[Document]:
        """The documents of these days, newest first; of equal times, the one that was stored last comes first. Deleted
        ones are left out."""
        wanted = {TileKey(collection, day) for day in days}
        found = [document_of(text) for texts in self._see(wanted).values() for text in texts]
        valid = (document for document in found if not document.is_deleted)
        return sorted(valid, key=lambda document: document.time_ms)[::-1]

    def with_keys(
        self, collection: Collection, keys: Few[str], days: Iterable[int] = (), *, with_deleted: bool = False
    ) -> dict[str, Document]:
        """The documents with these keys, by key.

        Args:
            days: the days of documents whose time follows from their key; empty to look keys up in the index.
            with_deleted: whether deleted documents are among them.
        """
        wanted = {TileKey(collection, day) for day in days}
        if not wanted:
            named = set(tiles_with_origins(self.owner, set(map(origin_key, keys)), self._tiles))
            wanted = {key for key in named if key.type == collection}
        wanted |= {key for key in self._view.affected.keys if key.type == collection}
        found = {
            document.key: document
            for texts in self._see(wanted).values()
            for document in map(document_of, texts)
            if document.key in keys
        }
        return {key: document for key, document in found.items() if with_deleted or not document.is_deleted}

    def modifications(self, collection: Collection, since_ms: int) -> Iterator[Modification]:
        """The modifications after `since_ms`, oldest first, read day by day."""
        name = modification_type(collection)
        for day in self._days(name, since_ms // DAY_MS, None, newest_first=False):
            key = TileKey(name, day)
            of_day = map(modification_of, self._see({key})[key])
            later = (modification for modification in of_day if modification.modified_ms > since_ms)
            yield from sorted(later, key=lambda modification: modification.modified_ms)

    def _days(self, name: str, first_day: int | None, last_day: int | None, *, newest_first: bool) -> Iterator[int]:
        of_type = self._view.manifest.tiles.get(name)
        refs: Iterable[TileRef] = (
            () if of_type is None else of_type.between(first_day, last_day, newest_first=newest_first)
        )
        of_tail = sorted(
            (
                key.day
                for key in self._view.affected.keys
                if key.type == name
                and (first_day is None or key.day >= first_day)
                and (last_day is None or key.day <= last_day)
            ),
            reverse=newest_first,
        )
        return (day for day, _ in groupby(merge((ref.key.day for ref in refs), of_tail, reverse=newest_first)))

    def _see(self, keys: Few[TileKey]) -> dict[TileKey, list[bytes]]:
        """The stored records of these tiles and days of the tail. Each tile is read once."""
        missing = {key for key in keys if key not in self._seen}
        if missing:
            self._seen |= {key: [] for key in missing} | self._read(missing)
        return {key: self._seen[key] for key in keys}

    def _read(self, keys: Few[TileKey]) -> dict[TileKey, list[bytes]]:
        refs = [ref for key in sorted(keys) if (ref := self._view.manifest.tile(key)) is not None]
        seen = self._view.see(refs, must_fold=lambda _: False)
        texts: dict[TileKey, list[bytes]] = {key: inflated_lines(tile.lines) for key, tile in seen.whole.items()}
        selected = select_records(seen.data, DataQuery(), _ALL_SOURCES)
        texts.update({key: of_tile.texts() for key, of_tile in selected.items()})
        return {key: of_key for key, of_key in texts.items() if key in keys}
