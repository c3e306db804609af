"""Home Assistant: py-nightscout, the library that it runs, reads what Loop sent to either API."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import ClientResponseError
from py_nightscout import Api

from tests.e2e.client import User
from tests.nightscout_apps import requests_of

if TYPE_CHECKING:
    from tests.e2e.conftest import Platform

MG_DL = (100, 104, 110)


def profile_of_loop() -> dict[str, Any]:
    """The profile that Loop sends."""
    (request,) = (request for request in requests_of("loop") if request["step"] == "POST profile")
    (profile,) = request["body"]
    return dict(profile)


def test_the_library_reads_everything_that_it_knows(platform: "Platform") -> None:
    user = User(platform.base_url)
    path = f"/v1/users/{user.id}/nightscout_credentials"
    token = user.request("POST", path, {"name": "Home Assistant", "scope": "upload"}).json()["token"]
    now = datetime.now(UTC).replace(microsecond=0)
    times = [now - timedelta(minutes=5 * ago) for ago in (2, 1, 0)]
    common = {"type": "cbg", "units": "mg/dL", "deviceId": "cgm"}
    readings = [
        common | {"value": value, "time": time.strftime("%Y-%m-%dT%H:%M:%SZ"), "origin": {"id": f"{value}"}}
        for value, time in zip(MG_DL, times, strict=True)
    ]
    user.add(f"/v1/data_sets/{user.open_data_set({'dataSetType': 'continuous'})}/data", readings)
    at = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    profile = profile_of_loop()
    documents = {
        "treatments": {"eventType": "Correction Bolus", "created_at": at, "timestamp": at, "insulin": 1.5},
        "devicestatus": {"device": "loop://phone", "created_at": at, "uploader": {"battery": 80}},
        "profile": profile,
    }
    for name, document in documents.items():
        assert user.request("POST", f"/api/v1/{name}?token={token}", [document]).status == 200

    async def read(secret: str) -> None:
        api = Api(platform.base_url, api_secret=secret)
        status = await api.get_server_status()
        assert (status.status, status.name, status.apiEnabled) == ("ok", "nightscout", True)
        assert status.settings["units"] == "mg/dl"
        sgvs = await api.get_sgvs()
        assert [(sgv.sgv, sgv.delta, sgv.date) for sgv in sgvs] == [
            (110, 6, now),
            (104, 4, times[1]),
            (100, 0, times[0]),
        ]
        assert (sgvs[0].direction, sgvs[0].sgv_mmol, sgvs[0].device) == ("FortyFiveUp", 6.1, "cgm")
        (treatment,) = await api.get_treatments()
        assert (treatment.eventType, treatment.insulin, treatment.timestamp) == ("Correction Bolus", 1.5, now)
        statuses = await api.get_latest_devices_status()
        assert {device: status.uploader.battery for device, status in statuses.items()} == {"loop://phone": 80}
        profiles = await api.get_profiles()
        default = profiles.get_profile_definition_active_at(now).get_default_profile()
        sent = profile["store"][profile["defaultProfile"]]
        assert [entry.value for entry in default.basal.entries] == [float(entry["value"]) for entry in sent["basal"]]
        assert default.dia == sent["dia"]

    for secret in (token, f"token={token}"):
        _in_thread(read(secret))
    with pytest.raises(ClientResponseError) as refused:
        _in_thread(Api(platform.base_url, api_secret=f"token={token[:-1]}").get_server_status())
    assert refused.value.status == 401


def _in_thread(work: Coroutine[Any, Any, object]) -> None:
    """Run a coroutine in a thread of its own: after a browser test, playwright keeps an event loop in this one."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        thread.submit(asyncio.run, work).result()
