"""Replays recorded exchanges with Nightscout: all answers are as recorded, but for rulings, each with its reason."""

import gzip
import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest

from tests.api.conftest import ApiClient, Reply
from tests.api.people import ANNA
from tests.fakes.prepared import prepared
from tests.fakes.services import START_MS, FakeServices
from tests.golden.nightscout_exchanges import HEADERS, RECORDED, Masks
from tests.golden.recordings import Exchange

ONE_SECRET = "a token is taken as the secret, and as it is"
OTHER_ROLES = "there are two scopes, and no other roles"
ALWAYS_ID = "answers to POST always have `_id`"
SAME_PROFILE = "an equal profile is the same one"
NOT_SERVED = "not served"
NO_SUBJECTS = "subjects are not served"
NO_REVOKED = "a subject without roles is a revoked credential here"
UTF_8 = "the media type of JSON names its encoding"
MODIFIED_BY_V1 = "documents of v1 have a `srvModified` and are in the history"
OWN_TIME = "`Last-Modified` is that of the document, whatever members are asked for"
OWN_TIME_OF_STATUS = "a device status counts as modified at its own time"
NO_SETTINGS = "nobody searches settings"
SITE = "settings are those of this site"
PAGES = "pages of the origins that the stage names may call, and replies name the origin, methods and headers"
FINAL = "400, which no app repeats"
RULINGS = {
    "cors-01-get": PAGES,
    "cors-02-get-refused": PAGES,
    "cors-03-preflight": PAGES,
    "cors-04-preflight-v3": PAGES,
    "no-cors-02-preflight": "preflights are answered",
    "v1-auth-06-secret-header-plain": ONE_SECRET,
    "v1-auth-15-token-query-other-name": "a token has to match exactly",
    "v1-auth-36-delete-with-createread": OTHER_ROLES,
    "v1-auth-39-verifyauth-admin": "nobody is an administrator",
    "v1-auth-40-verifyauth-norole": NO_REVOKED,
    "pebble-04-secret": UTF_8,
    "pebble-06-mmol": UTF_8,
    "v1-devicestatus-04-repeat": "an equal device status is the same one",
    "v1-devicestatus-10-range": "an equal device status is the same one",
    "v1-devicestatus-15-delete-range": "an equal device status is the same one",
    "v1-devicestatus-16-put": "errors are JSON",
    "v1-food-activity-11-activity-repeat": ALWAYS_ID,
    "v1-entries-read-29-count-zero": "a count below 1 is a 400",
    "v1-entries-read-30-count-text": "a count that is not a number is a 400",
    "v1-entries-read-43-count-where": NOT_SERVED,
    "v1-entries-write-04-repeat": ALWAYS_ID,
    "v1-entries-write-16-hex-id-other-time": "200, and the entry is stored",
    "v1-entries-write-17-hex-id-differs-for-stored-time": "200, and the stored `_id` stays",
    "v1-entries-write-30-put": "errors are JSON",
    "v1-status-02-json-secret": SITE,
    "v1-status-03-json-token-admin": SITE,
    "v1-status-04-json-token-reader": SITE,
    "v1-status-05-json-token-uploader": SITE,
    "v1-status-07-json-token-in-header": SITE,
    "v1-status-08-no-extension": SITE,
    "v1-profile-07-list": SAME_PROFILE,
    "v1-profile-14-profiles-range": SAME_PROFILE,
    "v1-profile-21-list-after": SAME_PROFILE,
    "v1-treatments-write-03-repeat": ALWAYS_ID,
    "v1-treatments-write-18-sync-identifier-repeat": ALWAYS_ID,
    "v1-treatments-write-29-put-array": "400 instead of 500",
    "v2-03-request-uploader": "an uploader's permissions name `api:treatments:create`",
    "v2-05-request-norole": NO_REVOKED,
    "v2-12-subject-create": NO_SUBJECTS,
    "v2-13-created-subject-reads": NO_SUBJECTS,
    "v2-15-subject-delete": NO_SUBJECTS,
    "v2-17-permissions": NOT_SERVED,
    "v2-18-check-ok": NOT_SERVED,
    "v2-25-notifications-loop-off": "501 instead of 500",
    "v2-27-summary-none": NOT_SERVED,
    "v2-28-socket-io": "Socket.IO is refused at once",
    "v3-create-21-devicestatus": OWN_TIME_OF_STATUS,
    "v3-create-22-devicestatus-repeat": OWN_TIME_OF_STATUS,
    "v3-create-28-bad-json": "400 instead of 500",
    "v3-create-42-createonly": OTHER_ROLES,
    "v3-create-43-createonly-repeat": OTHER_ROLES,
    "v3-create-48-v1-view-of-v3-entry": "v1 shows entries of v3 with `dateString`",
    "v3-general-07-status-norole": NO_REVOKED,
    "v3-general-21-lastmodified-norole": NO_REVOKED,
    "v3-general-26-settings-admin": NO_SETTINGS,
    "v3-general-28-options": "preflights are answered",
    "v3-history-08-all": MODIFIED_BY_V1,
    "v3-history-10-fields": OWN_TIME,
    "v3-history-19-norole": NO_REVOKED,
    "v3-history-22-settings-admin": NO_SETTINGS,
    "v3-search-12-sort-date": MODIFIED_BY_V1,
    "v3-search-16-fields-all": MODIFIED_BY_V1,
    "v3-search-36-two-filters-one-field": "both filters hold",
    "v3-search-52-statusonly": OTHER_ROLES,
    "v3-update-03-read-fields": OWN_TIME,
    "v3-update-29-patch-createonly": OTHER_ROLES,
    "v3-update-34-patch-gone": FINAL,
    "v3-update-35-put-gone": FINAL,
    "v3-update-46-v1-sees-deleted": "v1 leaves deleted documents out",
    "v3-update-50-readonly-delete": FINAL,
}

AS_RECORDED = sorted(set(RECORDED.names) - RULINGS.keys())


def set_scene(api: ApiClient, fakes: FakeServices) -> Mapping[str, str]:
    """Give Anna a credential of each scope, and a revoked one; what their placeholders stand for."""
    anna = fakes.sign_in(ANNA.user_id)
    path = f"/v1/users/{ANNA.user_id}/nightscout_credentials"
    values: dict[str, str] = {}
    for name, scope in {"uploader": "upload", "reader": "read", "norole": "read"}.items():
        issued = api.request("POST", path, {"name": name, "scope": scope}, token=anna).json()
        token = issued["token"]
        sha1 = hashlib.sha1(token.encode(), usedforsecurity=False).hexdigest()
        jwt = api.request("GET", f"/api/v2/authorization/request/{token}").json()["token"]
        values |= {f"<TOKEN:{name}>": token, f"<TOKENSHA1:{name}>": sha1, f"<JWT:{name}>": jwt}
        if name == "uploader":
            values |= {"<SECRET>": token, "<SHA1>": sha1, "<SHA1 in upper case>": sha1.upper()}
            values |= {"<TOKEN:admin>": token, "<TOKEN:createread>": token, "<JWT:admin>": jwt}
        if name == "norole":
            api.request("DELETE", f"{path}/{issued['id']}", token=anna)
    return MappingProxyType(values)


@pytest.fixture
def masks(fakes: FakeServices) -> Masks:
    """The placeholders of a stage of its own for each exchange."""
    return Masks(START_MS, prepared(set_scene, fakes))


def send(api: ApiClient, request: dict[str, Any], masks: Masks) -> Reply:
    """The reply to a recorded request."""
    headers = {name: masks.filled(value) for name, value in request["headers"].items()}
    body = request.get("bodyText", "").encode() or None
    if "body" in request:
        body = json.dumps(masks.filled(request["body"])).encode()
    return api.request(request["method"], masks.filled(request["path"]), body, **headers)


@pytest.fixture
def exchange_named(fakes: FakeServices, name: str) -> Exchange:
    """The exchange with this name. Those of `cors` were recorded with pages of all origins allowed."""
    if name.startswith("cors-"):
        fakes.settings = replace(fakes.settings, cors_origins=("*",))
    return RECORDED.exchange(name)


def differences(api: ApiClient, masks: Masks, recorded: Exchange) -> list[str]:
    """The differences of the reply to a recorded request from what Nightscout answered."""
    for given in recorded.given:
        reply = send(api, given, masks)
        if reply.status == 200:
            masks.note_ids(reply.json())
    reply = send(api, recorded.request, masks)
    wanted = recorded.response
    found = [] if reply.status == wanted["status"] else [f"status {reply.status}, not {wanted['status']}"]
    is_json = reply.headers.get("content-type", "").startswith("application/json")
    content = gzip.decompress(reply.body) if reply.headers.get("content-encoding") == "gzip" else reply.body
    body = json.loads(content) if is_json else content.decode()
    if recorded.request["method"] == "POST":
        masks.note_ids(body)
    wanted_headers = {
        name.lower(): masks.filled(value) for name, value in wanted["headers"].items() if name.lower() in HEADERS
    }
    found += [
        f"{name} is {reply.headers.get(name)}, not {value}"
        for name, value in wanted_headers.items()
        if reply.headers.get(name) != value
    ]
    wanted_cors, cors = (
        {name: value for name, value in _lower(headers).items() if name.startswith("access-control-")}
        for headers in (wanted["headers"], reply.headers)
    )
    if cors != wanted_cors:
        found.append(f"pages are told {cors}, not {wanted_cors}")
    return found + list(masks.differences(wanted.get("body", wanted.get("bodyText", "")), body))


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


@pytest.mark.parametrize("name", AS_RECORDED)
def test_the_answer_is_as_recorded(api: ApiClient, masks: Masks, exchange_named: Exchange) -> None:
    assert differences(api, masks, exchange_named) == []


@pytest.mark.parametrize("name", sorted(RULINGS))
def test_a_ruling_differs_and_is_needed(api: ApiClient, masks: Masks, exchange_named: Exchange) -> None:
    assert differences(api, masks, exchange_named) != []


def test_the_exchanges_are_there() -> None:
    assert len(AS_RECORDED) > 50
    assert set(RECORDED.names) >= RULINGS.keys()
