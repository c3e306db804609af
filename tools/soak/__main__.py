"""`make soak`: mixed traffic of clients against an oracle, with restarts in between.

    python -m tools.soak [--minutes 10] [--clients 8] [--target home|cloud|URL] [--seed SEED] [--keep]

Everything that was answered is read back and compared, at the end and now and then. The exit code is 1 if anything was
lost, doubled, changed, or answered with an unexpected status; the findings are printed. Ctrl-C ends the run early, with
a comparison of everything and a report; a second one ends it at once, with exit code 130.
"""

import argparse
import os
import secrets
import signal

from tools.project import ToolError, run_tool
from tools.soak.report import SHOWN_FINDINGS, Report, keep_report, report_of, write_report
from tools.soak.run import Plan, soak
from tools.soak.targets import OWN, SECRET_VARIABLE, target_of


def main() -> int:
    """Exit code 0 without findings, else 1.

    Raises:
        ToolError: the run cannot begin.
    """
    parsed = _parser().parse_args()
    plan = Plan(parsed.minutes * 60, parsed.clients, parsed.seed or secrets.token_hex(4), parsed.min_requests)
    plan.require_possible()
    if parsed.keep and parsed.target not in OWN:
        raise ToolError("KEEP=1 shows the figures of a home server or of a local cloud, not those of an address.")
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)  # the servers that were started end, as after Ctrl-C
    print(f"seed: {plan.seed}", flush=True)
    with target_of(parsed.target, os.environ.get(SECRET_VARIABLE)) as target:
        print(f"server: {target.base_url}", flush=True)
        if target.server_secret is None:
            print(f"note: without {SECRET_VARIABLE} there are no tasks, and events are not counted", flush=True)
        report = report_of(soak(target, plan))
    path = write_report(report)
    if parsed.keep and report["is_whole"]:
        keep_report(report)
    elif parsed.keep:
        print("note: the figures of a run that ended early are not kept")
    _print_findings(report)
    print(f"report: {path}")
    return 1 if report["findings"] else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make soak", description="Traffic of clients against an oracle.")
    parser.add_argument("--minutes", type=float, default=10, help="how long (default: %(default)s)")
    parser.add_argument("--clients", type=int, default=8, help="how many at once (default: %(default)s)")
    parser.add_argument(
        "--target",
        default="home",
        help=f"home, cloud (each of its own), or an address, whose server secret may be in {SECRET_VARIABLE}"
        " (default: %(default)s)",
    )
    parser.add_argument("--seed", default=None, help="the same choices again (default: new ones)")
    parser.add_argument(
        "--min-requests", type=int, default=0, help="go on until so many were answered (default: %(default)s)"
    )
    parser.add_argument("--keep", action="store_true", help="show the figures in docs/reliability.md")
    return parser


def _print_findings(report: Report) -> None:
    found = ", ".join(f"{count} {kind}" for kind, count in report["found"].items())
    print(f"{report['requests']:,} requests, {report['restarts']} restarts: {found}")
    for finding in report["findings"][:SHOWN_FINDINGS]:
        print(f"  {finding}")


if __name__ == "__main__":
    run_tool(main)
