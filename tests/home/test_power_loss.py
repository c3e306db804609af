"""States that a power cut may leave, from a kept recording of a home server; `make power-loss` records a new one."""

from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from tools.power_loss.calls import Call
from tools.power_loss.recording import Recording, read_recording
from tools.power_loss.states import outcomes
from tools.project import ROOT

STATES = 12
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
