"""`make pictures`: take the pictures of the page for a person that the documents show.

A home server in memory gets the month of `make demo`, and Chromium visits each view in two widths. The clocks of both
stand at the same time of day, so the pictures differ from the last ones by the date and by what the page shows alone.

python -m tools.pictures [--folder docs/pictures]
"""

import argparse
import base64
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from playwright.sync_api import Browser, Error, Page, expect, sync_playwright

from strandline.testing.server import running_server
from tools.chromium import NAMES, SWITCHES
from tools.demo import generator
from tools.demo.client import Client
from tools.demo.generator import LOCAL_TIME, TIMEZONE, Record
from tools.project import ROOT, ToolError, run_tool

FOLDER = ROOT / "docs" / "pictures"
VIEWS = ("now", "report", "days", "data", "sharing", "apps", "account")
"""The views, in the order of the navigation."""
SCREENS = {1280: 920, 375: 812}
"""The screens of a laptop and of a phone: width to height."""
HOUR, MINUTE = 18, 20
"""The time of day of the pictures, where the person lives."""
DAYS, SEED = 30, 1
CHUNK_RECORDS = 1000
EMAIL, PASSWORD = "dana@example.org", "for-pictures-only"
TIMEOUT_MS = 60_000
QUALITY = 0.5
"""Of WebP: text stays sharp, and a picture takes 10 to 30 KB."""
_TO_WEBP = """async ([png, quality]) => {
  const image = new Image();
  image.src = `data:image/png;base64,${png}`;
  await image.decode();
  const canvas = Object.assign(document.createElement("canvas"), { width: image.width, height: image.height });
  canvas.getContext("2d").drawImage(image, 0, 0);
  return canvas.toDataURL("image/webp", quality);
}"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0.

    Raises:
        ToolError: there is no Chromium, or the page does not show a view.
    """
    parser = argparse.ArgumentParser(prog="make pictures", description="Take the pictures of the page.")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where they go (default: docs/pictures)")
    folder: Path = parser.parse_args(arguments).folder
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["PYTHONPATH"] = str(ROOT)  # the server is a process of its own, and may run without being installed
    try:
        with running_server() as server, _chromium() as chromium:
            taken = _next_time_of_pictures(datetime.fromtimestamp(server.clock.now_ms / 1000, LOCAL_TIME))
            server.clock.advance(taken.timestamp() - server.clock.now_ms / 1000)
            _send_month(server.url, taken)
            for width, height in SCREENS.items():
                with _signed_in(chromium, server.url, width, height, taken) as page:
                    _write_pictures(chromium, page, width, folder)
    except (Error, AssertionError) as error:  # an expectation of Playwright is an assertion
        raise ToolError(f"the page does not show what it should: {str(error)[:500]}") from error
    return 0


def picture_name(view: str, width: int) -> str:
    """The name of the file with the picture of a view."""
    return f"{view}-{width}.webp"


def month_until(taken: datetime) -> list[Record]:
    """The records of the month of `make demo` that an app has sent by this time."""
    midnight = taken.replace(hour=0, minute=0, second=0, microsecond=0)
    sent = generator.records(DAYS + 1, SEED, midnight - timedelta(days=DAYS))
    return [record for record in sent if datetime.fromisoformat(record["time"]) <= taken]


def _next_time_of_pictures(now: datetime) -> datetime:
    """The next time at which pictures may be taken: the clock of the server is set forward only."""
    today = now.replace(hour=HOUR, minute=MINUTE, second=0, microsecond=0)
    return today if today > now else today + timedelta(days=1)


def _send_month(url: str, taken: datetime) -> None:
    records = month_until(taken)
    with closing(Client(url)) as client:
        user_id = client.sign_up(EMAIL, PASSWORD)
        client.write_profile(user_id)
        data_set_id = client.create_data_set(user_id)
        for first in range(0, len(records), CHUNK_RECORDS):
            client.add_data(data_set_id, records[first : first + CHUNK_RECORDS])


@contextmanager
def _chromium() -> Iterator[Browser]:
    """A Chromium that reaches this machine only.

    Raises:
        ToolError: there is none on this machine.
    """
    executable = next(filter(None, map(shutil.which, NAMES)), None)
    if executable is None:
        raise ToolError(f"there is no Chromium on the path: none of {', '.join(NAMES)}.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable, args=list(SWITCHES), chromium_sandbox=os.geteuid() != 0
        )
        yield browser
        browser.close()


@contextmanager
def _signed_in(chromium: Browser, url: str, width: int, height: int, taken: datetime) -> Iterator[Page]:
    """The page with the person signed in, at the time of the pictures."""
    context = chromium.new_context(
        viewport={"width": width, "height": height}, timezone_id=TIMEZONE, locale="en-US", reduced_motion="reduce"
    )
    context.set_default_timeout(TIMEOUT_MS)
    page = context.new_page()
    page.clock.install(time=taken)
    page.goto(f"{url}/")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("E-mail address").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    _wait_for_view(page)
    yield page
    context.close()


def _write_pictures(chromium: Browser, page: Page, width: int, folder: Path) -> None:
    """Write the pictures of all views on a screen of this width."""
    for view in VIEWS:
        path = folder / picture_name(view, width)
        path.write_bytes(_as_webp(chromium, _picture(page, view)))
        print(f"{path}: {path.stat().st_size:,} bytes")


def _picture(page: Page, view: str) -> bytes:
    """A view as PNG."""
    page.evaluate("(fragment) => { location.hash = fragment }", f"#/{view}")
    _wait_for_view(page)
    expect(page.locator("nav [aria-current=page]")).to_have_attribute("href", f"#/{view}")
    return page.screenshot(animations="disabled", caret="hide")


def _wait_for_view(page: Page) -> None:
    expect(page.locator("main#view")).to_have_attribute("aria-busy", "false", timeout=TIMEOUT_MS)


def _as_webp(chromium: Browser, png: bytes) -> bytes:
    """The same picture in WebP, which takes a third: Playwright makes none, and Chromium can."""
    page = chromium.new_page()
    url: str = page.evaluate(_TO_WEBP, [base64.b64encode(png).decode(), QUALITY])
    page.close()
    return base64.b64decode(url.partition(",")[2])


if __name__ == "__main__":
    run_tool(main)
