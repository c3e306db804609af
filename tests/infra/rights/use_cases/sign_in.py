"""Use cases of OpenID Connect."""

from urllib.parse import urlencode

from tests.fakes.oidc_app import App, Browser, apps, hidden_fields
from tests.infra.rights.stage import BASE_URL, PASSWORD, SECRET, Stage


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


def new_account(stage: Stage) -> None:
    """An account that is created on the page, with a wrong invitation code and with the right one."""
    app, browser = _app(stage, "xdrip"), Browser(stage.send)
    path = f"{app.path}/protocol/openid-connect/registrations"
    form = hidden_fields(browser.get(f"{path}?{urlencode(app.parameters())}").body)
    entered = {"username": "created@example.org", "password": PASSWORD, "repeated": PASSWORD, "terms": "1"}
    assert browser.post(path, form | entered | {"invitation": "wrong"}).status == 403
    reply = browser.post(path, form | entered | {"invitation": SECRET})
    app.checked(app.exchange(app.returned(reply)["code"]))


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


def sessions_of_browsers(stage: Stage) -> None:
    """A web app's sign-in, a silent one in the same browser, one by another person, and a sign-out."""
    app = App(stage.send, "strandline-web", f"{BASE_URL}/page", more={"response_mode": "fragment"})
    browser, path = Browser(stage.send), f"{app.path}/protocol/openid-connect"
    for name in ("first-at-a-browser", "second-at-a-browser"):
        user = stage.sign_up(name)
        page = browser.get(app.page_path(prompt="login"))
        reply = browser.post(f"{path}/auth", hidden_fields(page.body) | {"username": user.email, "password": PASSWORD})
        assert reply.status == 303, reply.body
    issued = app.checked(app.exchange(app.returned(browser.get(app.page_path(prompt="none")))["code"]))
    app.checked(app.refresh(issued["refresh_token"]))
    for frame in ("3p-cookies/step1.html", "3p-cookies/step2.html", "login-status-iframe.html"):
        assert stage.request("GET", f"{path}/{frame}").status == 200
    reply = browser.get(f"{path}/logout?id_token_hint={issued['id_token']}")
    assert b"You are signed out" in reply.body


USE_CASES = (tokens, new_account, end_of_a_session, all_logins_of_a_user, sessions_of_browsers)
