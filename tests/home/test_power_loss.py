"""States that a power cut may leave, from a kept recording of a home server; `make power-loss` records a new one."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path
from random import Random

import pytest

from tools.power_loss.calls import Call, calls_of
from tools.power_loss.disk import Disk
from tools.power_loss.recording import STRACE, Recording, read_recording
from tools.power_loss.states import outcomes
from tools.project import ROOT

STATES = 12
MAKES_A_FOLDER = """
import sys
from pathlib import Path
from strandline.home.opening import open_home
with open_home(Path(sys.argv[1])) as home:
    home.engine.objects.put("blobs/a/b", bytes(range(256)) * 400, "text/plain")
"""
KEPT: Path = ROOT / "tests" / "data" / "power-loss" / "recording.xz"


@pytest.fixture(scope="module")
def recording() -> Recording:
    return read_recording(KEPT)


def test_the_recording_has_every_kind_of_request_and_a_restart(recording: Recording) -> None:
    effects = {kind for steps in recording.steps.values() for step in steps for kind in step.effect}
    assert effects == {"add", "remove", "file", "note", "documents", "name", "close", "sign_out"}
    assert sum(call.name == "answer" for call in recording.calls) == sum(map(len, recording.steps.values())) > 50
    assert any(call.name == "unlink" and call.path == "strandline.db-wal" for call in recording.calls)


def test_what_was_answered_is_there_after_a_power_cut(recording: Recording) -> None:
    tried = list(outcomes(recording, STATES, seed=1))
    assert [outcome for outcome in tried if outcome.faults] == []
    assert len(tried) == STATES
    assert sum(outcome.answered for outcome in tried) > 100


def _is_log(call: Call) -> bool:
    return call.path.endswith("-wal")


def _is_content(call: Call) -> bool:
    return call.path.startswith("objects/")


def _is_folder(call: Call) -> bool:
    return call.path == "objects"


@pytest.mark.parametrize("is_left_out", [_is_log, _is_content, _is_folder], ids=["log", "content", "folder"])
def test_a_sync_that_is_left_out_is_found(recording: Recording, is_left_out: Callable[[Call], bool]) -> None:
    calls = [call for call in recording.calls if not (call.name == "sync" and is_left_out(call))]
    assert len(calls) < len(recording.calls)
    careless = replace(recording, calls=calls)
    faulty = (outcome for outcome in outcomes(careless, 40, seed=1) if outcome.faults)
    assert list(islice(faulty, 1))


def test_an_answer_before_its_sync_is_found(recording: Recording) -> None:
    """A server that answers first and stores later."""
    calls = list(recording.calls)
    for index in [index for index, call in enumerate(calls) if call.name == "answer"]:
        earlier = max(0, index - 12)
        calls.insert(earlier, calls.pop(index))
    faulty = (outcome for outcome in outcomes(replace(recording, calls=calls), 100, seed=1) if outcome.faults)
    assert list(islice(faulty, 1))


def test_the_calls_of_this_version_lead_to_the_folder_that_it_writes(tmp_path: Path) -> None:
    """A process that makes a folder and stores a content, recorded: its calls on an empty disk make the same folder."""
    folder, trace = tmp_path / "data", tmp_path / "trace"
    command = [sys.executable, "-c", MAKES_A_FOLDER, str(folder)]
    if shutil.which("strace") is None:
        pytest.skip("there is no strace here, which records system calls")
    if subprocess.run(["strace", "-f", "-o", str(trace), "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("strace may not watch processes here")
    subprocess.run([*STRACE, "-o", str(trace), *command], cwd=ROOT, check=True, capture_output=True, timeout=120)
    disk = Disk()
    for call in calls_of(trace.read_text().splitlines(), folder):
        disk.apply(call)
    made = {path: content for path, content in disk.without_a_cut().items() if content is not None}
    real = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert made == real
    assert {"strandline.db", "secrets/object-addresses.json"} <= made.keys()
    assert disk.after_a_cut(Random(1)).keys() >= {"strandline.db", "secrets"}  # noqa: S311  for tests
