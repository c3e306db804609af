"""A stage as a provider of OpenID Connect: the apps that people may sign in to, and how long tokens last.

All apps are public clients, since an app on a phone cannot keep a secret. A code is protected by PKCE and by the
redirect address. That of an app must match character by character; a web app may be returned to any of its pages, and
is registered as `{address}/*`. Source: auth-api 6, clients 2, 3, 4 and 5.
"""

from collections.abc import Mapping
from dataclasses import replace

from chalicelib.errors import NotFoundError
from chalicelib.frozen import frozen
from chalicelib.sign_in.errors import INVALID_CLIENT, OAuthError
from chalicelib.sign_in.redirects import WebAddress, web_address

UPLOADER = "tidepool-uploader-sso"
PLATFORM_CLIENT = "tidepool-platform-client"
BLIP = "blip"
"""Tidepool's web application."""
OWN_PAGE = "strandline-web"
"""The platform's own page."""
BELOW = "/*"
"""The end of a registered address that stands for a web app and all its pages."""


@frozen
class OidcClient:
    """An app: its id, the name that people know, and its redirect addresses."""

    client_id: str
    name: str
    redirect_uris: tuple[str, ...]
    """The addresses that match character by character."""
    web_apps: tuple[WebAddress, ...] = ()
    """The web apps that it returns to, on any of their pages."""
    takes_loopback: bool = False
    """True if any page that this machine serves is one of its own."""

    @property
    def signs_in_silently(self) -> bool:
        """Whether a person who is signed in returns to the app without being asked. An address with a scheme of its own
        may belong to any app of a phone, so only web apps do. Source: RFC 8252, 8.6."""
        return bool(self.web_apps) or self.takes_loopback

    def accepts(self, redirect_uri: str) -> bool:
        """Whether an address is one of the client's own."""
        if redirect_uri in self.redirect_uris:
            return True
        address = web_address(redirect_uri)
        if address is None or address.is_reserved:
            return False
        return (self.takes_loopback and address.is_loopback) or any(map(address.is_within, self.web_apps))

    @property
    def origins(self) -> frozenset[str]:
        """The origins of the pages that the client returns to."""
        addresses = (*map(web_address, self.redirect_uris), *self.web_apps)
        return frozenset(address.origin for address in addresses if address is not None)


@frozen
class Provider:
    """The settings of a stage about OpenID Connect."""

    issuer: str
    """The URL of the realm; empty if the stage does not know its own address, and then offers no OpenID Connect."""
    realm: str
    clients: Mapping[str, OidcClient]
    """The clients by id."""
    access_token_lifetime_s: int
    refresh_token_lifetime_s: int
    web_origins: frozenset[str]
    """The origins of the pages that any client returns to."""
    web_refresh_token_lifetime_s: int
    """Shorter, since a web app gets a new login whenever its page is loaded."""

    def login_lifetime_s(self, client_id: str) -> int:
        """The time after which a login to a client ends that is not refreshed."""
        client = self.clients.get(client_id)
        is_web_app = client is not None and client.signs_in_silently
        return self.web_refresh_token_lifetime_s if is_web_app else self.refresh_token_lifetime_s

    @property
    def api_url(self) -> str:
        """The address of the stage, for which access tokens are made."""
        return self.issuer.removesuffix(f"/realms/{self.realm}")

    def require_realm(self, realm: str) -> None:
        """Raise unless a path names the realm of the stage.

        Raises:
            NotFoundError: it names another realm, or the stage does not know its own address.
        """
        if not self.issuer or realm != self.realm:
            raise NotFoundError

    def client(self, client_id: str) -> OidcClient:
        """The client with this id.

        Raises:
            OAuthError: there is none.
        """
        client = self.clients.get(client_id)
        if client is None:
            raise OAuthError(INVALID_CLIENT, "client_id names no client that is known here")
        return client


_APPS = (
    OidcClient("tidepool-loop", "Loop", ("org.tidepool.tidepoolkit.auth://redirect",)),
    OidcClient("xdrip", "xDrip+", ("xdrip://callback/tidepool",)),
    OidcClient("aaps", "AndroidAPS", ("aaps://callback/tidepool",)),
)


def oidc_clients(
    base_url: str, web_app_url: str, configured: Mapping[str, tuple[str, ...]], *, takes_loopback: bool = False
) -> dict[str, OidcClient]:
    """All clients of a stage by id: the known apps, those that return to a web page, and those in its settings.

    Addresses in the settings replace those of a known client. `web_app_url` is empty without a web app; its place is
    then taken by the stage's own address, where no Tidepool web app is. With `takes_loopback`, Tidepool's web app may
    run at any port of the machine.
    """
    web = web_app_url or base_url
    known = (
        *_APPS,
        OidcClient(UPLOADER, "Tidepool Uploader", (f"{web}/upload-redirect",)),
        OidcClient(PLATFORM_CLIENT, "the web page that sent you", (f"{web}/",)),
        _client(BLIP, "the web app", (f"{web_app_url}{BELOW}",) if web_app_url else ()),
        _client(OWN_PAGE, "Strandline", (f"{base_url}{BELOW}",)),
    )
    clients = {client.client_id: client for client in known}
    for client_id, redirect_uris in configured.items():
        name = clients[client_id].name if client_id in clients else client_id
        clients[client_id] = _client(client_id, name, redirect_uris)
    return clients | {BLIP: replace(clients[BLIP], takes_loopback=takes_loopback)}


def _client(client_id: str, name: str, addresses: tuple[str, ...]) -> OidcClient:
    """A client with these registered addresses."""
    web_apps = {text: web_address(text.removesuffix(BELOW)) for text in addresses if text.endswith(BELOW)}
    found = {text: address for text, address in web_apps.items() if address is not None}
    exact = tuple(text for text in addresses if text not in found)
    return OidcClient(client_id, name, exact, tuple(found.values()))
