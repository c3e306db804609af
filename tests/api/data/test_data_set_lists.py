"""Lists of data sets and data sources. Source: data-api 5 and 6."""

import pytest

from tests.api.conftest import ApiClient
from tests.fakes.services import FakeServices

OWNER, STRANGER = "aaaaaaaaaa", "bbbbbbbbbb"


@pytest.mark.parametrize("kind", ["data_sets", "datasets", "data_sources"])
def test_a_stranger_is_refused_before_the_query_is_read(api: ApiClient, fakes: FakeServices, kind: str) -> None:
    path = f"/v1/users/{OWNER}/{kind}?size=0"
    assert api.request("GET", path, token=fakes.sign_in(OWNER)).status == 400
    assert api.request("GET", path, token=fakes.sign_in(STRANGER)).status == 403


def test_faults_of_a_query_of_data_sources_come_in_the_order_of_filters_and_paging(
    api: ApiClient, fakes: FakeServices
) -> None:
    path = f"/v1/users/{OWNER}/data_sources?size=0&page=-1&state=x&providerType=y"
    errors = api.request("GET", path, token=fakes.sign_in(OWNER)).json()["errors"]
    assert [error["source"]["parameter"] for error in errors] == ["providerType", "state", "page", "size"]
