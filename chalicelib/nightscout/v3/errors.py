"""Refusals of v3 that no other API has. Source: nightscout-api 9."""

from chalicelib.errors import InvalidRequestError, NotFoundError, UnauthorizedError


class MissingPermissionError(UnauthorizedError):
    """The credential lacks a permission, which the error names."""

    def __init__(self, collection: str, operation: str) -> None:
        super().__init__(f"Missing permission api:{collection}:{operation}")


class UnknownCollectionError(NotFoundError):
    """There is no collection with this name."""


class UnsupportedFormatError(InvalidRequestError):
    """A client asks for another format than JSON, CSV or XML."""


class DeletedDocumentError(NotFoundError):
    """The document that is to be read was deleted."""


class ModifiedDocumentError(InvalidRequestError):
    """The document was modified after the time that the client knows."""
