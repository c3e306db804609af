"""A user erases all data with the password, and gets a receipt. Source: data-api 8, DELETE for a user."""

from typing import Any

import pytest

from chalicelib.accounts.password_sign_in import MAX_FAILURES_PER_ACCOUNT
from tests.api.conftest import ApiClient
from tests.api.people import ANNA, BEN
from tests.fakes.services import FakeServices

PATH = f"/v1/users/{ANNA.user_id}/data"
PASSWORD = {"password": "password"}


@pytest.fixture(autouse=True)
def data(api: ApiClient, anna: str) -> None:
    """Two data sets, three records and a note."""
    for times in (("10", "11"), ("12",)):
        data_set = {"type": "upload", "dataSetType": "continuous"}
        made = api.request("POST", f"/v1/users/{ANNA.user_id}/data_sets", data_set, token=anna).json()["data"]
        records = [
            {"type": "cbg", "time": f"2026-01-01T{hour}:00:00Z", "units": "mmol/L", "value": 5} for hour in times
        ]
        assert api.request("POST", f"/v1/data_sets/{made['uploadId']}/data", records, token=anna).status == 200
    note = {"message": {"guid": "a", "timestamp": "2026-01-01T10:00:00Z", "messagetext": "A snack"}}
    assert api.request("POST", f"/message/send/{ANNA.user_id}", note, token=anna).status == 201


def left(api: ApiClient, token: str) -> tuple[int, int]:
    """The numbers of records with data sets, and of notes."""
    notes = api.request("GET", f"/message/all/{ANNA.user_id}", token=token).json()["messages"]
    return len(api.request("GET", f"/data/{ANNA.user_id}", token=token).json()), len(notes)


def test_everything_is_erased_and_counted(api: ApiClient, anna: str) -> None:
    assert left(api, anna) == (5, 1)
    reply = api.request("DELETE", PATH, PASSWORD, token=anna)
    assert (reply.status, reply.json()["data"]) == (
        200,
        {"erasedTime": "2026-01-01T00:00:00Z", "records": 3, "dataSets": 2},
    )
    assert left(api, anna) == (0, 0)
    again = api.request("DELETE", PATH, PASSWORD, token=anna).json()["data"]
    assert (again["records"], again["dataSets"]) == (0, 0)


@pytest.mark.parametrize("body", [None, {}, {"password": ""}, {"password": "wrong"}, {"password": 5}, [], b"{"])
def test_without_the_password_nothing_is_erased(api: ApiClient, anna: str, body: Any) -> None:
    assert api.request("DELETE", PATH, body, token=anna).status == 403
    assert left(api, anna) == (5, 1)


def test_wrong_passwords_count_as_failed_sign_ins(api: ApiClient, anna: str) -> None:
    for _ in range(MAX_FAILURES_PER_ACCOUNT):
        assert api.request("DELETE", PATH, {"password": "wrong"}, token=anna).status == 403
    refused = api.request("DELETE", PATH, PASSWORD, token=anna)
    assert (refused.status, "retry-after" in refused.headers) == (429, True)
    assert left(api, anna) == (5, 1)


def test_others_erase_nothing_even_with_the_password(api: ApiClient, fakes: FakeServices, anna: str, ben: str) -> None:
    fakes.grant(ANNA.user_id, BEN.user_id, ["custodian", "upload", "view"])
    assert api.request("DELETE", PATH, PASSWORD, token=ben).status == 403
    assert api.request("DELETE", PATH, PASSWORD).status == 401
    assert left(api, anna) == (5, 1)


def test_servers_need_no_password_and_get_no_receipt(api: ApiClient, anna: str, server: str) -> None:
    assert api.request("DELETE", PATH, token=server).json()["data"] == []
    assert left(api, anna) == (0, 1)
