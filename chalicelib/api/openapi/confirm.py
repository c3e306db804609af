"""Descriptions of the routes of invitations, sign-ups and forgotten passwords. Source: confirm."""

from chalicelib.api.openapi.terms import (
    BOOLEAN,
    DATE,
    EMAIL,
    EMPTY,
    FREE_FORM,
    PASSWORD,
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
    integer,
    record,
    reference,
    text,
)
from chalicelib.api.operations.confirm import (
    ACCEPT_FORGOT,
    ACCEPT_INVITE,
    ACCEPT_SIGN_UP,
    CANCEL_INVITE,
    CANCEL_SIGN_UP,
    CREATE_SIGN_UP,
    DISMISS_INVITE,
    DISMISS_SIGN_UP,
    GET_SIGN_UP,
    LIST_RECEIVED_INVITES,
    LIST_SENT_INVITES,
    RESEND_INVITE,
    RESEND_SIGN_UP,
    SEND_FORGOT,
    SEND_INVITE,
    SEND_SIGN_UP,
)

_KEY = text("Opens the confirmation.", minLength=32, maxLength=32)
_INVITATION_CONTEXT: dict[str, Schema] = {
    "permissions": described(FREE_FORM, "By name, at least one, as in `/access`."),
    "nickname": text("What the sender calls the invitee.", maxLength=256),
    "alertsConfig": described(FREE_FORM, "Kept as it was sent, beside the permission `follow`; it has no effect."),
}
_KEY_BODY = Body(record({"key": _KEY}, ("key",), is_open=True))
_SIGN_UP = Reply(reference("SignUpConfirmation"), "The confirmation.")
_CONFIRMATION = Reply(reference("Confirmation"), "The invitation.")
_CONFIRMATIONS = Reply(array(reference("Confirmation"), minItems=1), "The invitations, the newest first.")

CONFIRM_API = Api(
    "Invitations and confirmations",
    "Invitations to a care team go to an e-mail address, with or without an account. Mailed links prove addresses and "
    "reset forgotten passwords.",
    {
        SEND_INVITE: Details(
            _CONFIRMATION,
            body=Body(record({"email": EMAIL, **_INVITATION_CONTEXT}, ("email", "permissions"), is_open=True)),
            failures=(409, 429),
        ),
        RESEND_INVITE: Details(_CONFIRMATION, failures=(403, 429)),
        CANCEL_INVITE: Details(EMPTY, failures=(404,)),
        LIST_SENT_INVITES: Details(_CONFIRMATIONS, failures=(404,)),
        LIST_RECEIVED_INVITES: Details(_CONFIRMATIONS, failures=(404,)),
        ACCEPT_INVITE: Details(Reply(text(), "`OK`", PLAIN), body=_KEY_BODY, failures=(403, 404)),
        DISMISS_INVITE: Details(EMPTY, body=_KEY_BODY, failures=(403, 404)),
        SEND_SIGN_UP: Details(EMPTY, failures=(403, 404)),
        RESEND_SIGN_UP: Details(EMPTY, failures=(429,)),
        ACCEPT_SIGN_UP: Details(
            EMPTY,
            body=Body(
                record({"password": PASSWORD, "birthday": DATE}, is_open=True),
                "To claim a custodial account: a password, and the birthday in its profile.",
                is_required=False,
            ),
            failures=(404, 409, 429),
        ),
        DISMISS_SIGN_UP: Details(EMPTY, body=_KEY_BODY, failures=(404,)),
        GET_SIGN_UP: Details(_SIGN_UP, failures=(404,)),
        CREATE_SIGN_UP: Details(_SIGN_UP, failures=(403, 404)),
        CANCEL_SIGN_UP: Details(EMPTY, body=_KEY_BODY, failures=(404,)),
        SEND_FORGOT: Details(EMPTY, failures=(429,)),
        ACCEPT_FORGOT: Details(
            Reply(all_of({"code": integer(), "reason": text()}), "The password is set."),
            body=Body(
                record({"key": _KEY, "email": EMAIL, "password": PASSWORD}, ("key", "email", "password"), is_open=True)
            ),
            failures=(404,),
        ),
    },
    {
        "Confirmation": all_of(
            {
                "key": _KEY,
                "type": choice("careteam_invitation"),
                "status": choice("pending", "declined"),
                "email": EMAIL,
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
        "SignUpConfirmation": all_of(
            {
                "key": text("Names the confirmation. The keys that confirm are in the mails alone."),
                "type": choice("signup_confirmation"),
                "status": choice("pending"),
                "email": EMAIL,
                "creatorId": text("The custodian who asked; empty for the user and for servers."),
                "created": TIME,
                "modified": TIME,
                "expiresAt": TIME,
                "restrictions": {"type": "null"},
            }
        ),
    },
)
