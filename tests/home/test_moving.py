"""Moving to a home server: `strandline import-from nightscout`, and documents in an export and an import."""

import json
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from strandline.cli.folder import read_json, read_lines
from strandline.cli.main import main
from strandline.cli.nightscout.documents import documents_file
from strandline.home.users import add_user
from tests.home.serving import Served, served
from tests.unit.cli.nightscout_site import SECRET, FakeSite, Replied, as_json
from tests.unit.cli.nightscout_site import served as site_served

EMAIL, PASSWORD = "anna@example.org", "a-long-password"
DAY_MS = 86_400_000
NOW_MS = int(datetime.now(UTC).timestamp() * 1000) // DAY_MS * DAY_MS


def iso(time_ms: int) -> str:
    """A time as Nightscout has it."""
    return f"{datetime.fromtimestamp(time_ms / 1000, UTC):%Y-%m-%dT%H:%M:%S.000Z}"


def mongo_id(time_ms: int, number: int) -> str:
    """An `_id` as MongoDB makes it."""
    return f"{time_ms // 1000:08x}{number:016x}"


def entry(number: int) -> dict[str, Any]:
    """One of many readings, as Nightscout stores them."""
    date = NOW_MS - number * 3 * 3_600_000
    common = {"_id": mongo_id(date, number), "type": "sgv", "sgv": 60 + number % 200, "direction": "Flat"}
    times = {"date": date, "dateString": iso(date), "sysTime": iso(date), "utcOffset": -300}
    return common | times | {"device": "share2"}


def treatment(number: int, **members: Any) -> dict[str, Any]:
    """A treatment, as Nightscout stores them."""
    created = NOW_MS - number * 3_600_000
    common = {"_id": mongo_id(created + 5000, number), "created_at": iso(created), "utcOffset": -300}
    return common | {"enteredBy": "loop://phone"} | members


V3 = {"app": "AAPS", "date": NOW_MS - 7 * 3_600_000, "srvCreated": NOW_MS, "srvModified": NOW_MS, "subject": "aaps"}
AAPS_MEAL = treatment(7, eventType="Meal Bolus", carbs=12, identifier="of-aaps", isValid=True) | V3


def nightscout_site(readings: int = 20) -> FakeSite:
    """A site that apps of all kinds have filled for two years."""
    treatments = [
        *(treatment(number, eventType="Temp Basal", duration=30, rate=1.5, absolute=1.5) for number in range(10, 60)),
        treatment(1, eventType="Correction Bolus", insulin=1.5),
        treatment(2, eventType="Meal Bolus", insulin=4, carbs=45, absorptionTime=180, preBolus=0),
        treatment(3, eventType="Temporary Target", duration=60, targetTop=6, targetBottom=5, units="mmol"),
        treatment(4, eventType="Note", notes="a <b>note</b>"),
        treatment(4, eventType="Note", notes="another one at that time") | {"_id": mongo_id(NOW_MS, 99)},
        treatment(5, eventType="Correction Bolus", insulin=2, isValid=False) | V3,
        AAPS_MEAL,
        treatment(8, eventType="Temporary Override") | {"_id": "0123abcd-0000-4000-8000-000000000000", "duration": 30},
    ]
    status = {"device": "loop://phone", "loop": {"iob": {"iob": 1.5}}}
    return FakeSite(
        entries=[entry(number) for number in range(readings)],
        treatments=treatments,
        profiles=[{"_id": mongo_id(NOW_MS, 1), "startDate": iso(NOW_MS - 300 * DAY_MS), "store": {"a": {"dia": 6}}}],
        food=[{"_id": mongo_id(NOW_MS, 2), "type": "food", "name": "Apple", "carbs": 14}],
        activity=[{"_id": mongo_id(NOW_MS, 3), "created_at": iso(NOW_MS), "type": "hr-bpm", "bpm": 70}],
        devicestatus=[
            status | {"_id": mongo_id(NOW_MS, number), "created_at": iso(NOW_MS - number * DAY_MS), "utcOffset": 0}
            for number in (1, 59, 61)
        ],
    )


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A home server with Anna's account and one of Ben."""
    monkeypatch.setenv("STRANDLINE_PASSWORD", PASSWORD)
    monkeypatch.setenv("NIGHTSCOUT_SECRET", SECRET)
    monkeypatch.setattr("strandline.cli.nightscout.site.PAUSE_S", 0)
    with served() as server:
        for email in (EMAIL, "ben@example.org"):
            add_user(server.services, email, ["patient"], PASSWORD)
        yield server


def account(server: Served, email: str = EMAIL) -> list[str]:
    """The arguments that name an account."""
    return ["--url", server.base_url, "--user", email]


def export(server: Served, folder: Path, email: str = EMAIL) -> Path:
    """An export of an account."""
    assert main(["export", *account(server, email), str(folder)]) == 0
    return folder


def documents_of(folder: Path, collection: str) -> list[dict[str, Any]]:
    """The documents of an export, without what the server sets."""
    return [
        {name: value for name, value in document.items() if name != "srvModified"}
        for document in read_lines(documents_file(folder, collection))
    ]


def test_a_family_moves_over_in_one_command_and_again_without_a_change(
    server: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake = nightscout_site(1500)
    with site_served(fake) as site:
        move = ["import-from", "nightscout", site, str(tmp_path / "copy"), *account(server)]
        assert main(move) == 0
        printed = capsys.readouterr()
        assert "compared: every document is here" in printed.out
        assert "  entries: 1500\n" in printed.out
        assert SECRET not in printed.out + printed.err
        moved = export(server, tmp_path / "moved")
        asked = len(fake.asked)
        assert main(move) == 0
        assert "imported: 0 documents" in capsys.readouterr().out
        assert len(fake.asked) == asked + 1  # whether it is a site
        again = ["import-from", "nightscout", site, str(tmp_path / "second"), *account(server)]
        assert main(again) == 0
        printed = capsys.readouterr()
        assert "imported: 2 documents; 1560 were here already" in printed.out  # device statuses begin their time again
    assert documents_of(moved, "entries") == fake.documents["entries"][::-1]
    moved_treatments = documents_of(moved, "treatments")
    (override,) = [treatment for treatment in moved_treatments if treatment["eventType"] == "Temporary Override"]
    assert override["identifier"] == "0123abcd-0000-4000-8000-000000000000"
    *others, _, last = [
        treatment for treatment in fake.documents["treatments"] if treatment.get("isValid") is not False
    ]
    assert last["eventType"] == "Temporary Override"
    expected = [*others, {name: value for name, value in AAPS_MEAL.items() if name != "srvModified"}]
    assert sorted((treatment for treatment in moved_treatments if treatment is not override), key=str) == sorted(
        expected, key=str
    )
    for collection, path in (("profile", "profiles"), ("food", "food"), ("activity", "activity")):
        assert documents_of(moved, collection) == fake.documents[path]
    types = {path.stem: len(list(read_lines(path))) for path in (moved / "data").iterdir()}
    assert (types["cbg"], types["bolus"], types["food"], types["basal"]) == (1500, 2, 2, 50)
    reading = next(read_lines(moved / "data" / "cbg.jsonl"))
    assert reading["timezoneOffset"] == -300


def test_an_export_with_documents_makes_an_account_with_the_same_documents_and_data(
    server: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with site_served(nightscout_site()) as site:
        assert main(["import-from", "nightscout", site, str(tmp_path / "copy"), *account(server)]) == 0
    first = export(server, tmp_path / "first")
    counts = read_json(first / "manifest.json")["counts"]
    assert (counts["nightscout/entries"], counts["data/cbg"], counts["data_sets"]) == (20, 20, 1)
    assert main(["import", *account(server, "ben@example.org"), str(first)]) == 0
    assert "imported: 0 records, 0 data sets" in capsys.readouterr().out
    second = export(server, tmp_path / "second", "ben@example.org")
    capsys.readouterr()
    assert main(["compare", str(first), str(second)]) == 0
    assert capsys.readouterr().out == "equal\n"
    changed = tmp_path / "changed"
    shutil.copytree(second, changed)
    document = json.loads(documents_file(changed, "food").read_text()) | {"carbs": 15}
    documents_file(changed, "food").write_text(json.dumps(document) + "\n")
    assert main(["compare", str(first), str(changed)]) == 1  # the manifest knows


def gone_after(fake: FakeSite, requests: int) -> Callable[[str], Replied | None]:
    """A site that is gone after some requests."""
    return lambda _path: (410, {}, b"") if len(fake.asked) > requests else None


def test_a_move_that_is_interrupted_goes_on(
    server: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    fake = nightscout_site()
    with site_served(fake) as site:
        move = ["import-from", "nightscout", site, str(tmp_path / "copy"), *account(server)]
        for last in (8, 25):
            fake.misbehave = gone_after(fake, last)
            assert main(move) == 1
            fake.asked.clear()
        fake.misbehave = lambda _: None
        assert main(move) == 0
    assert "compared: every document is here" in capsys.readouterr().out


class TestExceptions:
    def test_a_document_that_the_server_refuses_is_told_and_the_others_are_moved(
        self, server: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        fake = nightscout_site()
        fake.documents["food"].append({"_id": mongo_id(NOW_MS, 7), "name": "a" * 310_000})
        with site_served(fake) as site:
            assert main(["import-from", "nightscout", site, str(tmp_path / "copy"), *account(server)]) == 3
        printed = capsys.readouterr()
        assert f"food {mongo_id(NOW_MS, 7)} is missing" in printed.out
        assert "refused 1 documents" in printed.err

    def test_what_was_changed_here_is_named_and_stays(
        self, server: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        fake = nightscout_site()
        with site_served(fake) as site:
            assert main(["import-from", "nightscout", site, str(tmp_path / "copy"), *account(server)]) == 0
            fake.documents["food"][0]["carbs"] = 15
            assert main(["import-from", "nightscout", site, str(tmp_path / "later"), *account(server)]) == 3
        assert f"food {mongo_id(NOW_MS, 2)} differs" in capsys.readouterr().out
        assert documents_of(export(server, tmp_path / "moved"), "food")[0]["carbs"] == 14

    @pytest.mark.parametrize("secret", ["", "wrong"])
    def test_a_wrong_secret_is_one_line(
        self,
        server: Served,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
        secret: str,
    ) -> None:
        monkeypatch.setenv("NIGHTSCOUT_SECRET", secret)
        with site_served(nightscout_site()) as site:
            assert main(["import-from", "nightscout", site, str(tmp_path / "copy"), *account(server)]) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert "does not accept the secret" in line
        assert list(tmp_path.iterdir()) == []

    def test_a_secret_comes_from_a_file(self, server: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("NIGHTSCOUT_SECRET")
        (tmp_path / "secret").write_text(f"{SECRET}\n")
        with site_served(FakeSite(entries=[], treatments=[])) as site:
            move = ["import-from", "nightscout", site, str(tmp_path / "copy"), *account(server)]
            assert main(move) == 1  # there is no terminal to ask at
            assert main([*move, "--secret-file", str(tmp_path / "secret")]) == 0

    def test_a_site_cannot_control_the_terminal(
        self, server: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        fake = nightscout_site()
        fake.misbehave = lambda path: as_json(["\x1b]0;title\x07\x9b2J"]) if "entries" in path else None
        with site_served(fake) as site:
            assert main(["import-from", "nightscout", site, str(tmp_path / "copy"), *account(server)]) == 1
        assert all(line.isprintable() for line in capsys.readouterr().err.splitlines())
