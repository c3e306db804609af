"""Send a synthetic month, read it back, compare, and show it.

    python -m tools.demo [--days 30] [--seed 1] [--port 8000] [--data-dir .local/demo] [--base-url URL]

The server is BASE_URL, or `--base-url`, if given; otherwise the one that runs on the port of this machine. If none
runs, a home server is started for the demo, and its data stays in the data folder. Exits with 1 and a reason if a
record that was sent does not come back.
"""

import argparse
import json
import os
import secrets
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from chalicelib.engine.embedded.folder import SECRETS_FOLDER
from chalicelib.engine.embedded.secret_files import secret_path
from strandline.cli.data_dir import default_data_dir
from strandline.cli.progress import Progress
from strandline.home.launching import NotReadyError, home_server
from strandline.home.opening import HOME
from tools.demo import generator, report
from tools.demo.client import Client
from tools.demo.comparison import differences
from tools.demo.events import show_events
from tools.demo.generator import LOCAL_TIME, Record
from tools.local_cloud.ports import LOOPBACK
from tools.project import ToolError, run_tool

DEMO_FOLDER = Path(".local") / "demo"
"""The data folder of a server that is started for the demo."""
LOCAL_CLOUD_SECRET = Path(".local") / "server-secret"
CHUNK_RECORDS = 1000
SHOWN_PROBLEMS = 10


class Server(Protocol):
    """The requests of the demo to a server; `Client` sends them over HTTP."""

    def sign_up(self, email: str, password: str) -> str: ...
    def write_profile(self, user_id: str) -> None: ...
    def create_data_set(self, user_id: str) -> str: ...
    def add_data(self, data_set_id: str, records: list[Record]) -> None: ...
    def read_data(self, user_id: str) -> list[Record]: ...


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0.

    Raises:
        ToolError: a record that was sent did not come back, or no server was found.
    """
    options = _options(arguments)
    with _server(options.base_url, options.port, options.data_dir) as server:
        run(server, options.days, options.seed)
        with _operator(server, _server_secrets(options)) as operator:
            show_events(server, operator)
    return 0


def run(server: Server, days: int, seed: int) -> None:
    """Send, read back, compare, show.

    Raises:
        ToolError: the server refused something, or does not show exactly what was sent.
    """
    midnight = datetime.now(LOCAL_TIME).replace(hour=0, minute=0, second=0, microsecond=0)
    sent = generator.records(days, seed, midnight - timedelta(days=days))
    print(f"made {len(sent)} records: {days} days of a person with a pump and a CGM, seed {seed}")

    email, password = f"demo-{secrets.token_hex(6)}@example.org", secrets.token_urlsafe(12)
    user_id = server.sign_up(email, password)
    print(f"signed up {email} with password {password}: user {user_id}")
    server.write_profile(user_id)
    data_set_id = server.create_data_set(user_id)
    print(f"opened the continuous data set {data_set_id}")

    started = time.monotonic()
    _upload(server, data_set_id, sent)
    uploaded = time.monotonic()
    everything = server.read_data(user_id)
    finished = time.monotonic()
    received = [record for record in everything if record.get("type") != "upload"]
    problems = differences(sent, received, data_set_id)
    if problems:
        shown = [f"  {problem}" for problem in problems[:SHOWN_PROBLEMS]]
        if len(problems) > SHOWN_PROBLEMS:
            shown.append(f"  and {len(problems) - SHOWN_PROBLEMS} more")
        raise ToolError("\n".join([f"{len(problems)} differences between what was sent and what is read:", *shown]))
    print(
        f"sent in {uploaded - started:.1f} s, read back in {finished - uploaded:.1f} s: "
        f"each of the {len(received)} records is there once, in mmol/L\n"
    )
    _show(received)


def _upload(server: Server, data_set_id: str, records: list[Record]) -> None:
    with Progress("uploading", len(records)) as progress:
        for first in range(0, len(records), CHUNK_RECORDS):
            chunk = records[first : first + CHUNK_RECORDS]
            server.add_data(data_set_id, chunk)
            progress.advance(len(chunk))


def _show(records: list[Record]) -> None:
    day, readings = report.fullest_day(records, LOCAL_TIME)
    lines = [
        *report.table(records, LOCAL_TIME),
        "",
        *report.glucose_summary(records),
        "",
        f"{day}, mg/dL, {generator.TIMEZONE}",
        *report.plot(readings),
    ]
    print("\n".join(lines))


@contextmanager
def _server(base_url: str | None, port: int, data_dir: Path | None) -> Iterator[Client]:
    """The server to use: the named one, or the one that runs on this port, or a home server started for the demo.

    Raises:
        ToolError: the home server does not start.
    """
    url = base_url or f"http://{LOOPBACK}:{port}"
    with closing(Client(url)) as client:
        if base_url is not None or _answers(client):
            print(f"server: {url}")
            yield client
            print(f"\nTo see it, open {url} in a browser and sign in as above.")
            return
    folder = data_dir or DEMO_FOLDER
    print(f"server: a home server for this demo, on {folder}", flush=True)
    try:
        with home_server(folder, port) as server, closing(Client(server.base_url)) as client:
            yield client
    except NotReadyError as error:
        raise ToolError(str(error)) from error
    print(f"\nThe data stays in {folder}: make serve DATA_DIR={folder}, then open the address and sign in as above.")


@contextmanager
def _operator(user: Client, secrets_: Sequence[str]) -> Iterator[Client | None]:
    """A client of the same server with the rights of a server, when one of these is its secret."""
    with closing(Client(user.base_url)) as client:
        yield client if any(client.sign_in_as_server(secret) for secret in secrets_) else None


def _server_secrets(options: argparse.Namespace) -> list[str]:
    """The secret from the environment or, for a server of this machine, those in the usual data folders."""
    if given := os.environ.get("SERVER_SECRET"):
        return [given]
    if options.base_url is not None:
        return []
    folders = [options.data_dir] if options.data_dir else [DEMO_FOLDER, default_data_dir()]
    files = [secret_path(folder / SECRETS_FOLDER, HOME.server_secret_name) for folder in folders]
    found = [str(json.loads(file.read_text("utf-8"))["text"]) for file in files if file.exists()]
    if LOCAL_CLOUD_SECRET.exists():
        found.append(LOCAL_CLOUD_SECRET.read_text().strip())
    return found


def _answers(client: Client) -> bool:
    try:
        client.server_time()
    except ToolError:
        return False
    return True


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tools.demo", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--days", type=_days, default=30, help="how many days to make, 1 to 366 (30)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same person and days (1)")
    parser.add_argument("--port", type=int, default=8000, help="where the server is, or will be (8000)")
    parser.add_argument(
        "--data-dir", type=Path, help="the data folder of the home server that runs or will be started (.local/demo)"
    )
    parser.add_argument(
        "--base-url",
        default=os.environ.get("BASE_URL") or None,
        help="a running server ($BASE_URL; else one on this machine)",
    )
    return parser.parse_args(arguments)


def _days(text: str) -> int:
    days = int(text)
    if not 1 <= days <= 366:
        raise argparse.ArgumentTypeError(f"{days} is not between 1 and 366")
    return days


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]  # a terminal without Braille gets the numbers
    run_tool(main)
