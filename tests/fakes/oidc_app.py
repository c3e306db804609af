"""An app that signs its user in by OpenID Connect, step by step, and the browser that it opens.

It checks what AppAuth checks of the discovery document and of an ID token (auth-api 6), and what TidepoolKit needs
of a token answer (clients 2).
"""

import base64
import hashlib
import json
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import unescape
from typing import Any, Protocol
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
APPAUTH_NEEDS = (
    "issuer",
    "authorization_endpoint",
    "jwks_uri",
    "response_types_supported",
    "subject_types_supported",
    "id_token_signing_alg_values_supported",
)
APPS_NEED = ("token_endpoint", "userinfo_endpoint", "revocation_endpoint", "end_session_endpoint")
TIDEPOOLKIT_NEEDS = {"access_token": str, "id_token": str, "scope": str, "token_type": str, "expires_in": int}


class ReplyLike(Protocol):
    """A reply of either client of the tests."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    @property
    def body(self) -> bytes: ...

    def json(self) -> Any:
        """The body as a JSON value."""
        ...


Send = Callable[[str, str, bytes | None, Mapping[str, str]], ReplyLike]
"""Sends a request: method, path, body, headers."""


def sha256_for_urls(text: str) -> str:
    """The code challenge of PKCE."""
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def hidden_fields(page: bytes) -> dict[str, str]:
    """The hidden fields of a form."""
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page.decode())
    return {unescape(name): unescape(value) for name, value in found}


def alert_of(page: bytes) -> str:
    """The error on a page; empty if there is none."""
    found = re.search(r'role="alert">([^<]*)<', page.decode())
    return unescape(found[1]) if found else ""


@dataclass(slots=True)
class Browser:
    """Keeps cookies, and follows no redirect: a test looks where it leads."""

    send: Send
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, path: str) -> ReplyLike:
        """Open a page."""
        return self._kept(self.send("GET", path, None, self._headers()))

    def post(self, path: str, fields: Mapping[str, str]) -> ReplyLike:
        """Send a form."""
        return self._kept(self.send("POST", path, urlencode(fields).encode(), self._headers() | FORM))

    def _headers(self) -> dict[str, str]:
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} if self.cookies else {}

    def _kept(self, reply: ReplyLike) -> ReplyLike:
        for line in reply.headers.get("set-cookie", "").splitlines():
            name, _, value = line.partition(";")[0].partition("=")
            if value:
                self.cookies[name] = value
            else:
                self.cookies.pop(name, None)
        return reply


@dataclass(slots=True)
class App:
    """An app, described by the requests it sends; `more` holds its additional parameters for the sign-in page."""

    send: Send
    client_id: str
    redirect_uri: str
    scope: str = "openid offline_access"
    more: dict[str, str] = field(default_factory=dict)
    path: str = "/realms/tidepool"
    state: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    nonce: str | None = field(default_factory=lambda: secrets.token_urlsafe(16))
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    def discover(self) -> dict[str, Any]:
        """The discovery document, which has all that AppAuth and the apps need."""
        reply = self.send("GET", f"{self.path}/.well-known/openid-configuration", None, {})
        assert reply.status == 200, reply.body
        document: dict[str, Any] = reply.json()
        assert [name for name in (*APPAUTH_NEEDS, *APPS_NEED) if not document.get(name)] == []
        return document

    def parameters(self, **changes: str | None) -> dict[str, str]:
        """The parameters that the app sends to the sign-in page; a change to None leaves one out."""
        parameters = {
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "response_type": "code",
            "scope": self.scope,
            "state": self.state,
            "nonce": self.nonce,
            "code_challenge": sha256_for_urls(self.verifier),
            "code_challenge_method": "S256",
            **self.more,
            **changes,
        }
        return {name: value for name, value in parameters.items() if value is not None}

    def page_path(self, **changes: str | None) -> str:
        """The address of the sign-in page with its parameters."""
        return f"{self.path}/protocol/openid-connect/auth?{urlencode(self.parameters(**changes))}"

    def sign_in(self, email: str, password: str, browser: Browser | None = None) -> ReplyLike:
        """Open the page, fill in the form, send it: the reply is the way back, or the form again."""
        browser = browser or Browser(self.send)
        page = browser.get(self.page_path())
        assert page.status == 200, page.body
        fields = hidden_fields(page.body) | {"username": email, "password": password}
        return browser.post(f"{self.path}/protocol/openid-connect/auth", fields)

    def returned(self, reply: ReplyLike) -> dict[str, str]:
        """The parameters that a redirect brings back to the app, checked to lead to the app's address."""
        assert reply.status == 303, reply.body
        location = urlsplit(reply.headers["location"])
        assert f"{location.scheme}://{location.netloc}{location.path}" == self.redirect_uri
        is_fragment = self.more.get("response_mode") == "fragment"
        answer = dict(parse_qsl(location.fragment if is_fragment else location.query))
        assert (location.query if is_fragment else location.fragment) == ""
        assert answer["state"] == self.state
        return answer

    def exchange(self, code: str, **changes: str) -> ReplyLike:
        """Ask for tokens."""
        fields = {
            "grant_type": "authorization_code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "code": code,
            "code_verifier": self.verifier,
        }
        return self.token_request(fields | changes)

    def refresh(self, refresh_token: str, **changes: str) -> ReplyLike:
        """Ask for new tokens."""
        fields = {"grant_type": "refresh_token", "client_id": self.client_id, "refresh_token": refresh_token}
        return self.token_request(fields | changes)

    def token_request(self, fields: Mapping[str, str]) -> ReplyLike:
        """Send a form to the token endpoint."""
        return self.post("token", fields)

    def post(self, endpoint: str, fields: Mapping[str, str], **headers: str) -> ReplyLike:
        """Send a form to an endpoint."""
        path = f"{self.path}/protocol/openid-connect/{endpoint}"
        return self.send("POST", path, urlencode(fields).encode(), FORM | headers)

    def tokens(self, email: str, password: str) -> dict[str, Any]:
        """Sign in, from the page to the tokens, each checked as the apps do."""
        answer = self.returned(self.sign_in(email, password))
        return self.checked(self.exchange(answer["code"]))

    def checked(self, reply: ReplyLike) -> dict[str, Any]:
        """The members of a token answer, all that TidepoolKit needs among them."""
        assert reply.status == 200, reply.body
        tokens: dict[str, Any] = reply.json()
        assert [name for name, kind in TIDEPOOLKIT_NEEDS.items() if type(tokens.get(name)) is not kind] == []
        return tokens

    def claims(self, tokens: Mapping[str, Any], now_s: float, *, is_first: bool = True) -> dict[str, Any]:
        """The claims of an ID token, checked as AppAuth does, and its signature, by the published keys."""
        keys = self.send("GET", urlsplit(self.discover()["jwks_uri"]).path, None, {}).json()
        claims: dict[str, Any] = jwt.decode(
            tokens["id_token"], KeySet.import_key_set(keys), algorithms=["RS256"]
        ).claims
        assert claims["iss"] == self.discover()["issuer"]
        assert claims["aud"] == self.client_id
        assert claims["exp"] > now_s
        assert abs(now_s - claims["iat"]) <= 600
        if is_first:
            assert claims.get("nonce") == self.nonce
        return claims

    def user_info(self, access_token: str) -> ReplyLike:
        """The user of the token."""
        path = urlsplit(self.discover()["userinfo_endpoint"]).path
        return self.send("GET", path, None, {"Authorization": f"Bearer {access_token}"})


def apps(send: Send, base_url: str) -> list[App]:
    """The clients as their own sources say (clients 2, 3, 4 and 5)."""
    return [
        App(send, "tidepool-loop", "org.tidepool.tidepoolkit.auth://redirect", nonce=None),
        App(send, "xdrip", "xdrip://callback/tidepool", more={"login_hint": "someone@example.org"}),
        App(send, "aaps", "aaps://callback/tidepool", "openid", {"prompt": "login"}),
        App(send, "tidepool-uploader-sso", f"{base_url}/upload-redirect", "openid", {"response_mode": "fragment"}),
    ]


def header_of(token: str) -> dict[str, Any]:
    """The header of a JWT."""
    return _part_of(token, 0)


def claims_of(token: str) -> dict[str, Any]:
    """The claims of a JWT, as a client reads them that does not check the signature."""
    return _part_of(token, 1)


def _part_of(token: str, index: int) -> dict[str, Any]:
    encoded = token.split(".")[index]
    part: dict[str, Any] = json.loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    return part


def query_of(reply: ReplyLike) -> dict[str, list[str]]:
    """The query that a redirect leads to."""
    return parse_qs(urlsplit(reply.headers["location"]).query)
