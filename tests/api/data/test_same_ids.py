"""The same record, with an id that its client chose, in two data sets of a user. Source: dedup 5."""

import pytest

from tests.api.conftest import ApiClient
from tests.cases import case
from tests.fakes.services import FakeServices

OWNER = "aaaaaaaaaa"
RECORDS = case("same-id-in-two-data-sets.json")
ID = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def token(fakes: FakeServices) -> str:
    return fakes.sign_in(OWNER)


def test_a_record_of_two_data_sets_is_read_from_both_and_deleted_from_one(api: ApiClient, token: str) -> None:
    opening = {"dataSetType": "continuous"}
    replies = [api.request("POST", f"/v1/users/{OWNER}/data_sets", opening, token=token) for _ in range(2)]
    first, second = (reply.json()["data"]["uploadId"] for reply in replies)

    def holders() -> list[str]:
        read = api.request("GET", f"/data/{OWNER}?type=smbg", token=token).json()
        assert {record["id"] for record in read} == {ID}
        return sorted(record["uploadId"] for record in read)

    for data_set_id in (first, second):
        assert api.request("POST", f"/v1/data_sets/{data_set_id}/data", RECORDS, token=token).status == 200
    assert holders() == sorted([first, second])
    assert api.request("DELETE", f"/v1/data_sets/{first}/data", [{"id": ID}], token=token).status == 200
    assert holders() == [second]
