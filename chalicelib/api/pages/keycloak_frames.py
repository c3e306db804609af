"""Pages that keycloak-js loads into frames. They are static and know no session. Source: auth-api 6.

Browsers give frames of another site no cookies of ours, so the answer is that such cookies are not supported.
keycloak-js then checks for a session by a redirect of the whole page, and uses none of its other frames.
"""

import base64
import hashlib

from chalicelib.api.messages import Reply

_COOKIE_CHECK = 'parent.postMessage("unsupported", "*")'
_LOGIN_STATUS = """
addEventListener("message", ({ data, source, origin }) => {
  if (source !== parent || typeof data !== "string") return
  source.postMessage(/^\\S+ \\S*$/.test(data) ? "unchanged" : "error", origin)
})
"""
CACHED_S = 24 * 3600


def cookie_check_page() -> Reply:
    """A page that tells its parent that frames of another site have no cookies."""
    return _page("Cookies in frames", _COOKIE_CHECK)


def login_status_page() -> Reply:
    """A page that answers `{client} {session}` with `unchanged`, and any other text with `error`."""
    return _page("State of the session", _LOGIN_STATUS)


def _page(title: str, script: str) -> Reply:
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    page = f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>{title}</title>
<script>{script}</script>
</html>
"""
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": f"default-src 'none'; script-src 'sha256-{digest}'; base-uri 'none'",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": f"public, max-age={CACHED_S}",
    }
    return Reply(page.encode(), headers=headers)
