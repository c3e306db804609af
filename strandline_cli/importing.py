"""Putting an export into an account of any server that speaks the Tidepool API."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from strandline_cli import folder as files
from strandline_cli.folder import Json, Manifest, read_json, read_lines, verified
from strandline_cli.importing_contents import import_contents
from strandline_cli.importing_data import DataImport
from strandline_cli.journal import Journal
from strandline_cli.progress import Progress
from strandline_cli.record_index import RecordIndex
from strandline_cli.server import Server


@dataclass(frozen=True, slots=True)
class Imported:
    """What was put this time, and how many records the server has refused in all runs (`refused_path` holds them)."""

    counts: Counter[str]
    refused: int
    refused_path: Path


def import_account(server: Server, user_id: str, source: Path) -> Imported:
    """What was put into the account; what an earlier import of this folder put there already is left alone.

    Raises:
        CommandError: the export is damaged, or the server refuses something other than single records.
    """
    manifest = verified(source)
    counts: Counter[str] = Counter()
    with Journal(source, server.base_url, user_id) as journal:
        _import_collections(server, user_id, source, journal, counts)
        for kind in files.CONTENTS:
            import_contents(server, user_id, source, kind, journal, counts)
        _import_data(server, user_id, source, manifest, journal, counts)
        refused = sum(int(state.get("refused", 0)) for state in journal.states("data_set"))
        return Imported(counts, refused, journal.refused_path)


def _import_collections(server: Server, user_id: str, source: Path, journal: Journal, counts: Counter[str]) -> None:
    for name in files.COLLECTIONS:
        values = read_json(source / "metadata" / f"{name}.json")
        if values is not None and journal.state("collection", name) is None:
            server.json("PUT", f"/metadata/{quote(user_id)}/{name}", values)
            journal.note("collection", name)
            counts[name] += 1


def _import_data(
    server: Server, user_id: str, source: Path, manifest: Manifest, journal: Journal, counts: Counter[str]
) -> None:
    data_sets = list(read_lines(source / files.DATA_SETS))
    done = {state["id"] for state in journal.states("data_set") if state["step"] == "done"}
    if all(data_set["uploadId"] in done for data_set in data_sets):
        return
    total = sum(count for name, count in manifest.counts.items() if name.startswith("data/"))
    with Progress("reading", total) as progress:
        index = RecordIndex(source, journal.path.with_suffix(".sqlite"), progress.advance)
    try:
        wanted = [
            one for one in sorted(data_sets, key=_place) if "deletedTime" not in one or index.count(one["uploadId"])
        ]
        with Progress("data", sum(index.count(one["uploadId"]) for one in wanted)) as progress:
            importing = DataImport(server, user_id, index, journal, counts, progress)
            for data_set in wanted:
                importing.put(data_set)
    finally:
        index.close()


def _place(data_set: Json) -> tuple[bool, str]:
    """Normal data sets in the order in which they were closed, since closing one may hide data of others; what stays
    open comes last."""
    return data_set.get("dataSetType") == "continuous", str(data_set.get("modifiedTime", ""))
