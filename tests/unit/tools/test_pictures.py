"""Tests that each view of the page has its pictures, that they are small, and that the documents show them."""

import re
from datetime import datetime, timedelta
from pathlib import Path

from chalicelib.api.pages.web import assets
from tools.demo.generator import LOCAL_TIME
from tools.pictures import FOLDER, SCREENS, VIEWS, month_until, picture_name
from tools.project import ROOT

MAX_BYTES = 300_000
PICTURES = {picture_name(view, width) for view in VIEWS for width in SCREENS}


def test_the_views_are_those_of_the_navigation() -> None:
    source = (Path(assets.__file__).parent / "static" / "views.js").read_text()
    assert list(VIEWS) == re.findall(r'{ id: "(\w+)"', source)


def test_each_view_has_a_picture_in_each_width_and_all_are_small() -> None:
    assert {path.name for path in FOLDER.iterdir()} == PICTURES
    contents = [path.read_bytes() for path in FOLDER.iterdir()]
    assert all(content[:4] == b"RIFF" and content[8:12] == b"WEBP" for content in contents)
    assert sum(map(len, contents)) < MAX_BYTES


def test_the_documents_show_each_picture() -> None:
    pages = (ROOT / "README.md", *(ROOT / "docs").glob("*.md"))
    shown = {name for page in pages for name in re.findall(r"pictures/([\w-]+\.webp)", page.read_text())}
    assert shown == PICTURES


def test_the_month_of_the_pictures_ends_at_their_time() -> None:
    taken = datetime(2026, 1, 31, 18, 20, tzinfo=LOCAL_TIME)
    times = [datetime.fromisoformat(record["time"]) for record in month_until(taken)]
    assert taken - timedelta(minutes=10) < max(times) <= taken
    assert min(times) < taken - timedelta(days=30)
