"""Many adds to one data set at the same moment: none is lost, none is there twice."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from tests.e2e.client import User

if TYPE_CHECKING:
    from tests.e2e.conftest import Platform

THREADS = 8
REQUESTS_OF_EACH = 6
RECORDS = 40
"""Of a request; enough for some of the bodies to be put in parts."""
SENT_AGAIN = 2


def _records(thread: int, request: int) -> list[dict[str, Any]]:
    size = RECORDS * (20 if request == 0 else 1)
    return [
        {
            "type": "cbg",
            "time": f"2026-01-{thread + 1:02}T{request:02}:{number // 60 % 60:02}:{number % 60:02}Z",
            "units": "mmol/L",
            "value": 5,
            "payload": {"number": number},
            "origin": {"id": f"{thread}/{request}/{number}"},
        }
        for number in range(size)
    ]


def test_adds_at_once_are_all_kept_once(platform: "Platform") -> None:
    user = User(platform.base_url)
    data_set_id = user.open_data_set({"dataSetType": "continuous"})

    def send(thread: int) -> None:
        for request in range(REQUESTS_OF_EACH):
            for _ in range(SENT_AGAIN):
                _add_until_taken(user, data_set_id, _records(thread, request))

    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(send, range(THREADS)))
    wanted = {
        record["origin"]["id"]
        for thread in range(THREADS)
        for request in range(REQUESTS_OF_EACH)
        for record in _records(thread, request)
    }
    assert Counter(record["origin"]["id"] for record in user.records("?type=cbg")) == dict.fromkeys(wanted, 1)


def _add_until_taken(user: User, data_set_id: str, records: list[dict[str, Any]]) -> None:
    """Send records as clients do: again when the answer says that the service is busy."""
    for _ in range(20):
        reply = user.request("POST", f"/v1/data_sets/{data_set_id}/data", records)
        if reply.status != 503:
            break
    assert (reply.status, reply.json()["data"]) == (200, []), reply.body
