"""The clients and the issuer of a stage, by its settings."""

import pytest

from chalicelib.config import Settings
from chalicelib.sign_in.provider import oidc_clients


def test_the_known_apps_have_the_addresses_that_are_built_into_them() -> None:
    clients = oidc_clients("https://api.example.org", "https://web.example.org", {})
    assert {client_id: client.redirect_uris for client_id, client in clients.items()} == {
        "tidepool-loop": ("org.tidepool.tidepoolkit.auth://redirect",),
        "xdrip": ("xdrip://callback/tidepool",),
        "aaps": ("aaps://callback/tidepool",),
        "tidepool-uploader-sso": ("https://web.example.org/upload-redirect",),
        "tidepool-platform-client": ("https://web.example.org/",),
        "blip": (),
        "strandline-web": (),
    }


def test_the_settings_of_a_stage_add_clients_and_replace_addresses() -> None:
    environ = {
        "STRANDLINE_BASE_URL": "https://api.example.org/",
        "STRANDLINE_REALM": "integration",
        "STRANDLINE_WEB_APP_URL": "https://web.example.org/",
        "STRANDLINE_OIDC_CLIENTS": "mine=https://a.example.org/?x=1, mine=mine://back,xdrip=other://x",
        "STRANDLINE_ACCESS_TOKEN_LIFETIME_S": "5",
    }
    settings = Settings.from_env(environ)
    assert settings.issuer == "https://api.example.org/realms/integration"
    assert settings.web_app_url == "https://web.example.org"
    assert settings.access_token_lifetime_s == 5
    assert settings.oidc_clients == {
        "mine": ("https://a.example.org/?x=1", "mine://back"),
        "xdrip": ("other://x",),
    }


@pytest.mark.parametrize(
    ("environ", "issuer"),
    [({}, "http://127.0.0.1:8000/realms/tidepool"), ({"STRANDLINE_BASE_URL": ""}, None)],
)
def test_the_issuer_is_at_the_address_of_the_stage(environ: dict[str, str], issuer: str | None) -> None:
    assert Settings.from_env(environ).issuer == issuer
