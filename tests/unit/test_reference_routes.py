"""The reference pages name the routes that are served: all of them, and no others."""

import re

import pytest

from chalicelib.api.operations.table import OPERATIONS
from tests.unit.citations import REFERENCE

SERVED_APIS = (
    "access-api",
    "auth-api",
    "blob-api",
    "confirm",
    "data-api",
    "message",
    "metrics-api",
    "other-services",
    "summary-api",
    "task-api",
)


def _template(path: str) -> str:
    """A path as a reader sees it: under one prefix, and with parameters of any name."""
    return re.sub(r"\{[^}]*\}", "{}", path).removeprefix("/dataservices")


SERVED = {(operation.method, _template(path)) for operation in OPERATIONS for path in operation.paths}


def test_every_served_path_is_on_a_page() -> None:
    pages = (*SERVED_APIS, "errors", "export", "nightscout-api")
    text = "\n".join((REFERENCE / f"{page}.md").read_text(encoding="utf-8") for page in pages)
    documented = {_template(path) for path in re.findall(r"/[\w/{}.-]+", text)}
    assert {path for _, path in SERVED} - documented == set()


@pytest.mark.parametrize("page", SERVED_APIS)
def test_every_route_in_a_table_is_served(page: str) -> None:
    text = (REFERENCE / f"{page}.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (?:\d+ \| )?`?(GET|POST|PUT|PATCH|DELETE) `?(/[\w/{}.-]+)", text, re.MULTILINE)
    routes = {(method, _template(path)) for method, path in rows}
    assert len(routes) >= 3
    assert routes - SERVED == set()
