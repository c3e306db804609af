"""`make power-loss`: cut the power of a home server, and compare what is left with its answers.

    python -m tools.power_loss [--states 200] [--seed 1] [--rounds 60] [--keep]
                               [--recording FILE] [--write-recording FILE]

A home server is recorded by `strace` while two people use it. From the recording, states are built that a power cut may
leave on a disk; each is opened, and has to have all that was answered. Exit code 1 if one has not.
"""

import argparse
import tempfile
import time
from pathlib import Path

from tools.power_loss.recording import Recording, read_recording, record, summary
from tools.power_loss.report import PowerLossFigures
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
    parser.add_argument("--write-recording", type=Path, help="write the recording to a file, too")
    parser.add_argument("--keep", action="store_true", help="show the figures in docs/reliability.md")
    arguments = parser.parse_args()
    recording = _recording(arguments.recording, arguments.rounds)
    if arguments.write_recording:
        recording.write(arguments.write_recording)
    started = time.monotonic()
    tried: list[Outcome] = []
    for outcome in outcomes(recording, arguments.states, arguments.seed):
        tried.append(outcome)
        for fault in outcome.faults[:SHOWN]:
            print(f"cut {outcome.cut}, seed {outcome.seed}: {fault}", flush=True)
    figures = PowerLossFigures(arguments.seed, summary(recording), tried, time.monotonic() - started)
    print("\n".join(f"{name}: {value}" for name, value in figures.rows.items()))
    if arguments.keep:
        figures.keep()
    return 1 if any(outcome.faults for outcome in tried) else 0


def _recording(file: Path | None, rounds: int) -> Recording:
    if file is not None:
        return read_recording(file)
    with tempfile.TemporaryDirectory() as temporary, step("recording a home server"):
        return record(Path(temporary), rounds)


if __name__ == "__main__":
    run_tool(main)
