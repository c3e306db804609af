"""Descriptions of the pages about accounts. Source: confirm 6."""

from chalicelib.api.openapi.terms import FORM, HTML, Api, Body, Details, Parameter, Reply, Schema, record, text
from chalicelib.api.operations.account_pages import (
    SET_NEW_PASSWORD,
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


def _sent(**fields: Schema) -> Details:
    """A form that is sent."""
    return Details(
        _DONE,
        body=Body(record({"key": _KEY, **fields}, ("key",), is_open=True), media_type=FORM),
        other_replies={400: _AGAIN, 404: _DEAD_LINK, 429: _AGAIN, 503: _AGAIN},
    )


ACCOUNT_PAGES = Api(
    "Pages about accounts",
    "Pages for people, beside the sign-in page: those of mailed links. They have no scripts.",
    {
        SHOW_NEW_PASSWORD: _SHOWN,
        SET_NEW_PASSWORD: _sent(password=text(), repeated=text("The same again.")),
        SHOW_VERIFY_EMAIL: _SHOWN,
        VERIFY_EMAIL: _sent(password=text("To claim a custodial account."), repeated=text(), birthday=text()),
    },
)
