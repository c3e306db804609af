"""The pages about accounts beside sign-in: a new password, and the proof of an address. Source: confirm 6."""

from chalicelib.access.policy import ANYONE
from chalicelib.api.operations.oidc import LIMIT_BYTES, OAUTH, REALM
from chalicelib.api.operations.operation import Operation


def _page(name: str, method: str, path: str, summary: str) -> Operation:
    return Operation(
        f"account_pages.{name}",
        method,
        (f"{REALM}/login-actions/{path}",),
        ANYONE,
        OAUTH,
        summary=summary,
        limit_bytes=LIMIT_BYTES,
    )


SHOW_NEW_PASSWORD = _page("show_new_password", "GET", "new-password", "The page of a mailed link to a new password")
SET_NEW_PASSWORD = _page("set_new_password", "POST", "new-password", "Set the new password")
SHOW_VERIFY_EMAIL = _page("show_verify_email", "GET", "verify-email", "The page of a mailed link to prove an address")
VERIFY_EMAIL = _page("verify_email", "POST", "verify-email", "Prove the address")

ACCOUNT_PAGE_OPERATIONS: tuple[Operation, ...] = (
    SHOW_NEW_PASSWORD,
    SET_NEW_PASSWORD,
    SHOW_VERIFY_EMAIL,
    VERIFY_EMAIL,
)
