"""Keys by which a client marks the repetitions of one request, as in the header `Idempotency-Key`. Source: errors 6."""

import hashlib
from dataclasses import replace

from chalicelib.access.call import Call


def derived_id(kind: str, owner_id: str, idempotency_key: str) -> str:
    """The id of what a request with this key creates for an owner: 32 lower-case hexadecimal digits."""
    return hashlib.sha256(f"{kind}\0{owner_id}\0{idempotency_key}".encode()).hexdigest()[:32]


def once(call: Call, kind: str, owner_id: str, idempotency_key: str | None) -> Call:
    """The call whose new id is the same for all requests of an owner with this key; without a key, the call as it is.

    Only for ids that are not secrets: the id follows from the key.
    """
    if idempotency_key is None:
        return call
    return replace(call, new_id=lambda: derived_id(kind, owner_id, idempotency_key))
