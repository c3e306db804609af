"""The revision of a data set, and a data set that was erased. Source: data-api 5 and 9."""

from typing import Any

import pytest

from tests.api.conftest import ApiClient
from tests.fakes.services import FakeServices

OWNER, STRANGER = "aaaaaaaaaa", "bbbbbbbbbb"
NONE = {"deduplicator": {"name": "org.tidepool.deduplicator.none"}}


def _opened(api: ApiClient, token: str, data_set_type: str) -> str:
    body = NONE | {"dataSetType": data_set_type}
    data_set_id: str = api.request("POST", f"/v1/users/{OWNER}/data_sets", body, token=token).json()["data"]["id"]
    return data_set_id


@pytest.mark.parametrize(
    ("data_set_type", "change", "revision"),
    [
        ("continuous", {"state": "closed"}, 2),
        ("continuous", {"state": "closed", "deviceModel": "M2"}, 2),
        ("continuous", {"deviceModel": "M2"}, 2),
        ("normal", {}, 3),
    ],
)
def test_closing_a_continuous_data_set_is_one_update_as_it_activates_nothing(
    api: ApiClient, fakes: FakeServices, server: str, data_set_type: str, change: dict[str, Any], revision: int
) -> None:
    token = fakes.sign_in(OWNER)
    data_set_id = _opened(api, token, data_set_type)
    assert api.request("PUT", f"/v1/data_sets/{data_set_id}", change, token=server).status == 200
    (upload,) = api.request("GET", f"/data/{OWNER}", token=token).json()
    assert upload["revision"] == revision


def test_an_erased_data_set_is_unknown_to_a_stranger_too(api: ApiClient, fakes: FakeServices, server: str) -> None:
    data_set_id = _opened(api, fakes.sign_in(OWNER), "continuous")
    path, stranger = f"/v1/data_sets/{data_set_id}/data", fakes.sign_in(STRANGER)
    assert api.request("POST", path, [], token=stranger).status == 403
    assert api.request("DELETE", f"/v1/users/{OWNER}/data", token=server).status == 200
    assert api.request("POST", path, [], token=stranger).status == 404
    assert api.request("DELETE", path, [{"id": "0" * 32}], token=stranger).status == 404
