"""The pages of sign-in: small, without scripts, for phones and screen readers, in light and dark colors.

Texts from requests are escaped. The content security policy allows the inline style, forms that are sent to this
server, and the app's redirect address, since browsers apply `form-action` to the redirect that follows a form, too.
"""

import base64
import hashlib
from collections.abc import Mapping
from html import escape
from urllib.parse import urlsplit

from chalicelib.api.messages import Reply
from chalicelib.api.pages.alerts import alert_paragraph
from chalicelib.frozen import frozen
from chalicelib.sign_in.authorization_request import AuthorizationRequest
from chalicelib.sign_in.provider import OWN_PAGE, OidcClient

_STYLE = """
:root{color-scheme:light dark;--page:#f2f4f7;--card:#fff;--text:#1c2430;--quiet:#566273;--line:#8a95a5;--act:#2a5db0;
--on-act:#fff;--alert:#9d1c1c;--alert-page:#fdeeee}
@media (prefers-color-scheme:dark){:root{--page:#12161c;--card:#1d232c;--text:#edf0f4;--quiet:#a9b4c2;--line:#77839a;
--act:#8db4f5;--on-act:#0d1b33;--alert:#ffb4ab;--alert-page:#3b1d1d}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1rem;background:var(--page);color:var(--text);
font:1rem/1.5 system-ui,sans-serif}
main{width:100%;max-width:24rem;padding:1.5rem;border-radius:.75rem;background:var(--card);
box-shadow:0 1px 4px rgb(0 0 0/.2)}
h1{margin:0 0 .25rem;font-size:1.5rem;line-height:1.25}
p{margin:0 0 1rem;color:var(--quiet);overflow-wrap:anywhere}
h1+.alert{margin-top:.75rem}
.alert{padding:.75rem;border-left:.25rem solid var(--alert);background:var(--alert-page);color:var(--alert)}
label{display:block;margin:1rem 0 .25rem;font-weight:600}
input,button{width:100%;min-height:3rem;padding:.5rem .75rem;border-radius:.5rem;font:inherit}
input{border:1px solid var(--line);background:var(--page);color:var(--text)}
button{margin-top:1.5rem;border:0;background:var(--act);color:var(--on-act);font-weight:600;cursor:pointer}
button.other{margin-top:.75rem;border:1px solid var(--line);background:none;color:var(--text)}
label.choice{display:flex;gap:.5rem;align-items:center;font-weight:400}
.choice input{flex:none;width:1.25rem;min-height:1.25rem;accent-color:var(--act)}
a{display:block;padding:.75rem;border-radius:.5rem;background:var(--act);color:var(--on-act);font-weight:600;
text-align:center;text-decoration:none}
input:focus-visible,a:focus-visible,button:focus-visible{outline:3px solid var(--act);outline-offset:2px}
ul{margin:0 0 1rem;padding-left:1.25rem}
.more{display:flex;flex-wrap:wrap;gap:0 1rem;margin:1rem 0 0 -.25rem}
main>p:last-child{margin-bottom:0}
input+p{margin-top:.25rem}
.more a{padding:.625rem .25rem;white-space:nowrap;background:none;color:var(--act);font-weight:400;
text-decoration:underline}
"""
_STYLE_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()


@frozen
class Form:
    """A form that is bound to a browser, for the request of an app."""

    request: AuthorizationRequest
    token: str
    username: str = ""
    """The e-mail address, or what the person entered in its place."""
    account: str = ""
    """The user who is signed in at the browser."""
    is_kept: bool = False
    takes_accounts: bool = False
    """True if people may create accounts here."""

    @property
    def hidden_inputs(self) -> str:
        """The request of the app, which the form repeats."""
        return hidden_inputs(self.request.parameters | {"form_token": self.token})

    @property
    def action(self) -> str:
        """The origins to which the form may lead, as a content security policy has them."""
        return f"'self' {_source(self.request.return_address.redirect_uri)}"


def hidden_inputs(fields: Mapping[str, str]) -> str:
    """Hidden fields of a form."""
    return "\n".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in fields.items()
    )


def sign_in_page(form: Form, alert: str = "", status: int = 200) -> Reply:
    """The page with the sign-in form; `alert` says why the previous attempt failed."""
    focus_name, focus_password = ("", " autofocus") if form.username else (" autofocus", "")
    query = escape(form.request.query)
    sign_up = f'<a href="registrations?{query}">Create account</a>' if form.takes_accounts else ""
    body = f"""<h1>Sign in</h1>
<p>{_purpose(form.request.client)}</p>
{alert_paragraph(alert)}<form method="post" action="auth">
{form.hidden_inputs}
<label for="username">E-mail address</label>
<input id="username" name="username" type="email" autocomplete="username" autocapitalize="none" spellcheck="false" \
maxlength="320" required value="{escape(form.username)}"{focus_name}>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" maxlength="1024" \
required{focus_password}>
<label class="choice"><input type="checkbox" name="keep" value="1"{" checked" if form.is_kept else ""}> \
Keep me signed in</label>
<button>Sign in</button>
</form>
<p class="more"><a href="../../login-actions/reset-credentials?{query}">Forgot password?</a>{sign_up}</p>"""
    return _page("Sign in", body, status, form.action)


def _purpose(client: OidcClient) -> str:
    """The purpose of the sign-in."""
    if client.client_id == OWN_PAGE:
        return "to see your data, or what others share with you"
    return f"to let <strong>{escape(client.name)}</strong> use your account"


def continue_page(form: Form) -> Reply:
    """The page on which a person who is signed in lets an app use the account, by one click."""
    body = f"""<h1>Continue as {escape(form.username)}</h1>
<p>to let <strong>{escape(form.request.client.name)}</strong> use your account</p>
<form method="post" action="auth">
{form.hidden_inputs}
<input type="hidden" name="account" value="{escape(form.account)}">
<button autofocus>Continue</button>
<button class="other" name="other" value="1">Use another account</button>
</form>"""
    return _page("Continue", body, 200, form.action)


def sign_out_page(fields: Mapping[str, str], form_token: str, email: str) -> Reply:
    """The page that asks whether to sign out; `fields` are the parameters of the request."""
    url = fields.get("post_logout_redirect_uri")
    body = f"""<h1>Sign out?</h1>
<p>You are signed in as {escape(email)}.</p>
<form method="post" action="logout">
{hidden_inputs({**fields, "form_token": form_token})}
<button autofocus>Sign out</button>
</form>"""
    return _page("Sign out", body, 200, "'self'" if url is None else f"'self' {_source(url)}")


def refusal_page(alert: str, status: int) -> Reply:
    """The page that says why sign-in is not possible."""
    body = (
        f"<h1>Sign-in is not possible</h1>\n{alert_paragraph(alert)}<p>Go back to the app and try again from there.</p>"
    )
    return _page("Sign-in is not possible", body, status)


def failed_sign_ins_page(client: OidcClient, location: str, failures: int) -> Reply:
    """The page that tells a person who has just signed in that others tried to, with the way on to the app."""
    tries = "1 sign-in" if failures == 1 else f"{failures} sign-ins"
    body = f"""<h1>You are signed in</h1>
<p class="alert" role="alert">Since you last signed in, {tries} to your account failed elsewhere, with a wrong \
password.</p>
<p>If none of them was yours, somebody may be guessing. Make sure that your password is long, and used nowhere \
else.</p>
<p><a href="{escape(location)}">Continue to {escape(client.name)}</a></p>"""
    return _page("You are signed in", body, 200)


def signed_out_page() -> Reply:
    """The page that confirms a logout."""
    return _page("Signed out", "<h1>You are signed out</h1>\n<p>You can close this page.</p>", 200)


def no_vendor_accounts_page() -> Reply:
    """The page for a person who wants to connect the account of a vendor, which needs contracts with the vendor."""
    body = """<h1>Not available here</h1>
<p>This server cannot connect an account of a device's maker. Send the data with an uploader or an app.</p>"""
    return _page("Not available here", body, 404)


def unknown_path_page() -> Reply:
    """The page for a person at an address where nothing is."""
    body = """<h1>Nothing is here</h1>
<p>This address leads nowhere. Perhaps it was cut off when it was copied.</p>
<p><a href="/">To the first page</a></p>"""
    return _page("Nothing is here", body, 404)


def page_headers(form_action: str) -> Mapping[str, str]:
    """Headers that forbid scripts and frames, and keep the page out of caches and its URL out of other sites' logs."""
    policy = (
        f"default-src 'none'; style-src 'sha256-{_STYLE_DIGEST}'; form-action {form_action}; "
        "frame-ancestors 'none'; base-uri 'none'"
    )
    return {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": policy,
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }


def _source(redirect_uri: str) -> str:
    """An address as a content security policy names it: by its origin on the web, by its scheme for an app."""
    parts = urlsplit(redirect_uri)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in ("http", "https") else f"{parts.scheme}:"


def _page(title: str, body: str, status: int, form_action: str = "'none'") -> Reply:
    page = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} | Strandline</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""
    return Reply(page.encode(), status, page_headers(form_action))


def account_page(title: str, body: str, status: int = 200, form_action: str = "'self'") -> Reply:
    """A page about an account, in the look of the sign-in page; its forms are sent to this server alone, unless they
    lead elsewhere."""
    return _page(title, body, status, form_action)
