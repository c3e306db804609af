"""Requests that no description leads to: mutated golden records and bodies, and hostile JSON, headers, paths, forms and
queries."""

import gzip
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import Any
from urllib.parse import quote, urlencode

from chalicelib.api.openapi.document import document
from tools.fuzz.good_bodies import GOOD_BODIES
from tools.fuzz.mutations import TEXTS, hostile_value, mutated, mutated_text
from tools.fuzz.people import NOBODY, Role, World
from tools.project import ROOT

GOLDEN_RECORDS = ROOT / "tests" / "data" / "golden" / "datum"
HEADERS = (
    *("Authorization", "X-Tidepool-Session-Token", "X-Tidepool-Service-Secret", "api-secret", "Cookie", "Origin"),
    *("If-None-Match", "Digest", "Prefer", "Idempotency-Key", "Content-Encoding", "X-Upload-Size", "Accept"),
    *("Content-Type", "Accept-Encoding", "X-Logs-Start-At-Time", "X-Tidepool-Trace-Session", "X-Forwarded-For"),
)
HEADER_VALUES = (
    *(
        "",
        "Bearer",
        "Bearer a.b.c",
        "Basic ====",
        "Basic Og==",
        "Basic /w==",
        "*",
        '"',
        'W/"a"',
        "MD5=",
        "MD5=a",
        "gzip",
    ),
    *(
        "br",
        "-1",
        "99999999999999999999",
        "handling=lenient",
        "handling=",
        "a" * 5000,
        "\xe4\xff",
        "token=",
        "null",
        ";",
    ),
    *("application/json; charset=utf-16", "text/html", "multipart/form-data; boundary=", "text/csv;q=9", "0-0"),
)
PARTS = (
    "..",
    ".",
    "%2e%2e",
    "%2F",
    "%5C",
    "%00",
    "%",
    "%zz",
    "%FF",
    "a%0d%0ab",
    "~",
    "'",
    "*",
    "a" * 3000,
    "%F0%9F%92%89",
)
FIND_FIELDS = (
    *("date", "sgv", "dateString", "created_at", "_id", "type", "eventType", "identifier", "insulin", "notes", "a.b"),
    *("startDate", "device", "__proto__", "", "$where", "srvModified", "isValid"),
)
OPERATORS = ("$gt", "$gte", "$lt", "$lte", "$eq", "$ne", "$in", "$nin", "$exists", "$regex", "$where", "", "[]", "$not")
FIND_VALUES = (
    *("0", "-1", "1709290502109", "NaN", "2026", "2026-01-01", "2026-01-01T00:00:00", "9" * 40, "", "/(a+)+$/i", "/[/"),
    *(
        "true",
        "null",
        "06F43FBE-9809-408B-8E18-ECF217691189",
        "aabbccddeeff001122334455",
        "[",
        "(",
        "a" * 2000,
        "1e400",
    ),
)
OPTIONS = (
    "count",
    "limit",
    "skip",
    "sort",
    "fields",
    "sort[date]",
    "sort$desc",
    "date$gte",
    "sgv$re",
    "filter",
    "token",
    "_all",
)
FORMS = {
    "token": {"grant_type": "authorization_code", "client_id": "xdrip", "code": "a", "code_verifier": "a" * 43},
    "auth": {"username": "a@example.org", "password": "a-password", "client_id": "xdrip", "state": "a"},
    "revoke": {"client_id": "xdrip", "token": "a"},
    "registrations": {"username": "a@example.org", "password": "a-password", "client_id": "xdrip"},
    "logout": {"client_id": "xdrip", "id_token_hint": "a.b.c"},
}
QUERY = {"client_id": "xdrip", "redirect_uri": "xdrip://callback/tidepool", "response_type": "code", "scope": "openid"}
NIGHTSCOUT = (
    "entries",
    "treatments",
    "devicestatus",
    "profile",
    "food",
    "activity",
    "entries/sgv",
    "profiles",
    "slice/a/b",
)


@dataclass(frozen=True, slots=True)
class HostileRequest:
    """A request, and the operation that it is meant for."""

    operation: str
    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    is_described: bool = True
    """True if its path is that of an operation, so that the description says how it is answered."""


@dataclass(frozen=True, slots=True)
class _Operation:
    name: str
    method: str
    template: str

    @property
    def is_nightscout(self) -> bool:
        return self.template.startswith(("/api/", "/pebble"))

    def label(self) -> str:
        return f"{self.method} {self.template}"

    def path(self, world: World, random: Random) -> str:
        """The path with the owner's ids, or now and then with made-up ones."""
        path = self.template
        if path.startswith("/api/v3"):
            path = path.replace("{collection}", random.choice(("entries", "treatments", "devicestatus", "food")))
        for name in _parameters(path):
            made_up = random.random() < 0.1 or name not in world.ids
            path = path.replace(
                f"{{{name}}}", quote(random.choice(TEXTS[:4]) or "a", errors="replace") if made_up else world.ids[name]
            )
        return path


def hostile_requests(
    world: World, role: Role, random: Random, excluded: Callable[[str], bool]
) -> Iterator[HostileRequest]:
    """Requests without end, most of them to operations that know the credentials of the role.

    Args:
        excluded: whether nobody should send the operation with this id.
    """
    operations = [operation for operation in _operations() if not excluded(operation.name)]
    known = [
        operation for operation in operations if role.name == NOBODY or operation.is_nightscout == role.is_nightscout
    ]
    with_bodies = [operation for operation in known if operation.name in GOOD_BODIES]
    makers: list[Callable[[], HostileRequest]] = [
        lambda: _body(random.choice(with_bodies), world, random),
        lambda: _text(random.choice(with_bodies), world, random),
        lambda: _header(random.choice(known), world, random),
        lambda: _path(random.choice(operations), world, random),
        lambda: _query(random.choice(known), world, random),
    ]
    if role.is_nightscout or role.name == NOBODY:
        makers += [lambda: _find(random), lambda: _document(random)]
    if not role.is_nightscout:
        makers += [lambda: _record(world, random), lambda: _record(world, random), lambda: _form(random)]
    while True:
        yield random.choice(makers)()


@cache
def _operations() -> tuple[_Operation, ...]:
    return tuple(
        _Operation(operation["operationId"].partition(".2")[0], method.upper(), path)
        for path, methods in document()["paths"].items()
        for method, operation in methods.items()
    )


@cache
def _golden_records() -> tuple[Any, ...]:
    """The inputs of all golden vectors of records: right ones, and as many wrong ones."""
    right: list[Any] = []
    wrong: list[Any] = []
    for path in sorted(GOLDEN_RECORDS.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            vector = json.loads(line)
            found = wrong if vector["errors"] else right
            found += vector["input"] if isinstance(vector["input"], list) else [vector["input"]]
    return (*right * max(1, len(wrong) // len(right)), *wrong)


def _parameters(template: str) -> list[str]:
    return [part[1:-1] for part in template.split("/") if part.startswith("{")]


JSON = {"Content-Type": "application/json"}


def _record(world: World, random: Random) -> HostileRequest:
    """One to three golden records, mutated."""
    body = [mutated(random.choice(_golden_records()), random) for _ in range(random.choice((1, 1, 3)))]
    headers = JSON | ({"Prefer": "handling=lenient"} if random.random() < 0.3 else {})
    path = f"/v1/data_sets/{world.ids['dataSetId']}/data"
    return HostileRequest("POST /v1/data_sets/{dataSetId}/data", "POST", path, headers, _written(body))


def _body(operation: _Operation, world: World, random: Random) -> HostileRequest:
    body = _written(mutated(GOOD_BODIES[operation.name], random))
    return HostileRequest(operation.label(), operation.method, operation.path(world, random), JSON, body)


def _text(operation: _Operation, world: World, random: Random) -> HostileRequest:
    """A body that is hardly JSON, perhaps compressed."""
    body = mutated_text(_written(GOOD_BODIES[operation.name]), random)
    headers = dict(JSON)
    if random.random() < 0.2:
        headers["Content-Encoding"] = "gzip"
        body = (
            mutated_text(gzip.compress(body, mtime=0), random)
            if random.random() < 0.5
            else gzip.compress(body, mtime=0)
        )
    return HostileRequest(operation.label(), operation.method, operation.path(world, random), headers, body)


def _header(operation: _Operation, world: World, random: Random) -> HostileRequest:
    """Up to three hostile headers, with a good body if the operation takes one."""
    headers = {random.choice(HEADERS): random.choice(HEADER_VALUES) for _ in range(random.choice((1, 1, 2, 3)))}
    body = _written(GOOD_BODIES[operation.name]) if operation.name in GOOD_BODIES else b""
    headers = (JSON if body else {}) | headers
    return HostileRequest(operation.label(), operation.method, operation.path(world, random), headers, body)


def _path(operation: _Operation, world: World, random: Random) -> HostileRequest:
    """A path with a part that is replaced, put in or left out."""
    parts = operation.path(world, random).split("/")
    place = random.randrange(1, len(parts))
    parts[place : place + random.choice((0, 1))] = random.choice(([], [random.choice(PARTS)], ["", ""]))
    path = "/" + "/".join(parts[1:]).lstrip("/")
    return HostileRequest(operation.label(), operation.method, path, is_described=False)


def _query(operation: _Operation, world: World, random: Random) -> HostileRequest:
    """Hostile values of the parameters of an operation, some of them twice."""
    described = document()["paths"][operation.template][operation.method.lower()].get("parameters", ())
    names = [parameter["name"] for parameter in described if parameter.get("in") == "query"] or ["a"]
    pairs = [(random.choice(names), _as_text(hostile_value(random))) for _ in range(random.choice((1, 1, 2, 4)))]
    query = urlencode(pairs, errors="replace") if random.random() < 0.9 else "&&=&a=%&%FF=%zz"
    path = f"{operation.path(world, random)}?{query[:6000]}"
    return HostileRequest(operation.label(), operation.method, path)


def _form(random: Random) -> HostileRequest:
    """A form or a query of signing in, mutated."""
    endpoint = random.choice(tuple(FORMS))
    template = f"/realms/{{realm}}/protocol/openid-connect/{endpoint}"
    path = template.replace("{realm}", "tidepool")
    fields = {name: _as_text(value) for name, value in _mutated_object(FORMS[endpoint], random).items()}
    if random.random() < 0.4:
        query = urlencode(_mutated_object({**QUERY, **fields}, random), errors="replace")
        method = "GET" if endpoint in ("auth", "logout", "registrations") else "POST"
        return HostileRequest(f"{method} {template}", method, f"{path}?{query[:6000]}", is_described=False)
    body = urlencode(fields, errors="replace").encode()
    if random.random() < 0.3:
        body = mutated_text(body, random)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return HostileRequest(f"POST {template}", "POST", path, headers, body, is_described=False)


def _find(random: Random) -> HostileRequest:
    """A query of the Nightscout API."""
    pairs = []
    for _ in range(random.choice((1, 1, 2, 3))):
        name = f"find[{random.choice(FIND_FIELDS)}]"
        if random.random() < 0.2:
            name = f"find[{random.choice(('$or', '$and', '$nor'))}][{random.choice(('0', '1', 'x', '99'))}]" + name[4:]
        if random.random() < 0.7:
            name += f"[{random.choice(OPERATORS)}]"
        pairs.append((name, random.choice(FIND_VALUES)))
    if random.random() < 0.5:
        pairs.append((random.choice(OPTIONS), random.choice((*FIND_VALUES, "10", "1", "-5"))))
    query = "&".join(f"{quote(name, safe='[]$')}={quote(value)}" for name, value in pairs)
    prefix, collections = random.choice((("/api/v1", NIGHTSCOUT), ("/api/v2", NIGHTSCOUT), ("/api/v3", NIGHTSCOUT[:6])))
    ending = random.choice(("", "", ".json", ".csv", ".txt", ".tsv", ".html", ".x"))
    path = f"{prefix}/{random.choice(collections)}{ending}"
    method = random.choice(("GET", "GET", "GET", "DELETE"))
    return HostileRequest(
        f"{method} {path}", method, f"{path}?{query}", is_described=not ending and prefix != "/api/v3"
    )


def _document(random: Random) -> HostileRequest:
    """Documents of the Nightscout API, mutated."""
    names = [name for name in GOOD_BODIES if name.startswith("nightscout.") and name.endswith((".store", ".create"))]
    name = random.choice(names)
    operation = next(found for found in _operations() if found.name == name)
    path = operation.template.replace("{collection}", random.choice(("entries", "treatments", "devicestatus", "food")))
    body = _written(mutated(GOOD_BODIES[operation.name], random))
    return HostileRequest(operation.label(), operation.method, path, JSON, body)


def _mutated_object(value: Mapping[str, Any], random: Random) -> Mapping[str, Any]:
    changed = mutated(dict(value), random)
    return changed if isinstance(changed, dict) else {"a": _as_text(changed)}


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)[:3000]


def _written(value: Any) -> bytes:
    return json.dumps(value).encode()
