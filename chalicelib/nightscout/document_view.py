"""The documents of a user as one request sees them, from tiles and from what is not in tiles yet.

Documents are the data of an owner of their own, beside the user: so they have a log, tiles, compaction and erasure as
all data has, and no reader of the user's data meets them (ADR 22).
"""

from collections import defaultdict
from collections.abc import Collection as Few
from collections.abc import Iterable, Iterator, Sequence
from heapq import merge
from itertools import groupby

from chalicelib.encoding.gzip_splice import inflated_lines
from chalicelib.log.data_set import OwnerState
from chalicelib.nightscout.document import Collection, Document, document_of
from chalicelib.nightscout.ports import NightscoutPorts
from chalicelib.reading.query import DataQuery
from chalicelib.reading.select import select_records
from chalicelib.reading.source_filters import SourceFilters
from chalicelib.tiles.manifest import TileRef
from chalicelib.tiles.tail import tiles_with_origins
from chalicelib.tiles.tile import TileKey, origin_key
from chalicelib.tiles.view import TileView

_ALL_SOURCES = SourceFilters(drops_carelink=False, medtronic_data_set_ids=frozenset())


class DocumentView:
    """The documents of a user, found by day and by key.

    Raises:
        TileMissingError: from any method, if a compaction replaced the manifest long ago: begin again.
    """

    def __init__(self, documents_owner_id: str, ports: NightscoutPorts) -> None:
        owner, manifest = ports.tiles.current(documents_owner_id)
        # Most users have no documents: nothing more is read for them.
        has_documents = owner.change_count > 0
        data_sets = ports.data.data_sets.of_owner(owner) if has_documents else []
        entries = ports.data.log.entries(owner, [], manifest.positions()) if has_documents else []
        self.owner: OwnerState = owner
        self._tiles = ports.tiles
        self._seen: dict[TileKey, list[Document]] = {}
        self._view = TileView(owner, manifest, data_sets[::-1], entries, ports.tiles)

    def days(self, collection: Collection, first_day: int | None, last_day: int | None) -> Iterator[int]:
        """The days that may have documents, newest first; both ends are included, None is no limit."""
        of_type = self._view.manifest.tiles.get(collection)
        refs: Iterable[TileRef] = () if of_type is None else of_type.between(first_day, last_day, newest_first=True)
        of_tail = sorted(
            (
                day
                for name, day in self._view.affected.keys
                if name == collection
                and (first_day is None or day >= first_day)
                and (last_day is None or day <= last_day)
            ),
            reverse=True,
        )
        return (day for day, _ in groupby(merge((ref.key.day for ref in refs), of_tail, reverse=True)))

    def on_days(self, collection: Collection, days: Iterable[int]) -> list[Document]:
        """The documents of these days, newest first; of equal times, the one that was stored last comes first."""
        wanted = {TileKey(collection, day) for day in days}
        found = [document for key, of_key in self._see(wanted).items() if key in wanted for document in of_key]
        return sorted(found, key=lambda document: document.time_ms)[::-1]

    def with_keys(self, collection: Collection, keys: Few[str], days: Iterable[int] = ()) -> dict[str, Document]:
        """The documents with these keys, by key.

        Args:
            days: the days of documents whose time follows from their key; empty to look keys up in the index.
        """
        wanted = {TileKey(collection, day) for day in days}
        if not wanted:
            named = set(tiles_with_origins(self.owner, set(map(origin_key, keys)), self._tiles))
            wanted = {key for key in named if key.type == collection}
        of_tail = {key for key in self._view.affected.keys if key.type == collection}
        found = [document for of_key in self._see(wanted | of_tail).values() for document in of_key]
        return {document.key: document for document in found if document.key in keys}

    def _see(self, keys: Few[TileKey]) -> dict[TileKey, list[Document]]:
        """The documents of these tiles and days of the tail. Each tile is read once."""
        missing = {key for key in keys if key not in self._seen}
        if missing:
            self._seen |= {key: [] for key in missing} | self._read(missing)
        return {key: self._seen[key] for key in keys}

    def _read(self, keys: Few[TileKey]) -> dict[TileKey, list[Document]]:
        refs = [ref for key in sorted(keys) if (ref := self._view.manifest.tile(key)) is not None]
        seen = self._view.see(refs, must_fold=lambda _: False)
        texts: dict[TileKey, Sequence[bytes]] = defaultdict(list)
        texts.update({key: inflated_lines(lines) for key, lines in seen.whole.items()})
        selected = select_records(seen.data, DataQuery(), _ALL_SOURCES)
        texts.update({key: of_tile.texts() for key, of_tile in selected.items()})
        return {key: [document_of(text) for text in of_key] for key, of_key in texts.items() if key in keys}
