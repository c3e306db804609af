"""A device that speaks the Nightscout API."""

from typing import Any

from chalicelib.log.documents_owner import documents_owner_id
from chalicelib.tiles.compact import compact
from tests.api.conftest import ApiClient, Reply
from tests.api.people import ANNA
from tests.fakes.services import FakeServices

ENTRIES = "/api/v1/entries.json"


class Device:
    """A device with a credential to upload."""

    def __init__(self, api: ApiClient, fakes: FakeServices, token: str, session: str) -> None:
        self.api = api
        self.fakes = fakes
        self.token = token
        self._session = session

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """The reply to a request of the device."""
        return self.api.request(method, path, body, api_secret=self.token, **headers)

    def store(self, *entries: dict[str, Any]) -> list[dict[str, Any]]:
        """The entries as stored."""
        reply = self.send("POST", ENTRIES, list(entries))
        assert reply.status == 200, reply.body
        stored: list[dict[str, Any]] = reply.json()
        return stored

    def found(self, query: str = "count=100") -> list[dict[str, Any]]:
        """The entries that a query finds."""
        return self._found(ENTRIES, query)

    def send_to_tidepool(self, records: list[dict[str, Any]]) -> None:
        """Send records as Loop does, which speaks the Tidepool API."""
        body = {
            "client": {"name": "org.tidepool.Loop", "version": "1.0.0"},
            "dataSetType": "continuous",
            "deduplicator": {"name": "org.tidepool.deduplicator.dataset.delete.origin"},
        }
        created = self.api.request("POST", f"/v1/users/{ANNA.user_id}/data_sets", body, token=self._session).json()
        path = f"/v1/data_sets/{created['data']['uploadId']}/data"
        reply = self.api.request("POST", path, records, token=self._session)
        assert reply.status == 200, reply.body

    def treatments(self, query: str = "count=1000") -> list[dict[str, Any]]:
        """The treatments that a query finds."""
        return self._found("/api/v1/treatments.json", query)

    def statuses(self, query: str = "count=1000") -> list[dict[str, Any]]:
        """The device statuses that a query finds."""
        return self._found("/api/v1/devicestatus.json", query)

    def data(self) -> list[dict[str, Any]]:
        """The user's data in the Tidepool API, without data sets."""
        records = self.api.request("GET", f"/data/{ANNA.user_id}", token=self._session).json()
        return [record for record in records if record["type"] != "upload"]

    def compact(self) -> None:
        """Fold everything into tiles."""
        for owner_id in (ANNA.user_id, documents_owner_id(ANNA.user_id)):
            compact(owner_id, self.fakes.services.tiles, lambda: None)

    def _found(self, path: str, query: str) -> list[dict[str, Any]]:
        reply = self.send("GET", f"{path}?{query}")
        assert reply.status == 200, reply.body
        found: list[dict[str, Any]] = reply.json()
        return found
