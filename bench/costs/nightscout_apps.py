"""The requests that apps of the Nightscout API send each day, and what they cost in a year.

    python -m bench.costs.nightscout_apps

Sends each request of the samples that an app repeats to the application, for a person with a CGM and Loop whose data
came by the Tidepool API, and multiplies its use by the prices of AWS. Prints the rows of the table in docs/apps.md.
"""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from hashlib import sha1
from statistics import mean
from typing import Any
from urllib.parse import parse_qsl

from bench.application import Application, Event, Person, add_event, new_person, running
from bench.compacting import compact_and_sweep
from bench.costs import assumptions as given
from bench.costs import loop_user
from bench.costs.cost_model import duration_s, gb_s
from bench.costs.prices import Prices, read_prices
from bench.costs.stage import Stage, read_stage
from bench.costs.usage import Work, work_of_all, work_of_one
from bench.records import REQUEST_RECORDS, SAMPLES, as_body
from tools.project import run_tool

GB = 1e9
DAYS_OF_DATA = 8
SAMPLES_TIME = datetime(2024, 3, 1, 12, 0, 54, tzinfo=UTC)
"""The time at which the samples were sent."""
READINGS_A_DAY = 288
MINUTES_A_DAY = 24 * 60
SENT_MINUTES_AGO = (15, 10, 5)
"""The times of the documents of an upload, which is measured once for each."""

_TIME = re.compile(r"\b2024-0[123]-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d{3})?(?:Z|\+0000))?")
_TIME_MS = re.compile(r"\b1709\d{9}\b")


@dataclass(frozen=True, slots=True)
class RepeatedRequest:
    """A request of a sample, by its step, and how often a day it is sent."""

    step: str
    a_day: int


@dataclass(frozen=True, slots=True)
class App:
    """An app, what it repeats in words, the file of its sample, and the steps that it repeats."""

    name: str
    habit: str
    sample: str
    requests: Sequence[RepeatedRequest]

    @property
    def requests_a_day(self) -> int:
        """The requests of a day."""
        return sum(request.a_day for request in self.requests)


def _with_each_reading(*steps: str) -> list[RepeatedRequest]:
    return [RepeatedRequest(step, READINGS_A_DAY) for step in steps]


APPS = (
    App(
        "LoopFollow",
        "readings and status each 5 minutes, treatments each 2, the profile each 10",
        "loopfollow",
        [
            *_with_each_reading("entries of two days, without cal", "devicestatus count=1"),
            RepeatedRequest("treatments of a day", MINUTES_A_DAY // 2),
            RepeatedRequest("newest profile by startDate", MINUTES_A_DAY // 10),
            RepeatedRequest("v2/properties/dbsize is an object", 4),
        ],
    ),
    App(
        "Nightguard",
        "properties and readings each 5 minutes",
        "nightguard",
        _with_each_reading("v2/properties has bgnow and delta of the newest reading", "count=20"),
    ),
    App(
        "xDrip+, to follow",
        "readings, treatments and status each 5 minutes",
        "xdrip_follow",
        _with_each_reading("nothing after the newest", "treatments", "devicestatus.json?count=1 is one"),
    ),
    App(
        "xDrip+, to upload",
        "sends a reading and a status, and asks for treatments, each 5 minutes",
        "xdrip_upload",
        _with_each_reading(
            "POST entries: sgv, mbg, cal",
            "POST devicestatus, one object",
            "treatments of the last days, each with _id and created_at",
        ),
    ),
    App(
        "xDrip4iOS, to follow",
        "readings each 15 seconds unless the last is younger than 30, treatments and status each 5 minutes",
        "xdrip4ios",
        # It asks each 15 seconds unless the last reading is younger than 30.
        [
            RepeatedRequest("follower reads by secret", READINGS_A_DAY * 18),
            *_with_each_reading("treatments since a time", "profile and devicestatus are arrays"),
        ],
    ),
    App(
        "AndroidAPS v3",
        "asks for the status, what changed and four kinds of changes, and sends three documents, each 5 minutes",
        "aaps_v3",
        _with_each_reading(
            "status with versions and crud permissions",
            "lastModified",
            "entries/history",
            "the newest change so far",
            "profile/history",
            "devicestatus/history without limit",
            "POST an entry is 201 with an identifier",
            "POST a treatment",
            "POST devicestatus",
        ),
    ),
    App(
        "Loop",
        "sends readings, doses and a status each 5 minutes",
        "loop",
        _with_each_reading("POST entries", "POST doses, one object for each", "POST devicestatus"),
    ),
    App(
        "Trio, iAPS",
        "as Loop, and asks for carbohydrates and targets, each 5 minutes",
        "trio",
        _with_each_reading(
            "POST entries.json with a UUID as _id",
            "POST treatments.json",
            "POST devicestatus.json, one object",
            "carbs of others since a time ($exists, $and, $ne)",
            "targets: find[eventType]=Temporary+Target",
        ),
    ),
    App(
        "Home Assistant",
        "readings each minute",
        "home_assistant",
        [RepeatedRequest("entries/sgv.json by token", MINUTES_A_DAY)],
    ),
)
"""Requests that each app repeats, by its sources: the intervals of its timers, and the steps of its sample."""


@dataclass(frozen=True, slots=True)
class Cost:
    """The dollars of a year of an app."""

    app: App
    year_usd: float


def costs(stage: Stage, prices: Prices) -> list[Cost]:
    """Measure each request of each app, and compute the costs of a year, in less than a minute."""
    with running() as application:
        now = datetime.now(UTC)
        person = _with_data(application, now)
        token = _token(application, person)
        phone = _Phone(application, token, now)
        return [Cost(app, usd_of(phone.day_of(app), stage, prices) * given.DAYS_A_YEAR) for app in APPS]


def usd_of(work: Work, stage: Stage, prices: Prices) -> float:
    """The list price of some work of the function of the API, without what is stored."""
    logged_gb = (work.logged_bytes + work.requests * given.LAMBDA_LOG_BYTES) / GB
    quantities = {
        "dynamodb_write_request_unit": work.write_units,
        "dynamodb_read_request_unit": work.read_units,
        "api_gateway_rest_request": work.requests,
        "lambda_request": work.requests,
        "lambda_gb_s_x86_64": gb_s(duration_s(work, stage.api_memory_mb), stage.api_memory_mb),
        "s3_put_request": work.s3_puts,
        "s3_get_request": work.s3_gets,
        "transfer_out_gb": work.answer_bytes / GB,
        "cloudwatch_logs_ingested_gb": logged_gb,
    }
    return sum(prices[name].of(quantity) for name, quantity in quantities.items())


def as_rows(found: Sequence[Cost]) -> str:
    """The rows of the table in the documentation."""
    rows = ((cost.app.name, cost.app.habit, f"{cost.app.requests_a_day:,}", f"{cost.year_usd:.2f}") for cost in found)
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


@dataclass(frozen=True, slots=True)
class _Phone:
    """Sends the requests of samples with the times of today."""

    application: Application
    token: str
    now: datetime

    def day_of(self, app: App) -> Work:
        """The work of a day of an app."""
        total = Work()
        for repeated in app.requests:
            total += self._work_of(request_of(app.sample, repeated.step)) * repeated.a_day
        return total

    def _work_of(self, request: Mapping[str, Any]) -> Work:
        if request["method"] == "GET":
            return work_of_one(self.application, self._event(request, self.now))
        events = [self._event(request, self.now - timedelta(minutes=ago)) for ago in SENT_MINUTES_AGO]
        works = [work_of_all(self.application, [event], (200, 201)) for event in events]
        return Work(*(mean(getattr(work, field.name) for work in works) for field in fields(Work)))

    def _event(self, request: Mapping[str, Any], sent: datetime) -> Event:
        filled = at(sent, self._filled(json.dumps(dict(request))))
        body = filled.get("body")
        headers = {name: value for name, value in filled["headers"].items() if name != "Content-Encoding"}
        # A phone that is up to date sends one document at a time.
        newest = body[:1] if isinstance(body, list) else body
        return gateway_event(filled["method"], filled["path"], headers, newest)

    def _filled(self, text: str) -> str:
        digest = sha1(self.token.encode(), usedforsecurity=False).hexdigest()
        jwt = ""
        if "<JWT>" in text:
            event = gateway_event("GET", f"/api/v2/authorization/request/{self.token}", {}, None)
            jwt = json.loads(self.application.answer(event).content)["token"]
        values = {"<SHA1 of the secret>": digest, "<SHA1 of the token>": digest, "<JWT>": jwt, "<TOKEN>": self.token}
        for placeholder, value in values.items():
            text = text.replace(placeholder, value)
        return text


def gateway_event(method: str, path: str, headers: Mapping[str, str], body: Any) -> Event:
    """A request as the gateway sends one for which it has no resource."""
    path, _, query = path.partition("?")
    parameters: dict[str, list[str]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        parameters.setdefault(name, []).append(value)
    sent = {"Accept": "application/json", "Accept-Encoding": "gzip", **headers}
    if body is not None:
        sent["Content-Type"] = "application/json"
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": sent,
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": parameters or None,
        "pathParameters": {"proxy": path[1:]},
        "stageVariables": None,
        "requestContext": {
            "httpMethod": method,
            "resourcePath": "/{proxy+}",
            "path": f"/api{path}",
            "identity": {"sourceIp": "127.0.0.1"},
        },
        "body": None if body is None else base64.b64encode(json.dumps(body).encode()).decode(),
        "isBase64Encoded": body is not None,
    }


def request_of(sample: str, step: str) -> Mapping[str, Any]:
    """The first request of a step of a sample."""
    requests: list[dict[str, Any]] = json.loads((SAMPLES / "nightscout" / f"{sample}.json").read_bytes())
    return next(request for request in requests if request["step"] == step)


def at(sent: datetime, text: str) -> dict[str, Any]:
    """A request whose times are as long ago as those of the sample were when it was sent."""
    later = sent - SAMPLES_TIME

    def as_text(match: re.Match[str]) -> str:
        found = match[0]
        if len(found) == len("2024-03-01"):
            return (datetime.fromisoformat(found) + later).strftime("%Y-%m-%d")
        moved = datetime.fromisoformat(found.replace("+0000", "+00:00").replace("Z", "+00:00")) + later
        return moved.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"

    def as_ms(match: re.Match[str]) -> str:
        return str(int(match[0]) + int(later.total_seconds() * 1000))

    moved: dict[str, Any] = json.loads(_TIME_MS.sub(as_ms, _TIME.sub(as_text, text)))
    return moved


def _with_data(application: Application, now: datetime) -> Person:
    """A person whose data end now, the last half day of which is not compacted, as it is on average."""
    today = (now - loop_user.FIRST_DAY).days
    days = range(today - DAYS_OF_DATA, today + 1)
    sent = [
        (loop_user.start_of(day) + step * loop_user.STEP, upload)
        for day in days
        for step, upload in enumerate(loop_user.uploads(day))
    ]
    compacted_until = now - timedelta(days=1 / given.COMPACTIONS_A_DAY) / 2
    person = new_person(1)
    old = [record for time, upload in sent if time <= compacted_until for record in upload]
    for first in range(0, len(old), REQUEST_RECORDS):
        application.answer(add_event(person, as_body(old[first : first + REQUEST_RECORDS])))
    compact_and_sweep(person.id)
    for time, upload in sent:
        if compacted_until < time <= now:
            application.answer(add_event(person, as_body(upload)))
    return person


def _token(application: Application, person: Person) -> str:
    """The token of a credential that the person made."""
    resource = "/v1/users/{userId}/nightscout_credentials"
    event = gateway_event("POST", resource.format(userId=person.id), {}, {"name": "bench", "scope": "upload"})
    event |= {"resource": resource, "pathParameters": {"userId": person.id}}
    event["requestContext"]["resourcePath"] = resource
    for headers, value in ((event["headers"], person.token), (event["multiValueHeaders"], [person.token])):
        headers["X-Tidepool-Session-Token"] = value
    token: str = json.loads(application.answer(event, (201,)).content)["token"]
    return token


def main() -> int:
    """Measure and print the costs."""
    print(as_rows(costs(read_stage(), read_prices())))
    return 0


if __name__ == "__main__":
    run_tool(main)
