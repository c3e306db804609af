"""Use cases of metrics: events recorded and read, and the batches of their stream."""

import json

from tests.infra.rights.stage import Stage
from tools.project import ROOT

EVENTS = ROOT / "tests" / "data" / "events"


def events(stage: Stage) -> None:
    """Events of a user and of a server, and how often there were any."""
    user = stage.sign_up("events")
    stage.request("GET", f"/metrics/user/{user.id}/viewed")
    stage.request("GET", "/metrics/thisuser/viewed", token=user.token)
    stage.request("GET", "/metrics/server/a-server/started", token=stage.server)
    stage.request("GET", "/v1/metrics/events?from=2026-01-01&to=2026-01-02", token=stage.server)


def batches(stage: Stage) -> None:
    """Batches of the stream: records of which some are not events, good ones, and the same again."""
    for file in ("kinesis_metrics_with_poison.json", "kinesis_metrics.json", "kinesis_metrics.json"):
        answer = stage.invoke("on_metrics", json.loads((EVENTS / file).read_text()))
        assert answer == {"batchItemFailures": []}


USE_CASES = (events, batches)
