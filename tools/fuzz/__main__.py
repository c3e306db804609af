"""`make fuzz`: requests made from the published description, as owner, grantee, server and nobody.

    python -m tools.fuzz [--minutes 10] [--seed SEED] [--target home|URL] [--short]

Each failure, a 5xx or a reply that the description does not allow, becomes a file in `tests/data/fuzz`, which the tests
replay for ever. The exit code is 1 if there was one.
"""

import argparse
import json
import os
import secrets
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from strandline.home.launching import home_server
from tools.fuzz.failures import Summary, read_report
from tools.fuzz.people import GRANTEE, NOBODY, OWNER, Role, World, make_world
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
SHORT_EXAMPLES = 4
SECRET_VARIABLE = "STRANDLINE_SERVER_SECRET"  # noqa: S105  the name of a variable


def main() -> int:
    """Exit code 0 without failures, else 1."""
    parser = argparse.ArgumentParser(prog="make fuzz", description="Requests from the description of the API.")
    parser.add_argument("--minutes", type=float, default=10, help="how long (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=None, help="the same requests again (default: a new one)")
    parser.add_argument("--target", default="home", help="home (a server of its own) or an address (default: home)")
    parser.add_argument("--short", action="store_true", help="a few requests of each kind, whatever time they take")
    parsed = parser.parse_args()
    seed = secrets.randbelow(2**32) if parsed.seed is None else parsed.seed
    print(f"seed: {seed}", flush=True)
    with _target(parsed.target) as (base_url, server_secret), tempfile.TemporaryDirectory() as folder:
        world = make_world(base_url, server_secret, secrets.token_hex(4))
        seconds = None if parsed.short else parsed.minutes * 60 / (2 * len(world.roles))
        summaries = [
            _run(base_url, role, world, Path(folder), seed=seed, seconds=seconds, with_ids=with_ids)
            for role in world.roles
            for with_ids in (role.name != NOBODY,) * parsed.short or (False, True)
        ]
    return _said(summaries)


@contextmanager
def _target(target: str) -> Iterator[tuple[str, str]]:
    """The address to send to, and the server secret there.

    Raises:
        ToolError: the secret of an address is not in the environment.
    """
    if target != "home":
        if not os.environ.get(SECRET_VARIABLE):
            raise ToolError(f"{SECRET_VARIABLE} has to hold the server secret of {target}.")
        yield target.rstrip("/"), os.environ[SECRET_VARIABLE]
        return
    with tempfile.TemporaryDirectory() as folder:
        options = ["--requests-an-hour", "1000000000"]
        with home_server(Path(folder) / "data", options=options) as server:
            yield server.base_url, server.server_secret


def _run(
    base_url: str, role: Role, world: World, folder: Path, *, seed: int, seconds: float | None, with_ids: bool
) -> Summary:
    """Send requests as one person, with the owner's ids in paths or with made-up ones."""
    config, report = folder / "schemathesis.toml", folder / "report.ndjson"
    ids = world.ids if with_ids else {}
    config.write_text("[parameters]\n" + "".join(f'"path.{name}" = {json.dumps(ids[name])}\n' for name in ids))
    command = [
        *(str(ROOT / ".venv-fuzz" / "bin" / "schemathesis"), "--config-file", str(config)),
        *("run", f"{base_url}/openapi.json", "--url", base_url, "--checks", ",".join(CHECKS), "--seed", str(seed)),
        *("--max-redirects", "0", "--continue-on-failure", "--no-shrink", "--suppress-health-check", "all"),
        *("--report-ndjson-path", str(report), "--output-sanitize", "false", "--warnings", "off", "--no-color"),
        *("--phases", "fuzzing" if seconds is None else "fuzzing,stateful", "--generation-database", "none"),
        *(("--max-examples", str(SHORT_EXAMPLES)) if seconds is None else ("--max-time", str(max(1, round(seconds))))),
        *(("--exclude-operation-id-regex", ENDS_ACCOUNTS) if with_ids or role.name in (OWNER, GRANTEE) else ()),
        *(part for name, value in role.headers.items() for part in ("--header", f"{name}: {value}")),
    ]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if not report.exists():
        raise ToolError(f"schemathesis did not run: {(done.stderr or done.stdout).strip().splitlines()[-1]}")
    summary = read_report(report, role.name, world)
    ids_said = "the owner's ids" if with_ids else "made-up ids"
    print(f"{role.name}, {ids_said}: {summary.requests} requests, {len(summary.failures)} failures", flush=True)
    report.unlink()
    return summary


def _said(summaries: list[Summary]) -> int:
    """Print the result, and return the exit code."""
    requests = sum(summary.requests for summary in summaries)
    server_errors = sum(summary.server_errors for summary in summaries)
    failures = dict.fromkeys(path for summary in summaries for path in summary.failures)
    print(f"{requests} requests, {server_errors} answers 5xx, {len(failures)} failures")
    for path in failures:
        print(f"  {path.relative_to(ROOT)}")
    return 1 if failures else 0


if __name__ == "__main__":
    run_tool(main)
