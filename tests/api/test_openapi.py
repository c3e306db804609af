"""The description of the API over HTTP. That all answers of the other tests are as described, the client checks."""

import base64
import hashlib
import re
from collections.abc import Iterator

import orjson
import pytest

from chalicelib.api.openapi.document import APIS, document
from chalicelib.api.openapi.terms import Details, Schema
from chalicelib.api.operations.operation import ErrorFormat, Operation
from tests.api.conftest import ApiClient
from tests.fakes.services import FakeServices
from tools.fuzz.description import faults_of_answer

USER_ID = "0123456789"
LARGEST_PAGE_BYTES = 100_000
JSON = {"content-type": "application/json"}
EXAMPLES = {"integer": "1", "boolean": "true", "date-time": "2026-01-01T00:00:00Z", "string": "text/plain"}
"""A text is of the form that media types have, since one parameter asks for it."""


def test_programs_get_the_description(api: ApiClient) -> None:
    reply = api.request("GET", "/openapi.json")
    assert (reply.status, reply.json()) == (200, document())


def test_people_get_a_small_page_that_needs_no_other_host(api: ApiClient) -> None:
    reply = api.request("GET", "/docs")
    page = reply.body.decode()
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert len(reply.body) < LARGEST_PAGE_BYTES
    assert "://" not in page
    assert not re.search(r"\bsrc=|url\(|@import|import\(", page)
    assert set(re.findall('href="([^#"][^"]*)"', page)) == {"openapi.json", "data:,"}
    assert re.findall(r"fetch\((.*?)\)", page) == ['"openapi.json"']


def test_the_policy_allows_the_style_and_the_script_of_the_page_and_nothing_else(api: ApiClient) -> None:
    reply = api.request("GET", "/docs")
    page = reply.body.decode()
    digests = {
        element: [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts]
        for element in ("style", "script")
        if (texts := re.findall(f"<{element}>(.*?)</{element}>", page, re.DOTALL))
    }
    policy = dict(rule.split(" ", 1) for rule in reply.headers["content-security-policy"].split("; "))
    assert policy == {
        "default-src": "'none'",
        "style-src": f"'sha256-{digests['style'][0]}'",
        "script-src": f"'sha256-{digests['script'][0]}'",
        "connect-src": "'self'",
        "img-src": "data:",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    assert page.count("<style") == page.count("<script") == 1


@pytest.mark.parametrize("path", ["/docs", "/openapi.json"])
def test_caches_keep_it_and_a_client_that_has_it_gets_no_body(api: ApiClient, path: str) -> None:
    first = api.request("GET", path)
    assert first.headers["cache-control"].startswith("public, max-age=")
    tag = first.headers["etag"]
    again = api.request("GET", path, If_None_Match=tag)
    assert (again.status, again.body, again.headers["etag"]) == (304, b"", tag)
    assert again.headers["cache-control"] == first.headers["cache-control"]
    other = api.request("GET", path, If_None_Match='W/"another"')
    assert (other.status, other.body) == (200, first.body)


def lists() -> Iterator[tuple[Operation, Details]]:
    """The operations that answer a page of a list, and refuse parameters that they do not know."""
    for api in APIS:
        for operation, details in api.operations.items():
            is_paged = any(parameter.name == "page" for parameter in details.query)
            if is_paged and not details.ignores_unknown_query:
                yield operation, details


def example(schema: Schema) -> str:
    """A value that a parameter may have."""
    values = schema.get("items", schema)
    return str(values["enum"][0]) if "enum" in values else EXAMPLES[values.get("format", values["type"])]


@pytest.mark.parametrize(("operation", "details"), tuple(lists()), ids=lambda value: getattr(value, "name", ""))
def test_a_list_knows_the_parameters_that_are_described_and_no_others(
    api: ApiClient, fakes: FakeServices, operation: Operation, details: Details
) -> None:
    server = fakes.sign_in("server", is_server=True)
    path = operation.paths[0].format(userId=USER_ID)
    query = "&".join(f"{parameter.name}={example(parameter.schema)}" for parameter in details.query)
    assert api.request("GET", f"{path}?{query}", token=server).status == 200
    refused = api.request("GET", f"{path}?unheard-of=1", token=server)
    assert (refused.status, refused.json()["code"]) == (400, "not-parsed")


@pytest.mark.parametrize(
    ("status", "headers", "body", "fault"),
    [
        (200, JSON, b'{"data":{}}', "$.data: 'time' is a required property"),
        (200, JSON, b"", "a body is described and there is none"),
        (200, {"content-type": "text/html"}, b"<p>", "a body of type text/html is not described"),
        (418, JSON, b"{}", "the status 418 is not described"),
        (500, JSON, b'"broken"', "$: 'broken' is not valid under any of the given schemas"),
    ],
)
def test_an_answer_that_is_not_as_described_is_noticed(
    status: int, headers: dict[str, str], body: bytes, fault: str
) -> None:
    assert fault in faults_of_answer("GET", "/v1/time", status, headers, body)
    assert fault in faults_of_answer("GET", "/dataservices/v1/time", status, headers, body)


def test_an_answer_as_described_is_no_fault() -> None:
    body = orjson.dumps({"data": {"time": "2026-01-01T00:00:00Z"}, "meta": {"trace": {"request": "1"}}})
    assert faults_of_answer("GET", "/v1/time", 200, JSON, body) == []


def test_every_form_of_failure_has_its_schema() -> None:
    replies = document()["components"]["responses"]
    assert {name.partition(".")[0] for name in replies} == {
        "Auth",
        "Confirm",
        "Envelope",
        "Nightscout",
        "NightscoutV3",
        "Node",
        "OAuth",
        "Platform",
        "Read",
    }
    assert len(ErrorFormat) == 9
