"""Steps of a person in a browser that several pages have in common."""

from playwright.sync_api import Page, Request

from tests.fakes.oidc_app import App


def press_enter(page: Page, app: App) -> Request:
    """The request to the app's redirect address that the Enter key leads to."""

    def leads_to_app(request: Request) -> bool:
        return request.url.partition("?")[0] == app.redirect_uri

    with page.expect_event("request", leads_to_app) as expected:
        page.keyboard.press("Enter")
    request: Request = expected.value
    if request.url.startswith("http"):
        page.wait_for_url(request.url)  # the next visit would interrupt this one
    return request
