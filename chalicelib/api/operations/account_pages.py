"""The pages about accounts: a new one, a forgotten password, the proof of an address, an invitation.

Source: confirm 6.
"""

from chalicelib.access.policy import ANYONE
from chalicelib.api.operations.oidc import LIMIT_BYTES, OAUTH, PROTOCOL, REALM
from chalicelib.api.operations.operation import Operation

ACTIONS = f"{REALM}/login-actions"


def _page(name: str, method: str, path: str, summary: str, *, has_resource: bool = True) -> Operation:
    return Operation(
        f"account_pages.{name}",
        method,
        (path,),
        ANYONE,
        OAUTH,
        summary=summary,
        limit_bytes=LIMIT_BYTES,
        has_resource=has_resource,
    )


SHOW_NEW_PASSWORD = _page(
    "show_new_password", "GET", f"{ACTIONS}/new-password", "The page of a mailed link to a new password"
)
SET_NEW_PASSWORD = _page("set_new_password", "POST", f"{ACTIONS}/new-password", "Set the new password")
SHOW_VERIFY_EMAIL = _page(
    "show_verify_email", "GET", f"{ACTIONS}/verify-email", "The page of a mailed link to prove an address"
)
VERIFY_EMAIL = _page("verify_email", "POST", f"{ACTIONS}/verify-email", "Prove the address")
SHOW_CREATE_ACCOUNT = _page(
    "show_create_account", "GET", f"{PROTOCOL}/registrations", "The page that a person creates an account on"
)
CREATE_ACCOUNT = _page(
    "create_account", "POST", f"{PROTOCOL}/registrations", "Create an account, and go back to the app with a code"
)
SHOW_FORGOTTEN_PASSWORD = _page(
    "show_forgotten_password", "GET", f"{ACTIONS}/reset-credentials", "The page for a person who forgot the password"
)
ASK_NEW_PASSWORD = _page(
    "ask_new_password", "POST", f"{ACTIONS}/reset-credentials", "Have a link to a new password mailed"
)
SHOW_INVITATION = _page(
    "show_invitation",
    "GET",
    f"{ACTIONS}/invitation",
    "The page of a mailed link to an invitation",
    has_resource=False,
)
ANSWER_INVITATION = _page(
    "answer_invitation", "POST", f"{ACTIONS}/invitation", "Accept or decline an invitation", has_resource=False
)
OPEN_INVITATION = Operation(
    "account_pages.open_invitation",
    "GET",
    ("/invitation",),
    ANYONE,
    OAUTH,
    303,
    summary="The short address of an invitation's page, and where sign-in returns to",
    has_resource=False,
)

ACCOUNT_PAGE_OPERATIONS: tuple[Operation, ...] = (
    SHOW_NEW_PASSWORD,
    SET_NEW_PASSWORD,
    SHOW_VERIFY_EMAIL,
    VERIFY_EMAIL,
    SHOW_CREATE_ACCOUNT,
    CREATE_ACCOUNT,
    SHOW_FORGOTTEN_PASSWORD,
    ASK_NEW_PASSWORD,
    SHOW_INVITATION,
    ANSWER_INVITATION,
    OPEN_INVITATION,
)
