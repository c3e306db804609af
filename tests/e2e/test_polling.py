"""Tests a client that polls with an ETag and reads the freshness of data."""

from typing import TYPE_CHECKING

from tests.e2e.client import Reply, User, sample

if TYPE_CHECKING:
    from tests.e2e.conftest import Platform

GZIP = {"Accept-Encoding": "gzip"}


def test_a_follower_gets_what_is_new_and_otherwise_nothing(platform: "Platform") -> None:
    user = User(platform.base_url)
    tag = '"none"'

    def poll() -> Reply:
        nonlocal tag
        reply = user.request("GET", f"/data/{user.id}?type=cbg,food", headers={**GZIP, "If-None-Match": tag})
        tag = reply.headers["etag"]
        return reply

    assert [poll().status for _ in range(2)] == [200, 304]
    data_set_id = user.open_data_set(sample("loop/01_create_data_set.json"))
    glucose = sample("loop/03_glucose.json")[:3]
    for sent in range(1, len(glucose) + 1):
        user.add(f"/v1/data_sets/{data_set_id}/data", glucose[sent - 1 : sent])
        new = poll()
        assert (new.status, len(new.json())) == (200, sent)
        known = tag
        unchanged = poll()
        assert (unchanged.status, unchanged.body, tag) == (304, b"", known)
        assert unchanged.headers["cache-control"] == "private, no-cache"

    reply = user.request("GET", f"/v1/users/{user.id}/freshness")
    assert reply.status == 200
    (client,) = reply.json()["clients"]
    newest = {data_type["type"]: data_type["newestTime"] for data_type in client["types"]}
    assert (client["client"], newest) == ("org.tidepool.Loop", {"cbg": max(record["time"] for record in new.json())})
