"""Imports data sets and their records.

The server may have carried out a request that was begun but not confirmed. The records of an open normal data set
cannot be read, so such a data set is deleted and imported again from its start. In a continuous data set, the records
of that request are deleted by id and sent again. So no record is stored twice, whatever the deduplicator.
"""

import json
import re
import secrets
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

from strandline.cli.errors import CommandError, RefusedError
from strandline.cli.folder import Json, line_of
from strandline.cli.journal import Journal, open_private
from strandline.cli.progress import Progress
from strandline.cli.record_index import RecordIndex
from strandline.cli.sendable import described, sendable, with_ids_replaced
from strandline.cli.server import Server

CHUNK_RECORDS = 1000
CHUNK_BYTES = 3_000_000
INVALID, FORBIDDEN, NOT_FOUND, CONFLICT, TOO_LARGE = 400, 403, 404, 409, 413
CONTINUOUS = "continuous"

Group = list[Json]


class DataImport:
    """The import of one account's data; call `put` once for each data set."""

    def __init__(
        self,
        server: Server,
        user_id: str,
        index: RecordIndex,
        journal: Journal,
        counts: Counter[str],
        progress: Progress,
    ) -> None:
        self._server, self._user_id, self._index = server, user_id, index
        self._journal, self._counts, self._progress = journal, counts, progress
        self._blob_ids = {state["id"]: state["newId"] for state in journal.states("blobs") if "newId" in state}

    def put(self, data_set: Json) -> None:
        """Create the data set, add its records, and close it if it was closed.

        Raises:
            CommandError: the server refuses anything other than single records.
        """
        old_id = data_set["uploadId"]
        state = self._recovered(data_set)
        if state["step"] == "done":
            self._progress.advance(self._index.count(old_id))
            return
        self._progress.advance(state["added"])
        # Groups are sent whole, so the imported records end at the end of a group.
        for chunk in _chunks(_after(self._index.groups(old_id), state["added"]), self._blob_ids):
            state = self._add(state, chunk)
        if data_set.get("_state") == "closed":
            self._close(state["newId"], may_refuse=data_set.get("dataSetType") == CONTINUOUS)
        self._note(state, step="done")
        self._counts["data_sets"] += 1

    def _recovered(self, data_set: Json) -> Json:
        """The state of a data set after an interrupted step was repaired: `open` or `done`."""
        old_id = data_set["uploadId"]
        state = self._journal.state("data_set", old_id)
        if state is None:
            return self._open(data_set)
        if state["step"] == "opening":
            return self._note(state, step="open") if self._exists(state["newId"]) else self._open(data_set)
        if state["step"] != "adding":
            return state
        if data_set.get("dataSetType") != CONTINUOUS:
            self._server.json("DELETE", f"/v1/data_sets/{state['newId']}")
            return self._open(data_set)
        begun = list(islice(_flat(_after(self._index.groups(old_id), state["added"])), state["adding"]))
        selectors = [{"id": id_} for record in begun for id_ in _ids(sendable(record, {}))]
        if selectors:
            self._server.json("DELETE", f"/v1/data_sets/{state['newId']}/data", selectors)
        return self._note(state, step="open")

    def _open(self, data_set: Json) -> Json:
        new_id = secrets.token_hex(16)
        state = {"id": data_set["uploadId"], "newId": new_id, "added": 0, "refused": 0}
        self._note(state, step="opening")
        body = with_ids_replaced(described(data_set), self._blob_ids) | {"uploadId": new_id}
        self._server.json("POST", f"/v1/users/{self._user_id}/data_sets", body)
        return self._note(state, step="open")

    def _exists(self, data_set_id: str) -> bool:
        try:
            self._server.json("GET", f"/v1/data_sets/{data_set_id}")
        except RefusedError as error:
            if error.status == NOT_FOUND:
                return False
            if error.status != FORBIDDEN:  # it exists, but belongs to somebody else
                raise
        return True

    def _add(self, state: Json, chunk: list[Group]) -> Json:
        """Add groups of records, except records that the server refuses; return the new state."""
        records = [record for group in chunk for record in group]
        state = self._note(state, step="adding", adding=len(records))
        try:
            refused = self._post(state["newId"], records)
        except RefusedError as error:
            if error.status != TOO_LARGE or len(chunk) == 1:
                raise
            middle = len(chunk) // 2
            return self._add(self._add(self._note(state, step="open"), chunk[:middle]), chunk[middle:])
        self._counts["records"] += len(records) - refused
        self._progress.advance(len(records))
        return self._note(state, step="open", added=state["added"] + len(records), refused=state["refused"] + refused)

    def _post(self, data_set_id: str, records: list[Json]) -> int:
        """Add records and return how many the server refused. Those are kept beside the journal with the errors.

        Raises:
            RefusedError: the server refuses the request without naming records.
        """
        path = f"/v1/data_sets/{data_set_id}/data"
        try:
            self._server.json("POST", path, records)
        except RefusedError as error:
            errors = _errors_by_record(error) if error.status == INVALID else {}
            refused = {index: errors[index] for index in errors if index < len(records)}
            if not refused:
                raise
            with open_private(self._journal.refused_path) as file:
                file.writelines(
                    line_of({"errors": refused[index], "record": records[index]}) for index in sorted(refused)
                )
            rest = [record for index, record in enumerate(records) if index not in refused]
            return len(refused) + (self._post(data_set_id, rest) if rest else 0)
        return 0

    def _close(self, data_set_id: str, *, may_refuse: bool) -> None:
        """Close a data set, which may be closed already. Tidepool allows no user to close a continuous one."""
        try:
            self._server.json("PUT", f"/v1/data_sets/{data_set_id}", {"dataState": "closed"})
        except RefusedError as error:
            if error.status != CONFLICT and not (may_refuse and error.status == FORBIDDEN):
                raise

    def _note(self, state: Json, **changes: object) -> Json:
        after = {name: value for name, value in state.items() if name not in ("kind", "adding")} | changes
        self._journal.record("data_set", after["id"], **{name: value for name, value in after.items() if name != "id"})
        return after


def _after(groups: Iterator[Group], count: int) -> Iterator[Group]:
    """The groups after this number of records."""
    while count > 0:
        group = next(groups, None)
        if group is None:
            raise CommandError("the journal has more records than the export.")
        count -= len(group)
    yield from groups


def _ids(record: Json) -> list[str]:
    """The ids of a record and of the records embedded in it."""
    embedded = [value for value in (record.get("bolus"), record.get("status")) if isinstance(value, dict)]
    return [part["id"] for part in (record, *embedded) if "id" in part]


def _flat(groups: Iterator[Group]) -> Iterator[Json]:
    for group in groups:
        yield from group


def _chunks(groups: Iterator[Group], blob_ids: dict[str, str]) -> Iterator[list[Group]]:
    """The groups in the form in which they are sent, as many in a chunk as a request may hold."""
    chunk: list[Group] = []
    records = size_bytes = 0
    for group in groups:
        sent = [sendable(record, blob_ids) for record in group]
        group_bytes = sum(len(json.dumps(record, separators=(",", ":"))) + 1 for record in sent)
        if chunk and (records + len(sent) > CHUNK_RECORDS or size_bytes + group_bytes > CHUNK_BYTES):
            yield chunk
            chunk, records, size_bytes = [], 0, 0
        chunk.append(sent)
        records, size_bytes = records + len(sent), size_bytes + group_bytes
    if chunk:
        yield chunk


def _errors_by_record(error: RefusedError) -> dict[int, list[Any]]:
    """The errors of a reply by the index of the record that they point to; empty unless each points to a record."""
    try:
        body = json.loads(error.body)
    except ValueError:
        return {}
    by_index: dict[int, list[Any]] = {}
    for fault in body.get("errors", [body]):
        match = re.match(r"/(\d+)(/|$)", str((fault.get("source") or {}).get("pointer")))
        if match is None:
            return {}
        by_index.setdefault(int(match[1]), []).append(fault)
    return by_index
