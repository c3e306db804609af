"""Use cases of accounts, sessions, grants, profiles and restricted tokens."""

import base64
from dataclasses import replace
from html import unescape
from urllib.parse import urlsplit

from chalicelib.accounts.password_sign_in import MAX_FAILURES_PER_ACCOUNT
from chalicelib.api.pages.web.assets import asset_path
from tests.fakes.oidc_app import Browser, hidden_fields
from tests.infra.rights.stage import PASSWORD, TOKEN, Stage, User
from tests.infra.rights.use_cases.data import STAGED, add, open_data_set


def sign_in(stage: Stage, user: User) -> str:
    """A new session token."""
    return stage.request("POST", "/auth/login", Authorization=_basic(user, PASSWORD)).headers[TOKEN]


def _basic(user: User, password: str) -> str:
    return f"Basic {base64.b64encode(f'{user.email}:{password}'.encode()).decode()}"


def sessions(stage: Stage) -> None:
    """Sessions of a user: opened after wrong passwords, also for many names, refreshed, checked and ended."""
    user = stage.sign_up("sessions")
    stage.request_for(401, "POST", "/auth/login", Authorization=_basic(user, "not the password"))
    stranger = replace(user, email="a stranger")
    for status in [401] * MAX_FAILURES_PER_ACCOUNT + [429]:
        stage.request_for(status, "POST", "/auth/login", Authorization=_basic(stranger, "not the password"))
    token = sign_in(stage, user)
    token = stage.request("GET", "/auth/login", token=token).headers[TOKEN]
    stage.request("GET", "/auth/token", token=token)
    stage.request("GET", f"/auth/token/{token}", token=stage.server)
    stage.request("GET", f"/v1/users/{user.id}/logins", token=token)
    stage.request("DELETE", f"/v1/users/{user.id}/logins/{'0' * 64}", token=token)
    stage.request("POST", "/auth/logout", token=token)
    sign_in(stage, user)
    stage.request("DELETE", f"/auth/user/{user.id}/sessions", token=stage.server)


def users(stage: Stage) -> None:
    """Users: read, listed, changed and deleted, with a password and without one."""
    user = stage.sign_up("users")
    stage.request("GET", "/auth/user", token=user.token)
    stage.request("GET", f"/auth/user/{user.email}", token=stage.server)
    stage.request("GET", f"/auth/users?id={user.id}", token=stage.server)
    stage.request("GET", "/auth/users?role=patient", token=stage.server)
    for updates in ({"roles": ["patient"]}, {"username": "new@example.org", "emails": ["new@example.org"]}):
        stage.request("PUT", f"/auth/user/{user.id}", {"updates": updates}, token=stage.server)
    stage.request("PUT", "/auth/user", {"updates": {"password": "another-one?"}}, token=user.token)
    child = stage.request("POST", f"/auth/user/{user.id}/user", {}, token=user.token).json()["userid"]
    moved = {"updates": {"username": "child-of-user@example.org"}}
    stage.request("PUT", f"/auth/user/{child}", moved, token=user.token)
    stage.request("POST", "/v1/clinics/a-clinic/users", {"username": "child@example.org"}, token=stage.server)
    stage.request("DELETE", f"/auth/user/{child}", token=stage.server)
    stage.request_for(403, "DELETE", f"/auth/user/{user.id}", {"password": "wrong"}, token=user.token)
    stage.request("DELETE", f"/auth/user/{user.id}", {"password": "another-one?"}, token=user.token)


def restricted_tokens(stage: Stage) -> None:
    """Restricted tokens: created, read, changed, used and deleted."""
    user = stage.sign_up("restricted")
    tokens = f"/v1/users/{user.id}/restricted_tokens"
    made = [stage.request("POST", tokens, {}, token=user.token).json()["id"] for _ in range(3)]
    stage.request("GET", tokens, token=stage.server)
    stage.request("GET", f"/v1/restricted_tokens/{made[0]}", token=stage.server)
    stage.request("PUT", f"/v1/restricted_tokens/{made[0]}", {}, token=stage.server)
    stage.request("DELETE", f"/v1/restricted_tokens/{made[1]}?restricted_token={made[0]}")
    stage.request("DELETE", f"/v1/restricted_tokens/{made[0]}", token=user.token)
    stage.request("DELETE", tokens, token=stage.server)


def nightscout_credentials(stage: Stage) -> None:
    """Nightscout credentials: made, listed, used plain and as a JWT, guessed, and revoked by the user and with a
    grant."""
    user, grantee = stage.sign_up("nightscout"), stage.sign_up("follower")
    path, body = f"/v1/users/{user.id}/nightscout_credentials", {"name": "Phone", "scope": "upload"}
    made = stage.request("POST", path, body, token=user.token).json()
    stage.request("GET", path, token=user.token)
    stage.request("GET", "/api/v1/verifyauth", api_secret=made["token"])
    jwt = stage.request("GET", f"/api/v2/authorization/request/{made['token']}").json()["token"]
    stage.request("GET", "/api/v1/verifyauth", Authorization=f"Bearer {jwt}")
    stage.request_for(401, "GET", "/api/v2/authorization/request/phone-00000000000000000000000000000000")
    for site in ("/api/versions", "/api/v1/status.json", "/api/v1/experiments/test", "/api/v1/adminnotifies"):
        stage.request("GET", site, api_secret=made["token"])
    _entries(stage, made["token"])
    _treatments(stage, made["token"])
    _profiles(stage, made["token"])
    _short_lived(stage, made["token"])
    _catalogues(stage, made["token"])
    _data_as_documents(stage, user, made["token"])
    _documents_of_v3(stage, jwt)
    _documents_to_move(stage, user)
    stage.request("DELETE", f"{path}/{made['id']}", token=user.token)
    stage.request("POST", f"/access/{user.id}/{grantee.id}", {"view": {}}, token=user.token)
    stage.request("POST", path, body | {"scope": "read"}, token=grantee.token)
    stage.request("POST", f"/access/{user.id}/{grantee.id}", {}, token=user.token)


def _entries(stage: Stage, token: str) -> None:
    """Entries of a device: stored, changed, found, erased with the data of the user, and deleted."""
    entries, now_ms = "/api/v1/entries", stage.now_ms()
    readings = [{"type": "sgv", "sgv": 100 + number, "date": now_ms - number * 60_000} for number in range(3)]
    for sgv in (100, 20):
        stage.request("POST", entries, [readings[0] | {"sgv": sgv}, *readings[1:]], api_secret=token)
    stage.request("POST", f"{entries}/preview", readings, api_secret=token)
    for found in ("", "/sgv", "/current"):
        stage.request("GET", f"{entries}{found}", api_secret=token)
    for deleted in (f"/sgv?find[date]={now_ms}", "?find[sgv]=101", ""):
        stage.request("DELETE", f"{entries}{deleted}", api_secret=token)


def _treatments(stage: Stage, token: str) -> None:
    """Treatments of a device: stored, replaced, found and deleted."""
    treatments, meal = "/api/v1/treatments", {"eventType": "Meal Bolus", "insulin": 2, "carbs": 20, "identifier": "a"}
    stage.request("POST", treatments, [meal], api_secret=token)
    stored = stage.request("PUT", treatments, meal | {"insulin": 0}, api_secret=token).json()
    stage.request("GET", treatments, api_secret=token)
    stage.request("DELETE", f"{treatments}/{stored['_id']}", api_secret=token)
    stage.request("DELETE", treatments, api_secret=token)


def _profiles(stage: Stage, token: str) -> None:
    """Profiles of a device: stored, replaced, found and deleted."""
    path, profile = "/api/v1/profile", {"defaultProfile": "Default", "startDate": "2026-01-01T00:00:00Z", "store": {}}
    (stored,) = stage.request("POST", path, profile, api_secret=token).json()
    stage.request("PUT", path, stored | {"units": "mmol"}, api_secret=token)
    for found in (path, f"{path}/current", "/api/v1/profiles"):
        stage.request("GET", found, api_secret=token)
    stage.request("DELETE", f"{path}/{stored['_id']}", api_secret=token)


def _short_lived(stage: Stage, token: str) -> None:
    """Device statuses: stored with a time and without one, found, shown on a watch, and deleted."""
    path = "/api/v1/devicestatus"
    statuses = [{"device": "phone", "created_at": "2026-01-01T00:00:00Z"}, {"device": "phone"}]
    stored = stage.request("POST", path, statuses, api_secret=token).json()
    for found in (path, "/pebble", "/api/v2/properties", "/api/v2/properties/upbat"):
        stage.request("GET", found, api_secret=token)
    stage.request("DELETE", f"{path}/{stored[0]['_id']}", api_secret=token)
    stage.request("DELETE", path, api_secret=token)


def _catalogues(stage: Stage, token: str) -> None:
    """Foods and activities: stored, replaced, found and deleted."""
    for name, found in (("food", ("", "/regular")), ("activity", ("",))):
        path = f"/api/v1/{name}"
        (stored,) = stage.request("POST", path, {"type": "food", "steps": 1}, api_secret=token).json()
        stage.request("PUT", path, stored | {"steps": 2}, api_secret=token)
        for end in found:
            stage.request("GET", f"{path}{end}", api_secret=token)
        stage.request("DELETE", f"{path}/{stored['_id']}", api_secret=token)


def _data_as_documents(stage: Stage, user: User, token: str) -> None:
    """Data of the Tidepool API, found by a device as entries, treatments and profiles."""
    add(stage, user, open_data_set(stage, user), STAGED)
    bolus = {"type": "bolus", "subType": "normal", "normal": 1, "time": "2025-01-01T00:00:00Z"}
    stage.request("POST", f"{open_data_set(stage, user)}/data", [bolus], token=user.token)
    for found in ("entries?find[date][$gte]=1", "entries/current", "treatments?find[created_at][$gte]=2025", "profile"):
        stage.request("GET", f"/api/v1/{found}", api_secret=token)


def _documents_of_v3(stage: Stage, jwt: str) -> None:
    """Documents of a device that speaks v3: created, replaced, changed, found, deleted, and told in the history."""
    authorized = {"Authorization": f"Bearer {jwt}"}
    note = {"eventType": "Note", "date": stage.now_ms(), "app": "AAPS", "identifier": "a"}
    for path in ("version", "status", "lastModified"):
        stage.request("GET", f"/api/v3/{path}", **authorized)
    for method, path, body in (
        ("POST", "", note),
        ("PUT", "/a", note | {"notes": "x"}),
        ("PATCH", "/a", {"notes": "y"}),
        ("GET", "/a", None),
        ("GET", "", None),
        ("GET", "/history/1", None),
        ("DELETE", "/a", None),
        ("DELETE", "/a?permanent=true", None),
    ):
        stage.request(method, f"/api/v3/treatments{path}", body, **authorized)
    stage.request("POST", "/api/v3/devicestatus", note, **authorized)
    for found in ("", "/a", "/history/1"):
        stage.request("GET", f"/api/v3/devicestatus{found}", **authorized)
    stage.request("GET", "/api/v3/treatments/history", **authorized, Last_Modified="Wed, 31 Dec 2025 00:00:00 GMT")


def _documents_to_move(stage: Stage, user: User) -> None:
    """Documents: restored in a collection and as device statuses, again, and listed for an export."""
    path, day = f"/v1/users/{user.id}/nightscout_documents", "2025-12-31T00:00:00.000Z"
    documents = [{"_id": f"{number:024x}", "created_at": day, "insulin": 1} for number in (1, 2)]
    for collection in ("treatments", "treatments", "devicestatus"):
        stage.request("POST", f"{path}/{collection}", documents, token=user.token)
    stage.request("GET", f"{path}/treatments?size=1", token=user.token)


def grants(stage: Stage) -> None:
    """Grants: given, read by both sides, and taken back."""
    sharer, grantee = stage.sign_up("sharer"), stage.sign_up("grantee")
    stage.request("POST", f"/access/{sharer.id}/{grantee.id}", {"view": {}}, token=sharer.token)
    stage.request("GET", f"/access/{sharer.id}", token=sharer.token)
    stage.request("GET", f"/access/{sharer.id}/{grantee.id}", token=grantee.token)
    stage.request("GET", f"/access/groups/{grantee.id}", token=grantee.token)
    stage.request("PUT", f"/metadata/{sharer.id}/profile", {"fullName": "A"}, token=sharer.token)
    stage.request("GET", f"/metadata/{sharer.id}/profile", token=grantee.token)
    stage.request("GET", f"/metadata/users/{grantee.id}/users", token=grantee.token)
    stage.request("GET", f"/v1/users/{sharer.id}/data_sets", token=grantee.token)
    stage.request("GET", f"/data/{sharer.id}", token=grantee.token)
    stage.request("POST", f"/access/{sharer.id}/{grantee.id}", {"view": {"windowHours": 1}}, token=sharer.token)
    stage.request("GET", f"/data/{sharer.id}", token=grantee.token)
    stage.request("POST", f"/access/{sharer.id}/{grantee.id}", {}, token=sharer.token)


def invitations(stage: Stage) -> None:
    """Invitations: sent, listed on both sides, sent again, withdrawn, declined and accepted."""
    sharer, invitee = stage.sign_up("inviter"), stage.sign_up("invitee")
    invitation = {"email": invitee.email, "permissions": {"view": {}}}
    sent = f"/confirm/send/invite/{sharer.id}"
    stage.prove_address(invitee)
    for way in ("dismiss", "accept"):
        key = stage.request("POST", sent, invitation, token=sharer.token).json()["key"]
        stage.request("GET", f"/confirm/invite/{sharer.id}", token=sharer.token)
        stage.request("GET", f"/confirm/invitations/{invitee.id}", token=invitee.token)
        stage.request("PATCH", f"/confirm/resend/invite/{key}", token=sharer.token)
        stage.request("PUT", f"/confirm/{way}/invite/{invitee.id}/{sharer.id}", {"key": key}, token=invitee.token)
    stage.request("POST", sent, invitation | {"email": "another@example.org"}, token=sharer.token)
    stage.request("PUT", f"/confirm/{sharer.id}/invited/another@example.org", token=sharer.token)
    _answer_on_the_page(stage, sharer, invitee)


def _answer_on_the_page(stage: Stage, sharer: User, invitee: User) -> None:
    """The page of a mailed link: the sign-in that it leads to, and the answer."""
    stage.request("POST", f"/access/{sharer.id}/{invitee.id}", {}, token=sharer.token)
    invitation = {"email": invitee.email, "permissions": {"view": {}}}
    stage.request("POST", f"/confirm/send/invite/{sharer.id}", invitation, token=sharer.token)
    stage.run_tasks()
    page = f"/realms/tidepool/login-actions/invitation?key={stage.mailed_key('invitation')}"
    browser = Browser(stage.send)
    query = unescape(browser.get(page).body.decode().partition("/auth?")[2].partition('"')[0])
    auth = "/realms/tidepool/protocol/openid-connect/auth"
    fields = hidden_fields(browser.get(f"{auth}?{query}").body) | {"username": invitee.email, "password": PASSWORD}
    returned = urlsplit(browser.post(auth, fields).headers["location"])
    assert browser.get(f"{returned.path}?{returned.query}").status == 303
    answer = hidden_fields(browser.get(page).body) | {"answer": "accept"}
    assert browser.post(page.partition("?")[0], answer).status == 200


def confirmations(stage: Stage) -> None:
    """Confirmations: addresses proven, sign-ups confirmed, declined and canceled, passwords forgotten and set."""
    user = stage.sign_up("forgetful")
    signup, send = f"/confirm/signup/{user.id}", f"/confirm/send/signup/{user.id}"
    key = stage.request("POST", signup, token=user.token).json()["key"]
    stage.request("GET", signup, token=user.token)
    stage.request("PUT", signup, {"key": key})
    key = stage.request("POST", signup, token=user.token).json()["key"]
    stage.request("PUT", f"/confirm/dismiss/signup/{user.id}", {"key": key})
    stage.request("POST", send, token=user.token)
    stage.request("POST", f"/confirm/resend/signup/{user.email}")
    stage.request("POST", f"/confirm/send/forgot/{user.email}")
    stage.run_tasks()
    pages = "/realms/tidepool/login-actions"
    verify, reset = stage.mailed_key("verify-email"), stage.mailed_key("new-password")
    stage.request("GET", f"{pages}/verify-email?key={verify}")
    stage.request("PUT", f"/confirm/accept/signup/{verify}")
    stage.request("GET", f"{pages}/new-password?key={reset}")
    body = {"key": reset, "email": user.email, "password": "another-one?"}
    stage.request("PUT", "/confirm/accept/forgot", body)
    for page, fields in (("verify-email", ""), ("new-password", "&password=a-third-one&repeated=a-third-one")):
        other = stage.sign_up(f"{page}")
        stage.request("POST", f"/confirm/forgot/{other.email}")
        stage.run_tasks()
        stage.send(
            "POST",
            f"{pages}/{page}",
            f"key={stage.mailed_key(page)}{fields}".encode(),
            {"Content-Type": "application/x-www-form-urlencoded"},
        )
    browser = Browser(stage.send)
    form = hidden_fields(browser.get(f"{pages}/reset-credentials").body)
    assert browser.post(f"{pages}/reset-credentials", form | {"username": user.email}).status == 200


def profiles(stage: Stage) -> None:
    """Metadata of a user: written, written again and read."""
    user = stage.sign_up("profiles")
    stage.request("GET", "/metadata/collections")
    for method in ("PUT", "POST"):
        stage.request(method, f"/metadata/{user.id}/preferences", {"a": method}, token=user.token)
    stage.request("GET", f"/metadata/{user.id}/preferences", token=user.token)
    stage.request("PUT", f"/metadata/{user.id}/of-an-app", {"a": 1}, token=user.token)
    stage.request("GET", f"/metadata/{user.id}/private/uploads", token=stage.server)
    for collection in ("preferences", "private/uploads"):  # a collection goes with its user only
        stage.request_for(501, "DELETE", f"/metadata/{user.id}/{collection}", token=stage.server)


def status(stage: Stage) -> None:
    """The requests that need no account."""
    for path in ("/status", "/version", "/info", "/v1/time", "/data/status", "/auth/status", "/access/status"):
        stage.request("GET", path)
    for path in ("/metrics/status", "/openapi.json", "/docs", "/auth/private", asset_path("page.js")):
        stage.request("GET", path)


def notes(stage: Stage) -> None:
    """Notes and replies: written, listed, changed and removed."""
    user = stage.sign_up("notes")
    body = {"message": {"guid": "a", "timestamp": "2026-01-01T10:00:00Z", "messagetext": "A snack"}}
    note = stage.request("POST", f"/message/send/{user.id}", body, token=user.token).json()["id"]
    reply = stage.request("POST", f"/message/reply/{note}", body, token=user.token).json()["id"]
    edit = {"message": {"timestamp": "2026-01-01T11:00:00Z"}}
    stage.request("PUT", f"/message/edit/{reply}", edit, token=user.token)
    for path in (f"notes/{user.id}", f"all/{user.id}", f"read/{note}", f"thread/{note}"):
        stage.request("GET", f"/message/{path}", token=user.token)
    stage.request("DELETE", f"/message/remove/{reply}", token=user.token)


def other_services(stage: Stage) -> None:
    """Services that a stage does not have."""
    user = stage.sign_up("other")
    for path in ("/v1/consents", "/v1/consents/big_data_donation_project"):
        stage.request("GET", path)
    for path in (f"users/{user.id}/consents", f"clinicians/{user.id}/clinics", f"patients/{user.id}/clinics"):
        stage.request("GET", f"/v1/{path}", token=user.token)
    stage.request_for(404, "GET", f"/v1/clinicians/{user.id}/invites", token=user.token)
    stage.request_for(404, "GET", "/v1/oauth/dexcom/authorize")


USE_CASES = (
    sessions,
    users,
    restricted_tokens,
    nightscout_credentials,
    grants,
    invitations,
    confirmations,
    profiles,
    notes,
    status,
    other_services,
)
