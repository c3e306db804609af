"""Descriptions of the routes of OpenID Connect. Source: auth-api 6."""

from chalicelib.api.openapi.terms import (
    BOOLEAN,
    FORM,
    FREE_FORM,
    HTML,
    USER_ID,
    Api,
    Body,
    Details,
    Parameter,
    Reply,
    Schema,
    all_of,
    array,
    choice,
    integer,
    record,
    reference,
    text,
)
from chalicelib.api.operations.oidc import (
    END_SESSION,
    GET_CERTS,
    GET_CONFIGURATION,
    GET_COOKIE_CHECK,
    GET_COOKIE_CHECK_RESULT,
    GET_LOGIN_STATUS,
    GET_USER_INFO,
    ISSUE_TOKENS,
    POST_END_SESSION,
    POST_USER_INFO,
    REVOKE,
    SHOW_SIGN_IN,
    SIGN_IN,
    UPLOAD_REDIRECT,
)

_REALM = (404,)
_CLIENT_ID = text("Which app asks.")
AUTHORIZATION: dict[str, Schema] = {
    "client_id": _CLIENT_ID,
    "redirect_uri": text("One of the app's own addresses.", format="uri"),
    "response_type": {"const": "code"},
    "response_mode": choice("query", "fragment"),
    "scope": text("`openid`, and perhaps `offline_access`, `email`, `profile`, separated by blanks."),
    "code_challenge": text("The SHA-256 of the verifier.", pattern="^[A-Za-z0-9_-]{43}$"),
    "code_challenge_method": {"const": "S256"},
    "state": text("Comes back with the answer."),
    "nonce": text("Comes back in the ID token."),
    "login_hint": text("The e-mail address, when the app knows it."),
    "prompt": text("`none` never shows a page; `login` asks for the password, the others for a click."),
    "max_age": text("The password is asked for if it was entered longer ago, in seconds.", pattern="^[0-9]{1,9}$"),
    "id_token_hint": text("An ID token of the user whom the app expects."),
}
AUTHORIZATION_REQUIRED = ("client_id", "redirect_uri", "response_type", "code_challenge", "code_challenge_method")
TO_THE_APP = Reply(about="Back to the app, with the answer in the address.", headers={"Location": "Where to go."})
_SIGN_IN_PAGE = Reply(text(), "The page to sign in on, or why that is not possible.", HTML)
_REFUSED_SIGN_INS = {
    400: _SIGN_IN_PAGE,
    401: Reply(text(), "The page again: address or password is wrong.", HTML),
    403: Reply(text(), "The page again: the address is not verified.", HTML),
    429: Reply(text(), "The page again: too many tries.", HTML),
}
_CLAIMS = Reply(record({"sub": USER_ID, "email": text(), "email_verified": BOOLEAN}, ("sub",)), "The user.")
_LOGOUT: dict[str, Schema] = {
    "id_token_hint": text("An ID token of the login."),
    "refresh_token": text("Or a refresh token of it."),
    "client_id": _CLIENT_ID,
    "post_logout_redirect_uri": text("Where to go then, one of the app's own addresses.", format="uri"),
    "state": text("Comes back with the answer."),
}
_LOGGED_OUT = Details(
    Reply(text(), "A page that says so.", HTML),
    query=tuple(Parameter(name, schema) for name, schema in _LOGOUT.items()),
    ignores_unknown_query=True,
    failures=_REALM,
    other_replies={303: TO_THE_APP},
)

OIDC_API = Api(
    "Sign-in by OpenID Connect",
    "The way in which apps sign people in: authorization code with PKCE.",
    {
        GET_CONFIGURATION: Details(Reply(reference("OpenIdConfiguration"), "The configuration."), failures=_REALM),
        GET_CERTS: Details(Reply(all_of({"keys": array(FREE_FORM)}), "Keys, the current one first."), failures=_REALM),
        SHOW_SIGN_IN: Details(
            _SIGN_IN_PAGE,
            query=tuple(
                Parameter(name, schema, is_required=name in AUTHORIZATION_REQUIRED)
                for name, schema in AUTHORIZATION.items()
            ),
            ignores_unknown_query=True,
            failures=_REALM,
            other_replies={303: TO_THE_APP, 400: _SIGN_IN_PAGE},
        ),
        SIGN_IN: Details(
            _SIGN_IN_PAGE,
            body=Body(
                record(
                    {
                        **AUTHORIZATION,
                        "username": text(),
                        "password": text(),
                        "keep": text("Present to be kept signed in."),
                        "account": text("The user who agrees to go on, instead of name and password."),
                        "other": text("Present to sign in to another account."),
                        "form_token": text("Of the page."),
                    },
                    AUTHORIZATION_REQUIRED,
                    is_open=True,
                ),
                media_type=FORM,
            ),
            failures=_REALM,
            other_replies={303: TO_THE_APP, **_REFUSED_SIGN_INS},
        ),
        ISSUE_TOKENS: Details(
            Reply(reference("Tokens"), "The tokens."),
            body=Body(
                record(
                    {
                        "grant_type": choice("authorization_code", "refresh_token"),
                        "client_id": _CLIENT_ID,
                        "code": text("With `authorization_code`."),
                        "redirect_uri": text("With `authorization_code`: the same as before."),
                        "code_verifier": text("With `authorization_code`: what the challenge was made of."),
                        "refresh_token": text("With `refresh_token`: it is good for once."),
                    },
                    ("grant_type", "client_id"),
                    is_open=True,
                ),
                media_type=FORM,
            ),
            failures=(401, 404, 429),
        ),
        GET_USER_INFO: Details(_CLAIMS, failures=(401, 404), credentials=("bearer",)),
        POST_USER_INFO: Details(_CLAIMS, failures=(401, 404), credentials=("bearer",)),
        GET_COOKIE_CHECK: Details(Reply(text(), "A page for a frame.", HTML), failures=_REALM),
        GET_COOKIE_CHECK_RESULT: Details(Reply(text(), "A page for a frame.", HTML), failures=_REALM),
        GET_LOGIN_STATUS: Details(Reply(text(), "A page for a frame.", HTML), failures=_REALM),
        REVOKE: Details(
            Reply(about="Nothing, whether or not the token was good."),
            body=Body(
                record({"token": text(), "token_type_hint": text(), "client_id": _CLIENT_ID}, ("token", "client_id")),
                media_type=FORM,
            ),
            failures=_REALM,
        ),
        END_SESSION: _LOGGED_OUT,
        POST_END_SESSION: Details(
            _LOGGED_OUT.reply,
            body=Body(record(_LOGOUT, is_open=True), media_type=FORM),
            failures=_REALM,
            other_replies=_LOGGED_OUT.other_replies,
        ),
        UPLOAD_REDIRECT: Details(TO_THE_APP),
    },
    {
        "OpenIdConfiguration": record(
            {
                name: text(format="uri")
                for name in (
                    "issuer",
                    "authorization_endpoint",
                    "token_endpoint",
                    "userinfo_endpoint",
                    "revocation_endpoint",
                    "end_session_endpoint",
                    "jwks_uri",
                )
            },
            ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"),
            "As OpenID Connect Discovery has it.",
            is_open=True,
        ),
        "Tokens": all_of(
            {
                "access_token": text("To be sent as a bearer token, or as the session token."),
                "token_type": {"const": "Bearer"},
                "expires_in": integer("Seconds."),
                "refresh_token": text(),
                "refresh_expires_in": integer("Seconds."),
                "scope": text(),
                "id_token": text("A signed JWT that tells who signed in."),
            }
        ),
    },
)
