"""The apps that may sign people in, and where each takes them back to. Source: auth-api 6, clients 2, 3, 4 and 5.

All are public clients: an app on a phone cannot keep a secret, so what protects a code is PKCE and the redirect
address, which is compared character by character.
"""

from collections.abc import Mapping
from dataclasses import dataclass

UPLOADER = "tidepool-uploader-sso"
PLATFORM_CLIENT = "tidepool-platform-client"


@dataclass(frozen=True, slots=True)
class OidcClient:
    """One app: its id, the name that people know it by, and its redirect addresses."""

    client_id: str
    name: str
    redirect_uris: tuple[str, ...]


_APPS = (
    OidcClient("tidepool-loop", "Loop", ("org.tidepool.tidepoolkit.auth://redirect",)),
    OidcClient("xdrip", "xDrip+", ("xdrip://callback/tidepool",)),
    OidcClient("aaps", "AndroidAPS", ("aaps://callback/tidepool",)),
)


def oidc_clients(web_app_url: str, configured: Mapping[str, tuple[str, ...]]) -> dict[str, OidcClient]:
    """All clients of a stage by id: the known apps, those that come back to a web page, and those of its settings.

    What the settings say of a known client replaces its addresses.
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
