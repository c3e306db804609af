"""Pages in a real Chromium, which Playwright drives: `page` is one, `open_page` makes one of another width or color.

Chromium is the machine's own; Playwright downloads none. Pages reach this machine only, so a test that needs another
host fails at once. The npm packages that pages load are pinned in `package-lock.json` here.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.e2e.browser.accessibility import assert_accessible
from tests.e2e.browser.chromium import SWITCHES, chromium_path
from tests.e2e.npm import installed_packages, require_programs

TIMEOUT_MS = 20_000
PHONE_WIDTH = 375

OpenPage = Callable[..., AbstractContextManager[Page]]
"""Opens a page with cookies of its own: `with open_page(colors="dark", width=375, runs_scripts=False) as page:`."""
Axe = Callable[[Page], None]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser of the run, without a page."""
    executable = chromium_path()
    expect.set_options(timeout=TIMEOUT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable, args=list(SWITCHES), chromium_sandbox=os.geteuid() != 0
        )
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Browser) -> OpenPage:
    """Opens pages, each with cookies of its own.

    When the page closes, the test fails if a script of it ended in an error, or if its security policy refused
    something that the page contains.
    """

    @contextmanager
    def opened(
        *, colors: Literal["light", "dark"] = "light", width: int = 1280, runs_scripts: bool = True
    ) -> Iterator[Page]:
        context = chromium.new_context(
            color_scheme=colors, viewport={"width": width, "height": 800}, java_script_enabled=runs_scripts
        )
        context.set_default_timeout(TIMEOUT_MS)
        page = context.new_page()
        faults: list[str] = []
        context.on("weberror", lambda error: faults.append(str(error.error)))
        context.on(
            "console",
            lambda message: faults.append(message.text) if "Content Security Policy" in message.text else None,
        )
        try:
            yield page
            assert faults == []
        finally:
            context.close()

    return opened


@pytest.fixture
def page(open_page: OpenPage) -> Iterator[Page]:
    """A page in light colors, as wide as a laptop's."""
    with open_page() as opened:
        yield opened


@pytest.fixture(scope="session")
def npm_packages() -> Path:
    """The folder `node_modules` with what `tests/e2e/browser/package-lock.json` pins."""
    require_programs("node", "npm")
    return installed_packages(Path(__file__).parent) / "node_modules"


@pytest.fixture(scope="session")
def axe(npm_packages: Path) -> Axe:
    """Asserts that axe-core finds nothing in a page: `axe(page)`."""
    source = (npm_packages / "axe-core" / "axe.min.js").read_text()
    return lambda page: assert_accessible(page, source)
