"""The page of an invitation's link: who invites, to what, and the two answers. Source: confirm 6.

Only the person who is signed in at this browser with the address of the invitation can answer. The page is the same
whether or not the address has an account, since the sharer has the link, too.
"""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from html import escape
from typing import Any
from urllib.parse import urlencode

from chalicelib.access.policy import FOLLOW, NOTE, UPLOAD, VIEW
from chalicelib.accounts.grant import window_hours
from chalicelib.accounts.profile import PROFILE
from chalicelib.accounts.sign_up import takes_accounts
from chalicelib.api.messages import Reply, Request
from chalicelib.api.pages.account_forms import dead_link_page, hidden
from chalicelib.api.pages.alerts import BUSY, EXPIRED_PAGE, NO_ALERT, Alert, alert_paragraph
from chalicelib.api.pages.cookies import FORM_COOKIE, SSO_COOKIE, cookie_of, set_cookie
from chalicelib.api.pages.sign_in_page import account_page
from chalicelib.config import Settings
from chalicelib.errors import InvitationNotFoundError, InvitationRefusedError, UnavailableError
from chalicelib.invitations.bodies import sharer_name
from chalicelib.invitations.invitation import PERMISSIONS, Invitation
from chalicelib.invitations.keys import find_by_key
from chalicelib.invitations.receive import Answer, accept, dismiss
from chalicelib.sign_in.authorization_request import CODE_CHALLENGE_METHOD, OPENID
from chalicelib.sign_in.form_token import form_token, is_valid_form
from chalicelib.sign_in.provider import OWN_PAGE
from chalicelib.sign_in.sso import SignedInBrowser, signed_in_browser

TITLE = "You are invited"
DECLINE = "decline"
WORDS = {
    VIEW: "see the data",
    UPLOAD: "add data",
    NOTE: "read and write notes",
    FOLLOW: "follow the data, with alerts",
}
"""Permissions as the page says them; the names of others are shown as they are."""


def show_invitation(request: Request, key: str, alert: Alert = NO_ALERT) -> Reply:
    """The invitation: with two buttons for the person whom it is for, with a link to the sign-in page for others.
    Showing it changes nothing."""
    invitation = find_by_key(key, request.services.invitations)
    if invitation is None or not invitation.is_open(request.now_ms):
        return dead_link_page()
    browser = _browser(request)
    if browser is None or browser.account.email != invitation.email:
        return _sign_in_page(request, key, invitation, browser)
    return _form(request, key, invitation, alert)


def answer_invitation(request: Request, fields: Mapping[str, str]) -> Reply:
    """Accept or decline an invitation by a form that was sent, or show the invitation again."""
    key, browser = fields.get("key", ""), _browser(request)
    token, cookie = fields.get("form_token", ""), cookie_of(request, FORM_COOKIE)
    if browser is None or not is_valid_form(token, cookie, _signed(key, browser), request.now_ms // 1000):
        return show_invitation(request, key, EXPIRED_PAGE)
    ports = request.services.invitations
    invitation = find_by_key(key, ports)
    if invitation is None:
        return dead_link_page()
    answer, is_declined = Answer(browser.account.user_id, invitation.creator_id, key), fields.get("answer") == DECLINE
    try:
        (dismiss if is_declined else accept)(request.call, answer, ports)
    except (InvitationNotFoundError, InvitationRefusedError):
        return dead_link_page()
    except UnavailableError:
        return show_invitation(request, key, Alert(BUSY, 503))
    return _declined_page() if is_declined else _accepted_page(request, invitation)


def _browser(request: Request) -> SignedInBrowser | None:
    return signed_in_browser(request.call, cookie_of(request, SSO_COOKIE), request.services.sign_in)


def _signed(key: str, browser: SignedInBrowser) -> dict[str, str]:
    """The fields that the token of the form signs: the answer is that of this person, to this invitation."""
    return {"page": "invitation", "key": key, "user": browser.account.user_id}


def _form(request: Request, key: str, invitation: Invitation, alert: Alert) -> Reply:
    """The page for the person whom the invitation is for."""
    browser = _browser(request)
    if browser is None:  # the session ended at this moment
        return _sign_in_page(request, key, invitation, None)
    cookie = cookie_of(request, FORM_COOKIE) or request.services.new_token()
    token = form_token(cookie, _signed(key, browser), request.now_ms // 1000)
    body = f"""{_offer(request, invitation)}
{alert_paragraph(alert.text)}<form method="post" action="invitation">
{hidden("key", key)}
{hidden("form_token", token)}
<button name="answer" value="accept" autofocus>Accept</button>
<button class="other" name="answer" value="{DECLINE}">Decline</button>
</form>"""
    page = account_page(TITLE, body, alert.status)
    return Reply(page.body, page.status, {"Set-Cookie": set_cookie(request, FORM_COOKIE, cookie), **page.headers})


def _sign_in_page(request: Request, key: str, invitation: Invitation, browser: SignedInBrowser | None) -> Reply:
    """The page for a person who is not signed in, or with another address."""
    address = f"<strong>{escape(invitation.email)}</strong>"
    if browser is None:
        said, label = f"To answer, sign in with {address}.{_way_to_an_account(request)}", "Sign in"
    else:
        other = escape(browser.account.email or browser.account.user_id)
        said, label = f"The invitation is for {address}. You are signed in as {other}.", "Use another account"
    query = escape(_sign_in_query(request, key, invitation, browser))
    body = f"""{_offer(request, invitation)}
<p>{said}</p>
<p><a href="../protocol/openid-connect/auth?{query}">{label}</a></p>"""
    return account_page(TITLE, body)


def _way_to_an_account(request: Request) -> str:
    if takes_accounts(request.services.settings.sign_up):
        return " If you have no account, create one there."
    return " If you have no account, ask the owner of this server for one."


def _sign_in_query(request: Request, key: str, invitation: Invitation, browser: SignedInBrowser | None) -> str:
    """The request to sign in and come back. Its code is for nobody: only the session of the browser matters."""
    provider, unknown = request.services.sign_in.provider, hashlib.sha256(request.services.new_token().encode())
    back = f"{provider.api_url}/invitation?{urlencode({'key': key})}"
    parameters = {
        "client_id": OWN_PAGE,
        "redirect_uri": back,
        "response_type": "code",
        "scope": OPENID,
        "code_challenge": urlsafe_b64encode(unknown.digest()).rstrip(b"=").decode(),
        "code_challenge_method": CODE_CHALLENGE_METHOD,
        "login_hint": invitation.email,
        **({} if browser is None else {"prompt": "login"}),
    }
    return urlencode(parameters)


def _offer(request: Request, invitation: Invitation) -> str:
    """The sender of an invitation, and what it is to."""
    name = escape(_name(request, invitation))
    lines = "".join(f"<li>{escape(words)}</li>" for words in _offered(invitation.context[PERMISSIONS]))
    return f"""<h1>{TITLE}</h1>
<p><strong>{name}</strong> would like to share diabetes data with you. You could</p>
<ul>{lines}</ul>"""


def _offered(permissions: Mapping[str, Any]) -> list[str]:
    """The permissions in words, the most usual first."""
    names = sorted(permissions, key=lambda name: (list(WORDS).index(name) if name in WORDS else len(WORDS), name))
    hours = window_hours(permissions.get(VIEW))
    limit = "" if hours is None else f" of the last {hours} h"
    return [WORDS.get(name, name) + (limit if name == VIEW else "") for name in names]


def _name(request: Request, invitation: Invitation) -> str:
    """The name of the sharer; without one in the profile, that of nobody."""
    found = request.services.accounts.profiles.find_many({invitation.creator_id}, [PROFILE])
    return sharer_name(found.get(invitation.creator_id, {}).get(PROFILE)) or "A person who gave no name"


def _accepted_page(request: Request, invitation: Invitation) -> Reply:
    address = _data_address(request.services.settings, invitation)
    body = f"""<h1>You belong to the care team</h1>
<p>Your account shows the data of <strong>{escape(_name(request, invitation))}</strong> from now on. They can change
that at any time, and so can you.</p>
<p><a href="{escape(address)}">See the data</a></p>"""
    return account_page("You belong to the care team", body)


def _data_address(settings: Settings, invitation: Invitation) -> str:
    """The web app, if there is another one; else the view of the sharer's data on the page of this server."""
    if settings.web_app_url:
        return f"{settings.web_app_url}/"
    view = f"#/now/{invitation.creator_id}" if VIEW in invitation.context[PERMISSIONS] else ""
    return f"{settings.base_url}/{view}"


def _declined_page() -> Reply:
    body = """<h1>You declined the invitation</h1>
<p>Nothing is shared with you. The person who sent it sees that you declined. You can close this page.</p>"""
    return account_page("You declined the invitation", body)
