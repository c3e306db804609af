"""The texts of all mails, in plain text and HTML. None of them holds health data or the name of a person."""

from html import escape

from chalicelib.mail.message import MailText

RESET_DAYS = 7
SIGN_UP_DAYS = 31
INVITATION_DAYS = 7


def password_reset_mail(link: str) -> MailText:
    """The mail with the link to a new password."""
    return _mail(
        "Choose a new password",
        "Somebody asked for a new password for your account, with this e-mail address. Choose one here:",
        ("Choose a new password", link),
        f"The link works once, and for {RESET_DAYS} days. If it was not you, ignore this mail: nothing changes.",
    )


def sign_up_mail(link: str) -> MailText:
    """The mail with the link that confirms an e-mail address."""
    return _mail(
        "Confirm your e-mail address",
        "An account was made with this e-mail address. Confirm that it is yours:",
        ("Confirm the address", link),
        f"The link works for {SIGN_UP_DAYS} days. If you made no account, ignore this mail.",
    )


def invitation_mail(link: str) -> MailText:
    """The mail with the link to an invitation. The page behind it says who invites, and to what."""
    return _mail(
        "You are invited to a care team",
        "Somebody would like to share data with you. See who it is, and accept or decline:",
        ("See the invitation", link),
        f"The link works for {INVITATION_DAYS} days. If you expect no invitation, ignore this mail: nothing is shared.",
    )


def _mail(subject: str, opening: str, action: tuple[str, str], closing: str) -> MailText:
    label, link = action
    html = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"></head>'
        '<body style="font:16px/1.5 sans-serif;max-width:34em;margin:1em auto;padding:0 1em">'
        f'<p>{escape(opening)}</p><p><a href="{escape(link)}">{escape(label)}</a></p>'
        f"<p>{escape(closing)}</p></body></html>\n"
    )
    return MailText(subject, f"{opening}\n\n{link}\n\n{closing}\n", html)
