"""The names by which a server of one machine may be called."""

import json
from typing import Any

import pytest

from strandline.home.http.gateway import HomeGateway
from strandline.home.http.names import Names

OWN = Names(["data.example.org"])


@pytest.mark.parametrize(
    "host",
    [
        "",
        "localhost",
        "LOCALHOST:8000",
        "localhost.",
        "app.localhost:8000",
        "raspberrypi:8000",
        "raspberrypi.local:8000",
        "127.0.0.1:8000",
        "10.0.2.2:8000",
        "[::1]:8000",
        "Data.example.org",
        "data.example.org:8443",
    ],
)
def test_addresses_local_names_and_names_of_its_own_are_right(host: str) -> None:
    assert OWN.has(host)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example.org:8000",
        "127.0.0.1.evil.example.org",
        "localhost.evil.example.org",
        "evil.notlocal",
        "x.data.example.org",
        "127.0.0.1evil",
    ],
)
def test_any_other_name_may_be_led_here_by_anybody(host: str) -> None:
    assert not OWN.has(host)


@pytest.mark.parametrize("target", ["/v1/time", "/objects/x"])
def test_a_request_by_a_wrong_name_is_refused_and_says_what_to_do(target: str) -> None:
    answered: list[str] = []

    def unused() -> Any:
        raise AssertionError

    def start_response(status: str, *_: Any) -> Any:
        answered.append(status)

    environ = {
        "REMOTE_ADDR": "127.0.0.1",
        "REQUEST_METHOD": "GET",
        "REQUEST_URI": target,
        "HTTP_HOST": "evil.example.org:8000",
    }
    body = b"".join(HomeGateway(unused, names=OWN)(environ, start_response))
    assert answered == ["421 Misdirected Request"]
    assert "--public-url" in json.loads(body)["detail"]
