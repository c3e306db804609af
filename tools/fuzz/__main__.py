"""`make fuzz`: requests from the published description and hostile ones, hostile folders and servers, from a seed.

    python -m tools.fuzz [--minutes 10] [--seed SEED] [--target home|URL] [--short] [--keep]

Requests are sent as owner, grantee, server and nobody, and with Nightscout credentials that read and upload. The
command line gets hostile folders and servers. Each failure becomes a file in `tests/data/fuzz`, which the tests replay
for ever: a 5xx, a reply that the description does not allow, a command that does not end with a line. The exit code is
1 if there was one.
"""

import argparse
import json
import os
import secrets
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from strandline.home.launching import home_server
from tools.fuzz.commands import run_commands
from tools.fuzz.failures import Summary, read_report
from tools.fuzz.people import GRANTEE, NOBODY, OWNER, Role, World, make_world
from tools.fuzz.report import FuzzFigures, Part
from tools.fuzz.sending import Limit, send_hostile
from tools.project import ROOT, ToolError, run_tool

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "allow_header_conformance",
)
"""The others judge what the description leaves open on purpose: whether an id exists, whether a value is accepted."""
ENDS_ACCOUNTS = r"^(sessions\.(logout|delete)|users\.(update|delete))"
"""Operations that would end the accounts and logins of a run; nobody and servers send them with made-up ids."""
TAKES_DATA = r"^(data\.(add|upload)|partners\.)"
"""Operations whose bodies have a thousand forms, which the coverage phase would all try; property tests do."""
FUZZING, COVERAGE = "fuzzing,stateful", "coverage"
SHORT_EXAMPLES = 4
SHORT_HOSTILE, SHORT_COMMANDS = 150, 25
"""Numbers of hostile requests of each role and of runs of the command line in the short run."""
NIGHTSCOUT_PATHS = r"^/(api/|pebble)"
"""The paths that know Nightscout credentials. Hostile requests go to all paths with them."""
HOME = "home"
"""The target that is a home server of the run."""
SECRET_VARIABLE = "STRANDLINE_SERVER_SECRET"  # noqa: S105  the name of a variable


@dataclass(frozen=True, slots=True)
class Pass:
    """Requests of one kind that each role sends."""

    phases: str
    with_ids: bool
    """True if paths have the owner's ids; made-up ones otherwise."""
    is_for_known_paths: bool = False
    """True if paths are left out that know other credentials than those of the role."""


LONG_PASSES = (Pass(FUZZING, False), Pass(FUZZING, True), Pass(COVERAGE, True))
"""Each gets the same share of the time. The coverage phase tries each constraint of the description once, in about
3,500 requests of a role, which is too long for the short run."""


def main() -> int:
    """Exit code 0 without failures, else 1."""
    parser = argparse.ArgumentParser(prog="make fuzz", description="Requests from the description of the API.")
    parser.add_argument("--minutes", type=float, default=10, help="how long (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=None, help="the same requests again (default: a new one)")
    parser.add_argument("--target", default=HOME, help="home (a server of its own) or an address (default: home)")
    parser.add_argument(
        "--short", action="store_true", help="a few requests to each operation, whatever time they take"
    )
    parser.add_argument("--keep", action="store_true", help="show the figures in docs/reliability.md")
    parsed = parser.parse_args()
    if parsed.keep and parsed.target != HOME:
        raise ToolError("KEEP=1 shows the figures of a home server of the run, not those of an address.")
    seed = secrets.randbelow(2**32) if parsed.seed is None else parsed.seed
    began_s = time.monotonic()
    print(f"seed: {seed}", flush=True)
    with _target(parsed.target) as (base_url, server_secret), tempfile.TemporaryDirectory() as folder:
        world = make_world(base_url, server_secret, secrets.token_hex(4))
        share_s = parsed.minutes * 60 / (len(LONG_PASSES) * len(world.roles) + len(world.roles) + 1)
        limit = ("--max-examples", str(SHORT_EXAMPLES)) if parsed.short else ("--max-time", str(max(1, round(share_s))))
        options = [*limit, "--seed", str(seed)]
        parts = [
            _run(base_url, role, world, Path(folder), pass_, options)
            for role in world.roles
            for pass_ in ((Pass("fuzzing", role.name != NOBODY, True),) if parsed.short else LONG_PASSES)
        ]
        hostile = Limit(SHORT_HOSTILE) if parsed.short else Limit(seconds=share_s)
        parts += [
            _printed("hostile requests", send_hostile(base_url, role, world, f"{seed}-{role.name}", hostile))
            for role in world.roles
        ]
        commands = Limit(SHORT_COMMANDS) if parsed.short else Limit(seconds=share_s)
        found = run_commands(base_url, world, Path(folder), f"{seed}-commands", commands)
        parts.append(_printed("hostile folders and servers", found))
    figures = FuzzFigures((time.monotonic() - began_s) / 60, seed, parts)
    if parsed.keep:
        figures.keep()
    return _print_result(figures)


@contextmanager
def _target(target: str) -> Iterator[tuple[str, str]]:
    """The address to send to, and the server secret there.

    Raises:
        ToolError: the secret of an address is not in the environment.
    """
    if target != HOME:
        if not os.environ.get(SECRET_VARIABLE):
            raise ToolError(f"{SECRET_VARIABLE} has to hold the server secret of {target}.")
        yield target.rstrip("/"), os.environ[SECRET_VARIABLE]
        return
    with tempfile.TemporaryDirectory() as folder:
        options = ["--requests-an-hour", "1000000000"]
        with home_server(Path(folder) / "data", options=options) as server:
            yield server.base_url, server.server_secret


def _run(base_url: str, role: Role, world: World, folder: Path, pass_: Pass, options: Sequence[str]) -> Part:
    """Send the requests of a pass as one person."""
    config, report = folder / "schemathesis.toml", folder / "report.ndjson"
    ids = (dict(world.ids) | ({"collection": "treatments"} if role.is_nightscout else {})) if pass_.with_ids else {}
    config.write_text("[parameters]\n" + "".join(f'"path.{name}" = {json.dumps(ids[name])}\n' for name in ids))
    excluded = [ENDS_ACCOUNTS] if pass_.with_ids or role.name in (OWNER, GRANTEE) else []
    excluded += [TAKES_DATA] if pass_.phases == COVERAGE else []
    command = [
        *(str(ROOT / ".venv-fuzz" / "bin" / "schemathesis"), "--config-file", str(config)),
        *("run", f"{base_url}/openapi.json", "--url", base_url, "--checks", ",".join(CHECKS), *options),
        *("--max-redirects", "0", "--continue-on-failure", "--no-shrink", "--suppress-health-check", "all"),
        *("--report-ndjson-path", str(report), "--output-sanitize", "false", "--warnings", "off", "--no-color"),
        *("--phases", pass_.phases, "--generation-database", "none"),
        *(("--exclude-operation-id-regex", "|".join(excluded)) if excluded else ()),
        *_paths(role, pass_),
        *(part for name, value in role.headers.items() for part in ("--header", f"{name}: {value}")),
    ]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if not report.exists():
        raise ToolError(f"schemathesis did not run: {(done.stderr or done.stdout).strip().splitlines()[-1]}")
    summary = read_report(report, role, world)
    if summary.requests == 0:
        raise ToolError("no request was sent: loading the description took all of the time; give more minutes.")
    report.unlink()
    which_ids = "the owner's ids" if pass_.with_ids else "made-up ids"
    return _printed(f"{which_ids}, {pass_.phases}", summary)


def _paths(role: Role, pass_: Pass) -> tuple[str, ...]:
    """The options that choose the paths of a pass."""
    if role.is_nightscout:
        return ("--include-path-regex", NIGHTSCOUT_PATHS)
    if pass_.is_for_known_paths and role.name != NOBODY:
        return ("--exclude-path-regex", NIGHTSCOUT_PATHS)
    return ()


def _printed(tried: str, summary: Summary) -> Part:
    """A part of the run, whose line is printed."""
    part = Part(tried, summary)
    print(part.line, flush=True)
    return part


def _print_result(figures: FuzzFigures) -> int:
    """Print the result, and return the exit code."""
    print(f"{figures.requests} requests, {figures.server_errors} answers 5xx, {len(figures.failures)} failures")
    for path in figures.failures:
        print(f"  {path.relative_to(ROOT)}")
    return 1 if figures.failures else 0


if __name__ == "__main__":
    run_tool(main)
