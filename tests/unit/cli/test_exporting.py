"""Exporting from, and importing into, servers that refuse requests."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from strandline.cli.errors import CommandError, RefusedError
from strandline.cli.exporting import export_account, md5
from strandline.cli.folder import read_lines, write_lines
from strandline.cli.importing_data import DataImport
from strandline.cli.journal import Journal
from strandline.cli.nightscout.documents import COLLECTIONS
from strandline.cli.progress import Progress
from strandline.cli.record_index import RecordIndex
from strandline.cli.server import Server

NOW = datetime(2026, 1, 1, tzinfo=UTC)
READING = {"type": "cbg", "units": "mmol/L", "value": 5, "time": "2026-01-01T00:00:00Z", "uploadId": "u"}
LOG = {"id": "a" * 32, "digestMD5": md5(b"log"), "mediaType": "text/plain", "size": 3}
ANSWERS: dict[str, Any] = {
    "/auth/user/ada": {"userid": "ada"},
    "/metadata/ada/profile": {"fullName": "Ada"},
    "/access/ada": {"ada": {"root": {}}, "eve": {"view": {}}},
    "/access/groups/ada": {"ada": {"root": {}}},
    "/v1/users/ada/data_sources": [],
    "/v1/users/ada/data_sets": [
        {"uploadId": "u", "dataSetType": "normal"},
        {"uploadId": "c", "dataSetType": "continuous"},
        {"uploadId": "o", "dataSetType": "continuous"},
    ],
    "/message/all/ada": {"messages": [{"id": "n", "guid": "g", "messagetext": "A snack"}]},
    "/v1/users/ada/device_logs": [LOG],
    f"/v1/device_logs/{LOG['id']}/content": b"log",
}
REFUSALS = {"/metadata/ada/settings": 404, "/metadata/ada/preferences": 404, "/v1/users/ada/blobs": 403}
REFUSALS |= {f"/v1/users/ada/nightscout_documents/{name}": 404 for name in COLLECTIONS}


class FakeServer:
    """A server with prepared replies and refusals by path."""

    base_url = "https://data.example.org"

    def __init__(self, answers: dict[str, Any], refusals: dict[str, int]) -> None:
        self._answers, self._refusals = answers, refusals
        self.asked: list[str] = []

    def content(self, method: str, path: str) -> Any:
        """The prepared reply."""
        self.asked.append(path)
        name = path.partition("?")[0]
        if name in self._refusals:
            raise RefusedError(f"{method} {path}", self._refusals[name], b"")
        return self._answers[name]

    json = content

    @contextmanager
    def stream(self, path: str) -> Iterator[Iterator[bytes]]:
        """The data sets, or one record of this year."""
        self.asked.append(path)
        if "type=upload" in path:
            yield iter(
                [b'[\n{"type":"upload","uploadId":"c",', b'"_state":"closed"},\n{"type":"upload","uploadId":"o"}\n]']
            )
        elif "startDate=2026" in path:
            yield iter([b"[\n", json.dumps(READING).encode(), b"\n]"])
        else:
            yield iter([b"[]"])


def exported(server: FakeServer, target: Path) -> list[str]:
    """Export an account and return what was left out."""
    return export_account(cast("Server", server), "ada", target, NOW).left_out


def test_unavailable_contents_are_left_out_and_reported(tmp_path: Path) -> None:
    assert exported(FakeServer(ANSWERS, REFUSALS), tmp_path / "out") == ["blobs"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out").stat().st_mode & 0o077 == 0
    assert json.loads((tmp_path / "out" / "grants.json").read_text()) == {
        "given": {"eve": {"view": {}}},
        "received": {},
    }


def test_a_normal_data_set_that_is_listed_is_closed(tmp_path: Path) -> None:
    exported(FakeServer(ANSWERS, REFUSALS), tmp_path / "out")
    states = {data_set["uploadId"]: data_set["_state"] for data_set in read_lines(tmp_path / "out" / "data_sets.jsonl")}
    assert states == {"u": "closed", "c": "closed", "o": "open"}


def test_an_export_reads_all_time_without_source_filters(tmp_path: Path) -> None:
    server = FakeServer(ANSWERS, REFUSALS)
    exported(server, tmp_path / "out")
    data = [path for path in server.asked if path.startswith("/data/")]
    assert all("carelink=true&medtronic=true&cbgFilter=false" in path for path in data)
    assert len(data) == 1 + 1 + (2026 - 2010 + 1) + 1
    assert "startDate" not in data[1]
    assert "endDate" not in data[-1]


def test_a_content_with_another_md5_ends_the_export(tmp_path: Path) -> None:
    changed = ANSWERS | {f"/v1/device_logs/{LOG['id']}/content": b"lag"}
    with pytest.raises(CommandError, match="MD5"):
        exported(FakeServer(changed, REFUSALS), tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out.part"]
    exported(FakeServer(ANSWERS, REFUSALS), tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_existing_folder_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "other.part").mkdir()
    with pytest.raises(CommandError, match="exists"):
        exported(FakeServer(ANSWERS, REFUSALS), tmp_path / "there")
    with pytest.raises(CommandError, match="in the way"):
        exported(FakeServer(ANSWERS, REFUSALS), tmp_path / "other")


class SmallServer:
    """A server that accepts a few records at once and refuses the value 13."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.taken: list[Any] = []
        self.sizes: list[int] = []

    def json(self, method: str, path: str, body: Any = None) -> None:
        """Accept or refuse records."""
        if not path.endswith("/data"):
            return
        self.sizes.append(len(body))
        if len(body) > self._most:
            raise RefusedError(f"{method} {path}", 413, b"")
        bad = [place for place, record in enumerate(body) if record["value"] == 13]
        if bad:
            errors = [{"code": "value-out-of-range", "source": {"pointer": f"/{place}/value"}} for place in bad]
            raise RefusedError(f"{method} {path}", 400, json.dumps({"errors": [*errors, *errors]}).encode())
        self.taken += [record["value"] for record in body]


def put(folder: Path, server: SmallServer) -> Journal:
    """Import a data set of 20 records and return the journal."""
    (folder / "data").mkdir()
    write_lines(folder / "data" / "cbg.jsonl", [READING | {"value": value} for value in range(20)])
    index = RecordIndex(folder, folder / "index.sqlite", lambda _: None)
    with Journal(folder, "https://data.example.org", "ada") as journal, Progress("data", 20) as progress:
        importing = DataImport(cast("Server", server), "ada", index, journal, Counter(), progress)
        importing.put({"uploadId": "u", "dataSetType": "continuous", "_state": "open"})
    index.close()
    return journal


def test_a_chunk_that_is_too_large_is_halved(tmp_path: Path) -> None:
    server = SmallServer(most=7)
    put(tmp_path, server)
    assert server.taken == [value for value in range(20) if value != 13]
    assert server.sizes[:3] == [20, 10, 5]


def test_refused_records_are_kept_with_their_errors_and_the_others_are_added(tmp_path: Path) -> None:
    server = SmallServer(most=1000)
    journal = put(tmp_path, server)
    assert server.taken == [value for value in range(20) if value != 13]
    state = journal.state("data_set", "u")
    assert state is not None
    assert (state["step"], state["added"], state["refused"]) == ("done", 20, 1)
    (refused,) = read_lines(journal.refused_path)
    assert (refused["record"]["value"], len(refused["errors"])) == (13, 2)
