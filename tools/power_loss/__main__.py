"""`make power-loss [STATES=200] [SEED=1]`: cut the power of a home server, and compare what is left with its answers.

    python -m tools.power_loss [--states 200] [--seed 1] [--rounds 60] [--recording FILE] [--keep FILE]

A home server is recorded by `strace` while two people use it. From the recording, states are built that a power cut may
leave on a disk; each is opened, and has to have all that was answered. Exit code 1 if one has not.
"""

import argparse
import tempfile
import time
from pathlib import Path

from tools.power_loss.recording import Recording, read_recording, record, summary
from tools.power_loss.states import Outcome, outcomes
from tools.project import run_tool, step

SHOWN = 20


def main() -> int:
    """Print the figures, and each state with a fault."""
    parser = argparse.ArgumentParser(prog="make power-loss", description="Cut the power of a home server.")
    parser.add_argument("--states", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=60, help="how much each person sends")
    parser.add_argument("--recording", type=Path, help="a kept recording, instead of a new one")
    parser.add_argument("--keep", type=Path, help="keep the recording in a file")
    arguments = parser.parse_args()
    recording = _recording(arguments.recording, arguments.rounds)
    if arguments.keep:
        recording.write(arguments.keep)
    started = time.monotonic()
    tried: list[Outcome] = []
    for outcome in outcomes(recording, arguments.states, arguments.seed):
        tried.append(outcome)
        for fault in outcome.faults[:SHOWN]:
            print(f"cut {outcome.cut}, seed {outcome.seed}: {fault}", flush=True)
    print(figures(recording, tried, time.monotonic() - started))
    return 1 if any(outcome.faults for outcome in tried) else 0


def _recording(file: Path | None, rounds: int) -> Recording:
    if file is not None:
        return read_recording(file)
    with tempfile.TemporaryDirectory() as temporary, step("recording a home server"):
        return record(Path(temporary), rounds)


def figures(recording: Recording, tried: list[Outcome], seconds: float) -> str:
    """The figures of a run, one a line."""
    counted = summary(recording)
    unsynced = sum(outcome.unsynced_bytes > 0 for outcome in tried)
    faulty = sum(bool(outcome.faults) for outcome in tried)
    refused = sum(outcome.is_refused for outcome in tried)
    lines = [
        f"recorded: {', '.join(f'{count:,} {name}' for name, count in counted.items())}",
        f"states: {len(tried)}, of which {unsynced} with writes that were not synced, in {seconds:.0f} s",
        f"answers compared: {sum(outcome.answered for outcome in tried):,}",
        f"refused with one sentence, before anything was answered: {refused}",
        f"states with a fault: {faulty}",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    run_tool(main)
