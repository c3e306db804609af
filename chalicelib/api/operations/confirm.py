"""The operations of confirmations: invitations to a care team. Source: confirm 3."""

from chalicelib.access.policy import CUSTODIANS, OWNER_AND_SERVERS
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

CONFIRM_OPERATIONS: tuple[Operation, ...] = (
    SEND_INVITE,
    RESEND_INVITE,
    CANCEL_INVITE,
    LIST_SENT_INVITES,
    LIST_RECEIVED_INVITES,
    ACCEPT_INVITE,
    DISMISS_INVITE,
)
