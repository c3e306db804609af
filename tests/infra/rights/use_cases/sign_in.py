"""Use cases of OpenID Connect."""

from tests.fakes.oidc_app import App, Browser, apps
from tests.infra.rights.stage import BASE_URL, PASSWORD, Stage


def _app(stage: Stage, client_id: str) -> App:
    return next(app for app in apps(stage.send, BASE_URL) if app.client_id == client_id)


def tokens(stage: Stage) -> None:
    """An app's sign-in, after a wrong password: tokens, who they stand for, a refresh, and their end."""
    user = stage.sign_up("app")
    app = _app(stage, "xdrip")
    assert app.sign_in(user.email, "not the password").status == 401
    first = app.tokens(user.email, PASSWORD)
    app.claims(first, stage.now_ms() / 1000)
    second = app.checked(app.refresh(first["refresh_token"]))
    assert app.user_info(second["access_token"]).status == 200
    assert app.post("userinfo", {}, Authorization=f"Bearer {second['access_token']}").status == 200
    assert app.post("revoke", {"token": second["refresh_token"], "client_id": app.client_id}).status == 200


def end_of_a_session(stage: Stage) -> None:
    """The Uploader's sign-in and sign-out, in either way, and a second use of a code."""
    user = stage.sign_up("uploader")
    app = _app(stage, "tidepool-uploader-sso")
    stage.request("GET", "/upload-redirect")
    for method in ("GET", "POST"):
        code = app.returned(app.sign_in(user.email, PASSWORD))["code"]
        issued = app.checked(app.exchange(code))
        fields = {"id_token_hint": issued["id_token"], "post_logout_redirect_uri": app.redirect_uri, "state": "s"}
        path = f"{app.path}/protocol/openid-connect/logout"
        browser = Browser(stage.send)
        query = "&".join(f"{name}={value}" for name, value in fields.items())
        reply = browser.post(path, fields) if method == "POST" else browser.get(f"{path}?{query}")
        assert reply.status == 303, reply.body
        assert app.exchange(code).status == 400


def all_logins_of_a_user(stage: Stage) -> None:
    """The end of a login that comes with the end of all sessions."""
    user = stage.sign_up("logins")
    _app(stage, "aaps").tokens(user.email, PASSWORD)
    stage.request("DELETE", f"/auth/user/{user.id}/sessions", token=stage.server)


USE_CASES = (tokens, end_of_a_session, all_logins_of_a_user)
