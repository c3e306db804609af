"""A running home of the application, and what a measurement needs of it beside its address."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.application import forget_what_ran_before
from bench.compacting import compact_and_sweep
from chalicelib import services as process_services
from strandline.home.launching import home_server
from strandline.home.opening import open_home
from tools import processes
from tools.local_cloud.launcher import REGION, ROOT_KEY, local_cloud
from tools.packaging.application import LOCAL_STAGE

WORKER = "APIHandler"


def _nothing(_user_id: str) -> None:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A running server that speaks the API, and opens accounts to anyone."""

    name: str
    base_url: str
    compact: Callable[[str], None] = _nothing
    """Compacts all data of a user, as the job does, without waiting for it; nothing on a peer."""
    cpu_s: Callable[[], float] | None = None
    """The CPU time so far, of all its processes; None if they cannot be seen from here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Home(Target):
    """A home that serves."""

    data_dir: Path
    resident_mb: Callable[[], float]
    """The resident memory now: of all processes of a home server, of the largest worker of a local cloud."""
    first_start_s: float
    next_start_s: float | None
    """The time from the command to the line `ready:`, with a fresh folder and with a used one."""
    keeps_data_on_disk: bool

    def disk_mb(self) -> float:
        """The size of the data folder."""
        return sum(file.stat().st_size for file in self.data_dir.rglob("*") if file.is_file()) / 1e6


@contextmanager
def on_home_server() -> Iterator[Home]:
    """`strandline serve` on a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory() as name:
        data_dir = Path(name) / "data"
        started = time.perf_counter()
        with home_server(data_dir):
            first_start_s = time.perf_counter() - started
        started = time.perf_counter()
        with home_server(data_dir) as server:
            next_start_s = time.perf_counter() - started

            def compact(user_id: str) -> None:
                with open_home(data_dir) as home:
                    process_services.override(home.services)
                    compact_and_sweep(user_id)
                    process_services.override(None)

            def resident_mb() -> float:
                return processes.resident_mb(processes.running(), server.process.pid)

            def cpu_s() -> float:
                return processes.cpu_s(processes.running(), server.process.pid)

            yield Home(
                name="home server",
                base_url=server.base_url,
                compact=compact,
                cpu_s=cpu_s,
                data_dir=data_dir,
                resident_mb=resident_mb,
                first_start_s=first_start_s,
                next_start_s=next_start_s,
                keeps_data_on_disk=True,
            )


@contextmanager
def on_local_cloud() -> Iterator[Home]:
    """The packaged application on a local cloud of its own."""
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, local_cloud(Path(folder), port=0) as cloud:
        first_start_s = time.perf_counter() - started

        def compact(user_id: str) -> None:
            os.environ |= {"AWS_ACCESS_KEY_ID": ROOT_KEY, "AWS_SECRET_ACCESS_KEY": ROOT_KEY, "AWS_REGION": REGION}
            os.environ |= {"AWS_ENDPOINT_URL": cloud.gateway_url, "STRANDLINE_STAGE": LOCAL_STAGE}
            forget_what_ran_before()
            compact_and_sweep(user_id)

        def resident_mb() -> float:
            peaks = processes.peaks_mb(processes.running(), WORKER, str(cloud.data_dir))
            return peaks[0] if peaks else 0.0

        def cpu_s() -> float:
            return processes.cpu_s(processes.running(), cloud.engine.process_id)

        yield Home(
            name="local cloud",
            base_url=cloud.base_url,
            compact=compact,
            cpu_s=cpu_s,
            data_dir=cloud.data_dir,
            resident_mb=resident_mb,
            first_start_s=first_start_s,
            next_start_s=None,
            keeps_data_on_disk=False,
        )
