"""A stage as a provider of OpenID Connect: the apps that people may sign in to, and how long tokens last.

All apps are public clients, since an app on a phone cannot keep a secret. A code is protected by PKCE and by the
redirect address, which must match character by character. Source: auth-api 6, clients 2, 3, 4 and 5.
"""

from collections.abc import Mapping

from chalicelib.errors import NotFoundError
from chalicelib.frozen import frozen
from chalicelib.sign_in.errors import INVALID_CLIENT, OAuthError

UPLOADER = "tidepool-uploader-sso"
PLATFORM_CLIENT = "tidepool-platform-client"


@frozen
class OidcClient:
    """An app: its id, the name that people know, and its redirect addresses."""

    client_id: str
    name: str
    redirect_uris: tuple[str, ...]


@frozen
class Provider:
    """What the settings of a stage say about OpenID Connect."""

    issuer: str
    """The URL of the realm; empty if the stage does not know its own address, and then offers no OpenID Connect."""
    realm: str
    clients: Mapping[str, OidcClient]
    """The clients by id."""
    access_token_lifetime_s: int
    refresh_token_lifetime_s: int

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


def oidc_clients(web_app_url: str, configured: Mapping[str, tuple[str, ...]]) -> dict[str, OidcClient]:
    """All clients of a stage by id: the known apps, those that return to a web page, and those in its settings.

    Addresses in the settings replace those of a known client.
    """
    known = (
        *_APPS,
        OidcClient(UPLOADER, "Tidepool Uploader", (f"{web_app_url}/upload-redirect",)),
        OidcClient(PLATFORM_CLIENT, "the web page that sent you", (f"{web_app_url}/",)),
    )
    clients = {client.client_id: client for client in known}
    for client_id, redirect_uris in configured.items():
        name = clients[client_id].name if client_id in clients else client_id
        clients[client_id] = OidcClient(client_id, name, redirect_uris)
    return clients
