"""The format that a client prefers by its `Accept`."""

import pytest

from chalicelib.api.accepted import preferred_format

FORMATS = {"txt": "text/plain", "csv": "text/csv", "json": "application/json"}


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("", "txt"),
        ("*/*", "txt"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "txt"),
        ("application/json", "json"),
        ("application/json, text/plain, */*", "json"),
        ("text/csv;q=0.5, application/json", "json"),
        ("application/*", "json"),
        ("text/csv, */*;q=0.1", "csv"),
        ("text/plain;q=0, */*", "csv"),
        ("TEXT/CSV ; Q=1", "csv"),
        ("text/html", None),
        ("application/json;q=0", None),
        ("application/json;q=high", None),
        ("nonsense", None),
    ],
)
def test_the_format_with_the_greatest_weight_is_preferred_then_the_most_specific_one(
    accept: str, wanted: str | None
) -> None:
    assert preferred_format(accept, FORMATS) == wanted
