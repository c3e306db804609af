"""Permissions by name, and policies: the vocabulary that the operation table and the rules share.

Source: access-api A2, data-api 1.
"""

from dataclasses import replace

from chalicelib.access.nightscout_credential import Scope
from chalicelib.frozen import frozen

ROOT = "root"
CUSTODIAN = "custodian"
UPLOAD = "upload"
VIEW = "view"
NOTE = "note"
FOLLOW = "follow"


@frozen
class Policy:
    """The callers who may act on what belongs to a user.

    Another user needs one of `permissions`, granted by the owner. `grantee` is the user that the path names as such;
    `related` is any user who granted something to the owner, or was granted something by the owner. A Nightscout
    credential opens what names its scope, and nothing else.
    """

    anyone: bool = False
    owner: bool = False
    server: bool = False
    permissions: frozenset[str] = frozenset()
    grantee: bool = False
    related: bool = False
    nightscout: frozenset[Scope] = frozenset()
    """The scopes of Nightscout credentials that may."""

    def without(self, permission: str) -> "Policy":
        """The policy that a holder of this permission alone does not meet."""
        return replace(self, permissions=self.permissions - {permission})


ANYONE = Policy(anyone=True)
OWNER = Policy(owner=True)
SERVERS = Policy(server=True)
OWNER_AND_SERVERS = Policy(owner=True, server=True)
READERS = Policy(owner=True, server=True, permissions=frozenset({VIEW}))
UPLOADERS = Policy(owner=True, server=True, permissions=frozenset({UPLOAD}))
USERS_WHO_UPLOAD = Policy(owner=True, permissions=frozenset({UPLOAD}))
CUSTODIANS = Policy(owner=True, server=True, permissions=frozenset({CUSTODIAN}))
DATA_SET_DELETERS = Policy(owner=True, server=True, permissions=frozenset({CUSTODIAN, UPLOAD}))
"""Holders of `upload` may delete what they uploaded themselves (data-api 1, row 8)."""
DATA_SET_LISTERS = Policy(owner=True, server=True, permissions=frozenset({CUSTODIAN, UPLOAD, VIEW}))
DEVICE_LOG_UPLOADERS = Policy(owner=True, server=True, permissions=frozenset({CUSTODIAN, UPLOAD}))
DEVICE_LOG_READERS = Policy(
    owner=True, server=True, permissions=frozenset({ROOT, CUSTODIAN, UPLOAD, VIEW, NOTE, FOLLOW})
)
"""Any permission is enough (blob-api 1)."""
NOTE_READERS = Policy(owner=True, server=True, permissions=frozenset({VIEW, NOTE, CUSTODIAN}))
NOTE_WRITERS = Policy(owner=True, permissions=frozenset({NOTE}))
"""Of these, the author may change a note, and the author and the owner may remove it."""
OWNER_AND_VIEWERS = Policy(owner=True, permissions=frozenset({VIEW}))
NIGHTSCOUT_READERS = Policy(nightscout=frozenset({Scope.READ, Scope.UPLOAD}))
NIGHTSCOUT_UPLOADERS = Policy(nightscout=frozenset({Scope.UPLOAD}))
