"""The newest record of each type: from the newest records beside the manifest and from the tail.

Only the types of which these do not tell for certain are read from tiles. Source: data-api 9.
"""

from collections.abc import Iterable, Sequence

from chalicelib.encoding.gzip_splice import RecordArray
from chalicelib.log.data_set import DataSet
from chalicelib.reading.assemble import LATEST_TYPES, UPLOAD, latest_names, newest_by_days, upload_text
from chalicelib.reading.query import DataQuery
from chalicelib.reading.select import select_records
from chalicelib.reading.source_filters import SourceFilters
from chalicelib.tiles.newest import NewestRecords
from chalicelib.tiles.tile import TileKey
from chalicelib.tiles.view import TileView


def latest_records(
    view: TileView, query: DataQuery, filters: SourceFilters, uploads: Sequence[DataSet], kept: NewestRecords | None
) -> RecordArray:
    """The newest selected record of each type, in the order of the types asked for.

    Args:
        kept: the newest records beside the manifest; None if they are not there, or if the query selects by more than
            the type.
    """
    names = latest_names(query)
    certain = [] if kept is None else [name for name in names if not filters.may_drop(name)]
    newest = {} if kept is None else _certain(view, filters, certain, kept)
    newest |= newest_by_days(view, query, filters, [name for name in names if name not in newest])
    found = {name: text for name, text in newest.items() if text is not None}
    if uploads:
        found[UPLOAD] = upload_text(uploads[-1])
    return RecordArray((tuple(found[name] for name in query.types or LATEST_TYPES if name in found),))


def _certain(
    view: TileView, filters: SourceFilters, names: Iterable[str], kept: NewestRecords
) -> dict[str, bytes | None]:
    """The newest records of those of the types for which they are certain, None for a type without any."""
    names = [name for name in names if view.keeps_newest(name, kept.get(name))]
    found: dict[str, bytes | None] = {}
    of_tail = _newest_of_tail(view, filters, names, kept)
    for name in names:
        record = kept.get(name)
        time_ms, text = of_tail.get(name, (None, None))
        if record is None:
            found[name] = text
        elif time_ms is None or time_ms < record.time_ms:
            if record.text is not None:
                found[name] = record.text
        elif time_ms > record.time_ms:  # of equal times, the order of their data sets decides
            found[name] = text
    return found


def _newest_of_tail(
    view: TileView, filters: SourceFilters, names: Sequence[str], kept: NewestRecords
) -> dict[str, tuple[int, bytes]]:
    """The time and the text of the newest visible record of each type in the tail, from the kept record's day on."""
    keys = {
        key
        for key in view.affected.keys
        if key.type in names and ((record := kept.get(key.type)) is None or key.day >= record.day)
    }
    if not keys:
        return {}
    of_tail = select_records(view.see((), must_fold=lambda _: False).data, DataQuery(types=tuple(names)), filters)
    newest: dict[str, tuple[int, bytes]] = {}
    for key in sorted(keys & of_tail.keys()):
        of_day = of_tail[TileKey(*key)]
        newest[key.type] = max(of_day.times_ms), of_day.texts()[-1]
    return newest
