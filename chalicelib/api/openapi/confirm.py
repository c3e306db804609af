"""Descriptions of the routes of invitations. Source: confirm."""

from chalicelib.api.openapi.terms import (
    BOOLEAN,
    EMPTY,
    FREE_FORM,
    PLAIN,
    TIME,
    USER_ID,
    Api,
    Body,
    Details,
    Reply,
    Schema,
    all_of,
    array,
    choice,
    described,
    record,
    reference,
    text,
)
from chalicelib.api.operations.confirm import (
    ACCEPT_INVITE,
    CANCEL_INVITE,
    DISMISS_INVITE,
    LIST_RECEIVED_INVITES,
    LIST_SENT_INVITES,
    RESEND_INVITE,
    SEND_INVITE,
)

_KEY = text("Opens the confirmation.", minLength=32, maxLength=32)
_EMAIL = text(format="email", maxLength=254)
_INVITATION_CONTEXT: dict[str, Schema] = {
    "permissions": described(FREE_FORM, "By name, at least one, as in `/access`."),
    "nickname": text("What the sender calls the invitee.", maxLength=256),
    "alertsConfig": described(FREE_FORM, "Kept as it was sent, beside the permission `follow`; it has no effect."),
}
_KEY_BODY = Body(record({"key": _KEY}, ("key",), is_open=True))
_CONFIRMATION = Reply(reference("Confirmation"), "The invitation.")
_CONFIRMATIONS = Reply(array(reference("Confirmation"), minItems=1), "The invitations, the newest first.")

CONFIRM_API = Api(
    "Invitations",
    "Invitations to a care team. An invitation goes to an e-mail address, with or without an account, for seven days.",
    {
        SEND_INVITE: Details(
            _CONFIRMATION,
            body=Body(record({"email": _EMAIL, **_INVITATION_CONTEXT}, ("email", "permissions"), is_open=True)),
            failures=(409, 429),
        ),
        RESEND_INVITE: Details(_CONFIRMATION, failures=(403, 429)),
        CANCEL_INVITE: Details(EMPTY, failures=(404,)),
        LIST_SENT_INVITES: Details(_CONFIRMATIONS, failures=(404,)),
        LIST_RECEIVED_INVITES: Details(_CONFIRMATIONS, failures=(404,)),
        ACCEPT_INVITE: Details(Reply(text(), "`OK`", PLAIN), body=_KEY_BODY, failures=(403, 404)),
        DISMISS_INVITE: Details(EMPTY, body=_KEY_BODY, failures=(403, 404)),
    },
    {
        "Confirmation": all_of(
            {
                "key": _KEY,
                "type": choice("careteam_invitation"),
                "status": choice("pending", "declined"),
                "email": _EMAIL,
                "creatorId": USER_ID,
                "creator": all_of(
                    {
                        "userid": USER_ID,
                        "profile": all_of(
                            {
                                "fullName": text(),
                                "patient": all_of({"isOtherPerson": BOOLEAN, "fullName": text()}),
                            }
                        ),
                    }
                ),
                "context": record(_INVITATION_CONTEXT, ("permissions",)),
                "created": TIME,
                "modified": TIME,
                "expiresAt": TIME,
                "restrictions": {"type": "null"},
            }
        ),
    },
)
