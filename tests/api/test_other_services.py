"""Services of Tidepool that Strandline does not have answer that there is nothing. Source: other-services 1."""

import pytest

from tests.api.conftest import ApiClient
from tests.api.people import ANNA, BEN
from tests.fakes.services import FakeServices

NO_CONSENTS = {"data": [], "count": 0}
OF_ANNA = {
    f"/v1/users/{ANNA.user_id}/consents?type=big_data_donation_project": (200, NO_CONSENTS),
    f"/v1/clinicians/{ANNA.user_id}/clinics?limit=1000&offset=0": (200, []),
    f"/v1/patients/{ANNA.user_id}/clinics": (200, []),
}


@pytest.mark.parametrize("path", OF_ANNA)
def test_lists_are_empty(api: ApiClient, anna: str, server: str, path: str) -> None:
    for token in (anna, server):
        reply = api.request("GET", path, token=token)
        assert (reply.status, reply.json()) == OF_ANNA[path]


@pytest.mark.parametrize("path", ["/v1/consents", "/v1/consents/big_data_donation_project"])
def test_anyone_may_see_that_there_are_no_consents_to_give(api: ApiClient, path: str) -> None:
    reply = api.request("GET", path)
    assert (reply.status, reply.json()) == (200, NO_CONSENTS)


def test_invitations_of_clinics_are_not_found(api: ApiClient, anna: str) -> None:
    reply = api.request("GET", f"/v1/clinicians/{ANNA.user_id}/invites", token=anna)
    assert (reply.status, reply.json()["code"]) == (404, "resource-not-found")


@pytest.mark.parametrize("path", [*OF_ANNA, f"/v1/clinicians/{ANNA.user_id}/invites"])
def test_lists_of_others_are_refused(api: ApiClient, anna: str, ben: str, path: str) -> None:
    assert api.request("GET", path).status == 401
    assert api.request("GET", path, token=ben).status == 403


def test_a_custodian_sees_the_clinics_of_a_patient(api: ApiClient, fakes: FakeServices, anna: str, ben: str) -> None:
    fakes.grant(ANNA.user_id, BEN.user_id, ["custodian"])
    assert api.request("GET", f"/v1/patients/{ANNA.user_id}/clinics", token=ben).status == 200
    assert api.request("GET", f"/v1/clinicians/{ANNA.user_id}/clinics", token=ben).status == 403


def test_connecting_the_account_of_a_vendor_answers_a_page(api: ApiClient) -> None:
    reply = api.request("GET", "/v1/oauth/dexcom/authorize?restricted_token=secret")
    assert reply.status == 404
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert reply.headers["referrer-policy"] == "no-referrer"
    assert b"Not available here" in reply.body
    assert b"secret" not in reply.body
