"""`strandline doctor`: a data folder examined."""

import argparse
import json
from typing import Any

from strandline.cli.data_dir import add_data_dir
from strandline.cli.exit_codes import DONE, FAILED, INCOMPLETE
from strandline.cli.progress import Progress

DOCTOR_EXIT_CODES = "exit codes: 0 all in order, 1 errors, 2 wrong arguments, 3 warnings, 130 interrupted"


def add_to(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "doctor",
        help="examine the data folder of a home server",
        description="Examine the data folder of a home server, which may run meanwhile. Nothing is changed.",
        epilog=DOCTOR_EXIT_CODES,
    )
    parser.add_argument("--json", action="store_true", help="print the findings as a JSON array")
    add_data_dir(parser)
    parser.set_defaults(command=_run)


def _run(parsed: argparse.Namespace) -> int:
    from strandline.home.doctor import Level, examine, worst

    findings = []
    for finding in examine(parsed.data_dir, Progress):
        findings.append(finding)
        if not parsed.json:
            print(f"{finding.level:8} {finding.check:9} {finding.detail}", flush=True)
    if parsed.json:
        fields = [{"level": found.level, "check": found.check, "detail": found.detail} for found in findings]
        print(json.dumps(fields, indent=2))
    return {Level.OK: DONE, Level.WARNING: INCOMPLETE, Level.ERROR: FAILED}[worst(findings)]
