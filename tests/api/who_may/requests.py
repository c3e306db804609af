"""A request to each operation that succeeds when the caller may: about Anna's things, named as `<thing>`.

The things are those of the scene. Where an id stands in angle brackets, another one can be sent in its place.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, urlencode

from chalicelib.api.operations.operation import Operation
from chalicelib.api.pages.web.assets import asset_path
from tests.api.who_may.scene import FORM, PASSWORD, TREATMENT, TREATMENT_MS
from tests.fakes.services import START_MS

CBG = {"type": "cbg", "units": "mg/dL", "value": 100, "time": "2025-12-31T10:00:00Z"}
UPLOAD = {
    "type": "upload",
    "uploadId": "upid_0123456789ab",
    "time": "2025-12-31T00:00:00Z",
    "deviceId": "d",
}
NOTE = {"message": {"guid": "a", "timestamp": "2025-12-31T10:00:00Z", "messagetext": "A snack"}}
JSON_LOG = {
    "Content-Type": "application/json; charset=utf-8",
    "Digest": "MD5=XrY7u+Ae7tCTyyK7j1rNww==",
    "X-Logs-Start-At-Time": "2025-12-31T00:00:00Z",
    "X-Logs-End-At-Time": "2025-12-31T01:00:00Z",
}
HELLO = {"Content-Type": "text/plain", "Digest": "MD5=XrY7u+Ae7tCTyyK7j1rNww=="}
KEY = {"key": "<received>"}
NEW_USER = {"username": "new@example.org", "emails": ["new@example.org"], "password": PASSWORD}
_THING = re.compile("<([a-z_]+)>")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: parameters of the path, query, body (a JSON value, or bytes) and headers, with things by name."""

    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def things(self) -> list[str]:
        """The names of the things that the request names, each as often as it stands there."""
        texts = [*self.path.values(), *self.query.values(), *self.headers.values(), _text(self.body)]
        return [name for text in texts for name in _THING.findall(text)]

    def with_other(self, index: int, name: str) -> "Asked":
        """The request with another thing in one of the places."""
        place = -1

        def put(text: str) -> str:
            def chosen(found: re.Match[str]) -> str:
                nonlocal place
                place += 1
                return f"<{name}>" if place == index else found[0]

            return _THING.sub(chosen, text)

        path, query, headers = (
            {key: put(value) for key, value in values.items()} for values in (self.path, self.query, self.headers)
        )
        body = put(self.body) if isinstance(self.body, str) else json.loads(put(_text(self.body)) or "null")
        body = self.body if isinstance(self.body, bytes) else body
        return Asked(path, query, body, headers)

    def parameters_of(self, template: str) -> dict[str, str]:
        """The values of the parameters of a path."""
        names = [part[1:-1] for part in template.split("/") if part.startswith("{")]
        return {name: self.path.get(name, DEFAULTS.get(name, name)) for name in names}

    def target(self, template: str, things: Mapping[str, str], query: Mapping[str, str]) -> str:
        """The path with its query, with more parameters."""
        parameters = self.parameters_of(template)
        parts = [
            quote(_filled(parameters[part[1:-1]], things), safe=":@") if part.startswith("{") else part
            for part in template.split("/")
        ]
        given = {name: _filled(value, things) for name, value in self.query.items()} | dict(query)
        return "/".join(parts) + (f"?{urlencode(given)}" if given else "")

    def sent_body(self, things: Mapping[str, str]) -> Any:
        """The body with the things."""
        if isinstance(self.body, str):
            return _filled(self.body, things).encode()
        return self.body if isinstance(self.body, bytes | None) else json.loads(_filled(_text(self.body), things))

    def sent_headers(self, things: Mapping[str, str]) -> dict[str, str]:
        """The headers with the things."""
        return {name: _filled(value, things) for name, value in self.headers.items()}


def form(fields: str, **headers: str) -> Asked:
    """A form of a page, encoded."""
    return Asked(body=fields, headers=FORM | headers)


DEFAULTS: Mapping[str, str] = {
    "userId": "<user>",
    "sharerId": "<user>",
    "granteeId": "<grantee>",
    "dataSetId": "<data_set>",
    "blobId": "<blob>",
    "logId": "<log>",
    "messageId": "<message>",
    "taskId": "<task>",
    "realm": "tidepool",
    "collection": "profile",
    "summaryType": "cgm",
    "longtermkey": "any",
    "consentType": "big_data_donation_project",
    "provider": "dexcom",
    "partner": "twiist",
    "environment": "production",
    "clinicId": "any",
    "eventName": "viewed",
    "serverName": "a-server",
    "tidepoolLinkId": "<twiist_link>",
    "name": "uploads",
}
"""Values of the parameters of paths."""

_RESTRICTED = Asked({"id": "<other_restricted>"})
_SOURCE = Asked({"id": "<data_source>"})
_CONNECTED = {"state": "connected", "providerSessionId": "of-the-request", "dataSetId": "<data_set>"}
_INVITED = Asked({"invitedBy": "<inviter>"}, body=KEY)
_DATED = {"find[date][$gte]": "1"}
_V3 = {"collection": "treatments"}
_V3_NOTE = {"eventType": "Note", "date": START_MS - 60_000, "app": "AAPS", "identifier": "made-by-the-request"}
_DEVICE = {"device": "phone"}
_APP = {
    "client_id": "xdrip",
    "redirect_uri": "xdrip://callback/tidepool",
    "response_type": "code",
    "scope": "openid",
    "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    "code_challenge_method": "S256",
}

REQUESTS: Mapping[str, Asked] = {
    "page.asset": Asked(dict(zip(("digest", "name"), asset_path("page.js").split("/")[-2:], strict=True))),
    "data_sets.create": Asked(body={"type": "upload", "dataSetType": "continuous"}),
    "data_sets.update": Asked(body={"state": "closed"}),
    "data_sets.delete (of an uploader)": Asked({"dataSetId": "<data_set_of_uploader>"}),
    "data.add": Asked(body=[CBG]),
    "data.delete": Asked(body=[{"origin": {"id": "<origin>"}}]),
    "data.erase": Asked(body={"password": PASSWORD}),
    "data.export": Asked(query={"format": "json"}),
    "data.upload": Asked(body=[UPLOAD, CBG | {"uploadId": UPLOAD["uploadId"]}]),
    "data_sources.create": Asked(body={"providerType": "oauth", "providerName": "test"}),
    "data_sources.get": _SOURCE,
    "data_sources.update": replace(_SOURCE, body=_CONNECTED),
    "data_sources.delete": _SOURCE,
    "data_sources.get_of_session": Asked({"id": "<provider_session>"}),
    "partners.add_twiist_data": Asked(body=[CBG]),
    "sessions.login": Asked(headers={"Authorization": "Basic <basic>"}),
    "sessions.server_login": Asked(
        headers={"X-Tidepool-Server-Name": "another", "X-Tidepool-Server-Secret": "<stage_secret>"}
    ),
    "sessions.check": Asked({"token": "<session>"}),
    "users.create": Asked(body=NEW_USER),
    "users.update": Asked(body={"updates": {"username": "new@example.org", "emails": ["new@example.org"]}}),
    "users.update (to what it is)": Asked(body={"updates": {}}),
    "users.update (to another password)": Asked(body={"updates": {"password": "another-one?"}}),
    "users.update (to other roles)": Asked(body={"updates": {"roles": ["clinic"]}}),
    "users.update /auth/user": Asked(body={"updates": {"username": "new@example.org", "emails": ["new@example.org"]}}),
    "users.delete": Asked(body={"password": PASSWORD}),
    "users.delete (without the password)": Asked(),
    "users.create_custodial": Asked(body={}),
    "users.create_for_clinic": Asked(body={"username": "new@example.org"}),
    "users.list": Asked(query={"id": "<user>"}),
    "grants.set": Asked(body={"view": {}}),
    "grants.set (to nothing)": Asked(body={}),
    "metadata.put": Asked(body={"fullName": "A"}),
    "metadata.post": Asked(body={"fullName": "A"}),
    "restricted_tokens.create": Asked(body={}),
    "restricted_tokens.get": _RESTRICTED,
    "restricted_tokens.update": replace(_RESTRICTED, body={}),
    "restricted_tokens.delete": _RESTRICTED,
    "logins.delete": Asked({"loginId": "0" * 64}),
    "invitations.send": Asked(body={"email": "new@example.org", "permissions": {"view": {}}}),
    "invitations.resend": Asked({"key": "<sent>"}),
    "invitations.cancel": Asked({"invitedBy": "<invited>"}),
    "invitations.accept": _INVITED,
    "invitations.dismiss": _INVITED,
    "sign_up_confirmations.resend": Asked({"email": "<email>"}),
    "sign_up_confirmations.accept": Asked({"key": "<verify>"}),
    "sign_up_confirmations.dismiss": Asked(body={"key": "<verify>"}),
    "sign_up_confirmations.cancel": Asked(body={"key": "<verify>"}),
    "password_resets.send": Asked({"email": "<email>"}),
    "password_resets.accept": Asked(body={"key": "<reset>", "email": "<email>", "password": "another-one?"}),
    "oidc.sign_in": form("<sign_in_form>&username=<email>&password=<password>", Cookie="<form_cookies>"),
    "oidc.tokens": form("grant_type=refresh_token&client_id=xdrip&refresh_token=<refresh_token>"),
    "oidc.show_sign_in": Asked(query=_APP),
    "account_pages.show_new_password": Asked(query={"key": "<reset>"}),
    "account_pages.set_new_password": form("key=<reset>&password=another-one?&repeated=another-one?"),
    "account_pages.show_verify_email": Asked(query={"key": "<verify>"}),
    "account_pages.verify_email": form("key=<verify>"),
    "account_pages.show_create_account": Asked(query=_APP),
    "account_pages.create_account": form(
        "<registration_form>&username=new@example.org&password=another-one?&repeated=another-one?&terms=1",
        Cookie="<form_cookies>",
    ),
    "account_pages.ask_new_password": form("<forgotten_form>&username=<email>", Cookie="<form_cookies>"),
    "account_pages.show_invitation": Asked(query={"key": "<mailed>"}),
    "account_pages.answer_invitation": form("<answer_form>&answer=accept", Cookie="<cookies>"),
    "account_pages.open_invitation": Asked(query={"key": "<mailed>"}),
    "oidc.revoke": form("token=unknown&client_id=xdrip"),
    "blobs.create": Asked(body=b"hello world", headers=HELLO),
    "device_logs.create": Asked(body=b"hello world", headers=JSON_LOG),
    "notes.send": Asked(body=NOTE),
    "notes.reply": Asked(body=NOTE),
    "notes.edit": Asked(body={"message": {"messagetext": "Another"}}),
    "metrics.read_counts": Asked(query={"from": "2026-01-01", "to": "2026-01-02"}),
    "tasks.create": Asked(body={"type": "strandline.diagnostics.echo"}),
    "tasks.update": Asked(body={"priority": 1}),
    "nightscout_credentials.create": Asked(body={"name": "A phone", "scope": "read"}),
    "nightscout_credentials.create (to upload)": Asked(body={"name": "A phone", "scope": "upload"}),
    "nightscout_credentials.revoke": Asked({"id": "<read_id>"}),
    "nightscout_credentials.revoke (of a grantee)": Asked({"id": "<id_of_grantee>"}),
    "nightscout_documents.list": Asked({"collection": "treatments"}),
    "nightscout_documents.restore": Asked({"collection": "treatments"}, body=[TREATMENT | {"_id": "0" * 24}]),
    "nightscout.authorize": Asked({"token": "<read_token>"}),
    "nightscout.entries.find": Asked(query=_DATED),
    "nightscout.entries.find_of": Asked({"kind": "<entry>"}),
    "nightscout.entries.store": Asked(body=[{"type": "sgv", "sgv": 100, "date": START_MS - 1000}]),
    "nightscout.entries.preview": Asked(body=[{"type": "sgv", "sgv": 100, "date": START_MS - 1000}]),
    "nightscout.entries.delete_of": Asked({"kind": "<entry>"}),
    "nightscout.treatments.store": Asked(body=[TREATMENT]),
    "nightscout.treatments.replace": Asked(body=TREATMENT | {"_id": "<treatment>"}),
    "nightscout.treatments.delete_one": Asked({"id": "<treatment>"}),
    "nightscout.profiles.store": Asked(body={"defaultProfile": "Other", "startDate": "2025-12-30T00:00:00Z"}),
    "nightscout.profiles.replace": Asked(
        body={"defaultProfile": "Other", "startDate": "2025-12-31T00:00:00Z", "_id": "<ns_profile>"}
    ),
    "nightscout.profiles.delete": Asked({"id": "<ns_profile>"}),
    "nightscout.device_statuses.store": Asked(body=_DEVICE | {"created_at": "2025-12-31T10:00:00Z"}),
    "nightscout.device_statuses.delete_one": Asked({"id": "<device_status>"}),
    "nightscout.food.list_of": Asked({"kind": "regular"}),
    "nightscout.food.store": Asked(body={"type": "food", "name": "Apple"}),
    "nightscout.food.replace": Asked(body={"type": "food", "name": "Pear", "_id": "<food>"}),
    "nightscout.food.delete": Asked({"id": "<food>"}),
    "nightscout.activity.store": Asked(body={"steps": 2}),
    "nightscout.activity.replace": Asked(body={"steps": 3, "_id": "<activity>"}),
    "nightscout.activity.delete": Asked({"id": "<activity>"}),
    "nightscout.properties_of": Asked({"names": "upbat"}),
    "nightscout.v3.search": Asked(_V3),
    "nightscout.v3.create": Asked(_V3, body=_V3_NOTE),
    "nightscout.v3.read": Asked(_V3 | {"identifier": "<treatment>"}),
    "nightscout.v3.replace": Asked(
        _V3 | {"identifier": "<treatment>"}, body=_V3_NOTE | {"identifier": "<treatment>", "date": TREATMENT_MS}
    ),
    "nightscout.v3.change": Asked(_V3 | {"identifier": "<treatment>"}, body={"notes": "y"}),
    "nightscout.v3.delete": Asked(_V3 | {"identifier": "<treatment>"}),
    "nightscout.v3.history_since_header": Asked(_V3, headers={"Last-Modified": "Wed, 31 Dec 2025 00:00:00 GMT"}),
    "nightscout.v3.history": Asked(_V3 | {"since": "1"}),
}
"""The requests by the row of the table; those of others need no more than a path."""

PROOFS = frozenset(
    {
        "basic",
        "stage_secret",
        "verify",
        "reset",
        "mailed",
        "read_token",
        "refresh_token",
        "password",
        "form_cookies",
        "sign_in_form",
        "registration_form",
        "forgotten_form",
        "answer_form",
        "cookies",
    }
)
"""The things that prove something, with or without a credential."""


def request_of(row: str, operation: Operation) -> Asked:
    """The request of a row."""
    return REQUESTS.get(row, REQUESTS.get(operation.name, Asked()))


def _text(body: Any) -> str:
    if isinstance(body, str):
        return body
    return "" if isinstance(body, bytes | None) else json.dumps(body)


def _filled(text: str, things: Mapping[str, str]) -> str:
    return _THING.sub(lambda found: things[found[1]], text)
