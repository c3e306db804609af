"""The page at the address of a stage: for a person the page that shows the data, otherwise what the owner has to do.

The page works at the address that the stage knows, since sign-in returns there. It runs the scripts of `assets.py`
and no others, and connects to the stage and to the bucket that the stage redirects to.
"""

from html import escape
from urllib.parse import urlsplit

from chalicelib.api.messages import Reply
from chalicelib.api.pages.sign_in_page import account_page
from chalicelib.api.pages.web.assets import SCRIPT, asset_path
from chalicelib.config import Settings

LOOPBACK_NAMES = ("127.0.0.1", "localhost")


def front_page(settings: Settings, host: str) -> Reply:
    """The reply to a browser at the address of the stage.

    Args:
        host: the header `Host`; empty without one.
    """
    if not settings.base_url:
        return _without_address()
    if host != urlsplit(settings.base_url).netloc and host in _other_names(settings.base_url):
        return Reply(status=302, headers={"Location": f"{settings.base_url}/", "Cache-Control": "no-store"})
    return _page(settings)


def _other_names(address: str) -> set[str]:
    """The values of `Host` with which this machine itself is asked at another name than that of its address."""
    known = urlsplit(address)
    return {f"{name}:{known.port}" for name in LOOPBACK_NAMES} if known.hostname in LOOPBACK_NAMES else set()


def _without_address() -> Reply:
    body = """<h1>Strandline</h1>
<p>This server keeps diabetes data, and speaks the API of Tidepool. Apps send data here and read it.</p>
<p>It does not know its own address yet, so nobody can sign in on a page. Its owner sets one with
<code>make deploy … DOMAIN=…</code>.</p>
<p><a href="/docs">Description of the API</a></p>"""
    return account_page("Diabetes data", body, form_action="'none'")


def _page(settings: Settings) -> Reply:
    address = escape(settings.base_url)
    page = f"""<!doctype html>
<html lang="en" data-realm="{escape(settings.realm)}" data-sign-up="{escape(settings.sign_up)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Strandline</title>
<link rel="icon" href="{asset_path("icon.svg")}">
<link rel="stylesheet" href="{asset_path("style.css")}">
<script type="module" src="{asset_path(SCRIPT)}"></script>
</head>
<body>
<main class="alone">
<h1>Strandline</h1>
<noscript><p>This page needs JavaScript, and your browser runs none here. Allow it for this address, or see the data
with an app.</p></noscript>
<p class="loading">Loading …</p>
<p class="late">Nothing else appears? Open <a href="{address}/">{address}</a>, the address that this server knows.</p>
</main>
</body>
</html>
"""
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": _policy(settings),
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-cache",
    }
    return Reply(page.encode(), 200, headers)


def _policy(settings: Settings) -> str:
    """The content security policy: only files of the stage run and draw, and scripts make no markup from texts."""
    files = f"{settings.base_url}/assets/"
    connected = " ".join(("'self'", *_bucket_sources(settings)))
    return (
        f"default-src 'none'; script-src {files}; style-src {files}; img-src {files}; connect-src {connected}; "
        "form-action 'none'; frame-ancestors 'none'; base-uri 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )


def _bucket_sources(settings: Settings) -> tuple[str, ...]:
    """The origins of the stage's signed addresses beside its own: those of a home server are its own."""
    if not settings.has_gateway:
        return ()
    if settings.s3_path_style:  # the local cloud
        return ("http://127.0.0.1:*", "http://localhost:*")
    hosts = (f"{settings.bucket}.s3.{settings.region}.amazonaws.com", f"{settings.bucket}.s3.amazonaws.com")
    return tuple(f"https://{host}" for host in hosts)
