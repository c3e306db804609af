"""Finds one document by what names it in v3: its identifier, or the `_id` that v1 gave it. Source: nightscout-api 9."""

from itertools import islice

from chalicelib.access.call import Call
from chalicelib.errors import NotFoundError
from chalicelib.nightscout.all_documents import AllDocuments
from chalicelib.nightscout.document import Collection, Document, document_key, is_object_id, key_of_id
from chalicelib.nightscout.ports import NightscoutPorts
from chalicelib.nightscout.search import MAX_DAYS_OF_IDS
from chalicelib.nightscout.v3.access import Right, require
from chalicelib.nightscout.v3.errors import DeletedDocumentError
from chalicelib.nightscout.v3.members import IDENTIFIER
from chalicelib.tiles.missing import retry_on_missing_tile


def read_document(
    call: Call, user_id: str, collection: Collection, identifier: str, ports: NightscoutPorts
) -> Document:
    """The document that an identifier or `_id` names.

    Raises:
        MissingPermissionError: the credential may not read.
        NotFoundError: there is none.
        DeletedDocumentError: it was deleted.
    """
    require(call, user_id, collection, Right.READ)

    def attempt() -> Document | None:
        return named_document(AllDocuments(user_id, collection, ports), collection, identifier)

    document = retry_on_missing_tile(attempt)
    if document is None:
        raise NotFoundError(identifier)
    if document.is_deleted:
        raise DeletedDocumentError(identifier)
    return document


def named_document(documents: AllDocuments, collection: Collection, identifier: str) -> Document | None:
    """The document that an identifier or `_id` names, deleted or not; None if there is none.

    Entries of v1 have their time as key, and what is made of other data has none, so those are looked for among the
    newest.
    """
    keys = keys_of_name(collection, identifier)
    for document in documents.stored.with_keys(collection, keys, with_deleted=True).values():
        if identifier in (document.body.get(IDENTIFIER), document.id):
            return document
    if is_object_id(identifier) and (made := documents.with_id_of_server(identifier)) is not None:
        return made
    if collection is Collection.ENTRIES or documents.has_rendered:
        for day in islice(documents.days(None, None), MAX_DAYS_OF_IDS):
            for document in documents.on_days([day]):
                if identifier in (document.body.get(IDENTIFIER), document.id):
                    return document
    return None


def identifier_key(collection: Collection, identifier: str) -> str:
    """The key of a document that v3 stored."""
    return document_key(collection, IDENTIFIER, identifier)


def keys_of_name(collection: Collection, identifier: str) -> set[str]:
    """The keys that a document with this identifier or `_id` may have."""
    keys = {identifier_key(collection, identifier)}
    if is_object_id(identifier):
        keys |= {key_of_id(identifier), document_key(collection, "_id", identifier)}
    return keys
