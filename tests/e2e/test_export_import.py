"""`strandline export`, `import` and `compare`: a round trip from one account into another keeps each record once."""

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from strandline.cli import folder as files
from strandline.cli.errors import CommandError
from strandline.cli.main import main
from strandline.cli.server import Server
from tests.e2e.client import PASSWORD, SAMPLES, User, sample
from tests.e2e.test_blobs import MIB, content, md5, open_upload, put, store, when_available

if TYPE_CHECKING:
    from tests.e2e.conftest import Platform

PROFILE = {"fullName": "Ada Lovelace", "patient": {"birthday": "1915-12-10", "targetTimezone": "Europe/London"}}
SETTINGS = {"units": {"bg": "mg/dL"}, "bgTarget": {"low": 70, "high": 180}}
LOG = b'[{"type":"send","timestamp":"2026-01-01T00:10:00Z","message":"1f01482a"}]'


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRANDLINE_PASSWORD", PASSWORD)


@pytest.fixture(scope="module")
def ada(platform: "Platform") -> User:
    """An account with everything: data of Loop and the Uploader, readings stored twice, blobs, logs, profile."""
    user = User(platform.base_url)
    for name, values in (("profile", PROFILE), ("settings", SETTINGS)):
        assert user.request("PUT", f"/metadata/{user.id}/{name}", values).status == 200
    blob_id = store(user, content(300_000), **{"Content-Type": "application/gzip"}).json()["id"]
    headers = {"Content-Type": "application/json; charset=utf-8", "X-Logs-Start-At-Time": "2026-01-01T00:00:00Z"}
    headers |= {"X-Logs-End-At-Time": "2026-01-01T01:00:00Z", "Digest": f"MD5={md5(LOG)}"}
    assert user.request("POST", f"/v1/users/{user.id}/device_logs", LOG, headers).status == 201
    note = {"message": {"guid": "g", "timestamp": "2026-01-01T10:00:00+01:00", "messagetext": "A snack"}}
    note_id = user.request("POST", f"/message/send/{user.id}", note).json()["id"]
    assert user.request("POST", f"/message/reply/{note_id}", note).status == 201
    _upload(user, blob_id)
    _loop(user)
    _doubled(user)
    _documents(user)
    return user


@pytest.fixture(scope="module")
def original(ada: User, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export of that account."""
    folder = tmp_path_factory.mktemp("original") / "ada"
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("STRANDLINE_PASSWORD", PASSWORD)
        assert _export(ada, folder) == 0
    return folder


@pytest.fixture
def exported(original: Path, tmp_path: Path) -> Path:
    """A copy of the export, because imports leave their journals in it."""
    return Path(shutil.copytree(original, tmp_path / "exported"))


def _upload(user: User, blob_id: str) -> None:
    description = sample("uploader/01_create_data_set.json")
    description["client"]["private"] |= {"blobId": blob_id}
    upload_id = user.open_data_set(description)
    for file in ("uploader/02_data_all_types.json", "uploader/03_block_1000.json"):
        user.add(f"/v1/datasets/{upload_id}/data", sample(file))
    assert user.request("PUT", f"/v1/datasets/{upload_id}", {"dataState": "closed"}).status == 200


def _loop(user: User) -> None:
    data_set_id = user.open_data_set(sample("loop/01_create_data_set.json"))
    for entry in json.loads((SAMPLES / "manifest.json").read_text()):
        if entry["client"] == "loop" and entry["method"] == "POST" and entry["path"].endswith("/data"):
            user.add(f"/v1/data_sets/{data_set_id}/data", sample(entry["file"]))


def _doubled(user: User) -> None:
    """A data set that keeps duplicates, and one that replaces by origin and has two records of one origin."""
    none = {"dataSetType": "continuous", "deduplicator": {"name": "org.tidepool.deduplicator.none"}}
    reading = {"type": "cbg", "time": "2009-03-01T07:00:00Z", "value": 1000, "units": "mg/dL"}
    data_set_id = user.open_data_set(none)
    readings = [reading | {"time": f"2009-03-01T{minute // 60:02}:{minute % 60:02}:00Z"} for minute in range(1050)]
    for _ in range(2):
        user.add(f"/v1/data_sets/{data_set_id}/data", readings)
    by_origin = user.open_data_set({"dataSetType": "continuous"})
    first = reading | {"origin": {"id": "one"}, "value": 119}
    user.add(f"/v1/data_sets/{by_origin}/data", [first, first | {"type": "smbg"}])


def _documents(user: User) -> None:
    """Documents of Nightscout apps, from one of which a bolus and a meal are derived."""
    created = {"created_at": "2026-01-01T09:00:00.000Z", "utcOffset": 60}
    treatments = [
        created | {"_id": f"{1:024x}", "eventType": "Meal Bolus", "insulin": 2, "carbs": 20, "notes": ""},
        created | {"_id": f"{2:024x}", "eventType": "Note", "notes": "a note", "identifier": "n"},
    ]
    for collection, documents in (("treatments", treatments), ("food", [{"_id": f"{3:024x}", "name": "Apple"}])):
        reply = user.request("POST", f"/v1/users/{user.id}/nightscout_documents/{collection}", documents)
        assert (reply.status, reply.json()) == (200, {"stored": len(documents), "known": 0}), reply.body


def _export(user: User, folder: Path) -> int:
    return main(["export", "--url", user.base_url, "--user", user.email, str(folder)])


def _import(user: User, folder: Path) -> int:
    return main(["import", "--url", user.base_url, "--user", user.email, str(folder)])


def _kinds(records: list[dict[str, Any]]) -> Counter[str]:
    return Counter(record["type"] for record in records)


def test_a_round_trip_is_equal(ada: User, exported: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = exported, tmp_path / "second"
    manifest = json.loads((first / "manifest.json").read_text())
    counts = {name.removeprefix("data/"): n for name, n in manifest["counts"].items() if name.startswith("data/")}
    assert counts == _kinds(ada.records("?carelink=true&medtronic=true&cbgFilter=false"))
    assert {kind: manifest["counts"][kind] for kind in ("blobs", "device_logs", "notes")} == {
        "blobs": 1,
        "device_logs": 1,
        "notes": 2,
    }

    other = User(ada.base_url)
    assert _import(other, first) == 0
    assert _kinds(other.records()) == _kinds(ada.records())
    wizards = [record for record in other.records("?type=wizard") if "bolus" in record]
    assert wizards
    assert {record["bolus"] for record in wizards} <= {record["id"] for record in other.records("?type=bolus")}
    (upload,) = other.request("GET", f"/v1/users/{other.id}/data_sets?client.name=org.tidepool.uploader").json()
    (blob,) = other.request("GET", f"/v1/users/{other.id}/blobs").json()
    assert upload["client"]["private"]["blobId"] == blob["id"]

    assert _import(other, first) == 0
    assert _kinds(other.records()) == _kinds(ada.records())
    assert manifest["counts"]["nightscout/treatments"] == 2
    notes = other.request("GET", f"/message/all/{other.id}").json()["messages"]
    assert sorted(note["parentmessage"] is None for note in notes) == [False, True]
    assert _export(other, second) == 0
    capsys.readouterr()
    assert main(["compare", str(first), str(second)]) == 0, capsys.readouterr().out


def test_compare_reports_each_difference(
    exported: Path, platform: "Platform", tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = exported, tmp_path / "second"
    other = User(platform.base_url)
    assert _import(other, first) == 0
    (data_set, *_) = other.request("GET", f"/v1/users/{other.id}/data_sets?client.name=org.tidepool.Loop").json()
    gone = next(record for record in other.records("?type=cbg") if record["uploadId"] == data_set["uploadId"])
    path = f"/v1/data_sets/{data_set['uploadId']}/data"
    assert other.request("DELETE", path, [{"id": gone["id"]}]).status == 200
    assert _export(other, second) == 0
    capsys.readouterr()
    assert main(["compare", str(first), str(second)]) == 3
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert all("org.tidepool.Loop" in line for line in lines)


@pytest.mark.parametrize("is_carried_out", [True, False], ids=["answer lost", "request lost"])
def test_an_interrupted_import_continues(
    exported: Path, platform: "Platform", tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_carried_out: bool
) -> None:
    """Each run fails one write later than the run before, until a run succeeds."""
    other = User(platform.base_url)
    content = Server.content
    runs, left = 0, 0

    def breaking(self: Server, method: str, path: str, *rest: Any) -> bytes:
        nonlocal left
        if method == "GET":
            return content(self, method, path, *rest)
        left -= 1
        if left >= 0 or is_carried_out:
            answer = content(self, method, path, *rest)
            if left >= 0:
                return answer
        raise CommandError("the connection broke")

    with monkeypatch.context() as patched:
        patched.setattr(Server, "content", breaking)
        while _import(other, exported) != 0:
            runs += 1
            left = runs
            assert runs < 20
    assert runs > 4
    assert _export(other, tmp_path / "second") == 0
    assert main(["compare", str(exported), str(tmp_path / "second")]) == 0


def test_a_damaged_export_is_not_imported(
    exported: Path, platform: "Platform", capsys: pytest.CaptureFixture[str]
) -> None:
    path = exported / "data" / "cbg.jsonl"
    path.write_bytes(path.read_bytes().replace(b"5", b"6", 1))
    other = User(platform.base_url)
    assert _import(other, exported) == 1
    assert "cbg.jsonl has changed since the export" in capsys.readouterr().err
    assert other.records() == []


def test_refused_records_are_kept_with_the_reasons(ada: User, exported: Path) -> None:
    """A record that has become invalid is kept with the reason, and the others are imported."""
    path = exported / "data" / "cbg.jsonl"
    lines = path.read_bytes().splitlines()
    lines[0] = files.line_of(json.loads(lines[0]) | {"value": 77.0}).strip()
    path.write_bytes(b"\n".join(lines) + b"\n")
    manifest = json.loads((exported / "manifest.json").read_text())
    manifest["files"]["data/cbg.jsonl"] = files.fingerprint(path)
    files.write_json(exported / "manifest.json", manifest)
    other = User(ada.base_url)
    assert _import(other, exported) == 3
    (refused,) = (exported / "imports").glob("*.refused.jsonl")
    (line,) = files.read_lines(refused)
    assert line["record"]["value"] == 77.0
    assert line["errors"][0]["code"] == "value-out-of-range"
    assert len(other.records()) == len(ada.records()) - 1


def test_a_large_blob_is_uploaded_directly_to_the_storage(platform: "Platform", tmp_path: Path) -> None:
    user, other = User(platform.base_url), User(platform.base_url)
    large = content(5 * MIB)
    opened = open_upload(user, large).json()
    assert put(opened["upload"], large).status == 200
    when_available(user, opened["id"])
    first, second = tmp_path / "first", tmp_path / "second"
    assert _export(user, first) == 0
    assert _import(other, first) == 0
    (blob,) = other.request("GET", f"/v1/users/{other.id}/blobs?status=available,created").json()
    when_available(other, blob["id"])
    assert _export(other, second) == 0
    assert main(["compare", str(first), str(second)]) == 0


@pytest.mark.only_on("home", reason="it is a client of both sides, whatever the platform")
def test_a_nightscout_site_moves_over(
    platform: "Platform", tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The site is the same server, which speaks the Nightscout API."""
    ada, other = User(platform.base_url), User(platform.base_url)
    _documents(ada)
    credential = {"name": "Moving", "scope": "read"}
    issued = ada.request("POST", f"/v1/users/{ada.id}/nightscout_credentials", credential).json()
    monkeypatch.setenv("NIGHTSCOUT_SECRET", issued["token"])
    account = ["--url", other.base_url, "--user", other.email]
    assert main(["import-from", "nightscout", ada.base_url, str(tmp_path / "copy"), *account]) == 0
    assert "compared: every document is here" in capsys.readouterr().out
    assert _export(ada, tmp_path / "first") == _export(other, tmp_path / "second") == 0
    assert main(["compare", str(tmp_path / "first"), str(tmp_path / "second")]) == 0
    assert _kinds(other.records()) == _kinds(ada.records()) == {"bolus": 1, "food": 1}
