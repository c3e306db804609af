"""The owner of a user's documents, beside the user: see docs/adr/0022."""

_PREFIX = "nightscout:"


def documents_owner_id(user_id: str) -> str:
    """The owner of the documents that apps store for a user by the Nightscout API: no user has such an id."""
    return f"{_PREFIX}{user_id}"
