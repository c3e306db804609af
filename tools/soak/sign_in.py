"""Signing in: by password, by OpenID Connect as an app does, refreshing, and signing out."""

import base64
import hashlib
import re
from collections.abc import Mapping
from html import unescape
from random import Random
from urllib.parse import parse_qs, urlencode, urlsplit

from tools.soak.calls import Client, Question, Reply, UnexpectedAnswerError
from tools.soak.part import Account

TOKEN_HEADER = "x-tidepool-session-token"  # noqa: S105  the name of a header
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
CLIENT_ID, REDIRECT_URI = "xdrip", "xdrip://callback/tidepool"
PATH = "/realms/tidepool/protocol/openid-connect"


def sign_up(client: Client, email: str, password: str) -> str:
    """The id of a new account, which the client uses from now on."""
    body = {"username": email, "emails": [email], "password": password}
    reply = client.ask(Question("sign up", "POST", "/auth/user", body, statuses=(201,)))
    client.headers[TOKEN_HEADER] = reply.headers[TOKEN_HEADER]
    return str(reply.json()["userid"])


def sign_in_and_out(account: Account, app: Client) -> None:
    """Sign in by password, use the session, end it: it is of no use then."""
    encoded = base64.b64encode(f"{account.email}:{account.password}".encode()).decode()
    app.headers.clear()
    headers = {"Authorization": f"Basic {encoded}"}
    reply = app.ask(Question("sign in", "POST", "/auth/login", headers=headers))
    app.headers[TOKEN_HEADER] = reply.headers[TOKEN_HEADER]
    _require_user(app, account, 200)
    app.ask(Question("sign out", "POST", "/auth/logout"))
    _require_user(app, account, 401)


def refresh(account: Account) -> None:
    """Replace the session of a person's client by a newer one."""
    reply = account.client.ask(Question("refresh", "GET", "/auth/login"))
    account.client.headers[TOKEN_HEADER] = reply.headers[TOKEN_HEADER]


def sign_in_with_an_app(account: Account, app: Client, random: Random) -> None:
    """Sign in on the page, use the tokens, refresh them, revoke them: they are of no use then."""
    app.headers.clear()
    verifier = f"{random.getrandbits(256):064x}"
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = {"client_id": CLIENT_ID, "redirect_uri": REDIRECT_URI, "response_type": "code", "state": "a-state"}
    query |= {"scope": "openid offline_access", "code_challenge": challenge, "code_challenge_method": "S256"}
    page = app.ask(Question("sign-in page", "GET", f"{PATH}/auth?{urlencode(query)}"))
    fields = _hidden_fields(page.body) | {"username": account.email, "password": account.password}
    cookies = "; ".join(line.partition(";")[0] for line in page.headers.get("set-cookie", "").splitlines())
    sent = _form("sign-in form", "auth", fields, {"Cookie": cookies} if cookies else {}, (303,))
    code = parse_qs(urlsplit(app.ask(sent).headers["location"]).query)["code"][0]
    exchange = {"grant_type": "authorization_code", "code": code, "code_verifier": verifier}
    tokens = app.ask(_form("exchange a code", "token", exchange | {"redirect_uri": REDIRECT_URI})).json()
    app.headers[TOKEN_HEADER] = tokens["access_token"]
    _require_user(app, account, 200)
    again = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    tokens = app.ask(_form("refresh tokens", "token", again)).json()
    app.headers[TOKEN_HEADER] = tokens["access_token"]
    _require_user(app, account, 200)
    app.ask(_form("revoke tokens", "revoke", {"token": tokens["refresh_token"]}))
    _require_user(app, account, 401)


def _require_user(app: Client, account: Account, status: int) -> None:
    reply: Reply = app.ask(Question("read the user", "GET", "/auth/user", statuses=(status,)))
    if status == 200 and reply.json()["userid"] != account.id:
        raise UnexpectedAnswerError(f"GET /auth/user of {account.id} answered another user")


def _form(
    kind: str,
    endpoint: str,
    fields: Mapping[str, str],
    headers: Mapping[str, str] = FORM,
    statuses: tuple[int, ...] = (200,),
) -> Question:
    body = urlencode({"client_id": CLIENT_ID, **fields}).encode()
    return Question(kind, "POST", f"{PATH}/{endpoint}", body, {**FORM, **headers}, statuses)


def _hidden_fields(page: bytes) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page.decode())
    return {unescape(name): unescape(value) for name, value in found}
