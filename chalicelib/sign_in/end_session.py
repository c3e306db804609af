"""The end-session endpoint: a login ends, and the user returns to the app. Source: auth-api 6.

OpenID Connect RP-Initiated Logout 1.0.
"""

from collections.abc import Mapping
from urllib.parse import urlencode

from chalicelib.sign_in.claims import read_id_token
from chalicelib.sign_in.errors import INVALID_REQUEST, OAuthError
from chalicelib.sign_in.logins import end_login, login_to_end
from chalicelib.sign_in.ports import SignInPorts


def end_session(parameters: Mapping[str, str], ports: SignInPorts) -> str | None:
    """End the login that an ID token or a refresh token belongs to; return the URL to which the app wants its user to
    return, None if it gives none. A token that belongs to no login is no error.

    Raises:
        OAuthError: the URL is not a redirect address of the client. The login has ended all the same.
    """
    hint = parameters.get("id_token_hint")
    claims = read_id_token(hint, ports) if hint else None
    login = login_to_end(claims or {}, parameters.get("refresh_token", ""), ports.logins)
    if login is not None:
        end_login(login, ports)
    url = parameters.get("post_logout_redirect_uri")
    if url is None:
        return None
    client_id = str(claims["aud"]) if claims is not None else parameters.get("client_id", "")
    client = ports.provider.clients.get(client_id)
    if client is None or url not in client.redirect_uris:
        raise OAuthError(INVALID_REQUEST, "post_logout_redirect_uri is not an address of the client")
    return f"{url}?{urlencode({'state': parameters['state']})}" if "state" in parameters else url
