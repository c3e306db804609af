"""Keys of invitations: found by, and made again for those who may see them."""

from chalicelib.access.call import token_hash
from chalicelib.invitations.invitation import Invitation, InvitationIdentity
from chalicelib.invitations.ports import InvitationPorts


def find_by_key(key: str, ports: InvitationPorts) -> Invitation | None:
    """The invitation that a key opens, in any status; None if there is none."""
    return ports.invitations.find_by_key(token_hash(key))


def key_of(invitation: Invitation, ports: InvitationPorts) -> str | None:
    """The key of an invitation; None if the secret of the stage was changed since, after which nothing opens it."""
    key = InvitationIdentity(invitation.id, ports.secret()).key
    return key if token_hash(key) == invitation.key_hash else None
