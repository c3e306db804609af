"""The findings of axe-core in a page: missing labels, weak contrast, wrong roles."""

from playwright.sync_api import Page

RUNS_SCRIPTS = "matchMedia('(scripting: enabled)').matches"
RUN_AXE = """
async () => (await axe.run()).violations.flatMap(({id, help, nodes}) =>
  nodes.map((node) => `${id}: ${help}: ${node.html}`))
"""


def assert_accessible(page: Page, axe_source: str) -> None:
    """Assert that axe-core finds nothing in the page as it is now.

    The script is evaluated from outside, so the page's security policy does not have to admit it.
    """
    assert page.evaluate(RUNS_SCRIPTS), "axe-core never answers in a page that runs no scripts"
    page.evaluate(axe_source)
    assert page.evaluate(RUN_AXE) == []
