"""Failures as files: each request that got a wrong reply is stored, and replayed by the tests from then on."""

import base64
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tools.fuzz.hostile import HostileRequest
from tools.fuzz.people import Role, World, placeholders
from tools.project import ROOT

FOLDER = ROOT / "tests" / "data" / "fuzz"
MEANT = frozenset({431, 501})
"""501 is the reply of the reference to deleting metadata; 431 is that of the HTTP server before the API."""
NO_WRONG_METHODS = ("/data/", "/api/", "/pebble")
"""Beginnings of paths of which each wrong method is an unknown path, as in the references: 404 instead of 405."""
OF_WRONG_METHODS = ("unsupported_method", "allow_header_conformance")
"""The checks of a 405. There, `Allow` names what the router finds for any path of the same form."""
SENT_BY_ALL = frozenset({"accept-encoding", "connection", "content-length", "host", "user-agent", "accept"})


@dataclass(frozen=True, slots=True)
class Summary:
    """The result of one run as one person."""

    role: str
    requests: int
    server_errors: int
    failures: tuple[Path, ...]
    """The files of failed requests, new and known ones."""


def read_report(report: Path, role: Role, world: World) -> Summary:
    """The result that a report says, and a file for each kind of failure."""
    requests = server_errors = 0
    files: dict[Path, None] = {}
    for recorder in _recorders(report):
        for case_id, interaction in recorder.get("interactions", {}).items():
            requests += 1
            status = (interaction.get("response") or {}).get("status_code", 0)
            if status in MEANT:
                continue
            server_errors += status >= 500
            failed = [check for check in recorder.get("checks", {}).get(case_id, ()) if check["status"] != "success"]
            if status == 404 and urlsplit(interaction["request"]["uri"]).path.startswith(NO_WRONG_METHODS):
                failed = [check for check in failed if check["name"] not in OF_WRONG_METHODS]
            if failed:
                files[_store(recorder["label"], interaction["request"], failed, role, world)] = None
    return Summary(role.name, requests, server_errors, tuple(files))


def _recorders(report: Path) -> Iterator[dict[str, Any]]:
    with report.open(encoding="utf-8") as lines:
        for line in lines:
            finished = json.loads(line).get("ScenarioFinished")
            if finished is not None:
                yield finished["recorder"]


def _store(label: str, request: dict[str, Any], failed: Sequence[dict[str, Any]], role: Role, world: World) -> Path:
    """The file of a failed request of schemathesis."""
    kinds = sorted({check["failure_info"]["failure"]["title"] for check in failed})
    address = urlsplit(request["uri"])
    path = address.path + (f"?{address.query}" if address.query else "")
    credentials = {name.lower() for name in role.headers}
    headers = {name: values[0] for name, values in request["headers"].items() if name.lower() not in credentials}
    body = base64.b64decode((request.get("body") or {}).get("$base64", ""))
    failed_request = HostileRequest(label, request["method"], path, headers, body)
    return store_failure(failed_request, kinds, role.name, world)


def store_failure(request: HostileRequest, kinds: Sequence[str], role: str, world: World) -> Path:
    """The file of a failed request: one for each operation, role and kind of failure."""
    stored = {
        "operation": request.operation,
        "role": role,
        "faults": list(kinds),
        "method": request.method,
        "path": _without_run(request.path, world),
        "headers": {
            name: _without_run(value, world)
            for name, value in request.headers.items()
            if name.lower() not in SENT_BY_ALL
        },
        "body_base64": base64.b64encode(_without_run(request.body.decode("latin-1"), world).encode("latin-1")).decode(),
    }
    digest = hashlib.sha256(json.dumps([request.operation, role, list(kinds)]).encode()).hexdigest()[:12]
    path = FOLDER / f"{request.method.lower()}-{digest}.json"
    if not path.exists():
        path.write_text(json.dumps(stored, indent=2) + "\n", encoding="utf-8")
    return path


def _without_run(text: str, world: World) -> str:
    """The text with names in the place of ids and tokens of this run."""
    for value, name in placeholders(world):
        text = text.replace(value, name)
    return text
