"""Measures what Strandline costs, prints a table, and writes the figures to build/bench.json.

    python -m bench [--quick] [--peers name=http://address,...]

F is the CPU time of `orjson.loads` and `orjson.dumps` of the same bytes, timed alternately with each case.
"""

import argparse
import json

from bench import growth, handler, start
from bench.costs import cost_model
from bench.figures import as_json, as_table
from bench.homes import side_by_side
from tools.project import BUILD, run_tool


def main() -> int:
    """Measure, print and write the figures."""
    parser = argparse.ArgumentParser(prog="make bench", description="Measure what Strandline costs.")
    parser.add_argument("--quick", action="store_true", help="fewer rounds: a few minutes, less precise")
    parser.add_argument("--peers", default="", help="servers that run already: name=http://address,...")
    arguments = parser.parse_args()
    is_quick, peers = arguments.quick, side_by_side.peers_of(arguments.peers)
    figures = [figure for part in (start, handler) for figure in part.figures(is_quick=is_quick)]
    homes = side_by_side.measured(peers, is_quick=is_quick)
    grown = growth.measured(is_quick=is_quick)
    costs = cost_model.measured_costs()
    document = {
        "figures": as_json(figures),
        "homes": side_by_side.as_document(homes),
        "growth": growth.as_document(grown),
        "costs": cost_model.as_document(costs),
    }
    BUILD.mkdir(exist_ok=True)
    (BUILD / "bench.json").write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    print(as_table(figures))
    print(f"\n{side_by_side.as_text(homes)}")
    print(f"\n{growth.as_text(grown)}\n\n{cost_model.as_text(costs)}")
    return 0


if __name__ == "__main__":
    run_tool(main)
