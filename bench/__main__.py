"""Measures what Strandline costs and prints a table; the same as JSON in build/bench.json.

    python -m bench [--quick]

F is the CPU time of `orjson.loads` and `orjson.dumps` of the same bytes, timed in turns with each case.
"""

import argparse
import json

from bench import end_to_end, handler, start
from bench.figures import as_json, as_table
from tools.project import BUILD, run_tool


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="make bench", description="Measure what Strandline costs.")
    parser.add_argument("--quick", action="store_true", help="fewer rounds: under a minute, and rougher")
    is_quick = parser.parse_args().quick
    figures = [figure for part in (start, handler, end_to_end) for figure in part.figures(is_quick=is_quick)]
    BUILD.mkdir(exist_ok=True)
    (BUILD / "bench.json").write_text(json.dumps(as_json(figures), indent=2, ensure_ascii=False) + "\n")
    print(as_table(figures))
    return 0


if __name__ == "__main__":
    run_tool(main)
