"""An index of an export's records by data set, in the order in which they are sent. Kept on disk, not in memory."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import groupby
from pathlib import Path

from strandline.cli.folder import Json, data_files
from strandline.cli.links import link_of, links

_TABLES = """
CREATE TABLE record (number INTEGER PRIMARY KEY, data_set TEXT, file INTEGER, offset_bytes INTEGER, origin TEXT);
CREATE INDEX of_data_set ON record (data_set);
CREATE TABLE wanted (id TEXT, data_set TEXT, PRIMARY KEY (id, data_set));
CREATE TABLE embedded (id TEXT, data_set TEXT, body TEXT, PRIMARY KEY (id, data_set));
"""
_IN_GROUPS = """
SELECT file, offset_bytes, first FROM (
    SELECT number, file, offset_bytes, MIN(number) OVER (PARTITION BY COALESCE(origin, number)) AS first
    FROM record WHERE data_set = ?
) ORDER BY first, number
"""


class RecordIndex:
    """The index of an export's data files, a database at `path` until it is closed."""

    def __init__(self, folder: Path, path: Path, advance: Callable[[int], None]) -> None:
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)  # it holds records, which only the owner may read
        self._files = data_files(folder)
        self._path = path
        self._database = sqlite3.connect(path)
        self._database.executescript(f"PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; {_TABLES}")
        wanted = ((link.id, record.get("uploadId")) for record, link in links(folder))
        self._database.executemany("INSERT OR IGNORE INTO wanted VALUES (?, ?)", wanted)
        for number, file in enumerate(self._files):
            self._add(number, file, advance)
        self._database.commit()

    def close(self) -> None:
        """Close and delete the database."""
        self._database.close()
        self._path.unlink(missing_ok=True)

    def count(self, data_set_id: str) -> int:
        """The number of records of a data set, without embedded ones."""
        query = "SELECT COUNT(*) FROM record WHERE data_set = ?"
        return int(self._database.execute(query, (data_set_id,)).fetchone()[0])

    def groups(self, data_set_id: str) -> Iterator[list[Json]]:
        """The records of a data set, always in the same order, with their linked records embedded again.

        Records with the same origin id are one group: a server replaces records by origin id between requests, but
        keeps all records of one request, so a group must not be split.
        """
        with ExitStack() as stack:
            opened = [stack.enter_context(file.open("rb")) for file in self._files]
            rows = self._database.execute(_IN_GROUPS, (data_set_id,))
            for _, rows_of_group in groupby(rows, key=lambda row: row[2]):
                group = []
                for file, offset_bytes, _ in rows_of_group:
                    opened[file].seek(offset_bytes)
                    group.append(self._with_embedded(json.loads(opened[file].readline()), data_set_id))
                yield group

    def _add(self, number: int, path: Path, advance: Callable[[int], None]) -> None:
        may_be_wanted = path.stem in ("bolus", "deviceEvent")
        with path.open("rb") as file:
            offset_bytes = 0
            for line in file:
                record = json.loads(line)
                key = (record.get("id"), record.get("uploadId"))
                if (
                    may_be_wanted
                    and self._database.execute("SELECT 1 FROM wanted WHERE id = ? AND data_set = ?", key).fetchone()
                ):
                    self._database.execute("INSERT OR REPLACE INTO embedded VALUES (?, ?, ?)", (*key, line.decode()))
                else:
                    origin = (record.get("origin") or {}).get("id")
                    row = (record.get("uploadId"), number, offset_bytes, None if origin is None else f"id {origin}")
                    self._database.execute(
                        "INSERT INTO record (data_set, file, offset_bytes, origin) VALUES (?, ?, ?, ?)", row
                    )
                offset_bytes += len(line)
                advance(1)

    def _with_embedded(self, record: Json, data_set_id: str) -> Json:
        link = link_of(record)
        if link is None:
            return record
        query = "SELECT body FROM embedded WHERE id = ? AND data_set = ?"
        row = self._database.execute(query, (link.id, data_set_id)).fetchone()
        rest = {name: value for name, value in record.items() if name != link.member}
        return rest if row is None else rest | {link.member: json.loads(row[0])}
