"""The use cases: requests of each kind that changes or reads something of Anna's, and each background job."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import urlencode

from chalicelib.conflicts import WriteConflictError
from chalicelib.engine.embedded.errors import AddressRefusedError
from chalicelib.jobs import TASK_TYPES
from chalicelib.tiles.compact import compact
from tests.fakes.engine import upload
from tests.fakes.oidc_app import FORM, App
from tests.faults.preparation import (
    ANNA,
    BEN,
    CONTENT,
    LATER_CONTENT,
    LOG_HEADERS,
    NOTE,
    PASSWORD,
    PROFILE,
    STAGED,
    ZOE,
    basic,
    cbg,
    content_headers,
    session,
)
from tests.faults.scene import SERVER, Scene

KEY = {"Idempotency_Key": "k"}
"""With which a request that creates something may be repeated."""
DAY_H = 24
HAS_CONTENT = 412
"""Status with which the object store refuses a content for a key that has one."""
TOKENS = "/realms/tidepool/protocol/openid-connect"


@dataclass(frozen=True, slots=True)
class Ask:
    """One request. Path and body may hold names of the scene in braces: `{continuous}`."""

    method: str
    path: str
    body: Any = None
    by: str = ANNA
    """A user, the server, `device` for the Nightscout credential, `v3` for its JWT, `nobody`."""
    headers: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, scene: Scene) -> None:
        """Send it."""
        if self.by == "device":
            credential = {"api_secret": scene.names["a secret"]}
        elif self.by == "v3":
            credential = {"Authorization": f"Bearer {scene.names['a jwt']}"}
        else:
            credential = {} if self.by == "nobody" else session(self.by)
        body = self.body if isinstance(self.body, bytes) else _filled(self.body, scene.names)
        scene.ask(self.method, _filled(self.path, scene.names), body, **credential, **self.headers)


def _filled(value: Any, names: Mapping[str, str]) -> Any:
    """A value with the names of the scene replaced by what they name."""
    if isinstance(value, dict):
        return {name: _filled(member, names) for name, member in value.items()}
    if isinstance(value, list):
        return [_filled(member, names) for member in value]
    if not isinstance(value, str) or "{" not in value:
        return value
    for name, meaning in names.items():
        value = value.replace("{" + name.removeprefix("a ") + "}", meaning)
    return value


UseCase = Callable[[Scene], None]


def set_forgotten_password(password: str) -> Ask:
    """Set the password by the key that was mailed to Anna."""
    body = {"key": "{forgot}", "email": "anna@example.org", "password": password}
    return Ask("PUT", "/confirm/accept/forgot", body, by="nobody")


USER = f"/v1/users/{ANNA}"
FILES = content_headers(CONTENT)
DIRECT = content_headers(LATER_CONTENT) | {"X_Upload_Size": str(len(LATER_CONTENT))}
CREDENTIAL = {"name": "Phone", "scope": "read"}
OLD_UPLOAD = {"type": "upload", "uploadId": "upid_0123456789ab", "time": "2025-12-31T00:00:00Z", "deviceId": "o"}
SOURCE = {"providerType": "oauth", "providerName": "dexcom"}
TASK = {"type": "strandline.diagnostics.echo", "data": {"message": "hello"}, "name": "greeting"}
MEAL = {"eventType": "Meal Bolus", "insulin": 3, "created_at": "2025-12-03T00:00:00Z"}
READING = {"type": "sgv", "sgv": 120, "date": 1_764_547_500_000, "device": "d"}
V3_NOTE = {"eventType": "Note", "date": 1_764_551_000_000, "app": "AAPS", "identifier": "note-2"}
INVITATION = {"email": "another@example.org", "permissions": {"view": {}}}
SIGN_UP = {"username": "new@example.org", "emails": ["new@example.org"], "password": PASSWORD}

DATA: dict[str, UseCase] = {
    "open a data set": Ask("POST", f"{USER}/data_sets", {"type": "upload", "deviceId": "n"}, headers=KEY),
    "close a data set": Ask("PUT", "/v1/data_sets/{normal}", {"state": "closed"}, headers=KEY),
    "change a data set": Ask("PUT", "/v1/data_sets/{continuous}", {"deviceId": "e"}, SERVER),
    "delete a data set": Ask("DELETE", "/v1/data_sets/{earlier}"),
    "delete an open data set": Ask("DELETE", "/v1/data_sets/{continuous}"),
    "add data": Ask("POST", "/v1/data_sets/{continuous}/data", [cbg(number) for number in range(4, 8)]),
    "add data to an open upload": Ask("POST", "/v1/data_sets/{normal}/data", [cbg(40, value=70)]),
    "add much data": Ask("POST", "/v1/data_sets/{continuous}/data", [cbg(number) for number in range(STAGED)]),
    "add data with a fault": Ask("POST", "/v1/data_sets/{continuous}/data", [{"type": "none"}]),
    "delete data by origin": Ask("DELETE", "/v1/data_sets/{continuous}/data", [{"origin": {"id": "r1"}}]),
    "erase all data": Ask("DELETE", f"{USER}/data", {"password": PASSWORD}),
    "upload in the old way": Ask("POST", f"/data/{ANNA}", [OLD_UPLOAD, cbg(50, uploadId="upid_0123456789ab")]),
    "read all data": Ask("GET", f"/data/{ANNA}"),
    "read the latest data": Ask("GET", f"/data/{ANNA}?latest=true", by=BEN),
    "list data sets": Ask("GET", f"{USER}/data_sets"),
    "read freshness": Ask("GET", f"{USER}/freshness"),
    "read a summary": Ask("GET", f"/v1/summaries/cgm/{ANNA}"),
    "read a glucose profile": Ask("GET", f"{USER}/agp?days=30"),
    "export data": Ask("GET", f"/export/{ANNA}?format=json"),
    "create a data source": Ask("POST", f"{USER}/data_sources", SOURCE, SERVER, KEY),
    "change a data source": Ask("PUT", "/v1/data_sources/{source}", {"state": "disconnected"}, SERVER),
    "delete a data source": Ask("DELETE", "/v1/data_sources/{source}", None, SERVER),
    "delete all data sources": Ask("DELETE", f"{USER}/data_sources", None, SERVER),
    "add data of a partner": Ask("POST", f"/v1/partners/twiist/data/link-{ANNA}", [cbg(60)], SERVER),
}

FILES_AND_NOTES: dict[str, UseCase] = {
    "store a blob": Ask("POST", f"{USER}/blobs", CONTENT + b"!", headers=content_headers(CONTENT + b"!") | KEY),
    "open a direct upload": Ask("POST", f"{USER}/blobs?upload=direct", b"", headers=DIRECT | KEY),
    "upload a content": lambda scene: upload_content(scene),
    "read a blob": Ask("GET", "/v1/blobs/{blobs}/content"),
    "list blobs": Ask("GET", f"{USER}/blobs"),
    "delete a blob": Ask("DELETE", "/v1/blobs/{blobs}"),
    "delete all blobs": Ask("DELETE", f"{USER}/blobs", None, SERVER),
    "store a device log": Ask(
        "POST",
        f"{USER}/device_logs",
        CONTENT,
        headers=FILES | LOG_HEADERS | {"X_Logs_Start_At_Time": "2025-12-01T00:10:00Z"},
    ),
    "send a note": Ask("POST", f"/message/send/{ANNA}", NOTE | {"message": NOTE["message"] | {"guid": "b"}}),
    "reply to a note": Ask("POST", "/message/reply/{note}", NOTE | {"message": NOTE["message"] | {"guid": "c"}}),
    "edit a note": Ask("PUT", "/message/edit/{note}", {"message": {"messagetext": "No snack"}}),
    "remove a note": Ask("DELETE", "/message/remove/{note}"),
    "list notes": Ask("GET", f"/message/notes/{ANNA}"),
}

SHARING: dict[str, UseCase] = {
    "give a grant": Ask("POST", f"/access/{ANNA}/{ZOE}", {"view": {}}),
    "take a grant back": Ask("POST", f"/access/{ANNA}/{BEN}", {}),
    "list grants": Ask("GET", f"/access/{ANNA}"),
    "list sharers": Ask("GET", f"/access/groups/{ANNA}"),
    "invite": Ask("POST", f"/confirm/send/invite/{ANNA}", INVITATION),
    "invite again": Ask("PATCH", "/confirm/resend/invite/{invitation}"),
    "withdraw an invitation": Ask("PUT", f"/confirm/{ANNA}/invited/{ANNA}@example.org"),
    "accept an invitation": Ask("PUT", f"/confirm/accept/invite/{ANNA}/{ZOE}", {"key": "{received}"}),
    "decline an invitation": Ask("PUT", f"/confirm/dismiss/invite/{ANNA}/{ZOE}", {"key": "{received}"}),
    "list invitations": Ask("GET", f"/confirm/invitations/{ANNA}"),
}

ACCOUNT: dict[str, UseCase] = {
    "sign up": Ask("POST", "/auth/user", SIGN_UP, "nobody"),
    "sign in": Ask("POST", "/auth/login", by="nobody", headers=basic("anna@example.org", PASSWORD)),
    "sign in with a wrong password": Ask("POST", "/auth/login", by="nobody", headers=basic("anna@example.org", "no")),
    "refresh a session": Ask("GET", "/auth/login"),
    "sign out": Ask("POST", "/auth/logout"),
    "list logins": Ask("GET", f"{USER}/logins"),
    "end all sessions": Ask("DELETE", f"/auth/user/{ANNA}/sessions", None, SERVER),
    "change the address": Ask(
        "PUT", f"/auth/user/{ANNA}", {"updates": {"username": "a@example.org", "emails": ["a@example.org"]}}, SERVER
    ),
    "change the password": Ask("PUT", "/auth/user", {"updates": {"password": "another-one?"}}),
    "create a child": Ask("POST", f"/auth/user/{ANNA}/user", {"username": "kind@example.org"}, headers=KEY),
    "delete a child": Ask("DELETE", "/auth/user/{child}", None, SERVER),
    "delete the account": Ask("DELETE", f"/auth/user/{ANNA}", {"password": PASSWORD}),
    "write a profile": Ask("PUT", f"/metadata/{ANNA}/profile", {"fullName": "B"}),
    "read a profile": Ask("GET", f"/metadata/{ANNA}/profile"),
    "create a restricted token": Ask("POST", f"{USER}/restricted_tokens", {}, headers=KEY),
    "change a restricted token": Ask("PUT", "/v1/restricted_tokens/{restricted}", {"paths": ["/v1/a"]}, SERVER),
    "delete a restricted token": Ask("DELETE", "/v1/restricted_tokens/{restricted}"),
    "delete all restricted tokens": Ask("DELETE", f"{USER}/restricted_tokens", None, SERVER),
    "forget the password": Ask("POST", "/confirm/send/forgot/anna@example.org", by="nobody"),
    "ask for a new mail": Ask("POST", "/confirm/resend/signup/kid@example.org", by="nobody"),
    "set a forgotten password": set_forgotten_password("a-third-one?"),
    "verify an address": Ask("PUT", "/confirm/accept/signup/{verify}", by="nobody"),
    "sign in at the page": lambda scene: sign_in_at_page(scene),
    "exchange a code": lambda scene: token_request(scene, "authorization_code"),
    "refresh tokens": lambda scene: token_request(scene, "refresh_token"),
    "revoke tokens": lambda scene: token_request(scene, "revoke"),
}

NIGHTSCOUT: dict[str, UseCase] = {
    "make a credential": Ask("POST", f"{USER}/nightscout_credentials", CREDENTIAL, headers=KEY),
    "revoke a credential": Ask("DELETE", f"{USER}/nightscout_credentials/{{spare}}"),
    "get a Nightscout token": Ask("GET", "/api/v2/authorization/request/{secret}", by="nobody"),
    "post entries": Ask("POST", "/api/v1/entries", [READING, READING | {"date": 1_764_547_800_000}], "device"),
    "post a treatment": Ask("POST", "/api/v1/treatments", [MEAL], "device"),
    "change a treatment": Ask("PUT", "/api/v1/treatments", MEAL | {"_id": "{treatments}", "insulin": 1}, "device"),
    "delete a treatment": Ask("DELETE", "/api/v1/treatments/{treatments}", None, "device"),
    "delete entries": Ask("DELETE", "/api/v1/entries?find[date][$gte]=1764547000000", None, "device"),
    "post a status": Ask(
        "POST", "/api/v1/devicestatus", [{"device": "e", "created_at": "2025-12-31T01:00:00Z"}], "device"
    ),
    "delete a status": Ask("DELETE", "/api/v1/devicestatus/{devicestatus}", None, "device"),
    "post a pump profile": Ask("POST", "/api/v1/profile", PROFILE | {"startDate": "2025-12-05T00:00:00Z"}, "device"),
    "post a food": Ask("POST", "/api/v1/food", {"type": "food", "name": "pear"}, "device"),
    "poll entries": Ask("GET", "/api/v1/entries?count=10", None, "device"),
    "poll treatments": Ask("GET", "/api/v1/treatments?find[created_at][$gte]=2025-12-01", None, "device"),
    "create by v3": Ask("POST", "/api/v3/treatments", V3_NOTE, "v3"),
    "replace by v3": Ask(
        "PUT",
        "/api/v3/treatments/note-1",
        V3_NOTE | {"identifier": "note-1", "date": 1_764_550_800_000, "notes": "x"},
        "v3",
    ),
    "change by v3": Ask("PATCH", "/api/v3/treatments/note-1", {"notes": "y"}, "v3"),
    "delete by v3": Ask("DELETE", "/api/v3/treatments/note-1", None, "v3"),
    "read the history by v3": Ask("GET", "/api/v3/treatments/history/1", None, "v3"),
    "read what was last changed": Ask("GET", "/api/v3/lastModified", None, "v3"),
}

TASKS: dict[str, UseCase] = {
    "create a task": Ask("POST", "/v1/tasks", TASK, SERVER, KEY),
    "change a task": Ask("PUT", "/v1/tasks/{task}", {"priority": 1}, SERVER),
    "delete a task": Ask("DELETE", "/v1/tasks/{task}", None, SERVER),
    "list tasks": Ask("GET", "/v1/tasks?size=100", None, SERVER),
    "record an event": Ask("GET", "/metrics/thisuser/viewed"),
}

JOBS: dict[str, UseCase] = {
    "dispatch": lambda scene: dispatch(scene),
    "run a task": lambda scene: run_created(scene, "strandline.diagnostics.echo", {"message": "hello"}),
    "keep events": lambda scene: keep_events(scene),
    "send mail": lambda scene: send_mail(scene),
} | {
    f"job {name.removeprefix('strandline.')}": partial(lambda name, scene: run_job(scene, name), name)
    for name, task_type in TASK_TYPES.items()
    if task_type.job is not None
}
JOBS["job data.rebuild"] = lambda scene: run_created(scene, "strandline.data.rebuild", {"userId": ANNA})

REQUESTS: dict[str, UseCase] = DATA | FILES_AND_NOTES | SHARING | ACCOUNT | NIGHTSCOUT | TASKS
"""The use cases that are one request of a client."""
USE_CASES: dict[str, UseCase] = REQUESTS | JOBS
"""All use cases by name."""
OF_OTHERS = {"sign up", "ask for a new mail", "record an event", "verify an address", "sign in at the page"}
"""The requests that touch nothing of Anna's, and one use case of several requests."""
INTERLEAVED: dict[str, UseCase] = {
    name: use_case for name, use_case in REQUESTS.items() if name not in OF_OTHERS and name not in TASKS
} | {
    "set another forgotten password": set_forgotten_password("a-fourth-one?"),
    "compact": lambda scene: compact_now(scene),
}
"""The requests that touch what is Anna's, a second one that sets another password, and the compaction of her data."""


def upload_content(scene: Scene) -> None:
    """Put the content of a direct upload, as a client does, and let the notice of it arrive. A content that is there
    already stays."""
    try:
        upload(scene.under_test.embedded, f"blobs/{ANNA}/{scene.names['a opened blobs']}", LATER_CONTENT)
    except AddressRefusedError as refused:
        if refused.status != HAS_CONTENT:
            raise
    scene.hear_of_contents()


def token_request(scene: Scene, grant_type: str) -> None:
    """A request of an app to the token endpoint, or to the one that revokes."""
    fields = {"client_id": "xdrip", "grant_type": grant_type}
    if grant_type == "authorization_code":
        fields |= {
            "code": scene.names["a code"],
            "redirect_uri": "xdrip://callback/tidepool",
            "code_verifier": "v" * 50,
        }
    elif grant_type == "refresh_token":
        fields |= {"refresh_token": scene.names["a refresh"]}
    else:
        fields = {"client_id": "xdrip", "token": scene.names["a refresh"]}
    endpoint = "revoke" if grant_type == "revoke" else "token"
    scene.ask("POST", f"{TOKENS}/{endpoint}", urlencode(fields).encode(), **FORM)


def sign_in_at_page(scene: Scene) -> None:
    """The sign-in on the page, from its form to the code, or to the form again if the password has changed before."""
    app = App(scene.send, "aaps", "aaps://callback/tidepool", "openid", nonce=None)
    app.sign_in("anna@example.org", PASSWORD)


def keep_events(scene: Scene) -> None:
    """Let the consumer of the stream keep the events of a batch, again from where it failed."""
    scene.without_faults(lambda: scene.ask("GET", "/metrics/thisuser/kept", **session(ANNA)))
    scene.keep_events()


def dispatch(scene: Scene) -> None:
    """A tick of the dispatcher when all jobs are due."""
    scene.let_time_pass(DAY_H * 3_600_000)
    scene.tick()


def run_created(scene: Scene, type_name: str, data: dict[str, Any]) -> None:
    """Create a task, and let a worker run it."""
    scene.ask("POST", "/v1/tasks", {"type": type_name, "data": data}, **session(SERVER), **KEY)
    scene.tick()
    scene.run_messages()


def run_job(scene: Scene, name: str) -> None:
    """Let a job of the platform run, after a request that leaves work for it."""
    leave_work = LEAVES_WORK.get(name)
    if leave_work is not None:
        scene.without_faults(lambda: leave_work(scene))
    scene.let_time_pass(DAY_H * 3_600_000)
    scene.without_faults(lambda: scene.put_off_all_jobs_but(name))
    scene.tick()
    scene.run_messages()


def compact_now(scene: Scene) -> None:
    """Compact Anna's data."""
    with suppress(WriteConflictError):  # the job tries again
        compact(ANNA, scene.services.tiles, lambda: None)


def send_mail(scene: Scene) -> None:
    """Let a worker send the mail of a forgotten password."""
    scene.without_faults(lambda: REQUESTS["forget the password"](scene))
    scene.run_messages()


LEAVES_WORK: Mapping[str, UseCase] = {
    "strandline.accounts.erase": REQUESTS["delete the account"],
    "strandline.data.purge": REQUESTS["delete a data set"],
}
"""The requests that leave work for jobs which have none otherwise."""
