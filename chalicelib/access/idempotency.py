"""Keys by which a client marks the repetitions of one request, as in the header `Idempotency-Key`. Source: errors 6."""

import hashlib


def derived_id(kind: str, owner_id: str, idempotency_key: str) -> str:
    """The id of what a request with this key creates for an owner: 32 lower-case hexadecimal digits."""
    return hashlib.sha256(f"{kind}\0{owner_id}\0{idempotency_key}".encode()).hexdigest()[:32]
