"""The fixtures of the API tests, and a device with a credential."""

from typing import Any

import pytest

from tests.api.conftest import ApiClient
from tests.api.nightscout.device import Device
from tests.api.nightscout.v3 import V3
from tests.api.people import ANNA
from tests.fakes.services import FakeServices

PATH = f"/v1/users/{ANNA.user_id}/nightscout_credentials"
PHONE = {"name": "Mum's phone", "scope": "read"}
PUMP = {"name": "Pump", "scope": "upload"}


@pytest.fixture
def phone(api: ApiClient, anna: str) -> dict[str, Any]:
    """A credential with which a phone reads Anna's data."""
    issued: dict[str, Any] = api.request("POST", PATH, PHONE, token=anna).json()
    return issued


@pytest.fixture
def pump(api: ApiClient, anna: str) -> dict[str, Any]:
    """A credential with which a phone uploads Anna's data."""
    issued: dict[str, Any] = api.request("POST", PATH, PUMP, token=anna).json()
    return issued


@pytest.fixture
def device(api: ApiClient, fakes: FakeServices, anna: str, pump: dict[str, Any]) -> Device:
    """Anna's device, which uploads."""
    return Device(api, fakes, pump["token"], anna)


@pytest.fixture
def v3(device: Device) -> V3:
    """Anna's device, which speaks v3."""
    return V3(device)
