"""The control API of the test server, on a port of its own: JSON, with a token.

POST /reset, GET and POST /clock, POST and DELETE /faults, GET and DELETE /requests, POST /users.
Source: docs/testing-your-app.md.
"""

import base64
import hmac
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import orjson

from chalicelib.errors import InvalidUserDetailsError, UserExistsError
from strandline.test_server.clock import Clock
from strandline.test_server.due_work import DueWork
from strandline.test_server.faults import Fault, FaultKind, PlannedFaults
from strandline.test_server.gate import BusyError
from strandline.test_server.received import ReceivedRequest, ReceivedRequests
from strandline.test_server.store import Store
from strandline.test_server.users import make_user

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

MAX_ADVANCE_S = 10 * 366 * 24 * 3600
MAX_DELAY_S = 600
MAX_TIMES = 1_000

Body = Mapping[str, Any]
Answer = tuple[int, Any]
"""A status, and what is sent as JSON; None for nothing."""


class ControlError(Exception):
    """A request that is refused, with its status and one sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True, slots=True)
class Stage:
    """The parts of the server that are controlled."""

    store: Store
    clock: Clock
    faults: PlannedFaults
    received: ReceivedRequests
    work: DueWork


class Control:
    """The WSGI application."""

    def __init__(self, stage: Stage, token: str) -> None:
        self._stage = stage
        self._token = token

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer a request."""
        try:
            status, answer = self._answer(environ)
        except ControlError as error:
            status, answer = error.status, {"error": str(error)}
        content = b"" if answer is None else orjson.dumps(answer)
        headers = [("Content-Length", str(len(content))), ("Cache-Control", "no-store")]
        if answer is not None:
            headers.append(("Content-Type", "application/json"))
        start_response(f"{status} {HTTPStatus(status).phrase}", headers)
        return [content]

    def _answer(self, environ: "WSGIEnvironment") -> Answer:
        sent = environ.get("HTTP_AUTHORIZATION", "").encode("latin-1")
        if not hmac.compare_digest(sent, f"Bearer {self._token}".encode()):
            raise ControlError(401, "the token of the test server is missing: Authorization: Bearer TOKEN")
        methods = OPERATIONS.get(environ["PATH_INFO"])
        if methods is None:
            raise ControlError(404, f"there is no such path; there are {', '.join(OPERATIONS)}")
        operation = methods.get(environ["REQUEST_METHOD"])
        if operation is None:
            raise ControlError(405, f"the methods of this path are {', '.join(methods)}")
        return operation(self._stage, _body(environ["wsgi.input"].read()))


def _body(content: bytes) -> Body:
    try:
        body = orjson.loads(content or b"{}")
    except orjson.JSONDecodeError as error:
        raise ControlError(400, f"the body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise ControlError(400, "the body is not a JSON object")
    return body


def _reset(stage: Stage, body: Body) -> Answer:
    _require_known(body, ())
    stage.faults.clear()
    try:
        stage.store.reset()
    except BusyError as error:
        raise ControlError(409, "a request is still under way after 10 s") from error
    stage.received.clear()
    return 204, None


def _clock(stage: Stage, body: Body) -> Answer:
    _require_known(body, ())
    return 200, _time(stage.clock.now_ms())


def _advance(stage: Stage, body: Body) -> Answer:
    _require_known(body, ("advance_s",))
    stage.clock.advance(round(1000 * _number(body, "advance_s", MAX_ADVANCE_S)))
    stage.work.carry_out()
    return 200, _time(stage.clock.now_ms())


def _time(now_ms: int) -> dict[str, Any]:
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    return {"now_ms": now_ms, "now": now.isoformat(timespec="milliseconds").replace("+00:00", "Z")}


def _fail_next(stage: Stage, body: Body) -> Answer:
    _require_known(body, ("kind", "times", "method", "path", "delay_s"))
    kinds = [str(kind) for kind in FaultKind]
    if body.get("kind") not in kinds:
        raise ControlError(400, f"kind is one of {', '.join(kinds)}")
    kind = FaultKind(body["kind"])
    if (kind is FaultKind.LATE) != ("delay_s" in body):
        raise ControlError(400, "delay_s belongs to the kind late, and only to it")
    times = body.get("times", 1)
    if not isinstance(times, int) or isinstance(times, bool) or not 1 <= times <= MAX_TIMES:
        raise ControlError(400, f"times is a whole number from 1 to {MAX_TIMES}")
    delay_ms = round(1000 * _number(body, "delay_s", MAX_DELAY_S)) if "delay_s" in body else 0
    method = _text(body, "method", None)
    stage.faults.add(Fault(kind, times, method.upper() if method else None, _text(body, "path", "*") or "*", delay_ms))
    return 204, None


def _clear_faults(stage: Stage, body: Body) -> Answer:
    _require_known(body, ())
    stage.faults.clear()
    return 204, None


def _requests(stage: Stage, body: Body) -> Answer:
    _require_known(body, ())
    return 200, {"requests": [_shown(request) for request in stage.received.all()]}


def _shown(request: ReceivedRequest) -> dict[str, Any]:
    """A request as JSON, with its body as text, or in base64 if it is not UTF-8."""
    shown = asdict(request)
    del shown["body"]
    try:
        return shown | {"body": request.body.decode()}
    except UnicodeDecodeError:
        return shown | {"body_base64": base64.b64encode(request.body).decode()}


def _clear_requests(stage: Stage, body: Body) -> Answer:
    _require_known(body, ())
    stage.received.clear()
    return 204, None


def _create_user(stage: Stage, body: Body) -> Answer:
    _require_known(body, ("email", "password", "roles"))
    try:
        with stage.store.in_use():
            return 201, asdict(make_user(body, stage.store.services))
    except InvalidUserDetailsError as error:
        raise ControlError(
            400, "email is an address, password has 8 to 72 characters without blanks, and roles are those of Tidepool"
        ) from error
    except UserExistsError as error:
        raise ControlError(409, "this e-mail address belongs to a user") from error


def _require_known(body: Body, names: Iterable[str]) -> None:
    unknown = sorted(set(body) - set(names))
    if unknown:
        raise ControlError(400, f"{unknown[0]} is not a member of this body")


def _number(body: Body, name: str, most: float) -> float:
    value = body.get(name)
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not is_number or not 0 < float(value or 0) <= most:
        raise ControlError(400, f"{name} is a number of seconds above 0, and at most {most}")
    return float(value or 0)


def _text(body: Body, name: str, default: str | None) -> str | None:
    value = body.get(name, default)
    if value is not None and (not isinstance(value, str) or not value):
        raise ControlError(400, f"{name} is a text")
    return value


Operation = Callable[[Stage, Body], Answer]
OPERATIONS: dict[str, dict[str, Operation]] = {
    "/reset": {"POST": _reset},
    "/clock": {"GET": _clock, "POST": _advance},
    "/faults": {"POST": _fail_next, "DELETE": _clear_faults},
    "/requests": {"GET": _requests, "DELETE": _clear_requests},
    "/users": {"POST": _create_user},
}
