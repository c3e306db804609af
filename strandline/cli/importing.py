"""Imports an export into an account of any server that speaks the Tidepool API."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from strandline.cli import folder as files
from strandline.cli.errors import RefusedError
from strandline.cli.exporting import NOT_AVAILABLE
from strandline.cli.folder import Json, Manifest, read_json, read_lines, verified
from strandline.cli.importing_contents import import_contents
from strandline.cli.importing_data import DataImport
from strandline.cli.journal import Journal
from strandline.cli.nightscout.documents import has_documents, import_documents, is_derived, refused_documents
from strandline.cli.notes import import_notes
from strandline.cli.progress import Progress
from strandline.cli.record_index import RecordIndex
from strandline.cli.server import Server


@dataclass(frozen=True, slots=True)
class ImportResult:
    """The counts of what this run imported, and of what the server refused.

    `refused` counts the records, notes and documents that it refused in all runs, which `refused_path` holds.
    `left_out` names what it takes none of.
    """

    counts: Counter[str]
    refused: int
    refused_path: Path
    left_out: list[str] = field(default_factory=list)


def import_account(server: Server, user_id: str, source: Path) -> ImportResult:
    """Import an export into an account. A run skips the steps that an earlier run of the same import completed.

    Raises:
        CommandError: the export is damaged, or the server refuses anything other than single records.
    """
    manifest = verified(source)
    counts: Counter[str] = Counter()
    with Journal(source, server.base_url, user_id) as journal:
        _import_collections(server, user_id, source, journal, counts)
        for kind in files.CONTENTS:
            import_contents(server, user_id, source, kind, journal, counts)
        left_out = _import_documents(server, user_id, source, manifest, journal, counts)
        server_derives = not left_out and has_documents(source)
        _import_data(_Data(server, user_id, source, manifest, server_derives), journal, counts)
        left_out += _import_notes(server, user_id, source, journal, counts)
        states = [*journal.states("data_set"), *journal.states("note")]
        refused = sum(int(state.get("refused", 0)) for state in states) + refused_documents(journal)
        return ImportResult(counts, refused, journal.refused_path, left_out)


def _import_documents(
    server: Server, user_id: str, source: Path, manifest: Manifest, journal: Journal, counts: Counter[str]
) -> list[str]:
    """Import Nightscout documents; returns what the server takes none of."""
    try:
        import_documents(server, user_id, source, journal, counts, manifest.counts)
    except RefusedError as error:
        if error.status not in NOT_AVAILABLE:
            raise
        return ["Nightscout documents"]
    return []


def _import_notes(server: Server, user_id: str, source: Path, journal: Journal, counts: Counter[str]) -> list[str]:
    """Import notes; returns what the server takes none of."""
    try:
        import_notes(server, user_id, source, journal, counts)
    except RefusedError as error:
        if error.status not in NOT_AVAILABLE:
            raise
        return ["notes"]
    return []


def _import_collections(server: Server, user_id: str, source: Path, journal: Journal, counts: Counter[str]) -> None:
    for name in files.COLLECTIONS:
        values = read_json(source / "metadata" / f"{name}.json")
        if values is not None and journal.state("collection", name) is None:
            server.json("PUT", f"/metadata/{quote(user_id)}/{name}", values)
            journal.record("collection", name)
            counts[name] += 1


@dataclass(frozen=True, slots=True)
class _Data:
    """The data of an export, and the account into which it is imported."""

    server: Server
    user_id: str
    source: Path
    manifest: Manifest
    server_derives: bool
    """True if the server derives records from the documents that it was sent, so that they are not sent again."""


def _import_data(data: _Data, journal: Journal, counts: Counter[str]) -> None:
    source = data.source
    data_sets = list(read_lines(source / files.DATA_SETS))
    if data.server_derives:
        data_sets = [data_set for data_set in data_sets if not is_derived(data_set)]
    done = {state["id"] for state in journal.states("data_set") if state["step"] == "done"}
    if all(data_set["uploadId"] in done for data_set in data_sets):
        return
    total = sum(count for name, count in data.manifest.counts.items() if name.startswith("data/"))
    with Progress("reading", total) as progress:
        index = RecordIndex(source, journal.path.with_suffix(".sqlite"), progress.advance)
    try:
        wanted = [
            data_set
            for data_set in sorted(data_sets, key=_import_order)
            if "deletedTime" not in data_set or index.count(data_set["uploadId"])
        ]
        with Progress("data", sum(index.count(data_set["uploadId"]) for data_set in wanted)) as progress:
            importing = DataImport(data.server, data.user_id, index, journal, counts, progress)
            for data_set in wanted:
                importing.put(data_set)
    finally:
        index.close()


def _import_order(data_set: Json) -> tuple[bool, datetime]:
    """The sort key of a data set: normal ones in the order in which they were closed, because closing one may hide data
    of others; then continuous ones, which may stay open."""
    return data_set.get("dataSetType") == "continuous", files.time_of(data_set, "modifiedTime")
