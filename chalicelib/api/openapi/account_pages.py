"""Descriptions of the pages about accounts. Source: confirm 6."""

from chalicelib.api.openapi.oidc import AUTHORIZATION, AUTHORIZATION_REQUIRED, TO_THE_APP
from chalicelib.api.openapi.terms import FORM, HTML, Api, Body, Details, Parameter, Reply, Schema, record, text
from chalicelib.api.operations.account_pages import (
    ANSWER_INVITATION,
    ASK_NEW_PASSWORD,
    CREATE_ACCOUNT,
    OPEN_INVITATION,
    SET_NEW_PASSWORD,
    SHOW_CREATE_ACCOUNT,
    SHOW_FORGOTTEN_PASSWORD,
    SHOW_INVITATION,
    SHOW_NEW_PASSWORD,
    SHOW_VERIFY_EMAIL,
    VERIFY_EMAIL,
)

_KEY = text("Of the mailed link.")
_FORM = Reply(text(), "The page with a form.", HTML)
_DEAD_LINK = Reply(text(), "A page: the link was used, has expired, or was never made.", HTML)
_AGAIN = Reply(text(), "The page again: something is missing or wrong.", HTML)
_DONE = Reply(text(), "A page that says so.", HTML)
_SHOWN = Details(
    _FORM,
    query=(Parameter("key", _KEY, is_required=True),),
    ignores_unknown_query=True,
    other_replies={404: _DEAD_LINK},
)
_FORM_TOKEN = text("Of the page.")
_CLOSED = Reply(text(), "A page: the server takes no new accounts, or the invitation code is wrong.", HTML)
_TAKEN = Reply(text(), "The page again: the address has an account.", HTML)


def _sent(**fields: Schema) -> Details:
    """A form that is sent."""
    return Details(
        _DONE,
        body=Body(record({"key": _KEY, **fields}, ("key",), is_open=True), media_type=FORM),
        other_replies={400: _AGAIN, 404: _DEAD_LINK, 429: _AGAIN, 503: _AGAIN},
    )


ACCOUNT_PAGES = Api(
    "Pages about accounts",
    "Pages for people, beside the sign-in page, without scripts: a new account, a forgotten password, mailed links.",
    {
        SHOW_NEW_PASSWORD: _SHOWN,
        SET_NEW_PASSWORD: _sent(password=text(), repeated=text("The same again.")),
        SHOW_VERIFY_EMAIL: _SHOWN,
        VERIFY_EMAIL: _sent(password=text("To claim a custodial account."), repeated=text(), birthday=text()),
        SHOW_CREATE_ACCOUNT: Details(
            _FORM,
            query=tuple(
                Parameter(name, schema, is_required=name in AUTHORIZATION_REQUIRED)
                for name, schema in AUTHORIZATION.items()
            ),
            ignores_unknown_query=True,
            failures=(404,),
            other_replies={303: TO_THE_APP, 400: _AGAIN, 403: _CLOSED},
        ),
        CREATE_ACCOUNT: Details(
            Reply(text(), "The page, or that a mail is on its way with which the address is proven.", HTML),
            body=Body(
                record(
                    {
                        **AUTHORIZATION,
                        "username": text("The e-mail address."),
                        "password": text(),
                        "repeated": text("The same again."),
                        "invitation": text("The code, where accounts are made by invitation."),
                        "terms": text("Present if the person agrees."),
                        "form_token": _FORM_TOKEN,
                    },
                    AUTHORIZATION_REQUIRED,
                    is_open=True,
                ),
                media_type=FORM,
            ),
            failures=(404,),
            other_replies={303: TO_THE_APP, 400: _AGAIN, 403: _CLOSED, 409: _TAKEN, 429: _AGAIN, 503: _AGAIN},
        ),
        SHOW_FORGOTTEN_PASSWORD: Details(
            _FORM,
            query=tuple(Parameter(name, schema) for name, schema in AUTHORIZATION.items()),
            ignores_unknown_query=True,
            failures=(404,),
        ),
        ASK_NEW_PASSWORD: Details(
            Reply(text(), "A page that says that a mail comes, the same for every address.", HTML),
            body=Body(
                record(
                    {**AUTHORIZATION, "username": text("The e-mail address."), "form_token": _FORM_TOKEN}, is_open=True
                ),
                media_type=FORM,
            ),
            failures=(404,),
            other_replies={400: _AGAIN, 429: _AGAIN, 503: _AGAIN},
        ),
        SHOW_INVITATION: _SHOWN,
        ANSWER_INVITATION: Details(
            _DONE,
            body=Body(
                record(
                    {"key": _KEY, "answer": text("`accept` or `decline`."), "form_token": _FORM_TOKEN},
                    ("key",),
                    is_open=True,
                ),
                media_type=FORM,
            ),
            other_replies={400: _AGAIN, 404: _DEAD_LINK, 503: _AGAIN},
        ),
        OPEN_INVITATION: Details(
            Reply(about="To the page of the invitation.", headers={"Location": "Where to go."}),
            query=(Parameter("key", _KEY, is_required=True),),
            ignores_unknown_query=True,
            failures=(404,),
        ),
    },
)
