"""Putting data sets and their records into an account.

A request that was begun and not confirmed may have been carried out. What a normal data set has then taken is not
known and cannot be seen, so it is deleted, unseen, and put again from its start; of a continuous one, the records of
that request are deleted by their ids and sent again. So nothing is there twice, whatever the deduplicator.
"""

import json
import re
import secrets
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

from strandline_cli.errors import CommandError, RefusedError
from strandline_cli.folder import Json, line_of
from strandline_cli.journal import Journal
from strandline_cli.progress import Progress
from strandline_cli.record_index import RecordIndex
from strandline_cli.sendable import described, sendable, with_ids_replaced
from strandline_cli.server import Server

CHUNK_RECORDS = 1000
CHUNK_BYTES = 3_000_000
INVALID, FORBIDDEN, NOT_FOUND, CONFLICT, TOO_LARGE = 400, 403, 404, 409, 413
CONTINUOUS = "continuous"

Group = list[Json]


class DataImport:
    """One account's data on its way; `put` each data set once."""

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
        """Open a data set like this one, add its records, and close it if it was closed.

        Raises:
            CommandError: the server refuses something other than single records.
        """
        old_id = data_set["uploadId"]
        state = self._recovered(data_set)
        if state["step"] == "done":
            self._progress.advance(self._index.count(old_id))
            return
        self._progress.advance(state["added"])
        # Whole groups were sent, so the records that are done end where a group ends.
        for chunk in _chunks(_after(self._index.groups(old_id), state["added"]), self._blob_ids):
            state = self._add(state, chunk)
        if data_set.get("_state") == "closed":
            self._close(state["newId"], may_refuse=data_set.get("dataSetType") == CONTINUOUS)
        self._note(state, step="done")
        self._counts["data_sets"] += 1

    def _recovered(self, data_set: Json) -> Json:
        """The state of a data set that is open, or done."""
        old_id = data_set["uploadId"]
        state = self._journal.state("data_set", old_id)
        if state is None:
            return self._open(data_set)
        if state["step"] == "opening":
            return self._note(state, step="open") if self._is_there(state["newId"]) else self._open(data_set)
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

    def _is_there(self, data_set_id: str) -> bool:
        try:
            self._server.json("GET", f"/v1/data_sets/{data_set_id}")
        except RefusedError as error:
            if error.status == NOT_FOUND:
                return False
            if error.status != FORBIDDEN:  # somebody else's, hence there
                raise
        return True

    def _add(self, state: Json, chunk: list[Group]) -> Json:
        """The state once these groups are there, but for records that the server refuses."""
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
        """How many records the server refused; they are kept beside the journal with the reason, the others are added.

        Raises:
            RefusedError: the server refuses the request and names no records.
        """
        path = f"/v1/data_sets/{data_set_id}/data"
        try:
            self._server.json("POST", path, records)
        except RefusedError as error:
            errors = _errors_by_record(error) if error.status == INVALID else {}
            bad = {place: errors[place] for place in errors if place < len(records)}
            if not bad:
                raise
            with self._journal.refused_path.open("ab") as file:
                file.writelines(line_of({"errors": bad[place], "record": records[place]}) for place in sorted(bad))
            rest = [record for place, record in enumerate(records) if place not in bad]
            return len(bad) + (self._post(data_set_id, rest) if rest else 0)
        return 0

    def _close(self, data_set_id: str, *, may_refuse: bool) -> None:
        """Close a data set; one that is closed already is no error. Tidepool lets no user close a continuous one."""
        try:
            self._server.json("PUT", f"/v1/data_sets/{data_set_id}", {"dataState": "closed"})
        except RefusedError as error:
            if error.status != CONFLICT and not (may_refuse and error.status == FORBIDDEN):
                raise

    def _note(self, state: Json, **changes: object) -> Json:
        after = {name: value for name, value in state.items() if name not in ("kind", "adding")} | changes
        self._journal.note("data_set", after["id"], **{name: value for name, value in after.items() if name != "id"})
        return after


def _after(groups: Iterator[Group], count: int) -> Iterator[Group]:
    """The groups after this number of records."""
    while count > 0:
        group = next(groups, None)
        if group is None:
            raise CommandError("the journal knows of more records than the export has.")
        count -= len(group)
    yield from groups


def _ids(record: Json) -> list[str]:
    """The ids of a record and of what is embedded in it."""
    embedded = [value for value in (record.get("bolus"), record.get("status")) if isinstance(value, dict)]
    return [one["id"] for one in (record, *embedded) if "id" in one]


def _flat(groups: Iterator[Group]) -> Iterator[Json]:
    for group in groups:
        yield from group


def _chunks(groups: Iterator[Group], blob_ids: dict[str, str]) -> Iterator[list[Group]]:
    """The groups as they are sent, as many at once as a request may have."""
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
    """The errors of an answer by the place of the record that they point to, if all of them point to one."""
    try:
        body = json.loads(error.body)
    except ValueError:
        return {}
    by_place: dict[int, list[Any]] = {}
    for one in body.get("errors", [body]):
        found = re.match(r"/(\d+)(/|$)", str((one.get("source") or {}).get("pointer")))
        if found is None:
            return {}
        by_place.setdefault(int(found[1]), []).append(one)
    return by_place
