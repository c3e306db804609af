"""A follower of v3, such as AndroidAPS, which asks for what changed since the last page and never for all."""

import random
from typing import Any

import pytest

from tests.api.nightscout.device import Device
from tests.api.nightscout.records import MINUTE_MS
from tests.api.nightscout.v3 import AT_MS, V3, bolus, entry

COLLECTIONS = ("entries", "treatments")


class Follower:
    """The documents that it knows of a collection, by identifier."""

    def __init__(self, v3: V3, collection: str, chance: random.Random) -> None:
        self.known: dict[str, Any] = {}
        self._v3, self._collection, self._chance = v3, collection, chance
        self._since = 1

    def poll(self) -> None:
        """Read pages until there is nothing new."""
        while True:
            path = f"{self._collection}/history/{self._since}?limit={self._chance.choice([1, 2, 5, 1000])}"
            changed = self._v3.result(path)
            if not changed:
                return
            times = [document["srvModified"] for document in changed]
            assert times == sorted(set(times))
            assert times[0] > self._since
            self._since = times[-1]
            for document in changed:
                self.known[document["identifier"]] = document
                if document.get("isValid") is False:
                    del self.known[document["identifier"]]


def change(v3: V3, device: Device, chance: random.Random, identifiers: list[str]) -> None:
    """Change one of the collections by v1 or v3."""
    collection = chance.choice(COLLECTIONS)
    at_ms = AT_MS + chance.randrange(60) * MINUTE_MS
    named = {"identifier": f"own-{chance.randrange(9)}"} if chance.random() < 0.4 else {}
    document = (entry if collection == "entries" else bolus)(at_ms, **named)
    match chance.choice(["create", "create", "create", "change", "delete", "v1", "v1", "delete by v1", "compact"]):
        case "create":
            reply = v3.send("POST", collection, document)
            identifiers += [reply.json()["identifier"]] if reply.status in (200, 201) else []
        case "change" if identifiers:
            v3.send("PATCH", f"{collection}/{chance.choice(identifiers)}", {"notes": str(chance.random())})
        case "delete" if identifiers:
            v3.send("DELETE", f"{collection}/{chance.choice(identifiers)}")
        case "v1":
            # Of a minute of its own: a reading of v3 would give it another identifier.
            time_ms = at_ms + MINUTE_MS // 2
            device.store({"type": "sgv", "sgv": chance.randrange(40, 300), "date": time_ms, "device": "cgm"})
        case "delete by v1":
            device.send(
                "DELETE", f"/api/v1/entries/sgv?find[date][$gte]={at_ms}&find[date][$lt]={at_ms + 9 * MINUTE_MS}"
            )
        case "compact":
            device.compact()


@pytest.mark.parametrize("seed", range(6))
def test_a_follower_knows_what_a_search_finds(device: Device, v3: V3, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret depends on it
    followers = {collection: Follower(v3, collection, chance) for collection in COLLECTIONS}
    identifiers: list[str] = []
    for _ in range(60):
        device.fakes.now_ms += chance.choice([0, 0, 1, 1000])
        change(v3, device, chance, identifiers)
        if chance.random() < 0.1:
            followers[chance.choice(COLLECTIONS)].poll()
    for collection, follower in followers.items():
        follower.poll()
        found = {document["identifier"]: document for document in v3.result(f"{collection}?limit=1000")}
        assert follower.known == found
        assert found
