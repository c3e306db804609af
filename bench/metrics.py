"""Measures the latency of sending an event, compared with the cheapest route, and under faults of the stream.

    python -m bench.metrics [--base-url http://127.0.0.1:8000]

Requests to the running server alternate, so that other load of the machine affects both alike. Faults are tested on the
handler in this process, with the real store against a stream that fails, hangs or drips.
"""

import argparse
import contextlib
import http.client
import io
import os
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from urllib.parse import urlsplit

from bench.latency import timed_ms

WARM_UP, ROUNDS, FAULTS = 20, 300, 20
EVENT = "/metrics/user/0123456789/bench%20-%20Event?sourceVersion=1.2.3"


@dataclass(frozen=True, slots=True)
class Row:
    """The latency of one kind of request, in milliseconds."""

    name: str
    p50_ms: float
    p95_ms: float
    max_ms: float
    lost: int | None = None


def routes(base_url: str, rounds: int = ROUNDS) -> list[Row]:
    """The latency of the time route and of an event, alternately over one connection to the running server."""
    address = urlsplit(base_url)
    paths = {"GET /v1/time": "/v1/time", "GET /metrics/user/…": EVENT}
    times: dict[str, list[float]] = {name: [] for name in paths}
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=60)
    with contextlib.closing(connection):
        for number in range(WARM_UP + rounds):
            for name, path in paths.items():
                took = timed_ms(partial(_get, connection, path))
                if number >= WARM_UP:
                    times[name].append(took)
    return [_row(name, values) for name, values in times.items()]


def faults() -> list[Row]:
    """The latency of the handler of an event with a stream that replies, fails, hangs or drips; and the number of lost
    events."""
    os.environ |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    from chalice.test import Client

    from app import app
    from chalicelib import services as wiring
    from chalicelib.engine.aws import kinesis
    from chalicelib.engine.aws.engine import aws_engine
    from chalicelib.metrics.stores.stream import StreamedEvents
    from chalicelib.observability import logger
    from tests.fakes.metrics_faults import faulty_aws
    from tests.fakes.services import FakeServices

    logger.setLevel("CRITICAL")
    fakes, rows = FakeServices(), []
    for behavior in ("200", "500", "hangs", "drips"):
        kinesis.forget_clients()
        stream = StreamedEvents(aws_engine(fakes.settings).metrics_stream)
        wiring.override(replace(fakes.services, metrics=replace(fakes.metrics, stream=stream)))
        output = io.StringIO()
        with faulty_aws(behavior) as server, Client(app) as client, contextlib.redirect_stdout(output):
            os.environ["AWS_ENDPOINT_URL"] = server.url
            client.http.get(EVENT)  # makes the AWS client
            times = [timed_ms(partial(client.http.get, EVENT)) for _ in range(FAULTS)]
        lost = output.getvalue().count('"LostMetricsEvents":[')
        rows.append(replace(_row(f"handler, stream {behavior}", times), lost=max(0, lost - (behavior != "200"))))
    wiring.override(None)
    del os.environ["AWS_ENDPOINT_URL"]
    return rows


def _get(connection: http.client.HTTPConnection, path: str) -> None:
    connection.request("GET", path)
    response = connection.getresponse()
    response.read()
    if response.status != 200:
        raise SystemExit(f"error: {path} replied {response.status}")


def _row(name: str, times: Sequence[float]) -> Row:
    percentiles = statistics.quantiles(times, n=20)
    return Row(name, percentiles[9], percentiles[18], max(times))


def main() -> None:
    """Print a table of latencies."""
    parser = argparse.ArgumentParser(prog="python -m bench.metrics", description=__doc__)
    parser.add_argument("--base-url", default="http://127.0.0.1:8000", help="a running local cloud")
    rows = [*routes(parser.parse_args().base_url), *faults()]
    print(f"{'ms':<24}{'p50':>8}{'p95':>8}{'max':>8}  lost")
    for row in rows:
        lost = "" if row.lost is None else f"{row.lost} of {FAULTS}"
        print(f"{row.name:<24}{row.p50_ms:>8.1f}{row.p95_ms:>8.1f}{row.max_ms:>8.1f}  {lost}")


if __name__ == "__main__":
    main()
