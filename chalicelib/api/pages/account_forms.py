"""Parts that the pages about accounts share: fields of passwords, and what a link that does not work says."""

from html import escape

from chalicelib.api.messages import Reply
from chalicelib.api.pages.alerts import alert_paragraph
from chalicelib.api.pages.sign_in_page import account_page

PASSWORD_RULE = "A password has 8 to 72 characters, without blanks."  # noqa: S105  a sentence, not a password
DIFFERENT = "The two passwords differ."


def password_fields(label: str = "New password", focus: str = " autofocus") -> str:
    """Two fields for a new password."""
    return f"""<label for="password">{label}</label>
<input id="password" name="password" type="password" autocomplete="new-password" minlength="8" maxlength="72" required \
aria-describedby="rule"{focus}>
<label for="repeated">The same again</label>
<input id="repeated" name="repeated" type="password" autocomplete="new-password" maxlength="72" required>
<p id="rule">{PASSWORD_RULE}</p>"""


def hidden(name: str, value: str) -> str:
    """A hidden field of a form."""
    return f'<input type="hidden" name="{name}" value="{escape(value)}">'


def dead_link_page() -> Reply:
    """The page of a link that was used, has expired, or was never made."""
    body = f"""<h1>This link does not work</h1>
{alert_paragraph("It was used already, or has expired, or is not complete.")}\
<p>If you need another one, ask for it where you signed in, or ask the owner of this server.</p>"""
    return account_page("This link does not work", body, 404)
