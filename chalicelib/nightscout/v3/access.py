"""Collections of v3, and what a credential may do with them. Source: nightscout-api 2 and 9."""

from collections.abc import Mapping
from enum import StrEnum

from chalicelib.access.call import Call
from chalicelib.access.nightscout_credential import Scope
from chalicelib.errors import UnauthorizedError
from chalicelib.nightscout.document import Collection
from chalicelib.nightscout.v3.errors import MissingPermissionError, UnknownCollectionError, UnsupportedFormatError

PERMISSIONS: Mapping[Scope, str] = {Scope.READ: "r", Scope.UPLOAD: "crud"}
"""Rights of a credential in each collection, as letters of create, read, update and delete."""
UNSUPPORTED_FORMAT = "Unsupported output format requested"
NAMES = ("devicestatus", "entries", "food", "profile", "settings", "treatments")
"""The collections of Nightscout: AndroidAPS takes a site for broken that names fewer."""


class Right(StrEnum):
    """The right that an operation needs in a collection, as Nightscout's permissions name it."""

    CREATE = "create"
    READ = "read"
    UPDATE = "update"
    DELETE = "delete"
    ADMIN = "admin"


def permissions(scope: Scope) -> dict[str, str]:
    """The permissions of a credential for each collection."""
    return dict.fromkeys(NAMES, PERMISSIONS[scope])


def collection_named(name: str) -> Collection:
    """The collection that a path names.

    Raises:
        UnknownCollectionError: there is none with this name.
        UnsupportedFormatError: the name ends with an extension that is not known.
    """
    bare, dot, _ = name.partition(".")
    if bare not in NAMES or bare not in tuple(Collection):
        raise UnknownCollectionError(name)
    if dot:
        raise UnsupportedFormatError(UNSUPPORTED_FORMAT)
    return Collection(bare)


def require(call: Call, user_id: str, collection: str, right: Right) -> None:
    """Raise unless the credential may do this with the collection.

    Raises:
        UnauthenticatedError: there is no credential.
        MissingPermissionError: it may not. To search settings, nobody may.
    """
    try:
        call.require(user_id)
    except UnauthorizedError as error:
        raise MissingPermissionError(collection, right) from error


def require_list(call: Call, user_id: str, collection: Collection) -> None:
    """As `require`, to list documents of the collection."""
    require(call, user_id, collection, Right.READ)
    if collection is Collection.SETTINGS:
        raise MissingPermissionError(collection, Right.ADMIN)
