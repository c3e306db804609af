"""The operations of confirmations: invitations to a care team, sign-ups, forgotten passwords. Source: confirm."""

from chalicelib.access.policy import ANYONE, CUSTODIANS, OWNER_AND_SERVERS
from chalicelib.api.operations.operation import ErrorFormat, Operation

CONFIRM = ErrorFormat.CONFIRM
LIMIT_BYTES = 64 * 1024
"""An invitation has permissions of up to 16 KB, and as much about alerts."""

SEND_INVITE = Operation(
    "invitations.send",
    "POST",
    ("/confirm/send/invite/{userId}",),
    CUSTODIANS,
    CONFIRM,
    summary="Invite the holder of an e-mail address to a care team",
    limit_bytes=LIMIT_BYTES,
)
RESEND_INVITE = Operation(
    "invitations.resend",
    "PATCH",
    ("/confirm/resend/invite/{key}",),
    CUSTODIANS,
    CONFIRM,
    summary="Start the time of an invitation again",
    limit_bytes=LIMIT_BYTES,
)
CANCEL_INVITE = Operation(
    "invitations.cancel",
    "PUT",
    ("/confirm/{userId}/invited/{invitedBy}",),
    CUSTODIANS,
    CONFIRM,
    summary="Withdraw the invitation to an e-mail address",
    limit_bytes=LIMIT_BYTES,
)
LIST_SENT_INVITES = Operation(
    "invitations.list_sent",
    "GET",
    ("/confirm/invite/{userId}",),
    CUSTODIANS,
    CONFIRM,
    summary="The invitations that a user sent and nobody accepted",
)
LIST_RECEIVED_INVITES = Operation(
    "invitations.list_received",
    "GET",
    ("/confirm/invitations/{userId}",),
    OWNER_AND_SERVERS,
    CONFIRM,
    summary="The pending invitations to the e-mail address of a user, once it was proven to be theirs",
)
ACCEPT_INVITE = Operation(
    "invitations.accept",
    "PUT",
    ("/confirm/accept/invite/{userId}/{invitedBy}",),
    OWNER_AND_SERVERS,
    CONFIRM,
    summary="Accept an invitation",
    limit_bytes=LIMIT_BYTES,
)
DISMISS_INVITE = Operation(
    "invitations.dismiss",
    "PUT",
    ("/confirm/dismiss/invite/{userId}/{invitedBy}",),
    OWNER_AND_SERVERS,
    CONFIRM,
    summary="Decline an invitation",
    limit_bytes=LIMIT_BYTES,
)

SEND_SIGN_UP = Operation(
    "sign_up_confirmations.send",
    "POST",
    ("/confirm/send/signup/{userId}",),
    CUSTODIANS,
    CONFIRM,
    summary="Mail a link that confirms the address of an account, or claims a custodial one",
    limit_bytes=LIMIT_BYTES,
)
RESEND_SIGN_UP = Operation(
    "sign_up_confirmations.resend",
    "POST",
    ("/confirm/resend/signup/{email}",),
    ANYONE,
    CONFIRM,
    summary="Mail that link again; the answer does not tell whether the address has an account",
    limit_bytes=LIMIT_BYTES,
)
ACCEPT_SIGN_UP = Operation(
    "sign_up_confirmations.accept",
    "PUT",
    ("/confirm/accept/signup/{key}",),
    ANYONE,
    CONFIRM,
    summary="Confirm an address with the key of a mailed link",
    limit_bytes=LIMIT_BYTES,
)
DISMISS_SIGN_UP = Operation(
    "sign_up_confirmations.dismiss",
    "PUT",
    ("/confirm/dismiss/signup/{userId}",),
    ANYONE,
    CONFIRM,
    summary="Decline a sign-up that somebody else made with one's address",
    limit_bytes=LIMIT_BYTES,
)
GET_SIGN_UP = Operation(
    "sign_up_confirmations.get",
    "GET",
    ("/confirm/signup/{userId}",),
    CUSTODIANS,
    CONFIRM,
    summary="The pending confirmation of an account",
)
CREATE_SIGN_UP = Operation(
    "sign_up_confirmations.create",
    "POST",
    ("/confirm/signup/{userId}",),
    CUSTODIANS,
    CONFIRM,
    summary="Ask for the confirmation of an account, without a mail",
    limit_bytes=LIMIT_BYTES,
)
CANCEL_SIGN_UP = Operation(
    "sign_up_confirmations.cancel",
    "PUT",
    ("/confirm/signup/{userId}",),
    ANYONE,
    CONFIRM,
    summary="Cancel the confirmation of an account",
    limit_bytes=LIMIT_BYTES,
)
SEND_FORGOT = Operation(
    "password_resets.send",
    "POST",
    ("/confirm/send/forgot/{email}", "/confirm/forgot/{email}"),
    ANYONE,
    CONFIRM,
    summary="Mail a link to a new password; the answer does not tell whether the address has an account",
    limit_bytes=LIMIT_BYTES,
)
ACCEPT_FORGOT = Operation(
    "password_resets.accept",
    "PUT",
    ("/confirm/accept/forgot",),
    ANYONE,
    CONFIRM,
    summary="Set a new password with the key of a mailed link",
    limit_bytes=LIMIT_BYTES,
)

CONFIRM_OPERATIONS: tuple[Operation, ...] = (
    SEND_INVITE,
    RESEND_INVITE,
    CANCEL_INVITE,
    LIST_SENT_INVITES,
    LIST_RECEIVED_INVITES,
    ACCEPT_INVITE,
    DISMISS_INVITE,
    SEND_SIGN_UP,
    RESEND_SIGN_UP,
    ACCEPT_SIGN_UP,
    DISMISS_SIGN_UP,
    GET_SIGN_UP,
    CREATE_SIGN_UP,
    CANCEL_SIGN_UP,
    SEND_FORGOT,
    ACCEPT_FORGOT,
)
