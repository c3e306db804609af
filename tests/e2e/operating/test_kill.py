"""The home server is killed at random moments while clients write: what was answered is there, once.

`KILLS=1000` kills it as often. The seed is printed with the figures; `SEED=…` repeats its choices, though not the
moments at which the operating system carries them out. What a kill cannot prove, since it leaves the page cache as it
is, `tests/engine/embedded/test_durability.py` proves.
"""

import gzip
import json
import os
import secrets
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random
from statistics import median
from threading import Event

import pytest

from chalicelib.engine.embedded.engine import embedded_engine
from chalicelib.services import system_now_ms
from strandline.home.launching import HomeServer, home_server
from tests.e2e.operating.killed_client import METRIC, KilledClient
from tools.project import ROOT

KILLS = int(os.environ.get("KILLS", "100"))
SEED = os.environ.get("SEED") or secrets.token_hex(4)
CLIENTS = 4
KILLS_OF_A_GENERATION = 50
"""After so many kills new users begin, so that reading does not grow with the number of kills."""
LONGEST_LIFE_S = 0.5
LONG_LIVES, LONGEST_LONG_LIFE_S = 0.05, 6.0
"""Some live longer, so that events of metrics are archived, which takes some seconds."""
LONGEST_START_S = 0.8
"""By then most servers are ready."""
ARCHIVED_WITHIN_S = 30.0
KILLED_STARTS = 0.1
"""The share of starts that are killed as well."""


class KilledServer:
    """A home server that is killed and started again on one folder and one port."""

    def __init__(self, data_dir: Path, random: Random) -> None:
        self.start_times_s: list[float] = []
        self.killed_starts = 0
        self._data_dir = data_dir
        self._random = random
        self._port = 0

    @contextmanager
    def running(self) -> Iterator[HomeServer]:
        """Start it, perhaps after starts that are killed, and let it run until the block ends."""
        while self._port and self._random.random() < KILLED_STARTS:
            self._kill_a_start()
        started = time.monotonic()
        with home_server(self._data_dir, self._port) as server:
            self.start_times_s.append(time.monotonic() - started)
            self._port = int(server.base_url.rpartition(":")[2])
            yield server

    def _kill_a_start(self) -> None:
        command = [sys.executable, "-m", "strandline.cli", "serve", "--data-dir", str(self._data_dir), "--port", "0"]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(self._random.uniform(0, LONGEST_START_S))
        process.kill()
        process.wait()
        self.killed_starts += 1


def kill_under_load(server: HomeServer, clients: list[KilledClient], after_s: float) -> None:
    """Let the clients write, and kill the server after a time."""
    stopping = Event()
    with ThreadPoolExecutor(len(clients)) as threads:
        writing = [threads.submit(client.write, stopping) for client in clients]
        time.sleep(after_s)
        server.process.kill()
        server.process.wait()
        stopping.set()
        for future in writing:
            future.result()


def in_database(data_dir: Path, statement: str, *values: str) -> list[tuple[object, ...]]:
    """The rows of a statement that reads the database of a data folder."""
    with closing(sqlite3.connect(f"{(data_dir / 'strandline.db').as_uri()}?mode=ro", uri=True, timeout=10)) as reading:
        return reading.execute(statement, values).fetchall()


def at_once(clients: list[KilledClient], do: Callable[[KilledClient], None]) -> None:
    """Do the same with each client."""
    with ThreadPoolExecutor(CLIENTS) as threads:
        list(threads.map(do, clients))


def archived_events(data_dir: Path) -> Counter[tuple[str, str]]:
    """The number of times that each event of the clients is in the archive, by its name and number."""
    engine = embedded_engine(data_dir, system_now_ms, read_only=True)
    found: Counter[tuple[str, str]] = Counter()
    for key in engine.objects.keys("metrics/"):
        for line in gzip.decompress(engine.objects.get(key) or b"").splitlines():
            event = json.loads(line)
            if event["eventName"].startswith(METRIC):
                found[event["eventName"], event["event"]["number"]] += 1
    engine.database.close()
    return found


@pytest.mark.slow
def test_what_was_answered_survives_kills_and_the_rest_is_there_wholly_or_not(
    tmp_path: Path, figure: Callable[[str], None]
) -> None:
    data_dir, random = tmp_path / "data", Random(SEED)  # noqa: S311  a test, no secret
    figure(f"kill -9 of the home server: SEED={SEED}")
    server = KilledServer(data_dir, random)
    everyone: list[KilledClient] = []
    clients: list[KilledClient] = []

    def has_content(blob_id: str) -> bool:
        return bool(in_database(data_dir, "SELECT 1 FROM objects WHERE instr(key, ?)", blob_id))

    began = time.monotonic()
    for kill in range(KILLS):
        with server.running() as running:
            assert in_database(data_dir, "PRAGMA integrity_check") == [("ok",)]
            at_once(clients, KilledClient.verify)
            if kill % KILLS_OF_A_GENERATION == 0:
                names = (f"{SEED}-{kill}-{number}" for number in range(CLIENTS))
                clients = [KilledClient(running.base_url, name, has_content) for name in names]
                everyone += clients
            longest_s = LONGEST_LONG_LIFE_S if random.random() < LONG_LIVES else LONGEST_LIFE_S
            kill_under_load(running, clients, random.uniform(0, longest_s))
    took_s = time.monotonic() - began

    with server.running():
        assert in_database(data_dir, "PRAGMA integrity_check") == [("ok",)]
        at_once(everyone, KilledClient.verify)
        at_once(everyone, KilledClient.verify_all_blobs)
        last_events = {client.send_event() for client in everyone}
        last_s = time.monotonic() + ARCHIVED_WITHIN_S
        while not last_events <= (events := archived_events(data_dir)).keys():
            assert time.monotonic() < last_s
            time.sleep(0.5)
    assert set(events.values()) == {1}

    answered = sum((client.answered for client in everyone), Counter[str]())
    found = sum((client.found for client in everyone), Counter[str]())
    not_found = sum((client.not_found for client in everyone), Counter[str]())
    assert {"add", "repeat", "delete", "close", "blob", "direct blob", "delete blob", "event"} <= answered.keys()
    starts = f"a start takes {median(server.start_times_s):.2f} s, at most {max(server.start_times_s):.2f} s"
    figure(f"{KILLS} kills and {server.killed_starts} of starts in {took_s:,.0f} s; {starts}")
    figure(f"answered {answered.total():,} writes, all of them there: {dict(answered.most_common())}")
    sent = sum(client.events for client in everyone)
    figure(f"{len(events):,} of {sent:,} events of metrics archived: a kill loses those of the last seconds")
    figure(f"unanswered and there {found.total()}: {dict(found.most_common())}")
    figure(f"unanswered and not there {not_found.total()}: {dict(not_found.most_common())}")
