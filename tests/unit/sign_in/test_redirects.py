"""Addresses that clients may name: those of a web app and below, and none that browsers read in another way."""

import pytest

from chalicelib.api.openapi.document import document
from chalicelib.api.operations.account_pages import OPEN_INVITATION
from chalicelib.api.operations.table import OPERATIONS
from chalicelib.sign_in.provider import oidc_clients
from chalicelib.sign_in.redirects import web_address

WEB_APP = "https://web.example.org"
CLIENTS = oidc_clients("https://api.example.org", WEB_APP, {"sub": ("https://web.example.org:8443/app/*",)})
LOCAL = oidc_clients("http://127.0.0.1:8000", "", {}, takes_loopback=True)["blip"]
NOT_IN_A_WEB_APP = [
    "",
    "https://web.example.org.evil.example/",
    "https://web.example.orgevil.example/",
    "https://evil.example/https://web.example.org/",
    "https://evil.example?https://web.example.org/",
    "https://web.example.org@evil.example/",
    "https://user@web.example.org/",
    "https://user:password@web.example.org/",
    "https://evil.example\\@web.example.org/",
    "https://web.example.org\\@evil.example/",
    "https:\\\\web.example.org/",
    "https:/web.example.org/",
    "https:web.example.org/",
    "//web.example.org/",
    "http://web.example.org/",
    "https://web.example.org:444/",
    "https://web.example.org:/",
    "https://web.example.org:443443443/",
    "https://sub.web.example.org/",
    "https://WEB.example.org/",
    "HTTPS://web.example.org/",
    "https://web.example.org./",
    "https://web.example.org/#fragment",
    "https://web.example.org/#",
    "https://web.example.org/a/../b",
    "https://web.example.org/..",
    "https://web.example.org/./a",
    "https://web.example.org//evil.example",
    "https://web.example.org/a%2Fb",
    "https://web.example.org/%2e%2e/b",
    "https://web.example.org/a%5Cb",
    "https://web.example.org/a\\b",
    "https://web.example.org/?a\\b",
    "https://web.example.org/a b",
    "https://web.example.org/a\tb",
    "https://web.example.org/\n",
    "https://web.example.org/\x00",
    "https://web.example.org/é",
    "https://wеb.example.org/",  # noqa: RUF001  a Cyrillic letter
    "javascript:alert(1)//https://web.example.org/",
    "data:text/html,x",
    "blip://web.example.org/",
    "https://*/",
    "https://web.example.org:443@evil.example/",
    "https://[::1]/",
]


@pytest.mark.parametrize(
    "address",
    [
        "https://web.example.org",
        "https://web.example.org/",
        "https://web.example.org:443/",
        "https://web.example.org/patients/0123456789/data/settings",
        "https://web.example.org/a?startDate=2026-01-01T00%3A00%3A00.000Z&x=../..",
        "https://web.example.org?x=1",
        "https://web.example.org/a.b/c..d/%20",
    ],
)
def test_every_page_of_a_web_app_is_an_address_of_its_client(address: str) -> None:
    assert CLIENTS["blip"].accepts(address)


@pytest.mark.parametrize("address", NOT_IN_A_WEB_APP)
def test_no_other_address_is(address: str) -> None:
    assert not CLIENTS["blip"].accepts(address)


@pytest.mark.parametrize("address", ["/app", "/app/", "/app/a/b", "/app?x"])
def test_a_web_app_below_a_path_is_matched_by_whole_segments(address: str) -> None:
    assert CLIENTS["sub"].accepts(f"https://web.example.org:8443{address}")


@pytest.mark.parametrize("address", ["/apple", "/ap", "/other", "/APP", "/app%2Fx"])
def test_its_neighbors_are_not(address: str) -> None:
    assert not CLIENTS["sub"].accepts(f"https://web.example.org:8443{address}")


@pytest.mark.parametrize("client_id", ["xdrip", "tidepool-platform-client", "tidepool-uploader-sso", "tidepool-loop"])
def test_an_app_returns_to_its_exact_addresses_only(client_id: str) -> None:
    (address,) = CLIENTS[client_id].redirect_uris
    assert CLIENTS[client_id].accepts(address)
    assert not CLIENTS[client_id].signs_in_silently
    for other in (f"{address}/", f"{address}?x=1", f"{address}a", address.removesuffix("/") + "/a", address.upper()):
        assert not CLIENTS[client_id].accepts(other)


@pytest.mark.parametrize("address", ["http://localhost:3000/", "http://127.0.0.1:1/a?b", "http://localhost"])
def test_any_port_of_the_machine_is_one_where_it_is_allowed(address: str) -> None:
    assert LOCAL.accepts(address)
    assert not CLIENTS["blip"].accepts(address)


@pytest.mark.parametrize(
    "address",
    [
        "https://localhost:3000/",
        "http://localhost.evil.example:3000/",
        "http://127.0.0.1.evil.example/",
        "http://127.0.0.2:3000/",
        "http://0.0.0.0:3000/",
        "http://localhost@evil.example/",
        "http://localhost:3000/#",
    ],
)
def test_what_only_looks_like_this_machine_is_none(address: str) -> None:
    assert not LOCAL.accepts(address)


@pytest.mark.parametrize(
    "path",
    [
        "/upload-redirect",
        "/upload-redirect?x",
        "/upload%2Dredirect",
        "/realms",
        "/realms/tidepool/protocol/openid-connect/auth?client_id=xdrip",
        "/%72ealms/tidepool/protocol/openid-connect/logout",
    ],
)
def test_no_answer_goes_to_a_path_that_redirects_with_it(path: str) -> None:
    # A browser keeps the fragment, with the code in it, when it follows a redirect.
    assert not oidc_clients("https://api.example.org", "", {})["strandline-web"].accepts(
        f"https://api.example.org{path}"
    )
    assert not LOCAL.accepts(f"http://localhost:8000{path}")
    assert not CLIENTS["blip"].accepts(WEB_APP + path)


def test_every_path_that_redirects_anyone_to_an_app_is_reserved() -> None:
    described = document()
    redirecting = [
        path
        for operation in OPERATIONS
        for path in operation.paths
        if operation.method == "GET"
        and operation is not OPEN_INVITATION  # it redirects to a page of the platform without a script
        and operation.policy.anyone
        and "303" in described["paths"].get(path, {"get": {"responses": ()}})["get"]["responses"]
    ]
    assert len(redirecting) >= 3
    for path in redirecting:
        address = web_address(f"https://api.example.org{path.replace('{realm}', 'tidepool')}")
        assert address is not None
        assert address.is_reserved, path


def test_the_own_page_returns_to_the_address_of_the_stage() -> None:
    own = CLIENTS["strandline-web"]
    assert own.accepts("https://api.example.org/")
    assert not own.accepts(f"{WEB_APP}/")
    assert own.signs_in_silently


def test_without_an_address_the_web_app_has_none() -> None:
    blip = oidc_clients("https://api.example.org", "", {})["blip"]
    assert not blip.accepts("https://api.example.org/")
    assert not blip.signs_in_silently


def test_a_pattern_of_another_scheme_is_no_pattern() -> None:
    client = oidc_clients("https://api.example.org", "", {"mine": ("mine://*", "https://*/*")})["mine"]
    assert not client.signs_in_silently
    assert not client.accepts("mine://x")
    assert not client.accepts("https://evil.example/")


def test_an_origin_is_written_as_browsers_write_it() -> None:
    origins = [web_address(text) for text in ("https://a.example:443/x", "http://a.example:80", "http://a.example:81/")]
    assert [address.origin for address in origins if address] == [
        "https://a.example",
        "http://a.example",
        "http://a.example:81",
    ]
