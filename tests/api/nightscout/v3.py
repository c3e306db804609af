"""A device that speaks v3 of the Nightscout API."""

from typing import Any

from tests.api.conftest import Reply
from tests.api.nightscout.device import Device

DAY_MS = 86_400_000
AT_MS = 1_767_139_200_000
"""A day before the clock of the tests."""


def entry(at_ms: int = AT_MS, **members: Any) -> dict[str, Any]:
    """A reading as AndroidAPS sends it."""
    common = {
        "type": "sgv",
        "sgv": 100,
        "date": at_ms,
        "utcOffset": 60,
        "app": "AAPS",
        "device": "cgm",
        "isValid": True,
    }
    return common | members


def bolus(at_ms: int = AT_MS, **members: Any) -> dict[str, Any]:
    """A bolus as AndroidAPS sends it."""
    common = {"eventType": "Correction Bolus", "insulin": 1.5, "date": at_ms, "utcOffset": 60, "app": "AAPS"}
    return common | {"device": "pump", "isValid": True} | members


class V3:
    """A device with a JWT."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.jwt = self.jwt_of(device.token)

    def jwt_of(self, token: str) -> str:
        """A JWT for a token."""
        reply = self.device.api.request("GET", f"/api/v2/authorization/request/{token}")
        return str(reply.json()["token"])

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """The reply to a request, by the path below `/api/v3`."""
        sent = {"Authorization": f"Bearer {self.jwt}", "Date": "1709294456549"} | headers
        return self.device.api.request(method, f"/api/v3/{path}", body, **sent)

    def create(self, collection: str, document: dict[str, Any]) -> str:
        """The identifier of a document that is stored."""
        reply = self.send("POST", collection, document)
        assert reply.status in (200, 201), reply.body
        return str(reply.json()["identifier"])

    def result(self, path: str) -> Any:
        """The result of a request."""
        reply = self.send("GET", path)
        assert reply.status == 200, reply.body
        return reply.json()["result"]

    def changes(self, collection: str, since_ms: int, query: str = "") -> tuple[list[dict[str, Any]], int]:
        """The documents that changed since a time, and the time with which the client goes on."""
        reply = self.send("GET", f"{collection}/history/{since_ms}{query}")
        assert reply.status == 200, reply.body
        tag = reply.headers.get("etag", f'W/"{since_ms}"')
        return reply.json()["result"], int(tag[3:-1])
