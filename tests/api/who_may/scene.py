"""Anna and Ben, each of whom has one of everything, and the users to whom Anna granted something."""

import base64
import hashlib
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from chalicelib import services as wiring
from chalicelib.accounts.account import Account
from chalicelib.accounts.grant import Grant
from tests.api.conftest import ApiClient, Reply
from tests.fakes.mail import MailBox
from tests.fakes.oidc_app import App, Browser, apps, hidden_fields
from tests.fakes.services import SERVER_SECRET, START_MS, FakeServices

BASE_URL = "https://strandline.example.org"
PASSWORD = "password"
ANNA, BEN = "a0a0a0a0a0", "b0b0b0b0b0"
EMAILS = {ANNA: "anna@example.org", BEN: "ben@example.org"}
PAST = "2025-12-31T00:00:00Z"
PERMISSIONS = ("view", "upload", "note", "custodian", "follow", "admin")
GRANTS: Mapping[str, Mapping[str, Any]] = {
    **{name: {name: {}} for name in PERMISSIONS},
    "window": {"view": {"windowHours": 24}},
    "expired grant": {name: {"expiresTime": PAST} for name in PERMISSIONS},
    "grantee in the path": {"other": {}},
}
"""The permissions that Anna granted, by the name of the user who got them."""
USER_IDS = {name: hashlib.sha256(name.encode()).hexdigest()[:10] for name in (*GRANTS, "stranger", "sharer", "inviter")}
"""The sharer granted everything to Anna, and got nothing. The inviter sent invitations to Anna and Ben."""
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
TREATMENT = {"eventType": "Note", "notes": "x", "created_at": "2025-12-31T10:00:00Z", "app": "AAPS"}
TREATMENT_MS = 1_767_175_200_000
"""The time of the treatment."""


Stored = Mapping[tuple[str, ...], bytes]


@dataclass(frozen=True, slots=True)
class Saved:
    """The stored items, to be stored again."""

    database: sqlite3.Connection
    now_ms: int
    stored: Stored


@dataclass(frozen=True, slots=True)
class Mark:
    """The stored items of a moment, and the number of changes of rows until then."""

    change_count: int
    stored: Stored


class Scene:
    """The services with all that a request can name.

    `values` has the ids and keys of Anna's things by name, `others` those of Ben's.
    """

    def __init__(self, api: ApiClient, fakes: FakeServices) -> None:
        self.api, self.fakes = api, fakes
        self.mail = MailBox(fakes)
        sectors = {"twiist": (f"{BASE_URL}/twiist",), "twiist/production": (f"{BASE_URL}/twiist",)}
        fakes.settings = replace(fakes.settings, base_url=BASE_URL, partner_sectors=sectors)
        wiring.override(fakes.services)
        self.server = fakes.sign_in("a-server", is_server=True)
        self.tokens: dict[str, str] = {}
        self.mailed: dict[str, str] = {}
        for user_id, email in EMAILS.items():
            account = Account(user_id, START_MS, email, f"now:{PASSWORD}", ("patient",), START_MS // 1000, True)
            fakes.accounts.create(account)
            self.tokens[user_id] = fakes.sign_in(user_id)
        for name, user_id in USER_IDS.items():
            self.tokens[user_id] = fakes.sign_in(user_id)
            if name in GRANTS:
                fakes.grants.put(Grant(ANNA, user_id, GRANTS[name]))
        fakes.grant(USER_IDS["sharer"], ANNA, PERMISSIONS)
        self.values = self._things_of(ANNA)
        self.others = self._things_of(BEN)
        self._saved = Saved(fakes.engine.database.copy(), fakes.now_ms, self.stored())
        self._restored_at = -1

    def app(self) -> App:
        """An app that signs its user in by OpenID Connect."""
        return apps(self.send, BASE_URL)[1]

    def send(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        """The reply to a request."""
        return self.api.request(method, path, body, **headers)

    def close(self) -> None:
        """Forget what was saved."""
        self._saved.database.close()

    def restore(self) -> None:
        """Store what was stored when the scene was set."""
        self.fakes.now_ms = self._saved.now_ms
        with self.fakes.engine.database.reading() as connection:
            if connection.total_changes != self._restored_at:
                self._saved.database.backup(connection)
                self._restored_at = connection.total_changes

    def changes_since(self, mark: "Mark") -> list[tuple[str, ...]]:
        """The keys of all that is stored otherwise since then, without the counters of requests and attempts."""
        with self.fakes.engine.database.reading() as connection:
            if connection.total_changes == mark.change_count:
                return []
        after = self.stored()
        return sorted(key for key in mark.stored.keys() | after.keys() if mark.stored.get(key) != after.get(key))

    def mark(self) -> "Mark":
        """The stored items of now, to compare with."""
        with self.fakes.engine.database.reading() as connection:
            count = connection.total_changes
        return Mark(count, self._saved.stored if count == self._restored_at else self.stored())

    def forget_sign_up(self) -> None:
        """Remove the pending confirmation of Anna's account."""
        with self.fakes.engine.database.writing() as connection:
            connection.execute("DELETE FROM items WHERE pk = ? AND sk = 'SIGN_UP'", (f"USER#{ANNA}",))

    def prove_address(self) -> None:
        """Mark Anna's address as proven."""
        account = self.fakes.accounts.find(ANNA)
        assert account is not None
        self.fakes.accounts.replace(account, replace(account, email_proven=True, version=account.version + 1))

    def stored(self) -> Stored:
        """All items by table and key, all messages, and all objects, without the counters of requests and attempts."""
        found: dict[tuple[str, ...], bytes] = {}
        with self.fakes.engine.database.reading() as connection:
            for columns in (
                "table_name, pk, sk, body FROM items",
                "queue, id, body FROM messages",
                "key, tag FROM objects",
            ):
                rows = connection.execute(f"SELECT {columns}").fetchall()
                found |= {tuple(map(str, row[:-1])): row[-1] for row in rows}
        return {key: value for key, value in found.items() if not key[-2:][0].startswith(COUNTERS)}

    def _things_of(self, user_id: str) -> dict[str, str]:
        """The ids and keys of one of everything."""
        things = {"user": user_id, "email": EMAILS[user_id], "session": self.tokens[user_id]}
        things["basic"] = base64.b64encode(f"{EMAILS[user_id]}:{PASSWORD}".encode()).decode()
        things |= {"password": PASSWORD, "stage_secret": SERVER_SECRET}
        things["grantee"] = USER_IDS["grantee in the path"]
        self._grant_by_ben(user_id)
        for make in (self._data, self._restricted_tokens, self._documents, self._nightscout, self._confirmations):
            things |= make(user_id)
        things |= self._tokens(user_id)
        return things

    def _grant_by_ben(self, user_id: str) -> None:
        """Ben's grantee has what Anna's has, so that only Anna's own permission is missing."""
        if user_id == BEN:
            self.fakes.grants.put(Grant(BEN, USER_IDS["grantee in the path"], {"other": {}}))

    def _ask(self, user_id: str, method: str, path: str, body: Any = None, **headers: str) -> Any:
        token = self.server if user_id == "" else self.tokens[user_id]
        reply = self.api.request(method, path, body, token=token, **headers)
        assert reply.status < 300, (method, path, reply)
        return reply.json() if reply.body else None

    def _data(self, user_id: str) -> dict[str, str]:
        opened = {"type": "upload", "dataSetType": "continuous", "deduplicator": {"name": DELETE_ORIGIN}}
        path = f"/v1/users/{user_id}/data_sets"
        data_set = self._ask(user_id, "POST", path, opened)["data"]["id"]
        record = {"type": "cbg", "units": "mg/dL", "value": 111, "time": "2025-12-31T12:00:00Z"}
        added = [record | {"origin": {"id": f"of-{user_id}"}, "payload": {"of": f"the-data-of-{user_id}"}}]
        self._ask(user_id, "POST", f"/v1/data_sets/{data_set}/data", added)
        source = {"providerType": "oauth", "providerName": "twiist", "providerExternalId": f"link-{user_id}"}
        made = self._ask("", "POST", f"/v1/users/{user_id}/data_sources", source)["id"]
        twiist = self._ask(user_id, "POST", path, opened)["data"]["id"]
        if user_id == ANNA:
            uploaders = self._ask(USER_IDS["upload"], "POST", path, opened)["data"]["id"]
        connected = {"state": "connected", "providerSessionId": f"session-{user_id}", "dataSetId": twiist}
        self._ask("", "PUT", f"/v1/data_sources/{made}", connected)
        self._ask(user_id, "PUT", f"/metadata/{user_id}/profile", {"fullName": f"name-of-{user_id}"})
        self._ask("", "GET", f"/metadata/{user_id}/private/uploads")
        task = self._ask("", "POST", "/v1/tasks", {"type": "strandline.diagnostics.echo", "name": f"task-{user_id}"})
        return {
            "data_set": data_set,
            "data_set_of_uploader": uploaders if user_id == ANNA else data_set,
            "origin": f"of-{user_id}",
            "data_source": made,
            "twiist_link": f"link-{user_id}",
            "provider_session": f"session-{user_id}",
            "task": task["id"],
        }

    def _restricted_tokens(self, user_id: str) -> dict[str, str]:
        path = f"/v1/users/{user_id}/restricted_tokens"
        opened = {"restricted": {}, "other_restricted": {}, "restricted_elsewhere": {"paths": ["/v1/nowhere"]}}
        return {name: self._ask(user_id, "POST", path, body)["id"] for name, body in opened.items()}

    def _documents(self, user_id: str) -> dict[str, str]:
        content = f"the content of {user_id}".encode()
        digest = base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
        sent = {"Content_Type": "text/plain", "Digest": f"MD5={digest}"}
        times = {"X_Logs_Start_At_Time": PAST, "X_Logs_End_At_Time": "2025-12-31T01:00:00Z"}
        logged = sent | times | {"Content_Type": "application/json; charset=utf-8"}
        note = {"message": {"guid": user_id, "timestamp": PAST, "messagetext": f"the-note-of-{user_id}"}}
        return {
            "blob": self._ask(user_id, "POST", f"/v1/users/{user_id}/blobs", content, **sent)["id"],
            "log": self._ask(user_id, "POST", f"/v1/users/{user_id}/device_logs", content, **logged)["id"],
            "message": self._ask(user_id, "POST", f"/message/send/{user_id}", note)["id"],
        }

    def _nightscout(self, user_id: str) -> dict[str, str]:
        path = f"/v1/users/{user_id}/nightscout_credentials"
        things: dict[str, str] = {}
        for scope in ("read", "upload"):
            made = self._ask(user_id, "POST", path, {"name": scope, "scope": scope})
            jwt = self.api.request("GET", f"/api/v2/authorization/request/{made['token']}").json()["token"]
            things |= {f"{scope}_id": made["id"], f"{scope}_token": made["token"], f"{scope}_jwt": jwt}
        made = (
            self._ask(USER_IDS["view"], "POST", path, {"name": "follower", "scope": "read"})
            if user_id == ANNA
            else made
        )
        things["id_of_grantee"] = made["id"]
        secret = {"api_secret": things["upload_token"]}
        by_ben = {"created_at": "2025-12-31T10:01:00Z"} if user_id == BEN else {}
        seconds = 61 if user_id == BEN else 60
        entry = {"type": "sgv", "sgv": 123, "date": START_MS - seconds * 1000, "device": f"cgm-{user_id}"}
        documents = {
            "entry": ("entries", entry),
            "treatment": ("treatments", TREATMENT | by_ben | {"notes": f"treatment-of-{user_id}"}),
            "ns_profile": ("profile", {"defaultProfile": "Default", "startDate": PAST, "store": {}, "by": user_id}),
            "device_status": ("devicestatus", {"device": f"phone-{user_id}"}),
            "food": ("food", {"type": "food", "name": f"food-{user_id}"}),
            "activity": ("activity", {"steps": 1, "device": f"watch-{user_id}"}),
        }
        for name, (collection, document) in documents.items():
            reply = self.api.request("POST", f"/api/v1/{collection}", [document], **secret)
            things[name] = reply.json()[0]["_id"]
        return things

    def _confirmations(self, user_id: str) -> dict[str, str]:
        """Keys of mailed links, and an invitation by a user that was sent to the stranger, and one to the user."""
        for path in (f"send/signup/{user_id}", f"send/forgot/{EMAILS[user_id]}"):
            self._ask(user_id, "POST", f"/confirm/{path}")
        verify, reset = (sent.key for sent in self.mail.deliver())
        inviter = USER_IDS["inviter"]
        invitation = {"email": EMAILS[user_id], "permissions": {"note": {}}}
        received = self._ask(inviter, "POST", f"/confirm/send/invite/{inviter}", invitation)["key"]
        invited = f"invited-by-{user_id}@example.org"
        path = f"/confirm/send/invite/{user_id}"
        sent = self._ask(user_id, "POST", path, {"email": invited, "permissions": {"view": {}}})["key"]
        self.mailed[user_id] = next(mail.key for mail in self.mail.deliver() if mail.recipient == EMAILS[user_id])
        return {"verify": verify, "reset": reset, "received": received, "sent": sent, "invited": invited} | {
            "mailed": self.mailed[user_id],
            "inviter": inviter,
        }

    def _tokens(self, user_id: str) -> dict[str, str]:
        """The tokens of a sign-in by OpenID Connect, the cookies that it leaves, and the forms of the pages."""
        app, browser, stranger = self.app(), Browser(self.send), Browser(self.send)
        signed_in = app.returned(app.sign_in(EMAILS[user_id], PASSWORD, browser))
        issued = app.checked(app.exchange(signed_in["code"]))
        pages = f"{app.path}/login-actions"
        query = urlencode(app.parameters())
        forms = {
            "sign_in_form": stranger.get(app.page_path()),
            "registration_form": stranger.get(f"{app.path}/protocol/openid-connect/registrations?{query}"),
            "forgotten_form": stranger.get(f"{pages}/reset-credentials"),
            "answer_form": browser.get(f"{pages}/invitation?key={self.mailed[user_id]}"),
        }
        fields = {name: hidden_fields(page.body) for name, page in forms.items()}
        assert all(fields.values()), fields
        return {name: issued[name] for name in ("access_token", "refresh_token", "id_token")} | {
            "cookies": _sent(browser.cookies),
            "form_cookies": _sent(stranger.cookies),
            "sso_cookie": browser.cookies["__Secure-strandline-sso"],
            "form_token": next(value for name, value in fields["sign_in_form"].items() if "token" in name),
            **{name: urlencode(hidden) for name, hidden in fields.items()},
        }


DELETE_ORIGIN = "org.tidepool.deduplicator.dataset.delete.origin"


def _sent(cookies: Mapping[str, str]) -> str:
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


COUNTERS = ("requests#", "ATTEMPTS#")
