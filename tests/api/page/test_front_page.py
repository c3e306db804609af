"""The page at the address of a stage, and the files that it consists of. Source: other-services 2."""

import gzip
import re
from dataclasses import replace
from typing import Any

import pytest

from app import app
from chalicelib import services
from chalicelib.api.pages.web.assets import asset_path, assets, digest
from tests.api.conftest import ApiClient
from tests.fakes.services import FakeServices

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
MOST_BYTES = 150_000
FOR_GOOD = "public, max-age=31536000, immutable"


def policy_of(header: str) -> dict[str, list[str]]:
    """The sources of each directive of a content security policy."""
    return {words[0]: words[1:] for part in header.split(";") if (words := part.split())}


def set_up(fakes: FakeServices, **changes: Any) -> None:
    """Change settings of the stage."""
    fakes.settings = replace(fakes.settings, **changes)
    services.override(fakes.services)


def test_the_page_runs_and_draws_nothing_but_its_files(api: ApiClient) -> None:
    reply = api.request("GET", "/", **BROWSER)
    policy = policy_of(reply.headers["content-security-policy"])
    assert (reply.status, policy["default-src"]) == (200, ["'none'"])
    files = ["http://127.0.0.1:8000/assets/"]
    assert policy["script-src"] == policy["style-src"] == policy["img-src"] == files
    assert "unsafe" not in reply.headers["content-security-policy"]
    assert re.findall(r"<(?:script|link|img)\b[^>]*\b(?:src|href)=\"(?!/assets/)", reply.body.decode()) == []
    assert re.findall(r"<script(?![^>]* src=)|<style|\son\w+=", reply.body.decode()) == []


def test_a_browser_without_scripts_is_told_what_is_missing(api: ApiClient) -> None:
    page = api.request("GET", "/", **BROWSER).body.decode()
    assert "needs JavaScript" in page.partition("<noscript>")[2].partition("</noscript>")[0]


def test_each_file_of_the_page_is_there_for_good(api: ApiClient) -> None:
    page = api.request("GET", "/", **BROWSER).body.decode()
    paths = set(re.findall(r'"(/assets/[^"]+)"', page))
    assert paths == {asset_path("page.js"), asset_path("style.css"), asset_path("icon.svg")}
    for path in paths:
        reply = api.request("GET", path)
        assert (reply.status, reply.headers["cache-control"]) == (200, FOR_GOOD)
    types = {path.rpartition(".")[2]: api.request("GET", path).headers["content-type"] for path in paths}
    assert types == {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "svg": "image/svg+xml"}


def test_all_files_together_are_small(api: ApiClient) -> None:
    sent = 0
    for name, content in assets().items():
        reply = api.request("GET", asset_path(name), Accept_Encoding="gzip")
        is_compressed = reply.headers.get("content-encoding") == "gzip"
        assert (gzip.decompress(reply.body) if is_compressed else reply.body) == content
        sent += len(reply.body)
    assert 10_000 < sent < MOST_BYTES


@pytest.mark.parametrize(
    "path",
    [
        f"/assets/{digest()}/nothing.js",
        f"/assets/{digest()}/page",
        f"/assets/{digest()}/dom.js",
        f"/assets/{digest()}/..%2Fassets.py",
        f"/assets/{digest()}/%2E%2E",
        f"/assets/{'0' * 16}/page.js",
        "/assets/page.js",
    ],
)
def test_no_other_file_is_served(api: ApiClient, path: str) -> None:
    assert api.request("GET", path).status == 404


def test_head_is_get_without_a_body(api: ApiClient) -> None:
    assert api.request("GET", asset_path("icon.svg")).body
    context = {"httpMethod": "HEAD", "resourcePath": "/{proxy+}"}
    reply = app({"requestContext": context, "path": asset_path("icon.svg"), "headers": {"Accept": "*/*"}}, None)
    assert (reply["statusCode"], reply["body"]) == (200, "")


def test_a_stage_without_an_address_says_how_to_set_one(api: ApiClient, fakes: FakeServices) -> None:
    set_up(fakes, base_url="")
    reply = api.request("GET", "/", **BROWSER)
    assert (reply.status, b"DOMAIN=" in reply.body, b"<script" in reply.body) == (200, True, False)


def test_the_page_connects_to_the_bucket_that_a_stage_redirects_to(api: ApiClient, fakes: FakeServices) -> None:
    set_up(fakes, base_url="https://api.example.org", region="eu-central-1")
    policy = policy_of(api.request("GET", "/", **BROWSER).headers["content-security-policy"])
    bucket = "https://strandline-local-000000000000-eu-central-1.s3"
    expected = ["'self'", f"{bucket}.eu-central-1.amazonaws.com", f"{bucket}.amazonaws.com"]
    assert (policy["connect-src"], policy["script-src"]) == (expected, ["https://api.example.org/assets/"])


def test_another_name_of_this_machine_leads_to_the_address_of_the_server(api: ApiClient) -> None:
    reply = api.request("GET", "/", Host="localhost:8000", **BROWSER)
    assert (reply.status, reply.headers["location"]) == (302, "http://127.0.0.1:8000/")
    assert api.request("GET", "/", Host="127.0.0.1:8000", **BROWSER).status == 200


@pytest.mark.parametrize("host", ["192.168.1.5:8000", "localhost:9000", "<i>", "[::"])
def test_any_other_host_changes_nothing(api: ApiClient, host: str) -> None:
    assert api.request("GET", "/", Host=host, **BROWSER).body == api.request("GET", "/", **BROWSER).body


def test_a_proxy_may_send_another_host(api: ApiClient, fakes: FakeServices) -> None:
    set_up(fakes, base_url="https://api.example.org")
    assert b"page.js" in api.request("GET", "/", Host="127.0.0.1:8000", **BROWSER).body


def test_the_page_knows_the_realm_and_who_may_sign_up(api: ApiClient, fakes: FakeServices) -> None:
    set_up(fakes, realm='a"b', sign_up="closed")
    assert b'data-realm="a&quot;b" data-sign-up="closed"' in api.request("GET", "/", **BROWSER).body
