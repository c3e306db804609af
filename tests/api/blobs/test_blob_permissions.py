"""Who may read, add and delete blobs. Source: blob-api 1 to 8."""

import pytest

from tests.api.blobs.blob_requests import ANNA, CALLERS, HELLO, HELLO_MD5, NOBODY, create, error, token_of
from tests.api.conftest import ApiClient
from tests.fakes.services import SERVER_SECRET, FakeServices

MAY: dict[str, set[str]] = {
    "list": {"owner", "server", "view", "root"},
    "create": {"owner", "server", "upload", "root"},
    "open": {"owner", "server", "upload", "root"},
    "get": {"owner", "server", "view", "root"},
    "read": {"owner", "server", "view", "root"},
    "delete": {"owner", "server", "custodian"},
    "delete all": {"owner", "server", "custodian"},
}


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("action", MAY)
def test_only_permitted_callers_may_use_blobs(
    api: ApiClient, fakes: FakeServices, anna: str, action: str, caller: str
) -> None:
    blob_id = create(api, anna).json()["id"]
    token = token_of(caller, fakes, ANNA, NOBODY)
    direct = {"Content_Type": "text/plain", "Digest": f"MD5={HELLO_MD5}", "X_Upload_Size": "11"}
    requests: dict[str, tuple[str, str, bytes | None, dict[str, str], int]] = {
        "list": ("GET", f"/v1/users/{ANNA}/blobs", None, {}, 200),
        "create": ("POST", f"/v1/users/{ANNA}/blobs", HELLO, {"Content_Type": "text/plain"}, 201),
        "open": ("POST", f"/v1/users/{ANNA}/blobs?upload=direct", None, direct, 201),
        "get": ("GET", f"/v1/blobs/{blob_id}", None, {}, 200),
        "read": ("GET", f"/v1/blobs/{blob_id}/content", None, {}, 200),
        "delete": ("DELETE", f"/v1/blobs/{blob_id}", None, {}, 204),
        "delete all": ("DELETE", f"/v1/users/{ANNA}/blobs", None, {}, 204),
    }
    method, path, body, headers, success = requests[action]
    refused = 401 if caller in ("nobody", "expired") else 403
    reply = api.request(method, path, body, token=token, **headers)
    assert reply.status == (success if caller in MAY[action] else refused)
    if reply.status == 403:
        detail = "authentication token is not authorized for requested action"
        assert reply.json() == error("unauthorized", detail, detail)
    if reply.status == 401:
        assert reply.json()["code"] == "unauthenticated"


def test_the_service_secret_is_a_server(api: ApiClient, anna: str) -> None:
    create(api, anna)
    reply = api.request("GET", f"/v1/users/{ANNA}/blobs", X_Tidepool_Service_Secret=SERVER_SECRET)
    assert (reply.status, len(reply.json())) == (200, 1)
