"""Requests that once got a wrong reply, replayed: none is answered 5xx, and each as the description says.

`make fuzz` stores them in `tests/data/fuzz`; `ApiClient` compares each reply with the description.
"""

import base64
import json
from pathlib import Path

import pytest

from tests.api.conftest import ApiClient
from tests.api.people import ANNA, BEN
from tests.fakes.services import SERVER_SECRET, FakeServices
from tools.fuzz.failures import FOLDER
from tools.fuzz.people import READER, ROLES, UPLOADER, nightscout_headers

DATA_SET_ID, BLOB_ID, LOG_ID, MESSAGE_ID = ("0" * 31 + str(number) for number in range(1, 5))
STORED = sorted(FOLDER.glob("*.json"))


def nightscout(api: ApiClient, token: str, scope: str) -> dict[str, str]:
    """The headers of an app with a new credential of Anna's."""
    path = f"/v1/users/{ANNA.user_id}/nightscout_credentials"
    made = api.request("POST", path, {"name": f"a {scope} app", "scope": scope}, token=token).json()
    jwt = api.request("GET", f"/api/v2/authorization/request/{made['token']}").json()["token"]
    return nightscout_headers(made["token"], jwt)


def test_there_are_requests_to_replay() -> None:
    assert STORED


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_a_request_that_once_failed_is_answered_as_described(
    api: ApiClient, fakes: FakeServices, anna: str, ben: str, path: Path
) -> None:
    fakes.grant(ANNA.user_id, BEN.user_id, ["view", "upload", "note"])
    names = {
        "<owner>": anna,
        "<grantee>": ben,
        "<server>": SERVER_SECRET,
        "<userId>": ANNA.user_id,
        "<granteeId>": BEN.user_id,
        "<dataSetId>": DATA_SET_ID,
        "<blobId>": BLOB_ID,
        "<logId>": LOG_ID,
        "<messageId>": MESSAGE_ID,
    }

    def filled(text: str) -> str:
        for name, value in names.items():
            text = text.replace(name, value)
        return text

    stored = json.loads(path.read_text(encoding="utf-8"))
    headers = {name: filled(value) for name, value in stored["headers"].items()}
    assert stored["role"] in ROLES
    credential = {
        "owner": {"X-Tidepool-Session-Token": anna},
        "grantee": {"X-Tidepool-Session-Token": ben},
        "server": {"X-Tidepool-Service-Secret": SERVER_SECRET},
        READER: nightscout(api, anna, "read"),
        UPLOADER: nightscout(api, anna, "upload"),
    }
    body = filled(base64.b64decode(stored["body_base64"]).decode("latin-1")).encode("latin-1")
    sent = headers | credential.get(stored["role"], {})
    reply = api.request(stored["method"], filled(stored["path"]), body, **sent)
    assert reply.status < 500
