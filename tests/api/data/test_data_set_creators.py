"""Who created a data set, as its description tells. Source: data-api 7, POST."""

from typing import Any

import pytest

from tests.api.conftest import ApiClient
from tests.fakes.services import FakeServices

OWNER, OTHER = "aaaaaaaaaa", "bbbbbbbbbb"
BODY = {"dataSetType": "continuous", "deduplicator": {"name": "org.tidepool.deduplicator.none"}}


@pytest.mark.parametrize(
    ("caller", "sent", "told"),
    [
        ("server", {"createdUserId": OTHER, "byUser": OWNER}, OTHER),
        ("server", {"byUser": OTHER}, None),
        ("server", {}, None),
        ("server", {"createdUserId": 5}, None),
        ("server", {"createdUserId": ""}, None),
        (OWNER, {"createdUserId": OTHER, "byUser": OTHER}, OWNER),
    ],
)
def test_a_server_names_the_creator_and_a_user_is_the_creator(
    api: ApiClient, fakes: FakeServices, caller: str, sent: dict[str, Any], told: str | None
) -> None:
    token = fakes.sign_in(caller, is_server=caller == "server")
    reply = api.request("POST", f"/v1/users/{OWNER}/data_sets", BODY | sent, token=token)
    data_set = reply.json()["data"]
    assert (reply.status, data_set.get("createdUserId"), data_set.get("byUser")) == (201, told, told)
